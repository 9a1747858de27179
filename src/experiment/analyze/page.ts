import { createHash } from 'node:crypto';
import type { Outline } from '../../sct/partition/outlines.ts';
import { html, Markup, table } from '../report/markup.ts';
import { pageCss } from '../report/style.ts';
import { fixed, grouped, NOT_MEASURED } from '../report/svg/text.ts';
import { analysisCss } from './page-style.ts';
import { figureOf, type Panel } from './panels.ts';
import type { AnalysisRecord, SfvRecord } from './record.ts';
import { bar, objectsFigure, type Scene, sceneDefs, swatch } from './scene.ts';

/** What the page shows besides the record. */
export interface AnalysisPage {
  readonly record: AnalysisRecord;
  /** data: URI of a preview of the photo. */
  readonly photoUri: string;
  readonly outlines: readonly (readonly Outline[])[]; // [SFV id]
  /** Where the SFV's number can stand, cells; [SFV id]. */
  readonly points: readonly { x: number; y: number; depth: number }[];
  readonly panels: readonly Panel[];
  /** "#rrggbb" of a label. */
  colourOf(label: number): string;
  /** Labels of the raw map with their share of the cells, largest first. */
  readonly legend: readonly { readonly name: string; readonly label: number; readonly share: number }[];
  readonly command: string;
  readonly program: string;
}

/**
 * analysis.html as one self-contained page without a script: pointing at an SFV in the table or in the picture outlines it in
 * every map (:has() in the style sheet). The policy allows only the page's own style (by hash) and pictures inside it.
 */
export function analysisHtml(page: AnalysisPage): string {
  const { record: r } = page;
  const scene = sceneOf(page);
  const named = r.sfvs.map((s) => ({
    id: s.id,
    label: s.labelName,
    tooltip: `${s.id} ${s.labelName}: ${fixed(100 * s.importance)} % of the importance`,
  }));
  const css = `${pageCss()}\n${analysisCss(r.sfvs.map((s) => s.id))}`;
  const hash = createHash('sha256').update(css).digest('base64');
  const policy = `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const { width, height } = r.photo;
  const sub = `${grouped(width)} × ${grouped(height)} pixels · ${r.grid.columns} × ${r.grid.rows} cells · ${
    r.labelSpace === 'street' ? 'street scene' : 'no street scene: labels are clusters'
  } · task ${r.task}`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${r.photo.name} · sct analysis</title><style>${new Markup(css)}</style></head>
<body><main>${sceneDefs(scene)}
<header><h1>${r.photo.name}</h1><p class="sub">${sub}</p></header>
<section class="head">${objectsFigure(scene, named, 'Objects')}<div><h2>What matters, in order <small>point at a row</small></h2><div class="sfvs">${sfvTable(page)}</div></div></section>
${tiles(r)}
<section><h2>How it is seen</h2><div class="maps">${page.panels.map((p) => figureOf(p, r))}</div>${legend(page)}</section>
${facts(page)}
<footer>Made by ${page.program}. An SFV (semantic feature vector) is all cells of one object: what is sent, kept or given up together.</footer>
</main></body></html>
`.text;
}

function sceneOf({ record, photoUri, outlines, points }: AnalysisPage): Scene {
  return { ...record.photo, cellPx: record.grid.cellPx, photoUri, outlines, points };
}

function sfvTable({ record, colourOf }: AnalysisPage): Markup {
  const top = record.sfvs.reduce((most, s) => Math.max(most, s.importance), 0) || 1;
  const hasSaliency = record.sfvs.some((s) => s.meanSaliency !== null);
  const hasActivation = record.sfvs.some((s) => s.meanActivation !== null);
  const n = new Markup(' class="n"');
  const row = (s: SfvRecord) => html`<tr class="sfv r${s.id}" id="r${s.id}" tabindex="0"><td class="n">${s.id}</td>
<td>${swatch(colourOf(s.label))}${s.labelName}</td><td class="n">${fixed(100 * s.share)}</td>
<td class="n">${fixed(100 * s.importance)}${bar(s.importance / top)}</td><td class="n">${s.score}</td><td class="n">${fixed(s.density, 2)}</td>
<td class="n">${fixed(s.meanEntropy, 0)}</td>${hasSaliency && html`<td class="n">${fixed(s.meanSaliency, 2)}</td>`}${
    hasActivation && html`<td class="n">${fixed(s.meanActivation, 2)}</td>`
  }</tr>`;
  return html`<table><thead><tr><th${n}>SFV</th><th>label</th><th${n}>cells %</th><th${n}>importance %</th><th${n}>score</th><th${n}>density</th>
<th${n}>entropy bit</th>${hasSaliency && html`<th${n}>saliency</th>`}${hasActivation && html`<th${n}>activation</th>`}</tr></thead>
<tbody>${record.sfvs.map(row)}</tbody></table>`;
}

function tiles(r: AnalysisRecord): Markup {
  const tile = (name: string, text: string, unit = '') =>
    html`<div><dt>${name}</dt><dd>${text}${unit && html` <span class="unit">${unit}</span>`}</dd></div>`;
  return html`<dl class="tiles">
${tile('SFVs', String(r.sfvs.length))}
${tile('Partition', grouped(r.partition.bytes), 'bytes')}
${tile('Labels kept', fixed(100 * r.partition.agreement), '%')}
${tile('Street scene', fixed(100 * r.streetProbability, 0), '%')}
${tile(`Entropy : ${r.attention}`, `${fixed(r.weights.entropy, 1)} : ${fixed(r.weights.attention, 1)}`)}
${tile('Time', fixed(r.timingsMs.totalMs, 0), 'ms')}
</dl>`;
}

function legend({ legend: entries, colourOf }: AnalysisPage): Markup | null {
  if (entries.length === 0) return null;
  return html`<ul class="legend" aria-label="Labels">${entries.map(
    (e) => html`<li>${swatch(colourOf(e.label))}${e.name} <small>${fixed(100 * e.share)} %</small></li>`,
  )}</ul>`;
}

function facts({ record: r, command }: AnalysisPage): Markup {
  const presence = Object.entries(r.presence).sort((a, b) => b[1] - a[1]);
  return html`<section><h2>Reproduce</h2><pre class="command"><code>${command}</code></pre><div class="grid">
<div>${table(
    'Is the class in the picture? (a street scene assumed)',
    ['class', 'probability, %'],
    presence.map(([name, p]) => [
      html`${name}${r.task === 'machine' && r.taskClasses.includes(name) ? html` <small>task</small>` : null}`,
      fixed(100 * p),
    ]),
    [1],
  )}</div><div>${table(
    'This analysis',
    ['what', 'value'],
    [
      ['models', `${r.models.name} ${r.models.version}, ${r.models.id}`],
      ['task', `${r.task}, order ${r.order}`],
      ['activation explains', activationText(r)],
      ...Object.entries(r.timingsMs).map(([step, ms]) => [step.replace(/Ms$/, ''), `${fixed(ms, 0)} ms`]),
    ],
  )}</div></div></section>`;
}

function activationText(r: AnalysisRecord): string {
  if (r.activationTarget === null) return NOT_MEASURED;
  const classes = r.taskClasses.join(', ');
  return r.activationTarget === 'maps'
    ? `where ${classes} are seen`
    : `none of ${classes} is seen: their presence logits`;
}
