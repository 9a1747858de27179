import { UsageError } from '../../../common/errors.ts';

const MOST_STEPS = 2000;

/**
 * Fills holes by Laplace's equation: every free point becomes the mean of its neighbours (picture edge: no flux), the others
 * stay. Conjugate gradients from the values present, until the residual is below `tolerance` of its start or of the
 * data's size. The plainest repair of a picture or of feature maps; what a corrector must beat.
 *
 * @param planes [plane][y][x]; not changed
 * @param free not 0 = to be filled, [y][x]; when every point is free nothing is known and the planes come back as they are
 * @throws UsageError when sizes differ
 */
export function fillLaplace(
  planes: Float32Array,
  free: Uint8Array,
  width: number,
  height: number,
  tolerance = 1e-4,
): Float32Array {
  const area = width * height;
  if (free.length !== area || planes.length % area !== 0) {
    throw new UsageError(
      `planes of ${planes.length} and mask of ${free.length} elements do not fit ${width}x${height}`,
    );
  }
  const out = Float32Array.from(planes);
  const points = Uint32Array.from({ length: area }, (_, p) => p).filter((p) => free[p] !== 0);
  if (points.length === 0 || points.length === area) return out;
  const system = new FillSystem(points, width, height);
  for (let at = 0; at < planes.length; at += area) system.solve(out.subarray(at, at + area), tolerance);
  return out;
}

/** The equations of one mask: 4-neighbour graph of the free points. */
class FillSystem {
  private readonly points: Uint32Array;
  private readonly neighbours: Int32Array; // [point][4]: pixel, -1 beyond the edge
  private readonly inside: Int32Array; // [point][4]: index of a free neighbour, -1 otherwise
  private readonly degree: Float64Array;

  constructor(points: Uint32Array, width: number, height: number) {
    this.points = points;
    const indexOf = new Int32Array(width * height).fill(-1);
    points.forEach((p, i) => {
      indexOf[p] = i;
    });
    this.neighbours = new Int32Array(4 * points.length).fill(-1);
    this.inside = new Int32Array(4 * points.length).fill(-1);
    this.degree = new Float64Array(points.length);
    points.forEach((p, i) => {
      const x = p % width;
      const near = [
        x > 0 ? p - 1 : -1,
        x + 1 < width ? p + 1 : -1,
        p - width,
        p + width < width * height ? p + width : -1,
      ];
      near.forEach((q, k) => {
        if (q < 0) return;
        this.neighbours[4 * i + k] = q;
        this.inside[4 * i + k] = indexOf[q];
        this.degree[i]++;
      });
    });
  }

  solve(plane: Float32Array, tolerance: number): void {
    const n = this.points.length;
    const x = Float64Array.from(this.points, (p) => plane[p]);
    const r = new Float64Array(n);
    const product = new Float64Array(n);
    this.multiply(x, product);
    let size = 0;
    for (let i = 0; i < n; i++) {
      let known = 0;
      for (let k = 4 * i; k < 4 * i + 4; k++) {
        if (this.neighbours[k] >= 0 && this.inside[k] < 0) known += plane[this.neighbours[k]];
      }
      r[i] = known - product[i];
      size += known * known;
    }
    const direction = Float64Array.from(r);
    let rr = dot(r, r);
    const enough = tolerance * tolerance * Math.max(rr, size);
    for (let step = 0; step < MOST_STEPS && rr > enough; step++) {
      this.multiply(direction, product);
      const curvature = dot(direction, product);
      if (!(curvature > 0)) break; // a hole without a known neighbour: its level is arbitrary, what is there stays
      const a = rr / curvature;
      for (let i = 0; i < n; i++) {
        x[i] += a * direction[i];
        r[i] -= a * product[i];
      }
      const before = rr;
      rr = dot(r, r);
      const b = rr / before;
      for (let i = 0; i < n; i++) direction[i] = r[i] + b * direction[i];
    }
    this.points.forEach((p, i) => {
      plane[p] = x[i];
    });
  }

  /** out = (degree - adjacency) v. */
  private multiply(v: Float64Array, out: Float64Array): void {
    const { inside, degree } = this;
    for (let i = 0; i < v.length; i++) {
      let sum = degree[i] * v[i];
      for (let k = 4 * i; k < 4 * i + 4; k++) if (inside[k] >= 0) sum -= v[inside[k]];
      out[i] = sum;
    }
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
