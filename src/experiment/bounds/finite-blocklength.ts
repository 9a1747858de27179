import { inRange, UsageError } from '../../common/errors.ts';
import { normalQuantile } from '../metrics/distributions.ts';
import { awgnCapacity } from './channel-capacity.ts';
import { LARGEST, requirePositive, requireWhole } from './limits.ts';
import { gaussianTail } from './normal-tail.ts';

/** Longest block: more samples than any burst has. */
export const MAX_BLOCK = 1e9;

/** What the normal approximation needs of a channel, per use: bits, bits^2, and the factor of log2(n) in the third term. */
export interface ChannelDispersion {
  readonly capacity: number;
  readonly dispersion: number;
  readonly logTerm: number;
}

/** Complex AWGN: C = log2(1 + snr), V = (1 - 1/(1 + snr)^2) log2(e)^2 [Polyanskiy10] theorem 54, twice the real channel. */
export function awgnDispersion(snr: number): ChannelDispersion {
  return {
    capacity: awgnCapacity(snr),
    dispersion: ((snr * (snr + 2)) / (1 + snr) ** 2) * Math.LOG2E ** 2,
    logTerm: 0.5,
  };
}

/** Binary symmetric channel: C = 1 - h(p), V = p (1 - p) log2((1 - p)/p)^2 [Polyanskiy10] theorem 52. */
export function bscDispersion(p: number): ChannelDispersion {
  inRange('crossover probability', p, 0, 1);
  const entropy = p > 0 && p < 1 ? -p * Math.log2(p) - (1 - p) * Math.log2(1 - p) : 0;
  const dispersion = p > 0 && p < 1 ? p * (1 - p) * Math.log2((1 - p) / p) ** 2 : 0;
  return { capacity: 1 - entropy, dispersion, logTerm: dispersion > 0 ? 0.5 : 0 };
}

/** Binary erasure channel: C = 1 - e, V = e (1 - e), no log term [Polyanskiy10] theorem 53. */
export function becDispersion(erasure: number): ChannelDispersion {
  inRange('erasure probability', erasure, 0, 1);
  return { capacity: 1 - erasure, dispersion: erasure * (1 - erasure), logTerm: 0 };
}

/** Largest rate of block length n with error probability eps: C - sqrt(V/n) Q^-1(eps) + logTerm log2(n)/n, bits per use, at least 0. */
export function rateAt({ capacity, dispersion, logTerm }: ChannelDispersion, n: number, eps: number): number {
  requireWhole('n', n, 1, MAX_BLOCK);
  return Math.max(0, capacity + Math.sqrt(dispersion / n) * quantile(eps) + (logTerm * Math.log2(n)) / n);
}

/** Error probability at a rate: Q((n C - n R + logTerm log2 n) / sqrt(n V)); 0 or 1 without dispersion. */
export function errorAt({ capacity, dispersion, logTerm }: ChannelDispersion, n: number, rateBits: number): number {
  requireWhole('n', n, 1, MAX_BLOCK);
  inRange('rate', rateBits, 0, 1e6, 'bit');
  const margin = n * (capacity - rateBits) + logTerm * Math.log2(n);
  return dispersion > 0 ? gaussianTail(margin / Math.sqrt(n * dispersion)) : margin >= 0 ? 0 : 1;
}

/** Dispersion of a Gaussian source with squared error at every distortion: 1/2 log2(e)^2 bits^2 per real sample [Kostina12]. */
export const GAUSSIAN_SOURCE_DISPERSION = 0.5 * Math.LOG2E ** 2;

/** k samples of N(0, varX) over n uses of a channel, one constraint: P{dx > Dx}. */
export interface JointCode {
  readonly k: number;
  readonly n: number;
  readonly varX: number;
  readonly channel: ChannelDispersion;
}

/**
 * Excess-distortion probability of the best joint code, normal approximation [Kostina13]:
 * n C - k R(D) = sqrt(n V + k Vs) Q^-1(eps), R(D) = 1/2 log2(varX / D). Without the terms of order log n, which are not known exactly.
 * For a D at or above varX nothing need be sent and the approximation does not hold: UsageError.
 */
export function excessProbability(code: JointCode, dx: number): number {
  const { k, n, varX, channel } = checked(code);
  requirePositive('Dx', dx);
  if (dx >= varX) throw new UsageError(`Dx ${dx} is out of range: allowed above 0 and below the variance ${varX}`);
  const margin = n * channel.capacity - 0.5 * k * Math.log2(varX / dx);
  return gaussianTail(margin / spread(code));
}

/** Distortion that is exceeded with probability eps: the inverse of `excessProbability`; at most varX. */
export function distortionAt(code: JointCode, eps: number): number {
  const { k, n, varX, channel } = checked(code);
  const rate = (n * channel.capacity + spread(code) * quantile(eps)) / k;
  return varX * 2 ** (-2 * Math.max(0, rate));
}

function spread({ k, n, channel }: JointCode): number {
  return Math.sqrt(n * channel.dispersion + k * GAUSSIAN_SOURCE_DISPERSION);
}

function checked(code: JointCode): JointCode {
  requireWhole('k', code.k, 1, MAX_BLOCK);
  requireWhole('n', code.n, 1, MAX_BLOCK);
  requirePositive('varX', code.varX, LARGEST);
  return code;
}

/** -Q^-1(eps), the normal quantile. */
function quantile(eps: number): number {
  if (!(eps > 0 && eps < 1)) throw new UsageError(`eps ${eps} is out of range: allowed above 0 and below 1`);
  return normalQuantile(eps);
}
