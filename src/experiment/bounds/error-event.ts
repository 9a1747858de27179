import { UsageError } from '../../common/errors.ts';
import { RandomStream } from '../../common/random.ts';
import { clopperPearson, type Estimate } from '../metrics/stats.ts';
import { estimation, type ScalarGaussian } from './gaussian-scalar.ts';
import { uncodedJoint } from './joint-event.ts';
import { requireDistortion, requirePositive, requireWhole } from './limits.ts';
import { chiSquareExcess } from './normal-tail.ts';

/** Most samples that a Monte Carlo run draws: half a minute. */
export const MAX_DRAWS = 2e8;

/** Joint error event of [Shi23] eq. 5, P{ds > Ds or dx > Dx}, and both marginals, each with its exact 95 % interval [Clopper34]. */
export interface ErrorEvent {
  readonly joint: Estimate;
  /** null where that distortion was not measured. */
  readonly semantic: Estimate | null;
  readonly pixel: Estimate | null;
}

/** UsageError for limits out of range, or two that are both inf. */
export function requireLimits(ds: number, dx: number): void {
  requireDistortion('Ds', ds);
  requireDistortion('Dx', dx);
  if (ds === Number.POSITIVE_INFINITY && dx === Number.POSITIVE_INFINITY) {
    throw new UsageError('Ds and Dx are both inf: then nothing is an error', 'give one of them a limit');
  }
}

/** UsageError for samples of a block, or blocks, that are no whole numbers in range. */
export function requireTrials(k: number, blocks: number): void {
  requireWhole('k', k, 1, 1e6);
  requireWhole('blocks', blocks, 1, 1e7);
}

/** Counts events block by block. */
export class EventCounter {
  private readonly ds: number;
  private readonly dx: number;
  private readonly counts = { joint: 0, semantic: 0, pixel: 0, trials: 0, semanticTrials: 0, pixelTrials: 0 };

  /** Limits; Infinity for none. */
  constructor(ds: number, dx: number) {
    requireLimits(ds, dx);
    this.ds = ds;
    this.dx = dx;
  }

  /**
   * One block with its distortions, null for one that was not measured: such a block counts only where the other limit has already been
   * passed or the missing one has no limit.
   */
  add(ds: number | null, dx: number | null): void {
    const c = this.counts;
    const badS = ds !== null && ds > this.ds;
    const badX = dx !== null && dx > this.dx;
    if (ds !== null) {
      c.semanticTrials++;
      if (badS) c.semantic++;
    }
    if (dx !== null) {
      c.pixelTrials++;
      if (badX) c.pixel++;
    }
    const knownS = ds !== null || this.ds === Number.POSITIVE_INFINITY;
    const knownX = dx !== null || this.dx === Number.POSITIVE_INFINITY;
    if (!knownS || !knownX) return;
    c.trials++;
    if (badS || badX) c.joint++;
  }

  /** @throws UsageError where no block had all that its limits ask for */
  result(confidence = 0.95): ErrorEvent {
    const c = this.counts;
    if (c.trials === 0) {
      throw new UsageError(
        'no block has both distortions measured',
        'runs have ds only with --truth; leave --ds away for the pixels alone',
      );
    }
    const of = (k: number, n: number) => (n === 0 ? null : clopperPearson(k, n, confidence));
    return {
      joint: clopperPearson(c.joint, c.trials, confidence),
      semantic: of(c.semantic, c.semanticTrials),
      pixel: of(c.pixel, c.pixelTrials),
    };
  }
}

export interface UncodedTrial {
  readonly source: ScalarGaussian;
  /** Linear Es/N0 of the complex symbols; a pair of real samples rides on each. */
  readonly snr: number;
  /** Real samples of a block, over which distortions are averaged. */
  readonly k: number;
  readonly blocks: number;
  readonly seed: number | string;
}

/**
 * Monte Carlo of linear uncoded transmission over AWGN: X, S = gain X + N and the noise are drawn, Xhat = SNR/(1 + SNR) Y, Shat = gain Xhat.
 * Theory beside it: `uncodedTheory`.
 */
export function simulateUncoded(trial: UncodedTrial, ds: number, dx: number): ErrorEvent & { readonly mean: Means } {
  const { source, snr, seed, k, blocks } = trial;
  requireTrials(k, blocks);
  requirePositive('SNR', snr);
  if (k * blocks > MAX_DRAWS) {
    throw new UsageError(`blocks x k ${k * blocks} is out of range: allowed up to ${MAX_DRAWS} samples`);
  }
  const { gain, mmse } = estimation(source);
  const counter = new EventCounter(ds, dx);
  const random = new RandomStream(seed).fork('error-event');
  const [sdX, sdN, sdW] = [Math.sqrt(source.varX), Math.sqrt(mmse), Math.sqrt(source.varX / snr)];
  const shrink = snr / (1 + snr);
  let [totalS, totalX] = [0, 0];
  for (let b = 0; b < blocks; b++) {
    let [sumS, sumX] = [0, 0];
    for (let i = 0; i < k; i++) {
      const x = sdX * random.normal();
      const xHat = shrink * (x + sdW * random.normal());
      const s = gain * x + sdN * random.normal();
      sumX += (x - xHat) ** 2;
      sumS += (s - gain * xHat) ** 2;
    }
    counter.add(sumS / k, sumX / k);
    totalS += sumS / k;
    totalX += sumX / k;
  }
  return { ...counter.result(), mean: { ds: totalS / blocks, dx: totalX / blocks } };
}

export interface Means {
  readonly ds: number;
  readonly dx: number;
}

/**
 * The same without drawing: errors are Gaussian, so each marginal is a tail of chi-square with k degrees of freedom, and the joint probability a
 * series of products of such tails (null where it has too many terms); it lies between the larger marginal and their sum (union bound).
 */
export function uncodedTheory(trial: Omit<UncodedTrial, 'blocks' | 'seed'>, ds: number, dx: number) {
  const { gain, mmse } = estimation(trial.source);
  const error = trial.source.varX / (1 + trial.snr);
  const semantic = chiSquareExcess(trial.k, mmse + gain * gain * error, ds);
  const pixel = chiSquareExcess(trial.k, error, dx);
  const joint = uncodedJoint(trial.source, trial.snr, trial.k, ds, dx);
  return { semantic, pixel, joint, jointLow: Math.max(semantic, pixel), jointHigh: Math.min(1, semantic + pixel) };
}
