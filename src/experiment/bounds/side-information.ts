import { UsageError } from '../../common/errors.ts';
import { MAX_ROWS, matrixSource, rateVector, type VectorRate, type VectorSource } from './gaussian-vector.ts';
import { LARGEST } from './limits.ts';
import {
  block,
  combine,
  eigenSymmetric,
  generalizedInverse,
  type Matrix,
  multiply,
  trace,
  transpose,
} from './symmetric.ts';

/** Jointly Gaussian state, observation and side information, in this order. */
export interface JointGaussian {
  readonly covariance: Matrix; // [s + x + v][s + x + v]
  readonly s: number;
  readonly x: number;
  readonly v: number;
}

/**
 * @throws UsageError naming sizes out of range, an entry that is no finite number, asymmetry, or a matrix that is no covariance
 */
export function jointGaussian(covariance: Matrix, s: number, x: number, v: number): JointGaussian {
  for (const [name, count, least] of [
    ['s', s, 1],
    ['x', x, 1],
    ['v', v, 0],
  ] as const) {
    if (!Number.isInteger(count) || count < least || count > MAX_ROWS) {
      throw new UsageError(`${name} ${count} is out of range: allowed whole numbers from ${least} to ${MAX_ROWS}`);
    }
  }
  const n = s + x + v;
  if (covariance.rows !== n || covariance.columns !== n) {
    throw new UsageError(`covariance has ${covariance.rows} x ${covariance.columns} entries, s + x + v is ${n}`);
  }
  requireCovariance('covariance', covariance);
  return { covariance, s, x, v };
}

/** Share of the variance of S below which what X leaves of it is rounding. */
const ROUNDING = 1e-14;

/** Symmetric, finite and positive semidefinite, to rounding; UsageError saying what is not. */
export function requireCovariance(name: string, a: Matrix): void {
  const n = a.rows;
  if (a.columns !== n) throw new UsageError(`${name} has ${n} rows and ${a.columns} columns: it must be square`);
  const scale = a.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  for (let r = 0; r < n; r++) {
    for (let c = 0; c < n; c++) {
      const value = a.data[r * n + c];
      if (!(Math.abs(value) <= LARGEST)) {
        throw new UsageError(`${name}[${r}][${c}] ${value} is out of range: allowed -${LARGEST} to ${LARGEST}`);
      }
      if (Math.abs(value - a.data[c * n + r]) > 1e-9 * scale) {
        throw new UsageError(`${name}[${r}][${c}] and [${c}][${r}] differ: a covariance is symmetric`);
      }
    }
  }
  const { values } = eigenSymmetric(a);
  if (values[n - 1] < -1e-9 * Math.max(values[0], 1e-300)) {
    throw new UsageError(`${name} has the negative eigenvalue ${values[n - 1].toPrecision(3)}: it is no covariance`);
  }
}

/**
 * The indirect source that is left when V is known: covariances of S and X given V, Sigma_ab - Sigma_av Sigma_vv^+ Sigma_vb,
 * H = Sigma_sx|v Sigma_x|v^+, mmse = tr(Sigma_s|v - H Sigma_xs|v).
 */
export function conditionalSource(joint: JointGaussian, knowsV: boolean): VectorSource {
  const { covariance, s, x, v } = joint;
  const n = s + x;
  let both = block(covariance, 0, n, 0, n);
  if (knowsV && v > 0) {
    const cross = block(covariance, 0, n, n, v);
    const explained = multiply(multiply(cross, generalizedInverse(block(covariance, n, v, n, v))), transpose(cross));
    both = combine(1, both, -1, explained);
  }
  const sx = block(both, 0, s, s, x);
  const xx = block(both, s, x, s, x);
  const h = multiply(sx, generalizedInverse(xx));
  const whole = trace(block(both, 0, s, 0, s));
  const mmse = whole - trace(multiply(h, transpose(sx)));
  return matrixSource(xx, h, mmse > ROUNDING * whole ? mmse : 0);
}

export interface SideInformationRates {
  /** Nobody has V. */
  readonly without: VectorRate;
  /** Both ends have V ([Shi23] eq. 3): the conditional rate-distortion function. */
  readonly conditional: VectorRate;
  /** Only the decoder has V ([Shi23] eq. 4, [Wyner76]). */
  readonly wynerZiv: VectorRate;
  /** What V is worth, bits per source vector. */
  readonly savedBits: number;
}

/**
 * Rates with side information V for jointly Gaussian sources and squared errors. Decoder-only V costs nothing more than V at both ends [Wyner78]: the
 * test channel U = X + Z with D^-1 = Sigma_x|v^-1 + Sigma_z^-1 reaches every error covariance D <= Sigma_x|v, and with it both
 * distortions, without the encoder knowing V. For other sources the rate with two distortions is open.
 */
export function sideInformationRates(joint: JointGaussian, ds: number, dx: number): SideInformationRates {
  const without = rateVector(conditionalSource(joint, false), ds, dx);
  const conditional = rateVector(conditionalSource(joint, true), ds, dx);
  const savedBits = without.rateBits - conditional.rateBits;
  return { without, conditional, wynerZiv: conditional, savedBits };
}
