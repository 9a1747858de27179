import { inRange, UsageError } from '../../common/errors.ts';
import { blockLength, type Radio, type StreamRequest } from '../../radio/radio.ts';
import type { Heard } from './listen.ts';

/** Further off, and it is another signal that was heard, ppm. */
const MAX_CLOCK_PPM = 100;

export interface ClockFinding {
  readonly referenceHz: number;
  /** Where the reference seemed to be. */
  readonly measuredHz: number;
  /** Error of the board's clock in all, positive where it is fast: what a URI's ppm= would be. */
  readonly ppm: number;
  /** Either way, with a reference that is exact. */
  readonly errorPpm: number;
  /** Where the LO is off, Hz: what is heard is so much too low, as far as nothing was taken out. */
  readonly loOffsetHz: number;
  /** Of that, what was taken out already by ppm= or a stored calibration. */
  readonly appliedPpm: number;
}

/**
 * Error of a board's clock from a signal of known frequency. LO and sample clock come from one crystal: what is believed to be f is f (1 + r) in truth, so that the
 * reference appears at reference/(1 + r), and r = reference/measured - 1. Corrections that were applied multiply. Null where no tone stands within 100 ppm of the reference.
 */
export function clockError(heard: Heard, referenceHz: number, appliedPpm: number): ClockFinding | null {
  const { tone, settings } = heard;
  inRange('--reference', referenceHz, 1e5, 1e10, 'Hz');
  if (!tone) return null;
  const measuredHz = settings.frequencyHz + tone.offsetHz;
  const rest = referenceHz / measuredHz - 1;
  if (Math.abs(rest) > MAX_CLOCK_PPM * 1e-6) return null;
  const ppm = ((1 + appliedPpm * 1e-6) * (1 + rest) - 1) * 1e6;
  const errorPpm = (1e6 * tone.errorHz) / referenceHz;
  return { referenceHz, measuredHz, ppm, errorPpm, loOffsetHz: ppm * 1e-6 * settings.frequencyHz, appliedPpm };
}

export interface RateTrial {
  readonly rateHz: number;
  readonly samples: number;
  readonly lostMin: number;
  readonly lostMax: number;
  readonly gaps: number;
}

export interface SustainedRate {
  /** The highest rate that lost nothing; null where all did. */
  readonly rateHz: number | null;
  /** In the order of trial, falling. */
  readonly trials: readonly RateTrial[];
}

/**
 * The highest rate that comes without a loss: from the board's highest continuous one downwards by halves, each for a while. Samples are only counted, so this is what USB, driver and
 * this process carry; a modem needs its own time beside.
 */
export async function sustainedRate(
  radio: Radio,
  request: StreamRequest,
  options: { readonly durationS: number; readonly signal?: AbortSignal },
): Promise<SustainedRate> {
  const { capabilities } = radio;
  const trials: RateTrial[] = [];
  for (let rateHz = capabilities.maxContinuousRateHz; rateHz >= capabilities.rateHz.min; rateHz /= 2) {
    if (options.signal?.aborted) break;
    const trial = await tryRate(radio, { ...request, rateHz: Math.round(rateHz) }, options);
    trials.push(trial);
    if (trial.lostMax === 0 && trial.samples > 0) return { rateHz: trial.rateHz, trials };
  }
  if (trials.length === 0 && !options.signal?.aborted) throw new UsageError(`${capabilities.name} has no rate to try`);
  return { rateHz: null, trials };
}

async function tryRate(
  radio: Radio,
  request: StreamRequest,
  { durationS, signal }: { readonly durationS: number; readonly signal?: AbortSignal },
): Promise<RateTrial> {
  const rx = await radio.openRx(request);
  const stop = () => void rx.close();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const { rateHz } = rx.settings;
    let first = -1;
    for await (const block of rx) {
      if (first < 0) first = block.index;
      if (block.index + blockLength(block) - first >= durationS * rateHz) break;
    }
    const { samples, lostMin, lostMax, gaps } = rx.counters;
    return { rateHz, samples, lostMin, lostMax, gaps };
  } finally {
    signal?.removeEventListener('abort', stop);
    await rx.close();
  }
}
