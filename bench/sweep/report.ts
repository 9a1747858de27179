import type { Spread } from '../../src/experiment/bench/spread.ts';
import type { HostFacts, ProgramFacts } from '../../src/experiment/run/host-facts.ts';

export const SWEEP_BENCH_SCHEMA = 'sct.bench.sweep/1';

/** What a point costs beside measuring it, where measuring costs nothing. */
export interface OverheadFigures {
  readonly points: number;
  readonly jobs: number;
  /** Expansion, hashes and the folder, before the first point; from then until everything is closed. */
  readonly planS: number;
  readonly measureS: number;
  /** Wall clock a point, all of it. */
  readonly overheadMs: number;
  /** Processor time a point, all threads. */
  readonly cpuMs: number;
  readonly resultBytes: number;
  readonly residentMiB: number;
}

/** The same beside real points, one thread: from the first result to the last, less what the points themselves took. */
export interface RealOverheadFigures {
  readonly codec: string;
  readonly points: number;
  /** Median of prepareMs + linkMs. */
  readonly pointMs: number;
  /** Mean; the difference of two large numbers, so it may be negative by chance. */
  readonly overheadMs: number;
}

export interface SpeedUpFigures {
  readonly codec: string;
  readonly points: number;
  /** Whole sweeps, threads and networks started anew in each, in alternating order. */
  readonly rounds: readonly { readonly jobs1S: number; readonly jobs2S: number; readonly ratio: number }[];
  readonly ratio: Spread;
}

/** One sweep of the built program, killed again and again, against the same one left alone. */
export interface KillFigures {
  readonly seed: number;
  /** Of one run after another, over and over. */
  readonly jobs: readonly number[];
  readonly kills: number;
  /** Of them before the first result of their run. */
  readonly early: number;
  readonly resultsAtKill: readonly number[];
  readonly points: number;
  /** Results of the sweep left alone; the rest is behind the seeds at which groups stopped. */
  readonly results: number;
  readonly lost: number;
  readonly doubled: number;
  /** Lines that differ in anything but timings. */
  readonly different: number;
}

/** How often the interval of a group that stopped holds the mean, which the rule promises with `confidence`. */
export interface CoverageFigures {
  readonly values: string;
  readonly metric: string;
  readonly halfWidth: number;
  readonly min: number;
  readonly confidence: number;
  readonly groups: number;
  readonly covered: number;
  /** 95 % interval of the share. */
  readonly low: number;
  readonly high: number;
  readonly meanSeeds: number;
  /** The same number of seeds for every group, decided beforehand: what the interval itself is worth for such values. */
  readonly fixedCovered: number;
}

export interface SweepBenchReport {
  readonly schema: typeof SWEEP_BENCH_SCHEMA;
  readonly command: string;
  readonly quick: boolean;
  readonly machine: HostFacts & { readonly node: string };
  readonly program: ProgramFacts;
  /** One-minute load before each part. */
  readonly load: Readonly<Record<string, number>>;
  readonly overhead: readonly OverheadFigures[];
  readonly real: readonly RealOverheadFigures[];
  readonly speedUp: readonly SpeedUpFigures[];
  readonly kills: readonly KillFigures[];
  readonly coverage: readonly CoverageFigures[];
}

export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
