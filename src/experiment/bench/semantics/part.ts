import type { PlotSpec } from '../../report/svg/plot.ts';
import type { CodecShelf } from './codec-shelf.ts';
import type { BenchData, PictureSet } from './data.ts';
import type { Check } from './figures.ts';
import type { Conditions, Measure, Series } from './series.ts';

/** Parts of the bench, most worth first; `--only` picks some. */
export const SEMANTICS_PARTS = [
  'front',
  'mapping',
  'kodak',
  'fig5',
  'selective',
  'cliff',
  'harq',
  'fig6',
  'latency',
] as const;
export type SemanticsPart = (typeof SEMANTICS_PARTS)[number];

/** How much is measured. */
export interface Scale {
  readonly quick: boolean;
  /** Number of something, few in a quick run. */
  of(full: number, quick: number): number;
  /** Subbands of the numerology: few in a quick run, whose pictures are small. */
  readonly subbands: number;
}

/** What a unit of work is given. */
export interface PartContext {
  readonly data: BenchData;
  readonly codecs: CodecShelf;
  readonly scale: Scale;
  /** Folder for received pictures that the judge scores; null where nothing is written. */
  readonly pictures: string | null;
  /** Told after each trial: shows progress, lets the process breathe, throws AbortError when interrupted. */
  readonly step: (done: number, of: number) => Promise<void>;
}

/** One unit of work that is stored and resumed as a whole. */
export interface Unit {
  /** Names its file: lower case letters, digits, `-`. */
  readonly id: string;
  /** Guess for the order of work and the time left. */
  readonly cpuSeconds: number;
  run(context: PartContext): Promise<readonly Series[]>;
}

/** Of the measured series, what a reader sees. */
export interface PartView {
  readonly checks: readonly Check[];
  readonly plots: readonly NamedPlot[];
}

export interface NamedPlot {
  /** Letters, digits and `-`; becomes semantics-NAME.svg. */
  readonly name: string;
  readonly spec: PlotSpec;
}

/** One part of the bench. */
export interface Part {
  readonly name: SemanticsPart;
  readonly title: string;
  /** What was done, in a few sentences, for page and terminal. */
  readonly about: string;
  readonly sets: readonly PictureSet[];
  /** Columns of its table: conditions, then measures. */
  readonly conditions: readonly string[];
  readonly measures: readonly Measure[];
  units(scale: Scale): readonly Unit[];
  view(series: readonly Series[], scale: Scale): PartView;
}

/** The series of one scheme under these conditions, or undefined. */
export function find(all: readonly Series[], scheme: string, conditions: Conditions = {}): Series | undefined {
  return all.find(
    (s) => s.scheme === scheme && Object.entries(conditions).every(([k, v]) => String(s.conditions[k]) === String(v)),
  );
}
