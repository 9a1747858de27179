/**
 * Dense matrices of a few dozen rows, [row][column] in one Float64Array: what the vector bounds need, and no more.
 */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array; // [row][column]
}

export function matrix(rows: number, columns: number, at?: (row: number, column: number) => number): Matrix {
  const data = new Float64Array(rows * columns);
  if (at) for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) data[r * columns + c] = at(r, c);
  return { rows, columns, data };
}

export function transpose(a: Matrix): Matrix {
  return matrix(a.columns, a.rows, (r, c) => a.data[c * a.columns + r]);
}

/** a b. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  if (a.columns !== b.rows) throw new RangeError(`${a.columns} columns do not meet ${b.rows} rows`);
  const out = matrix(a.rows, b.columns);
  for (let r = 0; r < a.rows; r++) {
    for (let k = 0; k < a.columns; k++) {
      const factor = a.data[r * a.columns + k];
      for (let c = 0; c < b.columns; c++) out.data[r * b.columns + c] += factor * b.data[k * b.columns + c];
    }
  }
  return out;
}

/** x a + y b. */
export function combine(x: number, a: Matrix, y: number, b: Matrix): Matrix {
  return matrix(a.rows, a.columns, (r, c) => x * a.data[r * a.columns + c] + y * b.data[r * a.columns + c]);
}

export function trace(a: Matrix): number {
  let sum = 0;
  for (let i = 0; i < a.rows; i++) sum += a.data[i * a.columns + i];
  return sum;
}

/** Rows from..from+rows, columns likewise. */
export function block(a: Matrix, fromRow: number, rows: number, fromColumn: number, columns: number): Matrix {
  return matrix(rows, columns, (r, c) => a.data[(fromRow + r) * a.columns + fromColumn + c]);
}

export interface Eigen {
  /** Descending. */
  readonly values: Float64Array;
  /** Column i belongs to value i; orthonormal. */
  readonly vectors: Matrix;
}

const MAX_SWEEPS = 60;

/** Eigenvalues and vectors of a symmetric matrix by cyclic Jacobi rotations [Golub96] §8.4; O(n^3) a sweep, few sweeps. */
export function eigenSymmetric(a: Matrix): Eigen {
  const n = a.rows;
  const m = Float64Array.from(a.data);
  const v = matrix(n, n, (r, c) => (r === c ? 1 : 0)).data;
  const scale = Math.max(1e-300, ...m.map(Math.abs));
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off = Math.max(off, Math.abs(m[p * n + q]));
    if (off <= 1e-15 * scale) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(m, v, n, p, q);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => m[j * n + j] - m[i * n + i]);
  return {
    values: Float64Array.from(order, (i) => m[i * n + i]),
    vectors: matrix(n, n, (r, c) => v[r * n + order[c]]),
  };
}

/** One rotation of the plane p, q that makes m[p][q] zero. */
function rotate(m: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = m[p * n + q];
  if (apq === 0) return;
  const theta = (m[q * n + q] - m[p * n + p]) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < n; k++) {
    const kp = m[k * n + p];
    const kq = m[k * n + q];
    m[k * n + p] = c * kp - s * kq;
    m[k * n + q] = s * kp + c * kq;
  }
  for (let k = 0; k < n; k++) {
    const pk = m[p * n + k];
    const qk = m[q * n + k];
    m[p * n + k] = c * pk - s * qk;
    m[q * n + k] = s * pk + c * qk;
    const vp = v[k * n + p];
    const vq = v[k * n + q];
    v[k * n + p] = c * vp - s * vq;
    v[k * n + q] = s * vp + c * vq;
  }
}

/** Eigenvalues below this share of the largest are rounding; below the other one nothing is divided by them. */
const ROUNDING = 8 * Number.EPSILON;
const RANK_TOLERANCE = 1e-12;

export interface Factor {
  /** L with L L' = a, a column for each direction that has variance, [n][rank]. */
  readonly root: Matrix;
  /** Trace of what is left away, which cannot be told from rounding. */
  readonly left: number;
}

/** Root of a positive semidefinite matrix. */
export function factor(a: Matrix): Factor {
  const n = a.rows;
  const { values, vectors } = eigenSymmetric(a);
  const rank = values.filter((x) => x > ROUNDING * n * Math.max(values[0], 0)).length;
  const root = matrix(n, rank, (r, c) => vectors.data[r * n + c] * Math.sqrt(values[c]));
  return { root, left: values.subarray(rank).reduce((total, x) => total + Math.max(0, x), 0) };
}

/** a^- with a a^- a = a for a positive semidefinite a; taken of the correlations, so that the units of the rows do not matter. */
export function generalizedInverse(a: Matrix): Matrix {
  const n = a.rows;
  const scale = Array.from({ length: n }, (_, i) => (a.data[i * n + i] > 0 ? 1 / Math.sqrt(a.data[i * n + i]) : 0));
  const { values, vectors } = eigenSymmetric(matrix(n, n, (r, c) => a.data[r * n + c] * scale[r] * scale[c]));
  const floor = RANK_TOLERANCE * Math.max(values[0], 0);
  return matrix(n, n, (r, c) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      if (values[i] > floor) sum += (vectors.data[r * n + i] * vectors.data[c * n + i]) / values[i];
    }
    return sum * scale[r] * scale[c];
  });
}
