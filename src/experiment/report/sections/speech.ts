import type { SpeechFigures } from '../../speech/speech-figures.ts';
import { stateText } from '../../speech/speech-words.ts';
import type { ReportData, ReportSound } from '../data.ts';
import { fileHref, html, Markup, table } from '../markup.ts';
import { rangeOf } from '../spectrogram.ts';
import { plot } from '../svg/plot.ts';
import type { Series } from '../svg/series.ts';
import { fixed, grouped, NOT_MEASURED } from '../svg/text.ts';

const FRAME_MS = 20;
const MAX_ROWS = 255;

/** Speech: what was sent and what is heard, to listen to; its figures; its SFVs. */
export function speechSection({ metrics: { speech }, speech: sounds }: ReportData): Markup | null {
  if (!speech || !sounds) return null;
  const there = [sounds.source, sounds.received].filter((s) => s !== null);
  const range = rangeOf(there.map((s) => s.spectrogram));
  const sound = (title: string, s: ReportSound | null, stretches: readonly Series[]) =>
    s &&
    html`<figure><figcaption>${title} <a href="${fileHref(s.file)}">${s.file}</a></figcaption>${player(s)}${range && html`<div class="scroll wide"><div class="plot">${picture(title, s, range, stretches)}</div></div>`}</figure>`;
  const figure = (name: string, value: number | null, digits: number, unit = '') =>
    html`<div><dt>${name}</dt><dd>${value === null ? NOT_MEASURED : fixed(value, digits)}${unit && html` <span class="unit">${unit}</span>`}</dd></div>`;
  const rows = speech.sfvs
    .slice(0, MAX_ROWS)
    .map((s) => [s.id, s.label, grouped(s.frames * FRAME_MS), grouped(s.symbols), fixed(s.snrDb, 1), stateText(s)]);
  return html`<section><h2>Speech</h2>${speech.note !== null && html`<p>${speech.note}</p>`}
${sound('Source', sounds.source, [])}${sound('Received', sounds.received, stretchesOf(speech.sfvs))}
<dl class="tiles">${figure('STOI', speech.stoi, 3)}${figure('Segmental SNR', speech.segmentalSnrDb, 1, 'dB')}${figure('Length', speech.seconds, 2, 's')}${figure('Symbols', speech.symbols, 0)}</dl>
${
  rows.length > 0 &&
  table('Stretches that sound alike', ['SFV', 'label', 'ms', 'symbols', 'SNR, dB', 'state'], rows, [0, 2, 3, 4])
}</section>`;
}

/** Power over time and frequency; both sounds on one scale of colours. */
function picture(
  title: string,
  { spectrogram: { rows, columns, powerDb, seconds, topHz } }: ReportSound,
  range: readonly [number, number],
  stretches: readonly Series[],
): Markup {
  const top = topHz / 1e3;
  return new Markup(
    plot({
      standalone: false,
      showTitle: false,
      grid: false,
      width: 1160,
      height: 230,
      marginLeft: 50,
      marginRight: 78,
      title: `Spectrogram of the ${title.toLowerCase()} speech`,
      xLabel: 'time, s',
      yLabel: 'frequency, kHz',
      xRange: [0, seconds],
      yRange: [0, top],
      colourBar: { range, label: 'power, dBFS' },
      series: [{ kind: 'heatmap', rows, columns, values: powerDb, x: [0, seconds], y: [top, 0], range }, ...stretches],
    }),
  );
}

/** Where each SFV begins and ends, and how it came. Frame t covers the samples from (t - 1) frames to (t + 1). */
function stretchesOf(sfvs: SpeechFigures['sfvs']): Series[] {
  let at = 0;
  return sfvs.slice(0, MAX_ROWS).map((sfv): Series => {
    const { id, label, frames, symbols, snrDb, state } = sfv;
    const x = [Math.max(0, at - 0.5), at + frames - 0.5].map((t) => (t * FRAME_MS) / 1e3) as [number, number];
    at += frames;
    const how = snrDb === null ? '' : ` at ${fixed(snrDb, 1)} dB`;
    const tooltip = `SFV ${id}, ${label}: ${grouped(symbols)} symbols${how}, ${stateText(sfv)}`;
    return { kind: 'box', x, y: [0, 8], text: `${id} ${state === 'received' ? label : stateText(sfv)}`, tooltip };
  });
}

/** Base 64 alone can stand in the attribute as it is. */
function player({ dataUri }: ReportSound): Markup | null {
  if (dataUri === null || !/^data:audio\/wav;base64,[A-Za-z0-9+/=]*$/.test(dataUri)) return null;
  return html`<audio controls src="${new Markup(dataUri)}"></audio>`;
}
