/**
 * Inverse of the Cholesky factor of a symmetric positive definite matrix, A = L L', in place of `a` ([n][n], row-major;
 * the lower triangle counts). Throws when the matrix is not positive definite. O(n^3).
 */
export function invertFactor(a: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      if (i === j) {
        if (!(sum > 0)) throw new RangeError('matrix is not positive definite');
        a[i * n + i] = Math.sqrt(sum);
      } else a[i * n + j] = sum / a[j * n + j];
    }
  }
  for (let i = 0; i < n; i++) {
    a[i * n + i] = 1 / a[i * n + i];
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum -= a[i * n + k] * a[k * n + j];
      a[i * n + j] = sum * a[i * n + i];
    }
  }
  return a;
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
  let sum = 0;
  theta.fill(0, 0, 2 * n);
  for (let i = 0; i < n; i++) {
    let re = 0;
    let im = 0;
    const row = i * n;
    for (let j = 0; j <= i; j++) {
      re += factor[row + j] * z[2 * j];
      im += factor[row + j] * z[2 * j + 1];
    }
    sum += re * re + im * im;
    scratch[2 * i] = re;
    scratch[2 * i + 1] = im;
  }
  for (let i = 0; i < n; i++) {
    const re = scratch[2 * i];
    const im = scratch[2 * i + 1];
    const row = i * n;
    for (let j = 0; j <= i; j++) {
      theta[2 * j] += factor[row + j] * re;
      theta[2 * j + 1] += factor[row + j] * im;
    }
  }
  return sum;
}
