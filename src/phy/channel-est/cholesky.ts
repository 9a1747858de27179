/**
 * Inverse of a symmetric positive definite matrix by Cholesky factorisation, in place of `a` ([n][n], row-major).
 * Throws when the matrix is not positive definite. O(n^3).
 */
export function invertSymmetric(a: Float64Array, n: number): Float64Array {
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
  // Inverse of the lower factor, in place.
  for (let i = 0; i < n; i++) {
    a[i * n + i] = 1 / a[i * n + i];
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum -= a[i * n + k] * a[k * n + j];
      a[i * n + j] = sum * a[i * n + i];
    }
  }
  // inverse = L^-T L^-1; the upper triangle is filled first, then mirrored.
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
