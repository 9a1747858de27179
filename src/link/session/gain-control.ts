import type { GainStage } from '../../radio/radio.ts';

/** RMS that a burst is to have at the receiver's converter, dBFS: 12 dB of head room for OFDM peaks and fading. */
export const TARGET_DBFS = -12;
/** Nothing is changed within so much of it, dB: steps of gain cost phase and time. */
const TOLERANCE_DB = 3;
/** Share of samples at the limit above which a burst is too strong whatever its RMS says. */
const CLIPPED_SHARE = 1e-3;
/** What is taken off then, dB: how far it was above the limit is not known. */
const CLIPPED_STEP_DB = 8;
/** Most that is added at once, dB: what was measured may be noise. */
const RISE_DB = 20;

/**
 * RMS that noise alone is to have at least, steps of the converter: its own rounding, sqrt(2/12) steps, is then 14 dB below, and what stands in
 * the noise is not lost between two steps.
 */
const NOISE_STEPS = 2;

/** What a burst looked like at the converter. */
export interface BurstLevelReading {
  /** Relative to a full-scale complex amplitude of 1. */
  readonly rmsDbfs: number;
  /** The quietest half millisecond, without what it has at 0 Hz; -Infinity where nothing moved. */
  readonly quietDbfs: number;
  /** Share of its complex samples of which I or Q stood at the limit. */
  readonly clippedShare: number;
}

/**
 * Sets the receive gain between bursts. Amplifiers of two positions are left as they are: they are for the user to switch. Each reading
 * changes the gain at most once, towards the target, and within the tolerance not at all, so that it comes to rest.
 */
export class GainControl {
  private readonly stages: readonly GainStage[];
  private readonly fixedDb: Readonly<Record<string, number>>;
  private totalDb: number;

  /**
   * @param stages of the board; those of receivers with more than two positions are used
   * @param gainsDb as they are now, every receive stage
   */
  constructor(stages: readonly GainStage[], gainsDb: Readonly<Record<string, number>>) {
    this.stages = stages.filter((s) => s.direction === 'rx' && !isSwitch(s));
    const own = new Set(this.stages.map((s) => s.name));
    this.fixedDb = Object.fromEntries(Object.entries(gainsDb).filter(([name]) => !own.has(name)));
    this.totalDb = this.stages.reduce((sum, s) => sum + (gainsDb[s.name] ?? s.min), 0);
  }

  /** Gain of every stage, dB. */
  get gainsDb(): Readonly<Record<string, number>> {
    return { ...this.fixedDb, ...splitGain(this.stages, this.totalDb) };
  }

  /** Whether the gain can be lower than it is. */
  get canLower(): boolean {
    return this.totalDb > this.stages.reduce((sum, s) => sum + s.min, 0);
  }

  /** Takes a burst's level; returns the gains for the next, or null where they stay. */
  take({ rmsDbfs, clippedShare }: Omit<BurstLevelReading, 'quietDbfs'>): Readonly<Record<string, number>> | null {
    const clipped = clippedShare > CLIPPED_SHARE;
    const errorDb = Number.isFinite(rmsDbfs) ? TARGET_DBFS - rmsDbfs : RISE_DB;
    if (!clipped && Math.abs(errorDb) <= TOLERANCE_DB) return null;
    return this.change(clipped ? Math.min(-CLIPPED_STEP_DB, errorDb) : Math.min(RISE_DB, errorDb));
  }

  /**
   * Takes levels among which no burst may be yet: down where they are too strong, up until the noise moves the converter; nothing more, as the burst that
   * will be heard is stronger than the noise. Returns the gains, or null where they stay.
   *
   * @param fullScale steps of the converter from 0 to its limit
   */
  takeNoise(reading: BurstLevelReading, fullScale: number): Readonly<Record<string, number>> | null {
    const { rmsDbfs, quietDbfs, clippedShare } = reading;
    if (clippedShare > CLIPPED_SHARE || rmsDbfs > TARGET_DBFS + TOLERANCE_DB) return this.take(reading);
    const missingDb = 20 * Math.log10(NOISE_STEPS / fullScale) - quietDbfs;
    // No more than what leaves the strongest thing heard below the target.
    const roomDb = TARGET_DBFS - rmsDbfs;
    const riseDb = Math.min(RISE_DB, missingDb, roomDb);
    return riseDb > TOLERANCE_DB ? this.change(riseDb) : null;
  }

  private change(changeDb: number): Readonly<Record<string, number>> | null {
    const before = totalOf(splitGain(this.stages, this.totalDb));
    const gainsDb = splitGain(this.stages, before + changeDb);
    this.totalDb = totalOf(gainsDb);
    return this.totalDb === before ? null : this.gainsDb;
  }
}

/** A stage with two positions: an amplifier that is on or off. */
function isSwitch(stage: GainStage): boolean {
  return stage.step > 0 && stage.max - stage.min <= stage.step;
}

function totalOf(gainsDb: Readonly<Record<string, number>>): number {
  return Object.values(gainsDb).reduce((a, b) => a + b, 0);
}

/**
 * Shares a gain out over stages: about equal parts, so that the first is neither the whole noise figure nor the whole distortion; each
 * in its own steps, the finest stage last, so that the sum is the nearest that is possible at or below what is asked for.
 */
export function splitGain(stages: readonly GainStage[], totalDb: number): Record<string, number> {
  const order = [...stages].sort((a, b) => (b.step || 1e-9) - (a.step || 1e-9));
  const out: Record<string, number> = {};
  let left = totalDb;
  order.forEach((stage, i) => {
    const later = order.slice(i + 1);
    const most = later.reduce((sum, s) => sum + s.max, 0);
    const least = later.reduce((sum, s) => sum + s.min, 0);
    // At least what the others cannot give, at most what leaves them their minimum.
    const wish = Math.max(left / (later.length + 1), left - most);
    const needed = later.length > 0 ? left - most : Number.NEGATIVE_INFINITY;
    const db = onSteps(stage, Math.min(wish, left - least), needed);
    out[stage.name] = db;
    left -= db;
  });
  return out;
}

/** The stage's step at or below `db`, but not below `needed` where it has one above. */
function onSteps({ min, max, step }: GainStage, db: number, needed: number): number {
  const within = Math.min(max, Math.max(min, db));
  if (step === 0) return within;
  const down = min + Math.floor((within - min) / step + 1e-9) * step;
  return down < needed - 1e-9 && down + step <= max ? down + step : down;
}
