import type { Check, Row } from './figures.ts';
import type { JudgedSeries } from './judge.ts';
import type { NamedPlot } from './part.ts';
import type { Measure } from './series.ts';

export const SEMANTICS_SCHEMA = 'sct.bench.semantics/1';

export interface JudgedRow extends Row {
  /** null where the judge was not asked, or not yet. */
  readonly judge: JudgedSeries | null;
}

/** Everything of one part that page and terminal show. */
export interface PartReport {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** Columns: conditions, then measures. */
  readonly conditions: readonly string[];
  readonly measures: readonly Measure[];
  readonly rows: readonly JudgedRow[];
  readonly checks: readonly Check[];
  readonly plots: readonly NamedPlot[];
  /** Units of work that are not finished, or under way in another process: their rows are not here. */
  readonly pending: number;
  readonly cpuSeconds: number;
}

/** semantics.json. */
export interface SemanticsReport {
  readonly schema: typeof SEMANTICS_SCHEMA;
  readonly command: string;
  readonly quick: boolean;
  /** SHA-256 of the code that decides the figures of every part. */
  readonly sourceSha256: string;
  readonly git: { readonly commit: string; readonly dirty: boolean } | null;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string };
  readonly set: { readonly name: string; readonly id: string; readonly sha256: string };
  /** Checks by state; those of which nothing is asked are not counted. */
  readonly met: number;
  readonly missed: number;
  readonly open: number;
  readonly pending: number;
  /** Units that could not be measured in this run, and why; they count as pending. */
  readonly failures: readonly { readonly id: string; readonly message: string }[];
  readonly parts: readonly PartReport[];
  /** What a reader must know of how the file came about; written by hand. */
  readonly remarks?: readonly string[];
}
