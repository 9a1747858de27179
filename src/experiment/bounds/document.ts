import { plot } from '../report/svg/plot.ts';
import type { Series } from '../report/svg/series.ts';
import type { MeasuredPoint } from './measured-points.ts';

export const BOUNDS_SCHEMA = 'sct.bounds/1';

/** A curve of theory, points that were measured, or the point that was asked for. */
export interface BoundsSeries {
  readonly label: string;
  readonly kind: 'theory' | 'measured' | 'asked';
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** 95 % interval of each y. */
  readonly low?: readonly number[];
  readonly high?: readonly number[];
  readonly dash?: boolean;
}

export interface BoundsPlot {
  readonly name: string;
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xLog?: boolean;
  readonly yLog?: boolean;
  readonly series: readonly BoundsSeries[];
}

/** Called between the long steps of a command: tells how far it is, and throws where it was interrupted. */
export type Between = (what: string) => Promise<void>;
export const nothing: Between = () => Promise.resolve();

/** One answer of `sct bounds`, for a person, a script and a page alike. */
export interface BoundsDocument {
  readonly kind: string;
  readonly title: string;
  /** Fields of the JSON beside schema, ok and kind; Infinity and NaN become null there. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Name and figure, line by line. */
  readonly lines: readonly (readonly [name: string, figure: string])[];
  /** How it was computed, and by which equation. */
  readonly method: string;
  /** What has no closed form here, said in so many words. */
  readonly noClosedForm: readonly string[];
  /** Curves and points; computed only where they are drawn. */
  readonly plots: () => readonly BoundsPlot[];
}

/** The object of `--json`. */
export function documentJson(d: BoundsDocument): Record<string, unknown> {
  const { kind, values, method, noClosedForm } = d;
  return { schema: BOUNDS_SCHEMA, ok: true, kind, ...values, method, noClosedForm };
}

/** Text for a terminal. */
export function documentText(d: BoundsDocument): string {
  const width = Math.max(...d.lines.map(([name]) => name.length));
  const lines = d.lines.map(([name, figure]) => `${name.padEnd(width)}  ${figure}`);
  return [d.title, ...lines, `How: ${d.method}`, ...d.noClosedForm.map((text) => `No closed form: ${text}`), ''].join(
    '\n',
  );
}

/** All curves, one point a line: plot, series, kind, x, y, low, high. */
export function plotsCsv(plots: readonly BoundsPlot[]): string {
  const text = (v: string) => (/[",\n\r]/.test(v) ? `"${v.replaceAll('"', '""')}"` : v);
  const number = (v: number | undefined) => (v === undefined || !Number.isFinite(v) ? '' : String(v));
  const rows = ['plot,series,kind,x,y,low,high'];
  for (const p of plots) {
    for (const s of p.series) {
      s.x.forEach((x, i) => {
        const cells = [text(p.name), text(s.label), s.kind, number(x), number(s.y[i])];
        rows.push([...cells, number(s.low?.[i]), number(s.high?.[i])].join(','));
      });
    }
  }
  return `${rows.join('\n')}\n`;
}

/** A plot as SVG; measured points are marks with their intervals, theory is lines. */
export function plotSvg(p: BoundsPlot, standalone: boolean): string {
  const series = p.series.flatMap((s, i): Series[] => {
    const colour = i & 7;
    if (s.kind === 'theory') return [{ kind: 'line', x: s.x, y: s.y, label: s.label, colour, dash: s.dash }];
    const marks: Series = { kind: 'scatter', x: s.x, y: s.y, label: s.label, colour, shape: 'ring', size: 8 };
    if (!s.low || !s.high) return [marks];
    const whiskers = s.x.map((x, k): Series => {
      const [low, high] = [s.low![k], s.high![k]];
      return { kind: 'line', x: [x], y: [s.y[k]], low: [low], high: [high], bars: true, colour };
    });
    return [...whiskers, marks];
  });
  return plot({
    title: p.title,
    xLabel: p.xLabel,
    yLabel: p.yLabel,
    width: 720,
    height: 420,
    xScale: p.xLog ? 'log' : 'linear',
    yScale: p.yLog ? 'log' : 'linear',
    series,
    standalone,
    showTitle: standalone,
  });
}

/** Six significant digits; words for what is no finite number. */
export function figure(value: number | null, unit = ''): string {
  if (value === null || Number.isNaN(value)) return 'not known';
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  if (value === Number.NEGATIVE_INFINITY) return '-inf';
  return `${Number(value.toPrecision(6))}${unit ? ` ${unit}` : ''}`;
}

/** `count` values from low to high, evenly spaced in their logarithm. */
export function logSpace(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => low * (high / low) ** (i / (count - 1)));
}

export function linearSpace(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
}

type Coordinate = 'snrDb' | 'rateBits' | 'ds' | 'dx' | 'n';

/** Measured points that have both coordinates, as a series; none where there are no such points. */
export function pointSeries(
  label: string,
  points: readonly MeasuredPoint[],
  x: Coordinate,
  y: Coordinate | ((p: MeasuredPoint) => number | null),
): BoundsSeries[] {
  const height = typeof y === 'function' ? y : (p: MeasuredPoint) => p[y];
  const both = points.filter((p) => p[x] !== null && height(p) !== null);
  if (both.length === 0) return [];
  return [{ label, kind: 'measured', x: both.map((p) => p[x]!), y: both.map((p) => height(p)!) }];
}
