import type { Numerology } from '../numerology.ts';
import { type DelayBasis, delayBasis } from './delay-basis.ts';

/** Where a burst's impulse response lies: basis functions around a centre (samples after the FFT window). */
export interface DelayWindow {
  readonly basis: DelayBasis;
  readonly centre: number;
}

/** Margin before the first path found, samples: band-limited timing is good to about one. */
const EARLY = 1.5;

/**
 * Widths tried: a line-of-sight path, then a quarter, half and all of the cyclic prefix, then more than it. A wider
 * one is also tried with its start further ahead, for a weak first path that timing has passed over.
 */
export function delayWindows(n: Numerology, backoff: number): DelayWindow[] {
  const out: DelayWindow[] = [];
  for (const share of [0, 0.25, 0.5, 1, 1.4]) {
    const width = 2 * EARLY + share * n.cpLength;
    for (const ahead of share === 0 ? [0] : [0, 0.2 * n.cpLength]) {
      const halfWidth = (width + ahead) / 2;
      out.push({ basis: delayBasis(n, halfWidth), centre: backoff - EARLY - ahead + halfWidth });
    }
  }
  return out;
}

export interface PreambleEstimate {
  readonly window: DelayWindow;
  /** Samples by which the FFT windows begin early, as for delayWindows. */
  readonly backoff: number;
  /** Smoothed channel at the training symbols, [nCarriers][re, im]. */
  readonly channel: Float32Array;
  /** Mean |H|^2 over the carriers, noise removed. */
  readonly power: number;
  /** Degrees of freedom of the fit over nCarriers observations. */
  readonly dof: number;
}

/** out_k = in_k exp(+2 pi i k delay / N) over the occupied carriers: takes a delay out (or, negative, puts it in). */
export function ramp(
  n: Numerology,
  input: Float32Array,
  inAt: number,
  delay: number,
  out: Float32Array,
  outAt: number,
): void {
  const table = rampTable(n, Math.abs(delay));
  const sign = delay < 0 ? -1 : 1;
  for (let c = 0; c < 2 * n.nCarriers; c += 2) {
    const cos = table[c];
    const sin = sign * table[c + 1];
    const re = input[inAt + c];
    const im = input[inAt + c + 1];
    out[outAt + c] = re * cos - im * sin;
    out[outAt + c + 1] = re * sin + im * cos;
  }
}

const tables = new Map<string, Float32Array>();
const MAX_TABLES = 64;
/** The table asked for last, which is nearly always asked for again. */
let latest: { n: Numerology; delay: number; table: Float32Array } | null = null;

/** exp(+2 pi i k delay / N) of the occupied carriers, [nCarriers][re, im]; window centres come from a short list. */
export function rampTable(n: Numerology, delay: number): Float32Array {
  if (latest && latest.n === n && latest.delay === delay) return latest.table;
  const key = `${n.id}/${delay}`;
  let table = tables.get(key);
  if (!table) {
    table = new Float32Array(2 * n.nCarriers);
    for (let c = 0; c < n.nCarriers; c++) {
      const phase = (2 * Math.PI * delay * n.carriers[c]) / n.fftSize;
      table[2 * c] = Math.cos(phase);
      table[2 * c + 1] = Math.sin(phase);
    }
    if (tables.size >= MAX_TABLES) tables.delete(tables.keys().next().value!);
    tables.set(key, table);
  }
  latest = { n, delay, table };
  return table;
}
