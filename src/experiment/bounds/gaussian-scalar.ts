import { inRange, UsageError } from '../../common/errors.ts';
import { requireDistortion, requirePositive } from './limits.ts';

/**
 * An indirect source: the state S is meant, the observation X is what the encoder has; jointly Gaussian with zero mean,
 * squared error on both.
 */
export interface ScalarGaussian {
  readonly varS: number;
  readonly varX: number;
  readonly cov: number;
}

/** What X says of S: the best estimate is gain x X, and leaves `mmse` even of an X known exactly. */
export interface Estimation {
  readonly gain: number;
  readonly mmse: number;
}

/** Which constraint sets the rate; none where mean values alone are good enough. */
export type Binding = 'semantic' | 'pixel' | 'none';

export interface ScalarRate {
  /** Bits per source sample; Infinity where no rate is enough (Ds at or below the mmse). */
  readonly rateBits: number;
  readonly binding: Binding;
  readonly estimation: Estimation;
  /** Distortions at that rate, [Ds, Dx]: both are met, the one that does not bind with something to spare. */
  readonly achieved: { readonly ds: number; readonly dx: number } | null;
}

/** Source with correlation `rho` of S and X and given variances. */
export function scalarGaussian(rho: number, varS = 1, varX = 1): ScalarGaussian {
  inRange('rho', rho, -1, 1);
  requirePositive('varS', varS);
  requirePositive('varX', varX);
  return { varS, varX, cov: rho * Math.sqrt(varS * varX) };
}

/** Share of varS that the difference varS - cov^2 / varX may be off by rounding. */
const ROUNDING = 4 * Number.EPSILON;

/** gain = cov / varX; mmse = varS - cov^2 / varX, 0 where nothing but rounding is left of it. */
export function estimation({ varS, varX, cov }: ScalarGaussian): Estimation {
  const mmse = varS - (cov * cov) / varX;
  return { gain: cov / varX, mmse: mmse > ROUNDING * varS ? mmse : 0 };
}

/**
 * Rate-distortion function of an indirect scalar Gaussian source with two squared errors ([Liu21] theorem for Gaussian sources, [Shi23] eq. 2):
 *
 *   R(Ds, Dx) = max(0, 1/2 log2(varX / min(Dx, (Ds - mmse) / gain^2, varX)))   bits per sample, Ds > mmse.
 *
 * One description serves both, since Shat = gain x Xhat: the tighter constraint alone sets the rate. Dx = inf: the task only
 * (indirect rate-distortion function); Ds = inf: the classical one.
 *
 * @throws UsageError naming a distortion that is no number above 0
 */
export function rateScalar(source: ScalarGaussian, ds: number, dx: number): ScalarRate {
  requireDistortion('Ds', ds);
  requireDistortion('Dx', dx);
  requireSource(source);
  const e = estimation(source);
  const { varS, varX } = source;
  const g = e.gain * e.gain;
  // A Ds of 0.36 is the mmse of correlation 0.8, though in doubles it lies above it.
  const above = ds - e.mmse > (e.mmse > 0 ? ROUNDING * varS : 0) ? ds - e.mmse : 0;
  // Nothing to estimate: the semantic constraint is met without any rate, or never.
  const fromS = ds === Number.POSITIVE_INFINITY || ds >= varS ? varX : g > 0 ? above / g : 0;
  if (!(fromS > 0)) return { rateBits: Number.POSITIVE_INFINITY, binding: 'semantic', estimation: e, achieved: null };
  const d = Math.min(dx, fromS, varX);
  const binding = d >= varX ? 'none' : fromS < dx ? 'semantic' : 'pixel';
  return {
    rateBits: Math.max(0, 0.5 * Math.log2(varX / d)),
    binding,
    estimation: e,
    achieved: { ds: e.mmse + g * d, dx: d },
  };
}

/** Smallest distortions at a rate; both at once: Dx = varX 2^(-2R), Ds = mmse + gain^2 Dx. */
export function distortionsAt(source: ScalarGaussian, rateBits: number): { ds: number; dx: number } {
  inRange('rate', rateBits, 0, 1e6, 'bit');
  const e = estimation(requireSource(source));
  const dx = source.varX * 2 ** (-2 * rateBits);
  return { ds: e.mmse + e.gain * e.gain * dx, dx };
}

/** The degenerate settings of [Shi23] §2.3 beside the joint code, bits per sample; Infinity where a rate does not exist. */
export interface DegenerateRates {
  readonly joint: number;
  /** Dx = inf: only the task counts. */
  readonly taskOnly: number;
  /** Ds = inf: only the pixels count. */
  readonly pixelOnly: number;
  /** Two codes that know nothing of each other, one for S and one for X: the sum of the two above. */
  readonly separate: number;
}

export function degenerateRates(source: ScalarGaussian, ds: number, dx: number): DegenerateRates {
  const taskOnly = rateScalar(source, ds, Number.POSITIVE_INFINITY).rateBits;
  const pixelOnly = rateScalar(source, Number.POSITIVE_INFINITY, dx).rateBits;
  return { joint: rateScalar(source, ds, dx).rateBits, taskOnly, pixelOnly, separate: taskOnly + pixelOnly };
}

function requireSource(source: ScalarGaussian): ScalarGaussian {
  const { varS, varX, cov } = source;
  requirePositive('varS', varS);
  requirePositive('varX', varX);
  if (!(cov * cov <= varS * varX * (1 + 1e-12))) {
    throw new UsageError(`covariance ${cov} of S and X is out of range: allowed -sqrt(varS varX) to sqrt(varS varX)`);
  }
  return source;
}
