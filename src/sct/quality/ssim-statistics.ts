/** Width of the Gaussian window in samples. */
export const WINDOW = 11;
const SIGMA = 1.5;
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

/** Half of the symmetric normalised window: taps[0] is the centre. */
const taps = (() => {
  const half = (WINDOW - 1) / 2;
  const t = new Float64Array(half + 1);
  let sum = 0;
  for (let i = 0; i <= half; i++) {
    t[i] = Math.exp(-(i * i) / (2 * SIGMA * SIGMA));
    sum += i === 0 ? t[i] : 2 * t[i];
  }
  return t.map((v) => v / sum);
})();

/** Means over all window positions that lie inside the picture. */
export interface SsimMeans {
  /** Mean of luminance x contrast-structure: SSIM itself. */
  readonly ssim: number;
  /** Mean of the contrast-structure term alone, as MS-SSIM uses on its finer scales. */
  readonly contrastStructure: number;
}

/**
 * SSIM of two planes [Wang04] eq. 13 with an 11x11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, L = 255, at
 * "valid" positions only:
 *
 *   cs = (2 s_xy + C2) / (s_x^2 + s_y^2 + C2),  ssim = cs (2 m_x m_y + C1) / (m_x^2 + m_y^2 + C1)
 *
 * The window is separable, and the five local moments follow from four: with s = x + y, d = x - y the means of
 * s, d, s^2, d^2 give m_x^2 + m_y^2, 2 m_x m_y, and the same of the second moments. Rows are filtered once into a ring
 * of 11, so the working memory is 44 rows at any picture height. O(width x height x 22 x 4).
 *
 * @param x @param y planes [y][x] of values 0..255; both sides at least 11
 */
export function ssimMeans(x: Float32Array, y: Float32Array, width: number, height: number): SsimMeans {
  const outW = width - WINDOW + 1;
  const outH = height - WINDOW + 1;
  if (outW < 1 || outH < 1) throw new RangeError(`SSIM needs at least ${WINDOW}x${WINDOW}, got ${width}x${height}`);
  const ring = Array.from({ length: WINDOW }, () => new Float64Array(4 * outW)); // [row mod 11][moment][x]
  const line = new Float64Array(4 * width); // [moment][x]
  const column = new Float64Array(4 * outW);
  let sumSsim = 0;
  let sumCs = 0;
  for (let row = 0; row < height; row++) {
    momentsOfRow(x, y, row * width, width, line);
    const filtered = ring[row % WINDOW];
    for (let m = 0; m < 4; m++) filterRow(line, m * width, filtered, m * outW, outW);
    if (row < WINDOW - 1) continue;
    filterColumn(ring, row - (WINDOW - 1), column);
    for (let i = 0; i < outW; i++) {
      const ms2 = column[i] * column[i];
      const md2 = column[outW + i] * column[outW + i];
      const s2 = column[2 * outW + i];
      const d2 = column[3 * outW + i];
      const means = (ms2 + md2) / 2; // m_x^2 + m_y^2
      const cross = (ms2 - md2) / 2; // 2 m_x m_y
      const variances = (s2 + d2) / 2 - means;
      const covariance = (s2 - d2) / 2 - cross; // 2 s_xy
      const cs = (covariance + C2) / (variances + C2);
      sumCs += cs;
      sumSsim += (cs * (cross + C1)) / (means + C1);
    }
  }
  const n = outW * outH;
  return { ssim: sumSsim / n, contrastStructure: sumCs / n };
}

function momentsOfRow(x: Float32Array, y: Float32Array, at: number, width: number, line: Float64Array): void {
  for (let i = 0; i < width; i++) {
    const s = x[at + i] + y[at + i];
    const d = x[at + i] - y[at + i];
    line[i] = s;
    line[width + i] = d;
    line[2 * width + i] = s * s;
    line[3 * width + i] = d * d;
  }
}

function filterRow(src: Float64Array, from: number, dst: Float64Array, to: number, n: number): void {
  const [t0, t1, t2, t3, t4, t5] = taps;
  for (let i = 0; i < n; i++) {
    const p = from + i;
    dst[to + i] =
      t5 * (src[p] + src[p + 10]) +
      t4 * (src[p + 1] + src[p + 9]) +
      t3 * (src[p + 2] + src[p + 8]) +
      t2 * (src[p + 3] + src[p + 7]) +
      t1 * (src[p + 4] + src[p + 6]) +
      t0 * src[p + 5];
  }
}

function filterColumn(ring: readonly Float64Array[], top: number, out: Float64Array): void {
  const [t0, t1, t2, t3, t4, t5] = taps;
  const r = (k: number) => ring[(top + k) % WINDOW];
  const [a, b, c, d, e, f, g, h, i, j, k] = [r(0), r(1), r(2), r(3), r(4), r(5), r(6), r(7), r(8), r(9), r(10)];
  for (let p = 0; p < out.length; p++) {
    out[p] =
      t5 * (a[p] + k[p]) +
      t4 * (b[p] + j[p]) +
      t3 * (c[p] + i[p]) +
      t2 * (d[p] + h[p]) +
      t1 * (e[p] + g[p]) +
      t0 * f[p];
  }
}
