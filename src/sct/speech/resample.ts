import { inRange } from '../../common/errors.ts';

/** Zero crossings of the kernel on each side, and its Kaiser window's beta: 80 dB of stop band. */
const CROSSINGS = 32;
const BETA = 8;
/** The pass band ends here, as a share of the smaller rate's half. */
const PASS = 0.94;

/**
 * Resamples by a windowed sinc, y(m) = sum over n of x(n) h(m / ratio - n), cut off at the lower of both rates; O(output x 64 x max(1, from / to)).
 * Outside the input are zeros; the output begins at the same instant and has round(length x to / from) samples [Crochiere83].
 *
 * @throws UsageError for a rate outside 1 kHz to 1 MHz
 */
export function resample(samples: Float32Array, fromHz: number, toHz: number): Float32Array {
  inRange('rate', fromHz, 1e3, 1e6, 'Hz');
  inRange('rate', toHz, 1e3, 1e6, 'Hz');
  if (fromHz === toHz) return samples.slice();
  const cutoff = PASS * Math.min(1, toHz / fromHz); // of fromHz / 2
  const reach = CROSSINGS / cutoff;
  const out = new Float32Array(Math.round((samples.length * toHz) / fromHz));
  const norm = besselI0(BETA);
  for (let m = 0; m < out.length; m++) {
    const at = (m * fromHz) / toHz;
    const first = Math.max(0, Math.ceil(at - reach));
    const last = Math.min(samples.length - 1, Math.floor(at + reach));
    let sum = 0;
    for (let n = first; n <= last; n++) {
      const t = at - n;
      const x = Math.PI * cutoff * t;
      const sinc = t === 0 ? 1 : Math.sin(x) / x;
      sum += samples[n] * cutoff * sinc * (besselI0(BETA * Math.sqrt(1 - (t / reach) ** 2)) / norm);
    }
    out[m] = sum;
  }
  return out;
}

/** Modified Bessel function of order 0 by its series. */
function besselI0(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
