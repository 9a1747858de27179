import { type Numerology, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';

/** Gauss-Newton steps at most; one is enough unless sin x differs from x. */
const STEPS = 4;

export interface PilotDelay {
  /** Samples by which the pilots are later than the reference. */
  readonly delay: number;
  /** Sum of w k^2 |h|^2: the delay's variance is (N / 2 pi)^2 sigma^2 / weight. */
  readonly weight: number;
  /** Sum of w |p - h|^2 after the delay was taken out. */
  readonly misfit: number;
}

/**
 * Delay between pilots and a reference channel by weighted least squares on the slope of their phase over frequency,
 *   delay = -(N / 2 pi) sum w k Im(p conj h) / sum w k^2 Re(p conj h).
 *
 * `pilots` [count][nSubbands][re, im] without common phase, with the pilot pattern from local symbol `pattern` on;
 * `reference` [nCarriers][re, im]; `weights` [nSubbands]. `known`, where given, are the sums of the first step as
 * TrackKernel.slope gives them. Null when there is no power at all.
 */
export function pilotDelay(
  n: Numerology,
  pilots: Float32Array,
  reference: Float32Array,
  weights: Float64Array,
  count: number,
  pattern: number,
  known?: Float64Array,
): PilotDelay | null {
  const grid = resourceGrid(n);
  const perRadian = n.fftSize / (2 * Math.PI);
  let delay = 0;
  let weight = 0;
  let misfit = 0;
  for (let step = 0; step < STEPS; step++) {
    const given = step === 0 ? known : undefined;
    let slope = given ? given[0] : 0;
    let curvature = given ? given[1] : 0;
    weight = given ? given[2] : 0;
    misfit = given ? given[3] : 0;
    for (let t = given ? count : 0; t < count; t++) {
      const offset = grid.pilotOffset(pattern + t);
      for (let s = 0; s < n.nSubbands; s++) {
        const p = 2 * (t * n.nSubbands + s);
        const carrier = s * SUBBAND_CARRIERS + offset;
        const k = n.carriers[carrier];
        const angle = (delay / perRadian) * k;
        const cos = step === 0 ? 1 : Math.cos(angle);
        const sin = step === 0 ? 0 : Math.sin(angle);
        const hr = reference[2 * carrier] * cos + reference[2 * carrier + 1] * sin;
        const hi = reference[2 * carrier + 1] * cos - reference[2 * carrier] * sin;
        const re = pilots[p];
        const im = pilots[p + 1];
        const w = weights[s];
        slope += w * k * (im * hr - re * hi);
        curvature += w * k * k * (re * hr + im * hi);
        weight += w * k * k * (hr * hr + hi * hi);
        misfit += w * ((re - hr) ** 2 + (im - hi) ** 2);
      }
    }
    if (!(weight > 0)) return null;
    const change = (-perRadian * slope) / Math.max(curvature, 0.5 * weight);
    delay += change;
    if (Math.abs(change) * n.nCarriers < 0.2 * perRadian) break;
  }
  return { delay, weight, misfit };
}
