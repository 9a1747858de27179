import { figureOf } from '../../analyze/panels.ts';
import { heatPicture, palettePicture, smallPng } from '../../analyze/pictures.ts';
import { bar, objectsFigure, type Scene, sceneDefs, swatch } from '../../analyze/scene.ts';
import type { Numbers, ReportData, ReportPicture, ReportSemantics, ReportSfv } from '../data.ts';
import { machineAgreement } from '../machine-text.ts';
import { fileHref, html, Markup, table } from '../markup.ts';
import { STATE_COLOURS } from '../semantic-style.ts';
import { checkedPictureUri, pictureDataUri } from '../svg/indexed-png.ts';
import { fixed, grouped, NOT_MEASURED, signed } from '../svg/text.ts';

/** What was sent, what it mattered and what became of it, SFV by SFV; null for a run without SFVs. */
export function semanticSection(data: ReportData): Markup | null {
  const s = data.semantics;
  if (!s) return null;
  return html`<section><h2>What was sent and what became of it <small>point at an SFV in a picture, in the table or in the map of resource blocks</small></h2>
${panels(s, data)}${correctionLine(s)}</section>
${s.sfvs.length > 0 && html`<section><h2>Semantic feature vectors, most important first</h2><div class="sfvs">${sfvTable(s)}</div>${codecTables(s)}</section>`}`;
}

function panels(s: ReportSemantics, { pictures, metrics }: ReportData): Markup | null {
  const { photo, grid, width, height } = s;
  const task = taskFigure(s, machineAgreement(metrics));
  if (!photo) return task && html`<div class="maps">${task}</div>`;
  if (!grid) return null;
  const scene: Scene = {
    width,
    height,
    cellPx: grid.cellPx,
    photoUri: photo.dataUri,
    outlines: s.outlines,
    points: s.points,
  };
  const named = s.sfvs
    .filter((v) => v.cells !== null)
    .map((v) => ({ id: v.id, label: v.label, tooltip: tooltipOf(v) }));
  const heat = (title: string, note: string, values: Numbers, top: number, ends: readonly [string, string]) => {
    const map = heatPicture(values, grid, 0, top);
    const size = { width: map.width, height: map.height, samplesPerCell: 1 };
    const uri = pictureDataUri(smallPng(map));
    return figureOf({ title, note, uri, size, kind: 'heat', scale: ends }, { photo: { width, height }, grid });
  };
  const peak = s.importance ? Array.from(s.importance).reduce((a, b) => Math.max(a, b), 0) : 0;
  return html`${sceneDefs(scene)}<div class="maps">
${objectsFigure(scene, named, pictures.source ? 'Source' : 'Received', `cut into ${grouped(named.length)} SFVs`)}
${s.importance && heat('Importance', 'what decides order and share', s.importance, peak, ['0', `${fixed(peak)} × mean`])}
${s.before && shown('Received, before correction', s.before, s.correction?.beforeDb, s)}
${s.after && shown(s.before ? 'Received, after correction' : 'Received', s.after, s.correction?.afterDb, s)}
${s.damage && Array.from(s.damage).some((d) => d > 0) && heat('Error mask', 'share of each cell that did not arrive', s.damage, 1, ['intact', 'lost'])}
${stateFigure(s)}${task}</div>`;
}

function tooltipOf(v: ReportSfv): string {
  const importance = v.importance === null ? '' : `, ${fixed(100 * v.importance)} % of the importance`;
  return `${v.id} ${v.label}${importance}${v.state ? `, ${v.state}` : ''}`;
}

/** A picture under the outlines of what is pointed at. */
function shown(title: string, p: ReportPicture, psnr: number | undefined, { width, height }: ReportSemantics): Markup {
  const note = psnr === undefined ? 'quality not known without the source' : `${fixed(psnr, 2)} dB PSNR`;
  const svg = html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${p.alt}"><image href="${new Markup(checkedPictureUri(p.dataUri))}" width="${width}" height="${height}" preserveAspectRatio="none"/><use href="#all"/></svg>`;
  return html`<figure class="panel"><figcaption>${title}<small>${note}</small></figcaption>${
    p.file === undefined ? svg : html`<a href="${fileHref(p.file)}">${svg}</a>`
  }</figure>`;
}

function stateFigure(s: ReportSemantics): Markup | null {
  const known = s.sfvs.filter((v) => v.state !== null && s.outlines[v.id]);
  // Where all came, the line under the panels says so.
  if (known.every((v) => v.state === 'received' && !(v.damage! > 0))) return null;
  const count = (state: keyof typeof STATE_COLOURS) => known.filter((v) => v.state === state).length;
  const states = (Object.keys(STATE_COLOURS) as (keyof typeof STATE_COLOURS)[]).filter((state) => count(state) > 0);
  return html`<figure class="panel"><figcaption>State of each SFV<small>how it is shown in the received picture</small></figcaption>
<svg viewBox="0 0 ${s.width} ${s.height}" role="img" aria-label="State of each SFV"><use href="#photo" class="grey"/>${known.map(
    (v) => html`<use href="#p${v.id}" class="st st-${v.state}"/>`,
  )}<use href="#all"/></svg><ul class="legend">${states.map(
    (state) => html`<li>${swatch(STATE_COLOURS[state])}${state} <small>${count(state)}</small></li>`,
  )}</ul></figure>`;
}

/** What a program gets in place of a picture, over the photo where there is one. */
function taskFigure({ task, photo, grid, width, height }: ReportSemantics, agreement: string[]): Markup | null {
  if (!task || !grid || task.labels.length !== 16 * grid.rows * grid.columns) return null;
  const map = palettePicture(task.labels, grid, task.palette, 4);
  const share = (p: number) => `${fixed(100 * p, 0)}\u00a0%`;
  const seen = task.presence.filter((c) => c.present).map((c) => `${c.name} ${share(c.probability)}`);
  const note = [
    ...[`street scene ${share(task.streetProbability)}`, seen.join(', ') || 'no class for certain', ...agreement],
    `${fixed(task.latencyMs, 0)} ms`,
  ].join('; ');
  const panel = {
    title: 'What the heads see',
    note,
    uri: pictureDataUri(smallPng(map)),
    size: map,
    kind: photo ? ('labels' as const) : ('mosaic' as const),
  };
  return figureOf(panel, { photo: { width, height }, grid });
}

function correctionLine({ correction: c, damage }: ReportSemantics): Markup | null {
  if (!c || !damage) return null;
  const share = fixed((100 * c.damagedCells) / damage.length);
  const text =
    c.damagedCells === 0
      ? 'Every cell arrived: there was nothing to correct.'
      : `${grouped(c.damagedCells)} cells (${share} %) were damaged: ${fixed(c.damagedBeforeDb)} dB PSNR there without correction, ${fixed(c.damagedAfterDb)} dB with it; whole picture ${fixed(c.beforeDb, 2)} and ${fixed(c.afterDb, 2)} dB.`;
  return html`<p class="sub2">${text}</p>`;
}

const N = new Markup(' class="n"');

function sfvTable(s: ReportSemantics): Markup {
  const top = s.sfvs.reduce((most, v) => Math.max(most, v.importance ?? 0), 0) || 1;
  const coded = s.sfvs.some((v) => v.bytes !== null);
  const head: [string, boolean][] = [
    ['SFV', true],
    ['label', false],
    ['importance %', true],
    ['cells', true],
    ['symbols', true],
    ...(coded ? [['bytes', true] satisfies [string, boolean]] : []),
    ['RBs', true],
    ['SNR reported dB', true],
    ['SNR measured dB', true],
    ['state', false],
    ['damage %', true],
    ['PSNR before dB', true],
    ['PSNR after dB', true],
    ['effect of correction dB', true],
  ];
  const row = (v: ReportSfv) => html`<tr class="sfv r${v.id}" id="r${v.id}" tabindex="0"><td class="n">${v.id}</td>
<td>${swatch(v.colour)}${v.label}</td><td class="n">${v.importance === null ? NOT_MEASURED : html`${fixed(100 * v.importance)}${bar(v.importance / top)}`}</td>
<td class="n">${grouped(v.cells)}</td><td class="n">${grouped(v.symbols)}</td>${coded && html`<td class="n">${grouped(v.bytes)}</td>`}<td class="n">${grouped(v.rbs)}</td>
<td class="n">${fixed(v.reportedDb)}</td><td class="n">${fixed(v.measuredDb)}</td><td>${stateText(v)}</td>
<td class="n">${v.damage === null ? NOT_MEASURED : fixed(100 * v.damage, 0)}</td>${psnrCells(v.beforeDb, v.afterDb)}</tr>`;
  return html`<table><thead><tr>${head.map(([name, n]) => html`<th scope="col"${n && N}>${name}</th>`)}</tr></thead>
<tbody>${s.sfvs.map(row)}${sumRow(s, coded)}</tbody></table>`;
}

function stateText({ state, symbols }: ReportSfv): Markup | string {
  if (state === null) return NOT_MEASURED;
  const text = symbols === 0 ? `${state} (not sent)` : state;
  return html`${swatch(STATE_COLOURS[state])}${state === 'lost' ? html`<span class="bad">${text}</span>` : text}`;
}

function psnrCells(before: number | null, after: number | null): Markup {
  const db = (v: number | null) => (v === Number.POSITIVE_INFINITY ? 'exact' : fixed(v));
  const gain = before !== null && after !== null && before !== after ? after - before : 0;
  const side = gain >= 0.05 ? ' gain' : gain <= -0.05 ? ' loss' : '';
  return html`<td class="n">${db(before)}</td><td class="n">${db(after)}</td><td class="n${side}">${
    before === null || after === null ? NOT_MEASURED : signed(gain)
  }</td>`;
}

function sumRow({ sfvs, correction, damage }: ReportSemantics, coded: boolean): Markup {
  const sum = (of: (v: ReportSfv) => number | null) => sfvs.reduce((total, v) => total + (of(v) ?? 0), 0);
  const mean = damage && damage.length > 0 ? Array.from(damage).reduce((a, b) => a + b, 0) / damage.length : null;
  return html`<tr class="sum"><td></td><td>picture</td><td></td><td class="n">${grouped(sum((v) => v.cells))}</td><td class="n">${grouped(
    sum((v) => v.symbols),
  )}</td>${coded && html`<td class="n">${grouped(sum((v) => v.bytes))}</td>`}<td></td><td></td><td></td><td></td><td class="n">${mean === null ? NOT_MEASURED : fixed(100 * mean, 0)}</td>${psnrCells(
    correction?.beforeDb ?? null,
    correction?.afterDb ?? null,
  )}</tr>`;
}

function codecTables({ sideSplit: b, settings, timingsMs }: ReportSemantics): Markup | null {
  const chosen = Object.entries(settings);
  const times = Object.entries(timingsMs);
  const what = [
    b && `side information of ${grouped(b.total)} bytes`,
    chosen.length > 0 && 'settings',
    times.length > 0 && 'time',
  ];
  const named = what.filter((w) => w).join(', ');
  if (named === '') return null;
  return html`<details><summary>The codec: ${named}</summary><div class="tables">${
    b &&
    html`<div>${table(
      'Side information, digital, in the robust code',
      ['part', 'bytes'],
      [
        ['header', b.header],
        ['SFV table', b.sfvTable],
        ['partition into SFVs', b.partition],
        ['class map', b.classMap],
        ['all', b.total],
      ],
      [1],
    )}</div>`
  }${
    chosen.length > 0 &&
    html`<div>${table(
      'What the codec chose',
      ['setting', 'value'],
      chosen.map(([k, v]) => [k, typeof v === 'number' && !Number.isInteger(v) ? fixed(v, 3) : String(v)]),
      [1],
    )}</div>`
  }${
    times.length > 0 &&
    html`<div>${table(
      'Time of the codec',
      ['step', 'ms'],
      times.map(([k, v]) => [k, fixed(v, 0)]),
      [1],
    )}</div>`
  }</div></details>`;
}
