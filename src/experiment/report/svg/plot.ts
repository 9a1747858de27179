import { drawSeries, type Frame } from './draw.ts';
import { dashAttribute, limitMark, marker } from './markers.ts';
import { paperCss, plotCss, viridis } from './palette.ts';
import { eachExtent, type Series, takesColour } from './series.ts';
import { escapeText, fitted, px, textWidth } from './text.ts';
import { linearTicks, logTicks, type Tick } from './ticks.ts';

export interface PlotSpec {
  title: string;
  /** What a reader who cannot see the plot should know. */
  description?: string;
  /** Axis names with their unit: "frequency, MHz". */
  xLabel: string;
  yLabel: string;
  /** Pixels; the drawing scales with its container. Default 560 x 320. */
  width?: number;
  height?: number;
  /** Default: the data with 4 % margin (pictures and heat maps without). On a log axis both ends are positive. */
  xRange?: readonly [number, number];
  yRange?: readonly [number, number];
  xScale?: 'linear' | 'log';
  yScale?: 'linear' | 'log';
  xTicks?: readonly Tick[];
  yTicks?: readonly Tick[];
  /** y grows downwards (rows of time). */
  yDown?: boolean;
  /** One unit of x is as long as one of y; the height then follows from the width. */
  equalAspect?: boolean;
  /** Colour scale beside the plot. */
  colourBar?: { range: readonly [number, number]; label: string };
  series: readonly Series[];
  /** Title drawn inside (off where a caption says it). Default true. */
  showTitle?: boolean;
  /** Fixed margins, so that plots under one another share an axis. */
  marginLeft?: number;
  marginRight?: number;
  /** Carries its own style, for a file of its own. Off inside a page that has plotCss(). Default true. */
  standalone?: boolean;
  /** For print: so many mm wide, black text in a common typeface, no dark variant. `width` then is the drawing's own unit. */
  paperMm?: number;
  grid?: boolean;
}

/** Magnitudes beyond this (and below its inverse on log axes) count as not finite: ranges of them would overflow. */
const PLOTTABLE = 1e100;
const FONT = 12;
/** How much wider letters of a title are. */
const BOLDER = 1.06;
const LEGEND_ROW = 18;

/** Draws the plot as one SVG element. All text is escaped; values that are not finite are left out. */
export function plot(spec: PlotSpec): string {
  const width = Math.max(160, spec.width ?? 560);
  const colours = assignColours(spec.series);
  const xRange = axisRange(spec, 'x');
  const yRange = axisRange(spec, 'y');
  const xTicks = visible(spec.xTicks ?? ticks(spec.xScale, xRange, Math.max(3, Math.round(width / 85))), xRange);
  const yTicks = visible(
    spec.yTicks ?? ticks(spec.yScale, yRange, Math.max(3, Math.round((spec.height ?? 320) / 50))),
    yRange,
  );

  const left = spec.marginLeft ?? 26 + Math.max(...yTicks.map((t) => textWidth(t.label, FONT)), 10);
  const right = spec.marginRight ?? (spec.colourBar ? 78 : 14);
  const areaWidth = width - left - right;
  const legend = layoutLegend(spec.series, colours, areaWidth);
  const titleHeight = spec.showTitle === false ? 4 : 26;
  const top = titleHeight + legend.rows * LEGEND_ROW + 6;
  const bottom = 44;
  const areaHeight = spec.equalAspect
    ? (areaWidth * (yRange[1] - yRange[0])) / (xRange[1] - xRange[0])
    : Math.max(60, (spec.height ?? 320) - top - bottom);
  const height = top + areaHeight + bottom;

  const toX = scale(spec.xScale, xRange, 0, areaWidth);
  const toY = spec.yDown ? scale(spec.yScale, yRange, 0, areaHeight) : scale(spec.yScale, yRange, areaHeight, 0);
  const frame: Frame = { width: areaWidth, height: areaHeight, x: toX, y: toY };

  const grid = spec.grid === false ? '' : gridLines(xTicks, yTicks, frame);
  const body = spec.series.map((s, i) => drawSeries(s, frame, colours[i])).join('');
  const label = spec.description ? `${spec.title}. ${spec.description}` : spec.title;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="sp" viewBox="0 0 ${px(width)} ${px(height)}" ${size(spec, width, height)} role="img" aria-label="${escapeText(label, 1000)}">`,
    spec.standalone === false
      ? ''
      : `<style>${spec.paperMm ? paperCss() : plotCss()}</style><rect class="bg" width="100%" height="100%"/>`,
    spec.showTitle === false
      ? ''
      : `<text class="ti" x="${px(left)}" y="18">${escapeText(fitted(spec.title, FONT * BOLDER, width - left - 4), 200)}</text>`,
    `<g transform="translate(${px(left)} ${px(titleHeight)})">${legend.markup}</g>`,
    `<g transform="translate(${px(left)} ${px(top)})">${grid}`,
    // A nested svg clips to the plot area without needing an id that must be unique on the page.
    `<svg width="${px(areaWidth)}" height="${px(areaHeight)}" overflow="hidden">${body}</svg>`,
    axes(spec, xTicks, yTicks, frame, left),
    outsideTexts(spec.series, frame),
    spec.colourBar ? colourBar(spec.colourBar, frame) : '',
    '</g></svg>',
  ].join('');
}

function size({ paperMm }: PlotSpec, width: number, height: number): string {
  if (!paperMm) return `width="${px(width)}" height="${px(height)}"`;
  return `width="${px(paperMm)}mm" height="${px((paperMm * height) / width)}mm"`;
}

function assignColours(series: readonly Series[]): number[] {
  let next = 0;
  return series.map((s) => {
    if ('colour' in s && s.colour !== undefined) return s.colour & 7;
    return takesColour(s) ? next++ & 7 : 0;
  });
}

function axisRange(spec: PlotSpec, axis: 'x' | 'y'): readonly [number, number] {
  const log = (axis === 'x' ? spec.xScale : spec.yScale) === 'log';
  const given = axis === 'x' ? spec.xRange : spec.yRange;
  if (given?.every((v) => Math.abs(v) <= PLOTTABLE) && given[1] > given[0] && (!log || given[0] >= 1 / PLOTTABLE))
    return given;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const see = (v: number) => {
    if (!(Math.abs(v) <= PLOTTABLE) || (log && !(v >= 1 / PLOTTABLE))) return;
    low = Math.min(low, v);
    high = Math.max(high, v);
  };
  const ignore = () => undefined;
  for (const s of spec.series) eachExtent(s, axis === 'x' ? see : ignore, axis === 'y' ? see : ignore);
  if (!(low <= high)) return log ? [0.1, 1] : [0, 1];
  if (log) return low === high ? [low / 2, high * 2] : [low / 1.15, high * 1.15];
  if (low === high) return [low - (Math.abs(low) * 0.1 || 1), high + (Math.abs(high) * 0.1 || 1)];
  if (spec.series.some((s) => s.kind === 'heatmap' || s.kind === 'image')) return [low, high];
  const margin = 0.04 * (high - low);
  // Bars stand on their baseline, so no margin goes below it.
  const onBase = axis === 'y' && low === 0 && spec.series.some((s) => s.kind === 'bars');
  return [onBase ? 0 : low - margin, high + margin];
}

function ticks(kind: PlotSpec['xScale'], range: readonly [number, number], count: number): Tick[] {
  return kind === 'log' ? logTicks(range[0], range[1], count) : linearTicks(range[0], range[1], count);
}

function visible(list: readonly Tick[], range: readonly [number, number]): Tick[] {
  const slack = 1e-6 * (range[1] - range[0]);
  return list.filter((t) => t.value >= range[0] - slack && t.value <= range[1] + slack);
}

function scale(kind: PlotSpec['xScale'], range: readonly [number, number], from: number, to: number) {
  if (kind === 'log') {
    const low = Math.log(range[0]);
    const factor = (to - from) / (Math.log(range[1]) - low);
    // Zero has no place on a log axis; it is drawn far below so that a line leaves the plot instead of breaking.
    return (v: number) => from + factor * (Math.log(Math.max(v, range[0] * 1e-3)) - low);
  }
  const factor = (to - from) / (range[1] - range[0]);
  return (v: number) => from + factor * (v - range[0]);
}

function gridLines(xTicks: Tick[], yTicks: Tick[], frame: Frame): string {
  const vertical = xTicks.map((t) => `M${px(frame.x(t.value))} 0V${px(frame.height)}`).join('');
  const horizontal = yTicks.map((t) => `M0 ${px(frame.y(t.value))}H${px(frame.width)}`).join('');
  return `<path class="gr" d="${vertical}${horizontal}"/>`;
}

function axes(spec: PlotSpec, xTicks: Tick[], yTicks: Tick[], frame: Frame, left: number): string {
  const { width, height } = frame;
  const xLabels = xTicks
    .map(
      (t) =>
        `<text class="mu tn" x="${px(frame.x(t.value))}" y="${px(height + 17)}" text-anchor="middle">${escapeText(t.label, 40)}</text>`,
    )
    .join('');
  const yLabels = yTicks
    .map(
      (t) =>
        `<text class="mu tn" x="-7" y="${px(frame.y(t.value) + 4)}" text-anchor="end">${escapeText(t.label, 40)}</text>`,
    )
    .join('');
  const marks =
    xTicks.map((t) => `M${px(frame.x(t.value))} ${px(height)}v4`).join('') +
    yTicks.map((t) => `M0 ${px(frame.y(t.value))}h-4`).join('');
  return `<path class="ax" d="M0 0V${px(height)}H${px(width)}${marks}"/>${xLabels}${yLabels}\
<text x="${px(width / 2)}" y="${px(height + 36)}" text-anchor="middle">${escapeText(spec.xLabel, 120)}</text>\
<text transform="translate(${px(13 - left)} ${px(height / 2)}) rotate(-90)" text-anchor="middle">${escapeText(spec.yLabel, 120)}</text>`;
}

/** Texts of y thresholds to the right of the plot, pushed apart where lines are close. */
function outsideTexts(series: readonly Series[], frame: Frame): string {
  const texts = series
    .flatMap((s) =>
      s.kind === 'threshold' && s.axis === 'y' && s.outside && s.text ? [{ text: s.text, y: frame.y(s.value) }] : [],
    )
    .filter((t) => t.y >= 0 && t.y <= frame.height)
    .sort((a, b) => a.y - b.y);
  let last = Number.NEGATIVE_INFINITY;
  return texts
    .map((t) => {
      last = Math.max(t.y + 4, last + FONT + 1);
      return `<text class="mu tn" x="${px(frame.width + 5)}" y="${px(last)}">${escapeText(t.text, 40)}</text>`;
    })
    .join('');
}

function colourBar(bar: NonNullable<PlotSpec['colourBar']>, frame: Frame): string {
  const steps = 48;
  const h = frame.height / steps;
  let cells = '';
  for (let i = 0; i < steps; i++) {
    cells += `<rect x="0" y="${px(frame.height - (i + 1) * h)}" width="12" height="${px(h + 0.6)}" fill="${viridis(i / (steps - 1))}"/>`;
  }
  const [low, high] = bar.range[1] > bar.range[0] ? bar.range : [bar.range[0], bar.range[0] + 1];
  const labels = linearTicks(low, high, Math.max(2, Math.round(frame.height / 50)))
    .map((t) => {
      const y = frame.height * (1 - (t.value - low) / (high - low));
      return `<text class="mu tn" x="17" y="${px(y + 4)}">${escapeText(t.label, 20)}</text>`;
    })
    .join('');
  return `<g transform="translate(${px(frame.width + 12)} 0)">${cells}${labels}\
<text transform="translate(60 ${px(frame.height / 2)}) rotate(-90)" text-anchor="middle">${escapeText(bar.label, 80)}</text></g>`;
}

function layoutLegend(series: readonly Series[], colours: number[], width: number): { markup: string; rows: number } {
  let x = 0;
  let row = 0;
  let markup = '';
  series.forEach((s, i) => {
    if (!('label' in s) || !s.label) return;
    const label = fitted(s.label, FONT, width - 26);
    const item = 26 + textWidth(label, FONT) + 14;
    if (x > 0 && x + item > width) {
      x = 0;
      row++;
    }
    const y = row * LEGEND_ROW + 9;
    markup += `<g transform="translate(${px(x)} ${y})">${swatch(s, colours[i])}<text x="24" y="4">${escapeText(label, 80)}</text></g>`;
    x += item;
  });
  return { markup, rows: markup ? row + 1 : 0 };
}

function swatch(s: Series, colour: number): string {
  if (s.kind === 'line') {
    const dot = s.markers ? marker(s.shape ?? 0, 9, 0, colour) : '';
    return `<path class="li s${colour}"${dashAttribute(s.dash)} d="M0 0h18"/>${dot}`;
  }
  if (s.kind === 'scatter') {
    if ((s.shape ?? 'dot') === 'dot') return `<path class="dt s${colour}" stroke-width="6" d="M9 0h0"/>`;
    const ink = s.colour === undefined ? 'er' : `s${colour}`;
    if (s.shape === 'limit') return `<path class="mk ${ink}" d="${limitMark(9, -5)}"/>`;
    return s.shape === 'ring'
      ? `<circle class="mk ${ink}" cx="9" cy="0" r="4"/>`
      : `<path class="mk ${ink}" d="${s.shape === 'plus' ? 'M5 0h8M9 -4v8' : 'M5 -4l8 8m0 -8l-8 8'}"/>`;
  }
  if (s.kind === 'threshold') return `<path class="th${s.colour === undefined ? '' : ` s${s.colour}`}" d="M0 0h18"/>`;
  if (s.kind === 'region') return '<rect class="sh" x="2" y="-6" width="14" height="12"/>';
  return `<rect class="f${colour}" x="3" y="-6" width="12" height="12" rx="1"/>`;
}
