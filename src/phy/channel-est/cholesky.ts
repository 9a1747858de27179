/**
 * Inverse of the Cholesky factor of a symmetric positive definite matrix, A = L L', in place of `a` ([n][n], row-major;
 * the lower triangle counts). Throws when the matrix is not positive definite. O(n^3).
 */
export function invertFactor(a: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const sum = a[i * n + j] - dot(a, i * n, j * n, j);
      if (i === j) {
        if (!(sum > 0)) throw new RangeError('matrix is not positive definite');
        a[i * n + i] = Math.sqrt(sum);
      } else a[i * n + j] = sum / a[j * n + j];
    }
  }
  // Row by row, each from those above it, which are inverted already.
  const sums = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    sums.fill(0, 0, i);
    for (let k = 0; k < i; k++) {
      const factor = a[i * n + k];
      for (let j = 0, row = k * n; j <= k; j++, row++) sums[j] += factor * a[row];
    }
    const inverse = 1 / a[i * n + i];
    a[i * n + i] = inverse;
    for (let j = 0; j < i; j++) a[i * n + j] = -inverse * sums[j];
  }
  return a;
}

/** Sum of a[i + k] a[j + k], k below `count`; four sums, since one waits for the addition before. */
function dot(a: Float64Array, i: number, j: number, count: number): number {
  let [s, t, u, v] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 3 < count; k += 4) {
    s += a[i + k] * a[j + k];
    t += a[i + k + 1] * a[j + k + 1];
    u += a[i + k + 2] * a[j + k + 2];
    v += a[i + k + 3] * a[j + k + 3];
  }
  for (; k < count; k++) s += a[i + k] * a[j + k];
  return s + t + u + v;
}

/** Inverse of a symmetric positive definite matrix in place of `a`, as invertFactor: A^-1 = L^-T L^-1. */
export function invertSymmetric(a: Float64Array, n: number): Float64Array {
  invertFactor(a, n);
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = i; k < n; k++) sum += a[k * n + i] * a[k * n + j];
      out[i * n + j] = sum;
      out[j * n + i] = sum;
    }
  }
  a.set(out);
  return a;
}

/**
 * Solves A theta = z with the inverse factor of A for complex z, theta = L^-T (L^-1 z); arrays are [n][re, im]. Returns
 * |L^-1 z|^2 = z' A^-1 z. O(n^2).
 */
export function solveWithFactor(
  factor: Float64Array,
  n: number,
  z: Float64Array,
  scratch: Float64Array,
  theta: Float64Array,
): number {
  // Two rows at once: a sum waits for the one before.
  let sum = 0;
  for (let i = 0; i < n; i += 2) {
    let re = 0;
    let im = 0;
    let re2 = 0;
    let im2 = 0;
    const row = i * n;
    const row2 = i + 1 < n ? row + n : row;
    for (let j = 0; j <= i; j++) {
      const zr = z[2 * j];
      const zi = z[2 * j + 1];
      re += factor[row + j] * zr;
      im += factor[row + j] * zi;
      re2 += factor[row2 + j] * zr;
      im2 += factor[row2 + j] * zi;
    }
    sum += re * re + im * im;
    scratch[2 * i] = re;
    scratch[2 * i + 1] = im;
    if (i + 1 === n) break;
    const diagonal = factor[row2 + i + 1];
    re2 += diagonal * z[2 * i + 2];
    im2 += diagonal * z[2 * i + 3];
    sum += re2 * re2 + im2 * im2;
    scratch[2 * i + 2] = re2;
    scratch[2 * i + 3] = im2;
  }
  theta.fill(0, 0, 2 * n);
  for (let i = 0; i < n; i += 2) {
    const pair = i + 1 < n;
    const re = scratch[2 * i];
    const im = scratch[2 * i + 1];
    const re2 = pair ? scratch[2 * i + 2] : 0;
    const im2 = pair ? scratch[2 * i + 3] : 0;
    const row = i * n;
    const row2 = pair ? row + n : row;
    for (let j = 0; j <= i; j++) {
      const a = factor[row + j];
      const b = factor[row2 + j];
      theta[2 * j] += a * re + b * re2;
      theta[2 * j + 1] += a * im + b * im2;
    }
    if (!pair) break;
    theta[2 * i + 2] += factor[row2 + i + 1] * re2;
    theta[2 * i + 3] += factor[row2 + i + 1] * im2;
  }
  return sum;
}
