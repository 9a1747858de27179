import { plot } from '../report/svg/plot.ts';
import type { Series } from '../report/svg/series.ts';
import { csvLine } from './csv.ts';
import type { FigureData } from './figures.ts';
import type { Panel } from './panels.ts';

/** A panel as SVG: lines with marks, their 95 % intervals as bars. */
export function panelSvg(figure: FigureData, panel: Panel, standalone: boolean): string {
  const zero: Series[] = figure.zero ? [{ kind: 'threshold', axis: 'y', value: 0 }] : [];
  const series = panel.curves.map(
    (c, i): Series => ({
      kind: 'line',
      x: c.points.map((p) => p.x),
      y: c.points.map((p) => p.y),
      low: c.points.map((p) => p.low),
      high: c.points.map((p) => p.high),
      bars: true,
      markers: true,
      dash: i >= 4,
      colour: i,
      ...(c.label ? { label: c.label } : {}),
    }),
  );
  return plot({
    title: panel.title ? `${figure.title}: ${panel.title}` : figure.title,
    description: 'Bars are 95 % intervals.',
    xLabel: figure.xLabel,
    yLabel: figure.yLabel,
    width: 640,
    height: 400,
    series: [...zero, ...series],
    standalone,
    showTitle: standalone,
  });
}

/** Name of a panel's file, without its ending: the figure's, numbered where there are several. */
export function panelFile(figure: FigureData, index: number): string {
  return figure.panels.length === 1 ? figure.name : `${figure.name}-${index + 1}`;
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
