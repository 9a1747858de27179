import { inRange } from '../../common/errors.ts';
import type { RadioProfile } from '../profile.ts';
import type { GainStage } from '../radio.ts';
import { MAX_CABLED_INPUT_DBM } from './cable-limits.ts';
import type { Span } from './occupied-band.ts';
import { cabledInputDbm, completeTxGains, outputBoundDbm, txStages } from './output-level.ts';
import { TransmitRefused } from './transmit-permission.ts';

/**
 * Largest bound of the output with which a session begins, dBm: 10 dB below what a receiver may get, so that nothing is harmed even where the attenuator
 * was forgotten. It is enough to be heard: behind 60 dB a burst's RMS of -20 - 60 - 11 = -91 dBm stands 6 dB above the noise of a HackRF, -174 + 10 log10(3.84e6) + 10.8 =
 * -97 dBm (noise figure of the profile).
 */
export const START_OUTPUT_DBM = MAX_CABLED_INPUT_DBM - 10;
/** Largest rise at once, dB. */
export const RISE_STEP_DB = 6;
/** How much more than predicted may arrive before the attenuator is doubted, dB: levels of these boards are not calibrated. */
export const SURPLUS_DB = 15;

/** What the far end said about a burst. */
export interface HeardBurst {
  readonly snrDb: number;
  /** What it needs; no rise where it has that. */
  readonly wantedSnrDb: number;
  /** Its estimate of the level at its connector, dBm; null where it has none. */
  readonly receivedDbm: number | null;
  /** Some of its samples stood at the converter's limit. */
  readonly clipped: boolean;
}

export interface PowerRiseOptions {
  /** Attenuation between the boards, dB; null: antennas. */
  readonly cabledDb: number | null;
}

/**
 * Transmit gains of a session: low at first, up by at most 6 dB after each burst that the far end heard too weakly or not at all, never above the gains
 * that the user named (which were checked as a whole before), down by 6 dB where it clips. Held when the wanted SNR is there. A stage of two
 * positions (the HackRF's amplifier) is used only where the user's gains have it on.
 *
 * On a cable, a level 15 dB above the prediction is a TransmitRefused: the attenuator is not where it should be. The caller stops then.
 */
export class PowerRise {
  private readonly profile: RadioProfile;
  private readonly span: Span;
  private readonly ceilingDb: Readonly<Record<string, number>>;
  private readonly cabledDb: number | null;
  private currentDb: Record<string, number>;

  /**
   * @param span where the transmission lies (emissionSpan)
   * @param ceilingGainsDb the user's transmit gains; stages not named stay at their minimum
   */
  constructor(
    profile: RadioProfile,
    span: Span,
    ceilingGainsDb: Readonly<Record<string, number>>,
    options: PowerRiseOptions,
  ) {
    this.profile = profile;
    this.span = span;
    this.ceilingDb = completeTxGains(profile, ceilingGainsDb);
    this.cabledDb = options.cabledDb;
    this.currentDb = this.gainsOfBound(START_OUTPUT_DBM);
  }

  /** Gain of each transmit stage, dB. */
  get gainsDb(): Readonly<Record<string, number>> {
    return { ...this.currentDb };
  }

  /** Upper bound of the output with these gains, dBm. */
  get outputDbm(): number {
    return outputBoundDbm(this.profile, this.span, this.currentDb);
  }

  /** Whether the user's gains are reached. */
  get atCeiling(): boolean {
    return sumOf(this.currentDb) >= sumOf(this.ceilingDb);
  }

  /** Takes the far end's answer to a burst sent with these gains; returns the gains for the next. */
  heard(burst: HeardBurst): Readonly<Record<string, number>> {
    inRange('SNR', burst.snrDb, -100, 200, 'dB');
    this.checkLevel(burst.receivedDbm);
    if (burst.clipped) return this.move(-RISE_STEP_DB);
    const missingDb = burst.wantedSnrDb - burst.snrDb;
    return missingDb > 0 ? this.move(Math.min(RISE_STEP_DB, Math.max(missingDb, 1))) : this.gainsDb;
  }

  /** No answer to a burst; returns the gains for the next. */
  notHeard(): Readonly<Record<string, number>> {
    return this.move(RISE_STEP_DB);
  }

  /** Back to the gains of the start, after a pause for instance. */
  reset(): void {
    this.currentDb = this.gainsOfBound(START_OUTPUT_DBM);
  }

  private checkLevel(receivedDbm: number | null): void {
    if (this.cabledDb === null || receivedDbm === null) return;
    const predictedDbm = cabledInputDbm(this.outputDbm, this.cabledDb);
    if (receivedDbm > predictedDbm + SURPLUS_DB) {
      throw new TransmitRefused(
        `${receivedDbm.toFixed(1)} dBm arrive where at most ${predictedDbm.toFixed(1)} dBm were predicted behind ${this.cabledDb} dB`,
        'look whether the attenuator is really between the boards, then give its value with --cabled',
      );
    }
  }

  private move(byDb: number): Readonly<Record<string, number>> {
    this.currentDb = settingOf(this.stages(), sumOf(this.currentDb) + byDb);
    return this.gainsDb;
  }

  /** The strongest setting below the ceiling whose bound is at most this; the weakest one where none is. */
  private gainsOfBound(boundDbm: number): Record<string, number> {
    const stages = this.stages();
    const weakest = settingOf(stages, Number.NEGATIVE_INFINITY);
    const highest = sumOf(this.ceilingDb) - sumOf(weakest);
    // A decibel less gain is a decibel less bound except where the bound is capped, so that the first one that fits is the strongest.
    for (let aboveDb = highest; aboveDb > 0; aboveDb -= 0.25) {
      const setting = settingOf(stages, sumOf(weakest) + aboveDb);
      if (outputBoundDbm(this.profile, this.span, setting) <= boundDbm) return setting;
    }
    return weakest;
  }

  /** The board's stages, cut at the ceiling. */
  private stages(): GainStage[] {
    return txStages(this.profile).map((stage) => ({ ...stage, max: this.ceilingDb[stage.name] }));
  }
}

/**
 * The setting of largest total gain that is not above `totalDb`; of equals the one with the fewest switches on. Switches are stages of one step; the rest is
 * filled in order, on its grid. At the lower end: all minima.
 */
function settingOf(stages: readonly GainStage[], totalDb: number): Record<string, number> {
  const switches = stages.filter((stage) => stage.max > stage.min && stage.step >= stage.max - stage.min);
  let best = Object.fromEntries(stages.map((stage) => [stage.name, stage.min]));
  let bestSum = Number.NEGATIVE_INFINITY;
  for (let bits = 0; bits < 1 << switches.length; bits++) {
    const setting: Record<string, number> = {};
    let restDb = totalDb - stages.reduce((sum, stage) => sum + stage.min, 0);
    stages.forEach((stage) => {
      const at = switches.indexOf(stage);
      setting[stage.name] = at >= 0 && (bits >> at) & 1 ? stage.max : stage.min;
      restDb -= setting[stage.name] - stage.min;
    });
    if (restDb < 0) continue;
    for (const stage of stages) {
      if (switches.includes(stage) || stage.max === stage.min) continue;
      const roomDb = Math.min(restDb, stage.max - stage.min);
      const addDb = stage.step > 0 ? Math.floor(roomDb / stage.step + 1e-9) * stage.step : roomDb;
      setting[stage.name] += addDb;
      restDb -= addDb;
    }
    if (sumOf(setting) > bestSum) {
      best = setting;
      bestSum = sumOf(setting);
    }
  }
  return best;
}

function sumOf(gainsDb: Readonly<Record<string, number>>): number {
  return Object.values(gainsDb).reduce((sum, gainDb) => sum + gainDb, 0);
}
