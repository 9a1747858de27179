/**
 * What a plot can hold. All coordinates are data values; anything not finite is left out (a line breaks there).
 * `colour` is an index into the series palette; `label` puts the series into the legend.
 */
type Numbers = ArrayLike<number>;

interface Common {
  label?: string;
  /** 0..7; default: the position among the series that take a colour. */
  colour?: number;
}

export interface LineSeries extends Common {
  kind: 'line';
  x: Numbers;
  y: Numbers;
  /** Confidence band, same length as y. */
  low?: Numbers;
  high?: Numbers;
  /** Draw low..high as error bars instead of a band. */
  bars?: boolean;
  /** true, or the number of a pattern of `markers.ts`. */
  dash?: boolean | number;
  markers?: boolean;
  /** Shape of the marks, 0 to 7; default 0, a dot. */
  shape?: number;
  /** Drawn so many pixels to the right, so that bars at the same x can be told apart. */
  shiftPx?: number;
  /** Hold each value until the next x (thresholds, rates). */
  step?: boolean;
}

export interface ScatterSeries extends Common {
  kind: 'scatter';
  x: Numbers;
  y: Numbers;
  /** limit: a bar with an arrow down, an upper bound. */
  shape?: 'dot' | 'plus' | 'cross' | 'ring' | 'limit';
  shiftPx?: number;
  /** Diameter in pixels. */
  size?: number;
}

export interface BarSeries extends Common {
  kind: 'bars';
  x: Numbers;
  y: Numbers;
  /** Half length of the error bar at each x. */
  error?: Numbers;
  /** In units of x. */
  barWidth?: number;
  baseline?: number;
  /** Palette index of each bar. */
  colours?: readonly number[];
  tooltips?: readonly string[];
}

export interface HeatmapSeries {
  kind: 'heatmap';
  rows: number;
  columns: number;
  /** [row][column]; not finite = not drawn. */
  values: Numbers;
  /** Edges: column 0 begins at x[0], the last ends at x[1]; row 0 begins at y[0]. */
  x: readonly [number, number];
  y: readonly [number, number];
  range: readonly [number, number];
  /** Tooltip of a cell (drawn only for small maps). */
  tooltip?: (row: number, column: number, value: number) => string;
}

/** A picture stretched over the given rectangle of data coordinates; x[0], y[0] is its upper left corner. */
export interface ImageSeries {
  kind: 'image';
  dataUri: string;
  x: readonly [number, number];
  y: readonly [number, number];
}

/** Horizontal or vertical line over the whole plot. */
export interface ThresholdSeries extends Common {
  kind: 'threshold';
  axis: 'x' | 'y';
  value: number;
  /** Written at the line's end, or with `outside` beside the plot (y only; leave room with marginRight). */
  text?: string;
  outside?: boolean;
}

/** Shaded range of one axis. */
export interface RegionSeries {
  kind: 'region';
  axis: 'x' | 'y';
  from: number;
  to: number;
  text?: string;
  label?: string;
}

/** Outlined rectangle with a text, for annotations over pictures. */
export interface BoxSeries extends Common {
  kind: 'box';
  x: readonly [number, number];
  y: readonly [number, number];
  text?: string;
  tooltip?: string;
}

/** Rectangles in groups of one colour, each group one path with a class for the style sheet and one tooltip. */
export interface TileSeries {
  kind: 'tiles';
  groups: readonly {
    /** "#rrggbb" */
    fill: string;
    className: string;
    tooltip: string;
    /** [rectangle][x0, y0, x1, y1] */
    rects: Numbers;
  }[];
  /** Written over the tiles, in the middle of x, y. */
  texts?: readonly { x: number; y: number; text: string }[];
}

/** An entry of the legend that has no data of its own (for example the meaning of a bar's colour). */
export interface LegendSeries {
  kind: 'legend';
  label: string;
  colour: number;
}

export type Series =
  | LineSeries
  | ScatterSeries
  | BarSeries
  | HeatmapSeries
  | ImageSeries
  | ThresholdSeries
  | RegionSeries
  | BoxSeries
  | TileSeries
  | LegendSeries;

/** Whether the series takes the next colour of the palette when it names none. */
export function takesColour(s: Series): s is LineSeries | ScatterSeries | BarSeries {
  return s.kind === 'line' || s.kind === 'scatter' || s.kind === 'bars';
}

/** Calls `see` with every x and y that the axes must show. */
export function eachExtent(s: Series, seeX: (v: number) => void, seeY: (v: number) => void): void {
  switch (s.kind) {
    case 'line':
    case 'scatter':
      for (let i = 0; i < s.x.length; i++) {
        if (!Number.isFinite(s.y[i]) || !Number.isFinite(s.x[i])) continue;
        seeX(s.x[i]);
        seeY(s.y[i]);
      }
      if (s.kind === 'line') {
        for (const edge of [s.low, s.high]) if (edge) for (let i = 0; i < edge.length; i++) seeY(edge[i]);
      }
      return;
    case 'bars': {
      const half = (s.barWidth ?? 0.8) / 2;
      for (let i = 0; i < s.x.length; i++) {
        seeX(s.x[i] - half);
        seeX(s.x[i] + half);
        const e = s.error?.[i] ?? 0;
        seeY(s.y[i] + (Number.isFinite(e) ? e : 0));
        seeY(s.y[i] - (Number.isFinite(e) ? e : 0));
      }
      if (s.baseline !== undefined) seeY(s.baseline);
      return;
    }
    case 'heatmap':
    case 'image':
    case 'box':
      for (const v of s.x) seeX(v);
      for (const v of s.y) seeY(v);
      return;
    case 'tiles':
      for (const { rects } of s.groups) {
        for (let i = 0; i < rects.length; i++) (i % 2 === 0 ? seeX : seeY)(rects[i]);
      }
      return;
    case 'threshold':
      (s.axis === 'x' ? seeX : seeY)(s.value);
      return;
    case 'region':
      for (const v of [s.from, s.to]) (s.axis === 'x' ? seeX : seeY)(v);
      return;
    case 'legend':
      return;
  }
}
