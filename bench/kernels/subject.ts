import { RandomStream } from '../../src/common/random.ts';

/** A kernel and its twin on the same data. */
export interface Subject {
  readonly name: string;
  /** What a nanosecond is counted for, and how many of them a call handles. */
  readonly unit: string;
  readonly units: number;
  readonly wasm: () => void;
  readonly plain: () => void;
  /** Copies of the same size as the kernel's. */
  readonly copy: () => void;
}

/** Copies between ordinary arrays and arrays of a WebAssembly memory are plain moves of memory, as this is; lengths in floats. */
export function copies(...lengths: number[]): () => void {
  const pairs = lengths.map((n) => [new Float32Array(n + 8), new Float32Array(n)] as const);
  return () => {
    for (const [from, to] of pairs) to.set(from.subarray(4, 4 + to.length));
  };
}

export function noise(name: string, complexCount: number): Float32Array {
  const out = new Float32Array(2 * complexCount);
  new RandomStream(name).addComplexNoise(out, 1);
  return out;
}

const PASS_MICROSECONDS = 10_000;

/** Nanoseconds of CPU time of one call, the best of the passes after the first two. */
export function best(work: () => void, passes: number): number {
  let repeats = 8;
  let least = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < passes + 2; pass++) {
    const before = process.cpuUsage();
    for (let i = 0; i < repeats; i++) work();
    const { user, system } = process.cpuUsage(before);
    const used = Math.max(1, user + system);
    if (pass > 1) least = Math.min(least, (1e3 * used) / repeats);
    else repeats = Math.ceil((repeats * PASS_MICROSECONDS) / used);
  }
  return least;
}
