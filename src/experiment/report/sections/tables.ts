import type { ReportBlock, ReportBudget, ReportData } from '../data.ts';
import { html, Markup, table } from '../markup.ts';
import { stackedBar, strip } from '../svg/strips.ts';
import { fixed, grouped, NOT_MEASURED, si } from '../svg/text.ts';
import { reasonOf } from '../verdict.ts';

const MAX_ROWS = 400;

/** Bursts with their header fields. */
export function burstSection(data: ReportData): Markup | null {
  if (data.bursts.length === 0) return null;
  const rows = data.bursts.slice(0, MAX_ROWS).map((b) => [
    b.suspect ? html`${b.kind} <span class="bad" title="${b.suspect}">suspect</span>` : b.kind,
    grouped(b.startSample),
    b.slots,
    fixed(b.detection, 2),
    grouped(b.cfoHz),
    fixed(b.sfoPpm, 2),
    fixed(b.snrDb, 1),
    fixed(b.evmDb, 1),
    Object.entries(b.header)
      .map(([k, v]) => `${k} ${v}`)
      .join(', '),
  ]);
  return html`<section><h2>Bursts</h2>${table(
    'What the receiver found, in the order of arrival',
    ['burst', 'first sample', 'slots', 'detection', 'CFO, Hz', 'clock, ppm', 'RB SNR, dB', 'EVM, dB', 'header'],
    rows,
    [1, 2, 3, 4, 5, 6, 7],
  )}${more(data.bursts.length)}</section>`;
}

/** One square a code block, and the table behind it. */
export function blockSection(data: ReportData): Markup | null {
  const blocks = data.blocks;
  if (blocks.length === 0) return null;
  const lost = blocks.filter((b) => b.state === 'lost').length;
  const again = blocks.filter((b) => b.state === 'ok' && b.attempts > 1).length;
  const cells = blocks.slice(0, 2000).map((b) => ({
    colour: b.state === 'lost' ? 1 : b.attempts > 1 ? 4 : 2,
    mark: b.state === 'lost',
    tooltip: `block ${b.block} (${b.what}): ${b.state}, ${b.attempts} ${b.attempts === 1 ? 'attempt' : 'attempts'}`,
  }));
  const svg = strip(cells, `${blocks.length} code blocks, ${lost} lost`, [
    { colour: 2, label: `first attempt ${grouped(blocks.length - lost - again)}` },
    { colour: 4, label: `sent again ${grouped(again)}` },
    { colour: 1, label: `lost ${grouped(lost)}` },
  ]);
  return html`<section><h2>Code blocks</h2><div class="scroll">${new Markup(svg)}</div>
<details${lost > 0 && blocks.length <= 60 ? new Markup(' open') : null}><summary>All ${grouped(blocks.length)} blocks</summary>${table(
    'Code blocks in the order of transmission',
    ['block', 'carries', 'bytes', 'modulation', 'rate', 'effective SNR, dB', 'iterations', 'attempts', 'state'],
    blocks.slice(0, MAX_ROWS).map(blockRow),
    [0, 2, 4, 5, 6, 7],
  )}${more(blocks.length)}</details></section>`;
}

function blockRow(b: ReportBlock) {
  return [
    b.block,
    b.what,
    grouped(b.bytes),
    b.modulation,
    fixed(b.rate, 3),
    fixed(b.effectiveSnrDb, 1),
    b.iterations === null ? NOT_MEASURED : fixed(b.iterations, b.iterations % 1 === 0 ? 0 : 1),
    b.attempts,
    b.state === 'ok' ? 'ok' : html`<span class="bad">lost</span>`,
  ];
}

function more(total: number): Markup | null {
  return total > MAX_ROWS ? html`<p class="mu">${grouped(total - MAX_ROWS)} more in frames.jsonl.</p>` : null;
}

/** Semantic feature vectors with what became of them; only codecs that have them fill the list. */
export function sfvSection(data: ReportData): Markup | null {
  const sfvs = data.metrics.sfvs;
  if (sfvs.length === 0) return null;
  return html`<section><h2>Semantic feature vectors</h2>${table(
    'In the order of importance as sent',
    ['SFV', 'label', 'importance', 'symbols', 'RBs', 'RB SNR, dB', 'state'],
    sfvs
      .slice(0, MAX_ROWS)
      .map((s) => [
        s.id,
        s.label,
        fixed(s.importance, 4),
        grouped(s.symbols),
        s.rbs.length,
        fixed(s.snrDb, 1),
        s.state === 'lost' ? html`<span class="bad">lost</span>` : s.state,
      ]),
    [0, 2, 3, 4, 5],
  )}</section>`;
}

/** Where the resource elements went. */
export function budgetSection(data: ReportData): Markup | null {
  const b = data.budget;
  if (!b) return null;
  const counted: [string, keyof ReportBudget, number][] = [
    ['payload', 'payload', 0],
    ['side information', 'sideInfo', 5],
    ['control block', 'control', 3],
    ['padding', 'padding', 7],
    ['retransmissions', 'retransmissions', 4],
  ];
  const beside: [string, keyof ReportBudget, number][] = [
    ['pilots', 'pilots', 2],
    ['preamble', 'preamble', 6],
    ['sounding', 'sounding', 1],
    ['reverse link', 'reverse', 7],
  ];
  const total = counted.reduce((sum, [, key]) => sum + b[key], 0);
  const r = total / b.pixels;
  const parts = [...counted, ...beside].map(([label, key, colour]) => ({ label, value: b[key], colour }));
  const row = ([label, key]: [string, keyof ReportBudget, number], inR: boolean) => [
    label,
    grouped(b[key]),
    inR ? `${fixed((100 * b[key]) / Math.max(1, total), 1)} %` : 'beside R',
  ];
  return html`<section><h2>Symbol budget</h2>
<p><b>R = ${fixed(r, 4)}</b> complex symbols per pixel, <b>CBR = ${fixed(r / 3, 5)}</b>${r > 0 ? ` (1/${fixed(3 / r, 1)})` : ''}: ${grouped(total)} symbols for ${grouped(b.pixels)} pixels.</p>
<div class="scroll">${new Markup(stackedBar(parts, 'Resource elements by use'))}</div><div class="narrow">${table(
    'Resource elements by use',
    ['use', 'symbols', 'share of R'],
    [...counted.map((c) => row(c, true)), ...beside.map((c) => row(c, false))],
    [1, 2],
  )}</div></section>`;
}

/** Every metric with the reason of what is missing, timings, command and manifest. */
export function recordSection(data: ReportData): Markup {
  const id = data.identification;
  const facts: [string, string][] = [
    ['run', id.runId ?? NOT_MEASURED],
    ['time (UTC)', id.time],
    ['codec', id.codecDetail ? `${id.codec}: ${id.codecDetail}` : id.codec],
    ['mapping', id.mapping ?? NOT_MEASURED],
    ['channel', id.channel],
    ['SNR', id.snrDb === null ? NOT_MEASURED : `${fixed(id.snrDb)} dB`],
    ['seed', id.seed === null ? NOT_MEASURED : String(id.seed)],
    ['numerology', id.numerology],
    ['program', id.program],
    ...Object.entries(id.facts),
  ];
  const skip = ['schema', 'timings', 'files', 'sfvs', 'rbSnrDb'];
  const metrics = Object.entries(data.metrics).filter(([key]) => !skip.includes(key));
  const timings = Object.entries(data.metrics.timings);
  return html`<section><h2>Reproduce</h2><pre class="command"><code>${id.command}</code></pre>
<div class="grid"><div>${table(
    'This run',
    ['what', 'value'],
    facts.map(([k, v]) => [k, v]),
  )}</div><div>${
    timings.length > 0 &&
    table(
      'Time spent',
      ['stage', 'time'],
      timings.map(([k, v]) => [k.replace(/Ms$/, ''), si(v / 1e3, 's', 3)]),
      [1],
    )
  }</div></div>
<details><summary>All metrics</summary>${table(
    'metrics.json',
    ['metric', 'value'],
    metrics.map(([k, v]) => [
      k,
      v === null
        ? html`<span title="${reasonOf(data, k)}">${NOT_MEASURED}</span> <small>${reasonOf(data, k)}</small>`
        : String(v),
    ]),
  )}</details>
${data.manifest && html`<details><summary>Manifest (run.json)</summary><pre>${JSON.stringify(data.manifest, null, 2).slice(0, 65536)}</pre></details>`}</section>`;
}
