import { MOST_POLYNOMIALS } from '../kernels/lmmse/lmmse-kernel.ts';
import { SLOT_SYMBOLS } from '../numerology.ts';
import { invertSymmetric } from './cholesky.ts';

/** How fast a channel may change and over how many slots it is fitted: a hypothesis to be tested on the pilots. */
export interface TimeClass {
  readonly dopplerHz: number;
  readonly slots: number;
  readonly order: number;
}

/** Slow to fast. `order` polynomials in time cover `slots` slots of 1 ms at that Doppler. */
export const TIME_CLASSES: readonly TimeClass[] = [
  { dopplerHz: 2, slots: 8, order: 2 },
  { dopplerHz: 12, slots: 6, order: 3 },
  { dopplerHz: 80, slots: 3, order: 4 },
  { dopplerHz: 300, slots: 2, order: 5 },
];

/** Duration of one OFDM symbol with its cyclic prefix, s (all numerologies of the 9/128 prefix). */
const SYMBOL_S = (1 + 9 / 128) / 15_000;

/**
 * Orthogonal polynomials over the symbols of a window, scaled to mean square 1, and the inverse prior covariance of
 * their coefficients for Jakes fading, (B' R B / T^2)^-1 with R_ab = J0(2 pi fd (a - b) Ts).
 */
export interface TimeBasis {
  readonly dopplerHz: number;
  readonly slots: number;
  readonly order: number;
  /** [symbols][order]. */
  readonly values: Float64Array;
  /** The same in single precision, for kernels. */
  readonly weights: Float32Array;
  /** The same by the polynomials of single slots: values = sum_p perSlot[slot][d][p] SLOT_POLYNOMIALS[t][p]. */
  readonly perSlot: Float64Array;
  /** [order][order]. */
  readonly priorInverse: Float64Array;
}

/** Orthogonal polynomials of degree 0.. over `symbols` symbols, mean square 1, [symbols][order]. */
function orthogonalPolynomials(symbols: number, order: number): Float64Array {
  const values = new Float64Array(symbols * order);
  for (let d = 0; d < order; d++) {
    const column = new Float64Array(symbols);
    for (let t = 0; t < symbols; t++) column[t] = ((2 * t + 1) / symbols - 1) ** d;
    for (let e = 0; e < d; e++) {
      let dot = 0;
      for (let t = 0; t < symbols; t++) dot += column[t] * values[t * order + e];
      for (let t = 0; t < symbols; t++) column[t] -= (dot / symbols) * values[t * order + e];
    }
    let energy = 0;
    for (let t = 0; t < symbols; t++) energy += column[t] ** 2;
    const scale = Math.sqrt(symbols / energy);
    for (let t = 0; t < symbols; t++) values[t * order + d] = scale * column[t];
  }
  return values;
}

/** The polynomials over one slot, [14][MOST_POLYNOMIALS]. */
export const SLOT_POLYNOMIALS = orthogonalPolynomials(SLOT_SYMBOLS, MOST_POLYNOMIALS);

/** A polynomial over many slots is one of no higher degree in each: its coefficients there, [slots][order][order]. */
function slotShares(slots: number, order: number, values: Float64Array): Float64Array {
  const out = new Float64Array(slots * order * order);
  for (let slot = 0; slot < slots; slot++) {
    for (let d = 0; d < order; d++) {
      for (let p = 0; p <= d; p++) {
        let sum = 0;
        for (let t = 0; t < SLOT_SYMBOLS; t++) {
          sum += values[(slot * SLOT_SYMBOLS + t) * order + d] * SLOT_POLYNOMIALS[t * MOST_POLYNOMIALS + p];
        }
        out[(slot * order + d) * order + p] = sum / SLOT_SYMBOLS;
      }
    }
  }
  return out;
}

const cache = new Map<string, TimeBasis>();

export function timeBasis(slots: number, timeClass: TimeClass): TimeBasis {
  const key = `${slots}/${timeClass.dopplerHz}/${timeClass.order}`;
  const known = cache.get(key);
  if (known) return known;
  const symbols = slots * SLOT_SYMBOLS;
  const order = timeClass.order;
  const values = orthogonalPolynomials(symbols, order);
  const covariance = new Float64Array(order * order);
  for (let a = 0; a < symbols; a++) {
    for (let b = 0; b < symbols; b++) {
      const r = besselJ0(2 * Math.PI * timeClass.dopplerHz * SYMBOL_S * (a - b)) / symbols ** 2;
      for (let i = 0; i < order; i++) {
        for (let j = 0; j < order; j++) covariance[i * order + j] += r * values[a * order + i] * values[b * order + j];
      }
    }
  }
  // The residual phase and timing of a tracked burst move a little even in a static channel.
  for (let i = 0; i < order; i++) covariance[i * order + i] += 1e-4 / (1 + i) ** 2;
  const priorInverse = invertSymmetric(covariance, order);
  const weights = Float32Array.from(values);
  const { dopplerHz } = timeClass;
  const basis = { dopplerHz, slots, order, values, weights, perSlot: slotShares(slots, order, values), priorInverse };
  cache.set(key, basis);
  return basis;
}

/** Bessel function of the first kind, order 0 [Abramowitz64 9.4.1, 9.4.3], |error| < 1e-7. */
export function besselJ0(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    const y = (a / 3) ** 2;
    return 1 + y * (-2.2499997 + y * (1.2656208 + y * (-0.3163866 + y * (0.0444479 + y * (-0.0039444 + y * 0.00021)))));
  }
  const y = 3 / a;
  const f =
    0.79788456 +
    y * (-0.00000077 + y * (-0.0055274 + y * (-0.00009512 + y * (0.00137237 + y * (-0.00072805 + y * 0.00014476)))));
  const theta =
    a -
    0.78539816 +
    y * (-0.04166397 + y * (-0.00003954 + y * (0.00262573 + y * (-0.00054125 + y * (-0.00029333 + y * 0.00013558)))));
  return (f / Math.sqrt(a)) * Math.cos(theta);
}
