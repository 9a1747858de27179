import type { RandomStream } from '../../src/common/random.ts';
import type { RgbImage } from '../../src/sct/image/rgb-image.ts';

/** Chunks a side: the DCT plane is cut into 32 x 32 rectangles of equal size. */
const CHUNKS_A_SIDE = 32;

/** One grey picture; sides are multiples of 32. */
export interface GreyPlane {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array; // [row][column], 0..255
}

/** Luma (BT.601) of a picture, cropped at right and bottom to multiples of 32 pixels. */
export function lumaPlane(image: RgbImage): GreyPlane {
  const columns = image.width - (image.width % CHUNKS_A_SIDE);
  const rows = image.height - (image.height % CHUNKS_A_SIDE);
  const data = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const p = 3 * (r * image.width + c);
      data[r * columns + c] = 0.299 * image.data[p] + 0.587 * image.data[p + 1] + 0.114 * image.data[p + 2];
    }
  }
  return { rows, columns, data };
}

/**
 * A linear analog picture code after [Jakubczak11]: orthonormal DCT of the whole picture (its mean sent beside), 1024 chunks, as many of
 * the strongest as the symbols allow, each scaled by
 *
 *   g_c = lambda_c^(-1/4) sqrt(n / (2 sum sqrt lambda))      (n values; lambda_c the chunk's mean square)
 *
 * which makes the squared error least for unit mean power of a symbol; two values a symbol, interleaved over the whole stream by
 * a fixed permutation so that every resource block has the same mean power. There is no whitening: the stream is a mixture of very unequal
 * values. The receiver knows lambda and takes the least-squares estimate of each value by itself.
 */
export interface LinearCode {
  readonly pixels: number;
  /** Unit mean power, [symbol][re, im]. */
  readonly symbols: Float32Array;
  readonly values: Float64Array; // [2 x symbol], what was to be sent
  readonly gains: Float64Array; // [2 x symbol]
  /** Mean square of the sent value by the model: g^2 lambda. */
  readonly powers: Float64Array; // [2 x symbol]
  /** Energy of the coefficients that were not sent. */
  readonly droppedEnergy: number;
}

/** DCT of a picture less its mean. */
export function pictureSpectrum(plane: GreyPlane): GreyPlane {
  const mean = plane.data.reduce((a, b) => a + b, 0) / plane.data.length;
  return { ...plane, data: dct2({ ...plane, data: plane.data.map((v) => v - mean) }) };
}

/**
 * @param spectrum pictureSpectrum of the picture
 * @param symbols complex symbols for the picture; the last chunk that does not fit whole is left out
 */
export function encodeLinear(spectrum: GreyPlane, symbols: number, random: RandomStream): LinearCode {
  const { rows, columns } = spectrum;
  const height = rows / CHUNKS_A_SIDE;
  const width = columns / CHUNKS_A_SIDE;
  const size = height * width;
  const chunks = Array.from({ length: CHUNKS_A_SIDE ** 2 }, (_, i) => {
    const top = Math.floor(i / CHUNKS_A_SIDE) * height;
    const left = (i % CHUNKS_A_SIDE) * width;
    const values = new Float64Array(size);
    for (let r = 0; r < height; r++) {
      const from = (top + r) * columns + left;
      values.set(spectrum.data.subarray(from, from + width), r * width);
    }
    return { values, lambda: values.reduce((s, v) => s + v * v, 0) / size };
  }).sort((a, b) => b.lambda - a.lambda);
  const kept = chunks.slice(0, Math.floor((2 * symbols) / size)).filter((c) => c.lambda > 0);
  const n = 2 * symbols;
  const sumRoots = size * kept.reduce((s, c) => s + Math.sqrt(c.lambda), 0);
  const values = new Float64Array(n);
  const gains = new Float64Array(n).fill(1);
  const powers = new Float64Array(n);
  const order = random.shuffle(Uint32Array.from({ length: n }, (_, i) => i));
  const out = new Float32Array(n);
  kept.forEach(({ values: chunk, lambda }, c) => {
    const gain = lambda ** -0.25 * Math.sqrt(n / (2 * sumRoots));
    for (let i = 0; i < size; i++) {
      const at = order[c * size + i];
      values[at] = chunk[i];
      gains[at] = gain;
      powers[at] = gain * gain * lambda;
      out[at] = gain * chunk[i];
    }
  });
  const droppedEnergy = chunks.slice(kept.length).reduce((s, c) => s + size * c.lambda, 0);
  return { pixels: rows * columns, symbols: out, values, gains, powers, droppedEnergy };
}

/**
 * PSNR (dB, peak 255, before rounding to 8 bit; the transform is orthonormal, so errors of coefficients are errors of pixels) after the
 * least-squares estimate of every value.
 *
 * @param received MMSE equaliser's output, snr / (1 + snr) times the symbol and its error, [symbol][re, im]
 * @param snr linear SNR of each symbol
 */
export function linearPsnrDb(code: LinearCode, received: Float32Array, snr: ArrayLike<number>): number {
  let error = code.droppedEnergy;
  for (let i = 0; i < received.length; i++) {
    const s = snr[i >> 1];
    const p = code.powers[i];
    // z = received (1 + s)/s has the noise 1/(2 s) on each component; the estimate is z p / (p + 1/(2 s)) / gain.
    const weight = s === Number.POSITIVE_INFINITY ? 1 : (2 * p * (1 + s)) / (1 + 2 * p * s);
    error += (code.values[i] - (weight * received[i]) / code.gains[i]) ** 2;
  }
  return 10 * Math.log10((255 * 255 * code.pixels) / error);
}

/** Orthonormal two-dimensional DCT-II, [row][column] -> [vertical frequency][horizontal frequency]. O(rows columns (rows + columns)). */
export function dct2(plane: GreyPlane): Float64Array {
  const { rows, columns } = plane;
  const half = dctRows(plane.data, rows, columns);
  const turned = transpose(half, rows, columns);
  return transpose(dctRows(turned, columns, rows), columns, rows);
}

function dctRows(data: Float64Array, rows: number, n: number): Float64Array {
  const basis = new Float64Array(n * n); // [frequency][sample]
  for (let k = 0; k < n; k++) {
    const scale = Math.sqrt((k === 0 ? 1 : 2) / n);
    for (let i = 0; i < n; i++) basis[k * n + i] = scale * Math.cos((Math.PI * (2 * i + 1) * k) / (2 * n));
  }
  const out = new Float64Array(rows * n);
  for (let r = 0; r < rows; r++) {
    const from = r * n;
    for (let k = 0; k < n; k++) {
      const b = k * n;
      let sum = 0;
      for (let i = 0; i < n; i++) sum += basis[b + i] * data[from + i];
      out[from + k] = sum;
    }
  }
  return out;
}

function transpose(data: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c];
  return out;
}
