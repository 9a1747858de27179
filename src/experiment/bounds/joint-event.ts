import { logGamma } from '../metrics/distributions.ts';
import { estimation, type ScalarGaussian } from './gaussian-scalar.ts';
import { chiSquareExcess, gammaTail } from './normal-tail.ts';

/** Most terms of the series: some hundredths of a second. */
const MAX_TERMS = 20_000;
/** Share of the sum that is left away at each end. */
const LEFT_AWAY = 1e-14;

/**
 * P{ds > Ds or dx > Dx} of a block of k samples sent uncoded over AWGN, as a series. With e = X - Xhat of variance v, a = k/2 and
 * c = gain^2 v / mmse: given |e|^2, ds is a noncentral chi-square, a Poisson mixture of central ones; over |e|^2 that mixture is negative
 * binomial, so that the probability of no event is
 *
 *   sum over j of NB(j; a, c) P(a + j, k Ds / (2 mmse)) P(a + j, (1 + c) k Dx / (2 v)),   NB(j; a, c) = Gamma(a + j)/(Gamma(a) j!) c^j / (1 + c)^(a + j).
 *
 * Summed is its complement, whose terms are positive and small where the event is rare. Where the terms are many and smooth every h-th is taken, h a quarter of
 * the narrowest scale: the trapezoidal rule, exact to rounding. null where even so they are too many (X almost tells S: c in the hundreds).
 */
export function uncodedJoint(source: ScalarGaussian, snr: number, k: number, ds: number, dx: number): number | null {
  const { gain, mmse } = estimation(source);
  const v = source.varX / (1 + snr);
  // ds is gain^2 dx then, and one of the limits is the tighter.
  if (mmse === 0) return Math.max(chiSquareExcess(k, gain * gain * v, ds), chiSquareExcess(k, v, dx));
  const a = k / 2;
  const c = (gain * gain * v) / mmse;
  const [atS, atX] = [(k * ds) / (2 * mmse), ((1 + c) * k * dx) / (2 * v)];
  const tails = (j: number) => {
    const [s, x] = [gammaTail(a + j, atS), gammaTail(a + j, atX)];
    return s + x - s * x;
  };
  if (c === 0) return tails(0);
  const deviation = Math.sqrt(a * c * (1 + c));
  const mode = Math.max(0, Math.floor((a - 1) * c));
  // Only where the weights vanish long before j = 0 is a coarser step as good as the sum.
  const step = mode > 12 * deviation ? Math.max(1, Math.floor(Math.min(deviation, Math.sqrt(a)) / 4)) : 1;
  const logWeight = (j: number) => logGamma(a + j) - logGamma(1 + j) - j * Math.log1p(1 / c);
  const most = logWeight(mode);
  let [sum, total, terms] = [0, 0, 0];
  const add = (j: number) => {
    const weight = Math.exp(logWeight(j) - most);
    total += weight;
    sum += weight * tails(j);
    terms++;
    return weight;
  };
  for (let j = mode; j >= 0 && terms < MAX_TERMS; j -= step) {
    if (add(j) < LEFT_AWAY * LEFT_AWAY) break;
  }
  for (let j = mode + step; terms < MAX_TERMS; j += step) {
    const weight = add(j);
    // The weights that are left fall at least this fast, and no tail is more than 1.
    const ratio = (((a + j) / (j + 1)) * c) / (1 + c);
    if (ratio < 1 && weight / (1 - ratio ** step) < LEFT_AWAY * Math.max(sum, 1e-290)) break;
  }
  return terms < MAX_TERMS ? Math.min(1, sum / total) : null;
}
