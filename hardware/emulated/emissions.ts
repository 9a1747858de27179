import type { Emission } from './air.ts';

/** How long emissions are kept for those who hear late, s, and how much of them at most. */
const KEPT_S = 1;
const MOST_BYTES = 64 << 20;
/** Samples are of one run when their times fit its clock to this part of a sample. */
const SAME_GRID = 0.01;

/** Emissions on one clock, at one rate and frequency: a stream with silence in it. */
export interface Run {
  readonly rateHz: number;
  readonly frequencyHz: number;
  /** Time of sample 0. */
  readonly startS: number;
  /** In order; `at` is the index of the first sample. */
  readonly pieces: { readonly at: number; readonly reIm: Float32Array }[];
  /** Index after the last sample. */
  end: number;
}

/** What one board has on the air, the last second of it. */
export class Emissions {
  readonly runs: Run[] = [];
  /** Samples given up because memory was full, for somebody who listened too late. */
  forgottenSamples = 0;
  private bytes = 0;
  private lastEndS = Number.NEGATIVE_INFINITY;

  add(emission: Emission): void {
    const { rateHz, frequencyHz, startS, reIm } = emission;
    if (reIm.length === 0) return;
    const run = this.runs.at(-1);
    const at = run ? (startS - run.startS) * rateHz : 0;
    const index = Math.round(at);
    const fits = run && run.rateHz === rateHz && run.frequencyHz === frequencyHz && Math.abs(at - index) < SAME_GRID;
    if (fits && index >= run.end) {
      run.pieces.push({ at: index, reIm });
      run.end = index + reIm.length / 2;
    } else this.runs.push({ rateHz, frequencyHz, startS, pieces: [{ at: 0, reIm }], end: reIm.length / 2 });
    this.bytes += reIm.byteLength;
    this.lastEndS = Math.max(this.lastEndS, startS + reIm.length / 2 / rateHz);
    this.forget(this.lastEndS - KEPT_S);
    while (this.bytes > MOST_BYTES) this.forgottenSamples += this.forgetFirst();
  }

  /** Everybody has heard up to this time: what ended before may go. */
  forget(beforeS: number): void {
    for (;;) {
      const run = this.runs[0];
      const piece = run?.pieces[0];
      if (!piece || run.startS + (piece.at + piece.reIm.length / 2) / run.rateHz >= beforeS) return;
      this.forgetFirst();
    }
  }

  private forgetFirst(): number {
    const run = this.runs[0];
    const piece = run.pieces.shift()!;
    this.bytes -= piece.reIm.byteLength;
    if (run.pieces.length === 0) this.runs.shift();
    return piece.reIm.length / 2;
  }
}

/**
 * Samples [from, from + out.length / 2) of a run, zeros where there are none.
 *
 * @returns whether there were any
 */
export function readRun(run: Run, from: number, out: Float32Array): boolean {
  const to = from + out.length / 2;
  out.fill(0);
  let any = false;
  for (let i = run.pieces.length - 1; i >= 0; i--) {
    const { at, reIm } = run.pieces[i];
    const end = at + reIm.length / 2;
    if (end <= from) break;
    if (at >= to) continue;
    const first = Math.max(at, from);
    out.set(reIm.subarray(2 * (first - at), 2 * (Math.min(end, to) - at)), 2 * (first - from));
    any = true;
  }
  return any;
}
