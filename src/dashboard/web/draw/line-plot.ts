import uPlot from 'uplot';
import { LEFT, RIGHT } from './axes.ts';
import { theme } from './colours.ts';
import { FONT } from './surface.ts';

/** One line of a plot; its colour is a place in the palette. */
export interface Line {
  readonly label: string;
  readonly colour: number;
  readonly dash?: number[];
  /** Filled down to the axis. */
  readonly fill?: boolean;
  /** Belongs to the axis on the right. */
  readonly right?: boolean;
}

export interface LinePlotOptions {
  readonly xLabel: string;
  readonly yLabel: string;
  readonly rightLabel?: string;
  readonly lines: readonly Line[];
  /** Drawn under the lines, in canvas pixels. */
  readonly under?: (plot: uPlot) => void;
  readonly yRange?: readonly [number, number];
  readonly rightRange?: readonly [number, number];
  /** x counts something: no ticks between whole numbers. */
  readonly counts?: boolean;
}

/** Without a GPU a line wider than a pixel costs ten times as much. */
const LINE_PX = 1;

/** Lines by uPlot, in the page's colours and sizes. Limits of y only move when the data leaves them or shrinks much: no flicker. */
export class LinePlot {
  private plot: uPlot | null = null;
  private readonly observer: ResizeObserver;
  private data: uPlot.AlignedData = [[]];
  private limits: [number, number] | null = null;
  private dark = false;

  constructor(
    private readonly parent: HTMLElement,
    private readonly options: LinePlotOptions,
  ) {
    this.observer = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = this.parent;
      // Where it was hidden until now there is no plot yet.
      if (!this.plot) this.make();
      else if (width > 0 && height > 0 && (width !== this.plot.width || height !== this.plot.height)) {
        this.plot.setSize({ width, height });
      }
    });
    this.observer.observe(parent);
  }

  close(): void {
    this.observer.disconnect();
    this.plot?.destroy();
  }

  /** @param columns x, then a column a line; read until the next call */
  set(columns: readonly ArrayLike<number>[]): void {
    this.data = columns as unknown as uPlot.AlignedData;
    if (this.plot && this.dark === theme().dark) this.plot.setData(this.data);
    else this.make();
  }

  private make(): void {
    const { clientWidth: width, clientHeight: height } = this.parent;
    if (width === 0 || height === 0) return;
    const { lines, under, xLabel, yLabel, rightLabel, rightRange, counts } = this.options;
    const { dark, ink, mute, line, series } = theme();
    this.plot?.destroy();
    this.dark = dark;
    const axis = (label: string): uPlot.Axis => ({
      label: label || undefined,
      labelSize: label ? 14 : 0,
      labelGap: 0,
      labelFont: FONT,
      font: FONT,
      stroke: mute,
      gap: 3,
      grid: { stroke: line, width: 1 },
      ticks: { show: false },
    });
    this.plot = new uPlot(
      {
        width,
        height,
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
        // Without data there is no lower axis, and half a label would be cut off.
        padding: [6, rightLabel ? 0 : RIGHT, () => (this.data[0].length === 0 ? 8 : 0), 0],
        hooks: under ? { drawClear: [under] } : {},
        scales: {
          x: { time: false },
          y: { range: (_, low, high) => this.range(low, high) },
          ...(rightLabel ? { right: { range: () => (rightRange ?? [0, 1]) as [number, number] } } : {}),
        },
        axes: [
          { ...axis(xLabel), size: 20, ...(counts ? { incrs: [1, 2, 5, 10, 20] } : {}) },
          { ...axis(yLabel), size: LEFT - 14, space: 18 },
          ...(rightLabel
            ? [{ ...axis(rightLabel), scale: 'right', side: 1, size: LEFT - 14, grid: { show: false } } as uPlot.Axis]
            : []),
        ],
        series: [
          {},
          ...lines.map(
            (l): uPlot.Series => ({
              label: l.label,
              stroke: l.colour < 0 ? ink : series[l.colour],
              width: LINE_PX,
              dash: l.dash,
              fill: l.fill ? `${series[l.colour]}33` : undefined,
              fillTo: (plot) => plot.scales.y.min ?? 0,
              scale: l.right ? 'right' : 'y',
              points: { show: false },
              spanGaps: false,
            }),
          ),
        ],
      },
      this.data,
      this.parent,
    );
  }

  private range(low: number | null, high: number | null): [number, number] {
    if (this.options.yRange) return [...this.options.yRange];
    if (low === null || high === null) return this.limits ?? [-100, 0];
    const old = this.limits;
    if (old && low >= old[0] && high <= old[1] && high - low > 0.5 * (old[1] - old[0])) return old;
    const room = Math.max(1, 0.08 * (high - low));
    this.limits = [5 * Math.floor((low - room) / 5), 5 * Math.ceil((high + room) / 5)];
    return this.limits;
  }
}
