import { UsageError } from '../../common/errors.ts';
import { canonical, type Json } from '../run/canonical-json.ts';
import { rounded } from './csv.ts';
import { type Axis, type Design, designOf, type Group, type Where } from './design.ts';
import { checkTold, type ErrorLimits, errorLimits } from './error-events.ts';
import { type FigureData, figuresFor } from './figures.ts';
import { type Gain, type GainAxis, gainAxes, gainsAlong } from './gains.ts';
import type { CrossedEstimate } from './intervals.ts';
import { type Between, type Source, sourceText } from './material.ts';
import { readSources } from './read-sources.ts';
import { type GroupStatistics, METHODS, statisticsOf } from './statistics.ts';
import { subjectsOf } from './subjects.ts';

export const SWEEP_REPORT_SCHEMA = 'sct.report/1';

export interface ReportRequest {
  /** Sweeps, run directories, folders of runs. */
  readonly paths: readonly string[];
  readonly where: readonly Where[];
  readonly gains: readonly GainAxis[];
  /** Names of figures; null: those that the measurements make by themselves. */
  readonly figures: readonly string[] | null;
  /** Limits of the joint error event; null: none asked for. Infinity: no limit. */
  readonly limits: ErrorLimits | null;
}

/** One answer of `sct report`, for a person, a script and a page alike. Holds neither a time nor a path. */
export interface SweepReport {
  readonly sources: readonly Source[];
  readonly design: Design;
  readonly statistics: readonly GroupStatistics[];
  readonly gains: readonly Gain[];
  readonly figures: readonly FigureData[];
  readonly limits: ErrorLimits | null;
}

/** Reads, groups, counts. The same directories give the same report, in whatever order they were filled. */
export async function makeSweepReport(request: ReportRequest, between: Between): Promise<SweepReport> {
  const limits = request.limits && errorLimits(request.limits.ds, request.limits.dx);
  const { sources, observations } = await readSources(request.paths, between);
  if (observations.length === 0) {
    throw new UsageError(
      `nothing was measured: ${sources.map(sourceText).join('; ')}`,
      'sct sweep --resume goes on with a sweep',
    );
  }
  const design = designOf(observations, sources, request.where);
  const statistics = await statisticsOf(design, limits, between);
  if (limits) checkTold(limits, new Set(statistics.flatMap((s) => Object.keys(s.events))));
  const labels = sources.map((s) => s.label);
  const gains = gainAxes(design, request.gains).flatMap((axis) => gainsAlong(design, axis, labels));
  const figures = figuresFor(subjectsOf(statistics, gains, limits), design, request.figures, missingText(sources));
  return { sources, design, statistics, gains, figures, limits };
}

/** What a caption must say of points without a result; empty where there are none. */
function missingText(sources: readonly Source[]): string {
  const sum = (of: (s: Source) => number) => sources.reduce((total, s) => total + of(s), 0);
  const missing = sum((s) => s.missing);
  return missing > 0 ? `${missing} of ${sum((s) => s.planned)} pictures have no result.` : '';
}

/** The object of `--json` and of report.json. */
export function reportJson(r: SweepReport): Record<string, unknown> {
  const { design, sources, statistics, gains, figures, limits } = r;
  return {
    schema: SWEEP_REPORT_SCHEMA,
    ok: true,
    sources: sources.map((s) => canonical(s)),
    axes: canonical(design.axes.map(({ key, values }: Axis) => ({ key, values }))),
    constants: canonical(design.constants),
    limits: limits && { ds: limitJson(limits.ds), dx: limitJson(limits.dx) },
    groups: statistics.map((s) => ({
      settings: variedOf(design, s.group),
      pictures: s.group.observations.length,
      photos: s.photos,
      seeds: s.seeds,
      figures: estimates(s.figures),
      percentile10: estimates(s.worst),
      ...(limits ? { events: estimates(s.events) } : {}),
    })),
    gains: gains.map(({ key, of, over, group, alsoDiffers, pairs, identical, figures: gained }) => ({
      key,
      of,
      over,
      settings: variedOf(design, group),
      alsoDiffers,
      pairs,
      identical,
      figures: estimates(gained),
    })),
    figures: figures.map(({ name, title, xLabel, yLabel, caption, panels }) => ({
      name,
      title,
      xLabel,
      yLabel,
      caption,
      panels: plain(panels),
    })),
    methods: METHODS,
  };
}

/** JSON has no infinity; the command line writes "inf", too. */
const limitJson = (v: number) => (v === Number.POSITIVE_INFINITY ? 'inf' : v);

/** The settings that vary in a report, of one of its groups. */
export function variedOf(design: Design, group: Group) {
  return Object.fromEntries(design.axes.map(({ key }) => [key, group.settings[key]]));
}

function estimates(all: Readonly<Record<string, CrossedEstimate>>): Json {
  return plain(all);
}

/** Canonical JSON with numbers of as many digits as the CSV files have. */
function plain(value: unknown): Json {
  const round = (v: Json): Json => {
    if (typeof v === 'number') return rounded(v);
    if (Array.isArray(v)) return v.map(round);
    if (v === null || typeof v !== 'object') return v;
    return Object.fromEntries(Object.entries(v).map(([key, inner]) => [key, round(inner)]));
  };
  return round(canonical(value));
}
