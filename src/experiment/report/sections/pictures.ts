import type { ReportData, ReportPicture } from '../data.ts';
import { judgedText } from '../machine-text.ts';
import { fileHref, html, Markup } from '../markup.ts';
import { sentAgain } from '../sent-again.ts';
import { checkedPictureUri } from '../svg/indexed-png.ts';
import { fixed, grouped, NOT_MEASURED } from '../svg/text.ts';
import { missingPicture, reasonOf, verdict } from '../verdict.ts';

/** First screen: title, verdict, the three pictures side by side and the main figures. */
export function headSection(data: ReportData): Markup {
  const id = data.identification;
  const v = verdict(data);
  const mark = { whole: '✓', damaged: '!', outage: '✕', nothing: '✕' }[v.state];
  const line = [
    id.codec,
    id.mapping && `mapping ${id.mapping}`,
    id.channel,
    id.snrDb !== null && `${fixed(id.snrDb)} dB SNR`,
  ]
    .filter((s) => s)
    .join(' · ');
  return html`<header><h1>${id.title}</h1><p class="sub">${line} · ${id.numerology}</p>
<p class="verdict ${v.state}" role="status"><span class="mark" aria-hidden="true">${mark}</span><span>${v.text}</span></p></header>
${data.metrics.codec !== 'speech' && pictures(data)}
${tiles(data)}${
  data.warnings.length > 0 &&
  html`<section class="warnings" aria-label="Warnings"><h2>Warnings</h2><ul>${data.warnings.map((w) => html`<li>${w}</li>`)}</ul></section>`
}${
  data.notes !== undefined &&
  data.notes.length > 0 &&
  html`<section aria-label="Notes"><h2>Notes</h2><ul>${data.notes.map((n) => html`<li>${n}</li>`)}</ul></section>`
}`;
}

function pictures(data: ReportData): Markup {
  const { source, received, difference } = data.pictures;
  return html`<section class="pictures" aria-label="Pictures">
${picture('Source', source, 'the original is not at this end')}
${picture('Received', received, missingPicture(data))}
${picture('Difference', difference, 'needs both pictures')}
</section>`;
}

function picture(title: string, p: ReportPicture | null, missing: string): Markup {
  if (!p) {
    return html`<figure class="picture"><figcaption>${title}</figcaption><div class="missing"><span title="${missing}">${NOT_MEASURED}</span><small>${missing}</small></div></figure>`;
  }
  const image = html`<img src="${new Markup(checkedPictureUri(p.dataUri))}" width="${p.width}" height="${p.height}" alt="${p.alt}">`;
  return html`<figure class="picture"><figcaption>${title} <small>${p.note ?? `${p.width} × ${p.height}`}</small></figcaption>${
    p.file ? html`<a href="${fileHref(p.file)}">${image}</a>` : image
  }</figure>`;
}

function tiles(data: ReportData): Markup {
  const m = data.metrics;
  const tile = (name: string, key: string, value: number | null, text: string, unit = '') => {
    const shown =
      value === null
        ? html`<dd title="${reasonOf(data, key)}">${NOT_MEASURED}<span class="why">${reasonOf(data, key)}</span></dd>`
        : html`<dd>${text}${unit && html` <span class="unit">${unit}</span>`}</dd>`;
    return html`<div><dt>${name}</dt>${shown}</div>`;
  };
  // Analog symbols have neither EVM nor blocks.
  const { sfvs } = m;
  const came = sfvs.filter((s) => s.state === 'received').length;
  const whole =
    sfvs.length > 0 && m.evmDb === null
      ? tile('SFVs received', 'sfvs', came, `${grouped(came)}`, `of ${grouped(sfvs.length)}`)
      : null;
  const side =
    sfvs.length > 0 && m.bler === null
      ? tile('Side information', 'sideInfoBytes', m.sideInfoBytes, grouped(m.sideInfoBytes), 'bytes')
      : null;
  const again = sentAgain(m);
  // Speech alone has no picture that could be judged.
  const seen =
    m.codec !== 'speech' &&
    html`${tile('PSNR', 'psnrDb', m.psnrDb, fixed(m.psnrDb, 2), 'dB')}
${tile('MS-SSIM', 'msSsim', m.msSsim, fixed(m.msSsim, 4))}
${tile('ROI-PSNR', 'roiPsnrDb', m.roiPsnrDb, fixed(m.roiPsnrDb, 2), 'dB')}
${tile('LPIPS', 'lpips', m.lpips, fixed(m.lpips, 4))}
${m.judgeMIoU !== null && tile('mIoU by the judge', 'judgeMIoU', m.judgeMIoU, judgedText(m))}
${tile('CBR', 'cbr', m.cbr, m.cbr ? `1/${fixed(1 / m.cbr, 1)}` : '0', m.symbolsPerPixel === null ? '' : `R ${fixed(m.symbolsPerPixel, 4)}`)}`;
  return html`<dl class="tiles">
${seen}
${whole ?? tile('EVM', 'evmDb', m.evmDb, fixed(m.evmDb, 1), 'dB')}
${side ?? tile('BLER', 'bler', m.bler, m.bler === null ? '' : fixed(100 * m.bler, 1), '%')}
${tile('Sent again', 'retransmissions', again.count, grouped(again.count), `${again.unit}s`)}
${tile('CFO', 'cfoHz', m.cfoHz, grouped(m.cfoHz), 'Hz')}
${tile('CSI age', 'csiAgeMs', m.csiAgeMs, fixed(m.csiAgeMs, 1), 'ms')}
${tile('Samples lost', 'lostSamples', m.lostSamples, grouped(m.lostSamples))}
${tile('Clipped', 'clippedSamples', m.clippedSamples, grouped(m.clippedSamples), 'samples')}
</dl>`;
}
