import { SUBBAND_CARRIERS, SUBCARRIER_SPACING_HZ } from '../numerology.ts';
import { type ChannelTrace, subbandEdgesHz, subbandsOf } from './channel-trace.ts';

/** Below this ratio of the strongest to the weakest subband leakage (2 % to a neighbour) changes less than 0.1 dB. */
const FLAT_RATIO = 2;
/** Rounds at most, and the relative misfit of every subband that ends them: 0.04 dB. */
const ITERATIONS = 100;
const MISFIT = 0.01;
/** Parts of a subband that the source may differ between: an interferer rarely fills whole subbands. */
export const SUBBAND_PARTS = 4;
/** Steps a carrier of the tabled integral. */
const FINE = 64;

/**
 * The noise that was there, from the noise that the receiver saw: its FFT window is rectangular, so noise at f is seen on
 * carrier f_k with sinc^2((f - f_k) / spacing), and a strong subband shows in its neighbours. Replayed as seen it would
 * leak twice. Solves seen = L source + guards for source >= 0 by the Richardson-Lucy iteration [Richardson72], the source in
 * quarters of a subband, all equal at first: they part only where a neighbour's level says so.
 *
 * Returns [span][subband x 4 + 1]: the last column is the level beyond the band, the median of what was seen.
 * O(spans x iterations x subbands^2), only where the subbands differ by more than 3 dB.
 */
export function sourceNoise(trace: ChannelTrace): Float32Array {
  const { noise, noiseTimesS } = trace;
  const n = subbandsOf(trace);
  const columns = n * SUBBAND_PARTS + 1;
  const out = new Float32Array(noiseTimesS.length * columns);
  let leakage: Leakage | null = null;
  for (let span = 0; span < noiseTimesS.length; span++) {
    const seen = noise.subarray(span * n, (span + 1) * n);
    const guard = seen.slice().sort()[n >> 1];
    const row = out.subarray(span * columns, (span + 1) * columns);
    for (let j = 0; j + 1 < columns; j++) row[j] = seen[Math.floor(j / SUBBAND_PARTS)];
    row[columns - 1] = guard;
    let [low, high] = [seen[0], seen[0]];
    for (const v of seen) [low, high] = [Math.min(low, v), Math.max(high, v)];
    if (high <= FLAT_RATIO * low) continue;
    leakage ??= leakageOf(trace.carrierHz, SUBCARRIER_SPACING_HZ);
    separate(leakage, seen, guard, row);
  }
  return out;
}

interface Leakage {
  /** Share of source part j that is seen in subband i, [i][j]. */
  readonly matrix: Float64Array;
  /** Share of the level beyond the band seen in subband i. */
  readonly guards: Float64Array;
}

function separate(leakage: Leakage, seen: Float32Array, guard: number, source: Float32Array): void {
  const n = seen.length;
  const parts = n * SUBBAND_PARTS;
  const { matrix, guards } = leakage;
  const ratio = new Float64Array(n);
  for (let round = 0; round < ITERATIONS; round++) {
    let worst = 0;
    for (let i = 0; i < n; i++) {
      let model = guards[i] * guard;
      for (let j = 0; j < parts; j++) model += matrix[i * parts + j] * source[j];
      ratio[i] = seen[i] / model;
      worst = Math.max(worst, Math.abs(ratio[i] - 1));
    }
    if (worst < MISFIT) return;
    for (let j = 0; j < parts; j++) {
      let weighted = 0;
      let total = 0;
      for (let i = 0; i < n; i++) {
        weighted += matrix[i * parts + j] * ratio[i];
        total += matrix[i * parts + j];
      }
      source[j] *= weighted / total;
    }
  }
}

/** Band edges of the parts of all subbands, Hz, [subbands x 4 + 1]. */
export function partEdgesHz(carrierHz: Float64Array, spacingHz: number): Float64Array {
  const edges = subbandEdgesHz(carrierHz, spacingHz);
  return Float64Array.from({ length: (edges.length - 1) * SUBBAND_PARTS + 1 }, (_, j) => {
    const s = Math.min(edges.length - 2, Math.floor(j / SUBBAND_PARTS));
    return edges[s] + (j / SUBBAND_PARTS - s) * (edges[s + 1] - edges[s]);
  });
}

/** Mean over the carriers of a subband of the integral of sinc^2 over each part and beyond the band. */
export function leakageOf(carrierHz: Float64Array, spacingHz: number): Leakage {
  const edges = partEdgesHz(carrierHz, spacingHz).map((f) => f / spacingHz);
  const parts = edges.length - 1;
  const integral = sincSquaredIntegral(Math.ceil(edges[parts] - edges[0]) + 1);
  const matrix = new Float64Array((carrierHz.length / SUBBAND_CARRIERS) * parts);
  const guards = new Float64Array(carrierHz.length / SUBBAND_CARRIERS);
  for (let k = 0; k < carrierHz.length; k++) {
    const i = Math.floor(k / SUBBAND_CARRIERS);
    const f = carrierHz[k] / spacingHz;
    let below = integral(edges[0] - f);
    guards[i] += below / SUBBAND_CARRIERS;
    for (let j = 0; j < parts; j++) {
      const upTo = integral(edges[j + 1] - f);
      matrix[i * parts + j] += (upTo - below) / SUBBAND_CARRIERS;
      below = upTo;
    }
    guards[i] += (1 - below) / SUBBAND_CARRIERS;
  }
  return { matrix, guards };
}

/** x -> integral of sinc^2 from -infinity to x, by Simpson's rule up to `reach`, the tail 1 / (2 pi^2 x) beyond. */
function sincSquaredIntegral(reach: number): (x: number) => number {
  const table = new Float64Array(reach * FINE + 2);
  const value = (x: number) => (x === 0 ? 1 : (Math.sin(Math.PI * x) / (Math.PI * x)) ** 2);
  table[0] = 0.5;
  for (let i = 1; i < table.length; i++) {
    const [a, b] = [(i - 1) / FINE, i / FINE];
    table[i] = table[i - 1] + (value(a) + 4 * value((a + b) / 2) + value(b)) / (6 * FINE);
  }
  const positive = (x: number) => {
    const at = x * FINE;
    const i = Math.floor(at);
    if (i + 1 >= table.length) return 1 - 1 / (2 * Math.PI ** 2 * x);
    return table[i] + (at - i) * (table[i + 1] - table[i]);
  };
  return (x) => (x >= 0 ? positive(x) : 1 - positive(-x));
}
