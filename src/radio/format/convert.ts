import { UsageError } from '../../common/errors.ts';
import type { RandomStream } from '../../common/random.ts';
import type { SampleData, SampleFormat } from '../radio.ts';
import { allocateNative, checkFullScale, formatSpec } from './sample-format.ts';

/** What a conversion had to repair. */
export interface ConversionCount {
  /** Complex samples of which I or Q was limited to the format's range. */
  clippedSamples: number;
  /** Components that were NaN or infinite and became 0. */
  nonFinite: number;
}

// Adding and subtracting 1.5 x 2^52 rounds a double to the nearest integer, ties to even, without a branch or call.
const ROUND = 6755399441055744;

/**
 * Native samples to interleaved floats: x = value / fullScale, so integers become [-1, 1). NaN and infinite floats
 * become 0 and are counted, so that they never reach the receiver.
 *
 * @param out [sample][re, im], at least as long as `data`; allocated when absent
 * @returns the array written and the number of non-finite components
 */
export function toFloat(
  data: SampleData,
  fullScale: number,
  out: Float32Array = new Float32Array(data.length),
): { reIm: Float32Array; nonFinite: number } {
  if (out.length < data.length) throw new UsageError(`output holds ${out.length} components, needs ${data.length}`);
  const scale = 1 / fullScale;
  const n = data.length;
  let nonFinite = 0;
  if (data instanceof Int8Array) {
    for (let i = 0; i < n; i++) out[i] = data[i] * scale;
  } else if (data instanceof Int16Array) {
    for (let i = 0; i < n; i++) out[i] = data[i] * scale;
  } else {
    for (let i = 0; i < n; i++) {
      const v = Math.fround(data[i] * scale);
      // v - v is 0 for every finite number and NaN for NaN and the infinities.
      if (v - v === 0) out[i] = v;
      else {
        out[i] = 0;
        nonFinite++;
      }
    }
  }
  return { reIm: out, nonFinite };
}

/**
 * Interleaved floats to native samples: value = round(x fullScale), ties to even, limited to
 * [-fullScale, fullScale - 1] for integers. Floats have no converter: they are scaled, never limited. NaN and
 * infinite input becomes 0 and is counted. toFloat followed by fromFloat is the identity on integers.
 *
 * @param reIm [sample][re, im], full scale 1.0
 * @param dither triangular dither of +-1 step from this stream before rounding; off when absent
 */
export function fromFloat(
  reIm: Float32Array,
  format: SampleFormat,
  fullScale: number,
  out: SampleData = allocateNative(format, reIm.length >> 1),
  dither?: RandomStream,
): { data: SampleData } & ConversionCount {
  if (reIm.length % 2 !== 0)
    throw new UsageError(`${reIm.length} components are not a whole number of complex samples`);
  if (out.length < reIm.length) throw new UsageError(`output holds ${out.length} components, needs ${reIm.length}`);
  checkFullScale(format, fullScale);
  const spec = formatSpec(format);
  if (!spec.isInteger) {
    const nonFinite = scaleFloats(reIm, fullScale, out as Float32Array);
    return { data: out, clippedSamples: 0, nonFinite };
  }
  const n = reIm.length;
  let clippedSamples = 0;
  let nonFinite = 0;
  const high = fullScale - 1;
  const low = -fullScale;
  for (let i = 0; i < n; i += 2) {
    let clipped = 0;
    for (let k = i; k < i + 2; k++) {
      let v = reIm[k] * fullScale;
      if (dither) v += dither.uniform() - dither.uniform();
      const r = v + ROUND - ROUND;
      if (r >= low && r <= high) out[k] = r;
      else if (reIm[k] - reIm[k] === 0) {
        out[k] = r > high ? high : low;
        clipped = 1;
      } else {
        out[k] = 0;
        nonFinite++;
      }
    }
    clippedSamples += clipped;
  }
  return { data: out, clippedSamples, nonFinite };
}

/** Floats times a factor; what is not finite becomes 0. Returns how many those are. */
function scaleFloats(from: Float32Array, factor: number, to: Float32Array): number {
  if (factor === 1 && areFinite(from)) {
    to.set(from);
    return 0;
  }
  let nonFinite = 0;
  for (let i = 0; i < from.length; i++) {
    const v = Math.fround(from[i] * factor);
    if (v - v === 0) to[i] = v;
    else {
      to[i] = 0;
      nonFinite++;
    }
  }
  return nonFinite;
}

function areFinite(values: Float32Array): boolean {
  // 0 times a finite number is 0, and NaN for NaN and the infinities. Four sums, so that one addition need not wait for the one before.
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += 0 * values[i];
    b += 0 * values[i + 1];
    c += 0 * values[i + 2];
    d += 0 * values[i + 3];
  }
  for (let i = whole; i < values.length; i++) a += 0 * values[i];
  return a + b + c + d === 0;
}

/** Complex samples with I or Q at the limit of the converter (floats: at or beyond full scale). */
export function countAtLimit(data: SampleData, fullScale: number): number {
  const isFloat = data instanceof Float32Array;
  // A board's bytes come at 40 MB/s.
  if (data instanceof Int8Array && fullScale === 128 && data.byteOffset % 4 === 0) return countBytesAtLimit(data);
  const high = isFloat ? fullScale : fullScale - 1;
  const low = -fullScale;
  let count = 0;
  for (let i = 0; i + 1 < data.length; i += 2) {
    const re = data[i];
    const im = data[i + 1];
    if (re >= high || re <= low || im >= high || im <= low) count++;
  }
  return count;
}

/**
 * The same for bytes, two samples at a time: a byte b < 0 becomes ~b, so that -128 and 127 are both 127, which is the only value below 128 that reaches bit 7
 * when 1 is added.
 */
function countBytesAtLimit(data: Int8Array): number {
  const words = new Int32Array(data.buffer, data.byteOffset, data.length >> 2);
  let count = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    const folded = word ^ Math.imul((word >>> 7) & 0x01010101, 0xff);
    const atLimit = (folded + 0x01010101) & 0x80808080;
    if (atLimit !== 0) count += ((atLimit & 0x8080) !== 0 ? 1 : 0) + ((atLimit & 0x80800000) !== 0 ? 1 : 0);
  }
  const [re, im] = data.length % 4 >= 2 ? data.subarray(4 * words.length) : [0, 0];
  return count + (re === 127 || re === -128 || im === 127 || im === -128 ? 1 : 0);
}
