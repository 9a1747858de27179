import { plot } from '../report/svg/plot.ts';
import type { LineSeries, ScatterSeries, Series } from '../report/svg/series.ts';
import { linearTicks } from '../report/svg/ticks.ts';
import { csvLine } from './csv.ts';
import type { FigureData } from './figures.ts';
import type { Curve, CurvePoint, Panel } from './panels.ts';

/** Width of a column of print, mm, and what may be asked for. */
export const COLUMN_MM = 88;
export const WIDTHS_MM = [60, 200] as const;

/** The drawing's own units a mm: text of 12 units is then 8 pt high, whatever the width. */
const UNITS_A_MM = 4.25;
const ASPECT = 0.72;
const MOST_HIGH = 460;
const PAGE = { width: 480, height: 330 } as const;

/** How far curves stand apart sideways, so that bars at one x can be told from another. */
const APART_PX = 5;
const MOST_APART_PX = 24;

/** A panel as SVG: lines with marks, their 95 % intervals as bars. `widthMm`: for print, a file of its own; null: for a page. */
export function panelSvg(figure: FigureData, panel: Panel, widthMm: number | null): string {
  const axis = figure.log ? logAxis(figure) : linearAxis(figure);
  const apart = Math.min(APART_PX, MOST_APART_PX / Math.max(1, panel.curves.length));
  const shift = (i: number) => apart * (i - (panel.curves.length - 1) / 2);
  const lines = panel.curves.map((c, i) => line(c, figure.log, shift(i)));
  const limits = figure.log ? panel.curves.flatMap((c, i) => upperLimits(c, shift(i))) : [];
  const legend: Series[] = limits.length > 0 ? [{ ...LIMIT, x: [], y: [], label: 'none seen: 95 % limit' }] : [];
  const zero: Series[] = figure.zero ? [{ kind: 'threshold', axis: 'y', value: 0 }] : [];
  const width = widthMm === null ? PAGE.width : widthMm * UNITS_A_MM;
  return plot({
    title: panel.title || figure.title,
    description: `${panel.title ? `${figure.title}. ` : ''}${figure.caption}`,
    xLabel: figure.xLabel,
    yLabel: figure.yLabel,
    width,
    height: widthMm === null ? PAGE.height : Math.min(MOST_HIGH, ASPECT * width),
    ...xAxis(figure),
    ...axis,
    series: [...zero, ...lines, ...limits, ...legend],
    showTitle: panel.title !== '',
    ...(widthMm === null ? { standalone: false } : { paperMm: widthMm }),
  });
}

function line({ label, points, style }: Curve, log: boolean, shiftPx: number): LineSeries {
  // On a log axis a line would pass over what was not seen at all: it ends there.
  const column = (of: (p: CurvePoint) => number) => points.map((p) => (!log || p.y > 0 ? of(p) : Number.NaN));
  return {
    kind: 'line',
    x: points.map((p) => p.x),
    y: column((p) => p.y),
    low: column((p) => p.low),
    high: column((p) => p.high),
    bars: true,
    markers: true,
    shape: style,
    dash: style,
    colour: style,
    shiftPx,
    ...(label ? { label } : {}),
  };
}

const LIMIT = { kind: 'scatter', shape: 'limit' } as const;

/** Where nothing was seen a log axis has no place for the value, but for what it can be at most. */
function upperLimits({ points, style }: Curve, shiftPx: number): ScatterSeries[] {
  const none = points.filter((p) => p.y === 0 && Number.isFinite(p.high));
  if (none.length === 0) return [];
  return [{ ...LIMIT, x: none.map((p) => p.x), y: none.map((p) => p.high), colour: style, shiftPx }];
}

function pointsOf({ panels }: FigureData): CurvePoint[] {
  return panels.flatMap((p) => p.curves.flatMap((c) => c.points));
}

/** Most places of x that are ticks themselves. */
const MOST_PLACES = 8;
const TICKS = 6;

/** Room for curves that stand apart; ticks where something was measured, if those are few and round. */
function xAxis(figure: FigureData) {
  const xRange = widened(pointsOf(figure).map((p) => p.x));
  const places = [...new Set(pointsOf(figure).map((p) => p.x))].sort((a, b) => a - b);
  const round = places.every((v) => Number(v.toFixed(1)) === v);
  if (!round || places.length > MOST_PLACES) return { xRange, xTicks: linearTicks(...xRange, TICKS) };
  return { xRange, xTicks: places.map((value) => ({ value, label: String(value).replace('-', '\u2212') })) };
}

function widened(x: readonly number[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of x) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  const margin = 0.06 * (high - low) || Math.abs(low) * 0.1 || 1;
  return low <= high ? [low - margin, high + margin] : [0, 1];
}

/** Panels of one figure are read side by side: they have the same axis. */
function linearAxis(figure: FigureData) {
  const yRange = sharedRange(figure);
  return { yRange, yTicks: linearTicks(...yRange, TICKS) };
}

function sharedRange(figure: FigureData): [number, number] {
  const values = pointsOf(figure).flatMap((p) => [p.y, p.low, p.high].filter(Number.isFinite));
  let [low, high] = figure.zero ? [0, 0] : [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of values) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  if (!(low <= high)) return [0, 1];
  const margin = 0.04 * (high - low) || Math.abs(low) * 0.1 || 1;
  return [low - margin, high + margin];
}

const SMALL = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Ends of an axis of little more than a decade. */
const WITHIN = [0.1, 0.05, 0.02];
const STEPS = [1, 0.5, 0.2, ...WITHIN];

/** From below the least that was seen, and the lower end of its bar unless that is far down, to 1. */
function logAxis(figure: FigureData) {
  let least = 1;
  for (const { y, low, high } of pointsOf(figure)) {
    if (y > 0) least = Math.min(least, y / 2, low > y / 5 ? low : y / 5);
    else if (high > 0) least = Math.min(least, high / 2);
  }
  const short = WITHIN.find((end) => end <= least * 1.001);
  if (short !== undefined) {
    const yTicks = STEPS.filter((v) => v >= short).map((value) => ({ value, label: String(value) }));
    return { yScale: 'log' as const, yRange: [short, 1.25] as const, yTicks };
  }
  const from = Math.max(-9, Math.floor(Math.log10(least)));
  const yTicks = Array.from({ length: 1 - from }, (_, i) => ({
    value: 10 ** -i,
    label: i === 0 ? '1' : `10⁻${SMALL[i]}`,
  }));
  return { yScale: 'log' as const, yRange: [10 ** from, 1.25] as const, yTicks };
}

/** Name of a panel's file, without its ending: the figure's, with the panel's title where there are several. */
export function panelFile(figure: FigureData, index: number): string {
  if (figure.panels.length === 1) return figure.name;
  const names = figure.panels.map(({ title }) => slug(title));
  const own = names[index] !== '' && names.indexOf(names[index]) === names.lastIndexOf(names[index]);
  return `${figure.name}-${own ? names[index] : index + 1}`;
}

/** Letters and digits of a title; empty where it has none, or is long. */
function slug(title: string): string {
  const words = title
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
  // A bare number would read as the place of another panel.
  return words.length <= 60 && !/^\d+$/.test(words) ? words : '';
}

/** Every point of a figure, one a line. */
export function figureCsv(figure: FigureData): string {
  const lines = [csvLine(['panel', 'series', 'x', 'y', 'low', 'high', 'pictures', 'photos', 'seeds'])];
  for (const panel of figure.panels) {
    for (const { label, points } of panel.curves) {
      for (const { x, y, low, high, n, photos, seeds } of points) {
        lines.push(csvLine([panel.title, label, x, y, low, high, n, photos, seeds]));
      }
    }
  }
  return lines.join('');
}
