import { createHash } from 'node:crypto';
import { figure as framed, html, Markup, table } from '../report/markup.ts';
import { pageCss } from '../report/style.ts';
import type { SweepReport } from './document.ts';
import { panelFile, panelSvg } from './draw.ts';
import type { FigureData } from './figures.ts';
import { sourceText } from './material.ts';
import { valueText } from './setting-text.ts';
import { METHODS } from './statistics.ts';
import { gainTable, groupTable, type ReadTable } from './tables.ts';

/** Rows and plots of a page that still opens; the CSV files have them all. */
const MOST_ROWS = 1000;
const MOST_PLOTS = 120;

/** report.html: one self-contained page without script, request, time or path, so that the same runs give the same bytes. */
export function sweepReportPage(r: SweepReport, program: string): string {
  const css = pageCss();
  const hash = createHash('sha256').update(css).digest('base64');
  const policy = `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const title = r.sources.map((s) => s.label).join(', ');
  const plots = r.figures.flatMap((f) => f.panels.map((_, i) => ({ f, i })));
  const left = plots.length - MOST_PLOTS;
  const varied = r.design.axes.map(({ key, values }) => [key, values.map((v) => valueText(v)).join(', ')]);
  const fixedOnes = Object.entries(r.design.constants).map(([key, value]) => [key, String(value)]);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${title} · sct report</title><style>${new Markup(css)}</style></head>
<body><main><h1>${title}</h1>
<section><h2>What was measured</h2><ul>${r.sources.map((s) => html`<li>${sourceText(s)}</li>`)}</ul>${table('Varied', ['setting', 'values'], varied)}
<details><summary>The same everywhere</summary>${table('', ['setting', 'value'], fixedOnes)}</details></section>
${plots.length > 0 ? html`<section><h2>Figures</h2><div class="grid">${plots.slice(0, MOST_PLOTS).map(({ f, i }) => plotOf(f, i))}</div>${left > 0 ? html`<p>${left} more in files of their own.</p>` : null}</section>` : null}
${r.gains.length > 0 ? html`<section><h2>Gains</h2>${bounded(gainTable(r))}</section>` : null}
<section><h2>All settings</h2>${bounded(groupTable(r))}</section>
<section><h2>How intervals are made</h2><ul>${Object.values(METHODS).map((m) => html`<li>${m}</li>`)}</ul>${limitsText(r)}</section>
<footer>Made by ${program}. Definitions: docs/metrics.md.</footer>
</main></body></html>
`.text;
}

function plotOf(f: FigureData, index: number): Markup {
  const panel = f.panels[index];
  const title = panel.title ? `${f.title}: ${panel.title}.` : `${f.title}.`;
  const caption = html`${title} <small>${f.caption} ${panelFile(f, index)}.svg</small>`;
  return framed(caption, panelSvg(f, panel, null));
}

function bounded({ head, rows, numeric }: ReadTable): Markup {
  const cells = rows.slice(0, MOST_ROWS).map((row) => [...row]);
  const caption = rows.length > MOST_ROWS ? `the first ${MOST_ROWS} of ${rows.length}; all in the CSV file` : '';
  // Many columns: on paper in smaller letters.
  return html`<div class="dense">${table(caption, head, cells, numeric)}</div>`;
}

function limitsText({ limits }: SweepReport): Markup | null {
  if (!limits) return null;
  const text = (v: number) => (v === Number.POSITIVE_INFINITY ? 'none' : String(v));
  return html`<p>Error event: ds = 1 − mIoU above Ds = ${text(limits.ds)}, or dx = MSE/255² above Dx = ${text(limits.dx)}.</p>`;
}
