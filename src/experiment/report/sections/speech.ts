import type { ReportData, ReportSound } from '../data.ts';
import { fileHref, html, Markup, table } from '../markup.ts';
import { fixed, grouped, NOT_MEASURED } from '../svg/text.ts';

const FRAME_MS = 20;
const MAX_ROWS = 255;

/** Speech: what was sent and what is heard, to listen to; its figures; its SFVs. */
export function speechSection({ metrics: { speech }, speech: sounds }: ReportData): Markup | null {
  if (!speech || !sounds) return null;
  const sound = (title: string, s: ReportSound | null) =>
    s &&
    html`<figure><figcaption>${title} <a href="${fileHref(s.file)}">${s.file}</a></figcaption>${player(s)}</figure>`;
  const figure = (name: string, value: number | null, digits: number, unit = '') =>
    html`<div><dt>${name}</dt><dd>${value === null ? NOT_MEASURED : fixed(value, digits)}${unit && html` <span class="unit">${unit}</span>`}</dd></div>`;
  const rows = speech.sfvs
    .slice(0, MAX_ROWS)
    .map((s) => [s.id, s.label, grouped(s.frames * FRAME_MS), grouped(s.symbols), fixed(s.snrDb, 1), s.state]);
  return html`<section><h2>Speech</h2>${speech.note !== null && html`<p>${speech.note}</p>`}
${sound('Source', sounds.source)}${sound('Received', sounds.received)}
<dl class="tiles">${figure('STOI', speech.stoi, 3)}${figure('Segmental SNR', speech.segmentalSnrDb, 1, 'dB')}${figure('Length', speech.seconds, 2, 's')}${figure('Symbols', speech.symbols, 0)}</dl>
${
  rows.length > 0 &&
  table('Stretches that sound alike', ['SFV', 'label', 'ms', 'symbols', 'SNR, dB', 'state'], rows, [0, 2, 3, 4])
}</section>`;
}

/** Base 64 alone can stand in the attribute as it is. */
function player({ dataUri }: ReportSound): Markup | null {
  if (dataUri === null || !/^data:audio\/wav;base64,[A-Za-z0-9+/=]*$/.test(dataUri)) return null;
  return html`<audio controls src="${new Markup(dataUri)}"></audio>`;
}
