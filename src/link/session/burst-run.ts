import { SOUNDING_GRID_S } from '../reverse/csi-history.ts';
import type { TransmitBurst } from '../transmission.ts';
import type { Spacing } from './air.ts';

/** Silence between bursts of one run, s. */
const GAP_S = 0.5e-3;
/** Longest run that is made at once, s: 31 MB at 15.36 Msps. */
const MAX_RUN_S = 0.25;

/** A burst in a run: where it begins and how long it is, samples at the modem rate. */
export interface RunBurst {
  readonly burst: TransmitBurst;
  readonly start: number;
  readonly length: number;
}

/** Bursts with their exact distances, sent in one go. */
export interface BurstRun {
  readonly bursts: readonly RunBurst[];
  /** At the modem rate, [n][re, im]. */
  readonly samples: Float32Array;
  /** From this run's first sample to the next one's, samples at the modem rate; 0: as soon as it can be. */
  readonly next: number;
}

/**
 * Puts bursts together into runs, so that their distances are exact whatever the host does meanwhile: soundings lie on their grid
 * (docs/adr/0017-predicted-csi.md) as long as they fit into one run. Each burst is made when its run is.
 */
export function* burstRuns(bursts: Iterable<TransmitBurst>, spacing: Spacing, rateHz: number): Generator<BurstRun> {
  let run: { burst: TransmitBurst; start: number; samples: Float32Array }[] = [];
  let at = 0;
  for (const burst of bursts) {
    const length = burst.layout.samples;
    if (run.length > 0 && at + length > MAX_RUN_S * rateHz) {
      yield joined(run, at);
      run = [];
      at = 0;
    }
    run.push({ burst, start: at, samples: burst.samples });
    at += stepOf(length, spacing, rateHz);
  }
  if (run.length > 0) yield joined(run, spacing.kind === 'period' ? at : 0);
}

/** From the start of a burst to the start of the next. */
function stepOf(length: number, spacing: Spacing, rateHz: number): number {
  const least = length + Math.ceil(GAP_S * rateHz);
  if (spacing.kind === 'close') return least;
  if (spacing.kind === 'period') return Math.max(least, Math.round(spacing.everyS * rateHz));
  const step = SOUNDING_GRID_S * rateHz;
  const every = Math.round(spacing.everyS / SOUNDING_GRID_S);
  return Math.round(Math.max(every, Math.ceil(least / step)) * step);
}

function joined(
  run: readonly { burst: TransmitBurst; start: number; samples: Float32Array }[],
  next: number,
): BurstRun {
  const last = run[run.length - 1];
  const samples = new Float32Array(2 * last.start + last.samples.length);
  for (const part of run) samples.set(part.samples, 2 * part.start);
  const bursts = run.map(({ burst, start, samples: own }) => ({ burst, start, length: own.length / 2 }));
  return { bursts, samples, next };
}
