import { createHash } from 'node:crypto';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { Estimate } from '../metrics/stats.ts';
import { figure, html, Markup, table } from '../report/markup.ts';
import { reportPicture } from '../report/picture.ts';
import { pageCss } from '../report/style.ts';
import { checkedPictureUri } from '../report/svg/indexed-png.ts';
import { plot } from '../report/svg/plot.ts';
import { COMPARED, type ComparedTrial, type Comparison, type Mapping } from './compare.ts';

const NAMES: Readonly<Record<(typeof COMPARED)[number], readonly [name: string, digits: number]>> = {
  psnrDb: ['PSNR dB', 2],
  importanceWeightedPsnrDb: ['importance-weighted PSNR dB', 2],
  roiPsnrDb: ['ROI-PSNR dB', 2],
  msSsim: ['MS-SSIM', 4],
  ssim: ['SSIM', 4],
};
/** Widest picture of the page, px. */
const WIDEST_PX = 512;

/**
 * report.html of a comparison: pictures, differences with their intervals and trial by trial, means, every picture sent. No script, no request.
 *
 * @param shown the last picture of each mapping
 */
export async function comparePage(
  title: string,
  facts: Readonly<Record<string, string>>,
  c: Omit<Comparison, 'shown'>,
  source: RgbImage,
  shown: ReadonlyMap<Mapping, RgbImage>,
): Promise<string> {
  const css = pageCss();
  const hash = createHash('sha256').update(css).digest('base64');
  const policy = `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const keys = COMPARED.filter((key) => c.differences.some((d) => d.figures[key] !== null));
  const number = (value: number | null, digits: number) => (value === null ? '-' : value.toFixed(digits));
  const interval = (e: Estimate | null, digits: number) =>
    e === null ? '-' : `${e.value.toFixed(digits)} [${e.low.toFixed(digits)}, ${e.high.toFixed(digits)}]`;
  const differences = c.differences.map((d) => [
    `${d.of} - ${d.minus}`,
    ...keys.map((key) => interval(d.figures[key], NAMES[key][1])),
  ]);
  const means = Object.entries(c.means).map(([mapping, m]) => [
    mapping,
    ...keys.map((key) => number(m[key], NAMES[key][1])),
  ]);
  const sent = c.trials.flatMap((trial, t) =>
    trial.map((p, i) => [
      `${t + 1}.${i + 1}`,
      p.mapping,
      p.csiNumber,
      number(p.csiAgeMs, 1),
      number(p.snrDb, 1),
      p.complete ? 'whole' : 'damaged',
      ...keys.map((key) => number(p.quality[key], NAMES[key][1])),
    ]),
  );
  const head = keys.map((key) => NAMES[key][0]);
  const numeric = keys.map((_, i) => i + 1);
  const n = c.trials.length;
  const pictures = [await picture('Source', source)];
  for (const [mapping, image] of shown) pictures.push(await picture(`${mapping}, the last one`, image));
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${title} · sct compare</title><style>${new Markup(css)}</style></head>
<body><main><h1>${title}</h1><p class="sub">${Object.entries(facts)
    .map(([key, value]) => `${key}: ${value}`)
    .join(' · ')}</p>
<section class="pictures" aria-label="Pictures">${pictures}</section>
<section><h2>Differences</h2>${table(`means over ${n} pairs on one CSI report each, with 95 % intervals (Student's t)`, ['', ...head], differences, numeric)}
${figure(`PSNR of ${c.differences[0].of} less that of the others, report by report`, differencePlot(c))}</section>
<section><h2>Means</h2>${table('', ['mapping', ...head], means, numeric)}</section>
<section><h2>Sent</h2>${table('in the order in which they were sent', ['', 'mapping', 'CSI report', 'CSI age ms', 'SNR dB', '', ...head], sent, [2, 3, 4, ...numeric.map((i) => i + 5)])}</section>
</main></body></html>
`.text;
}

async function picture(title: string, image: RgbImage): Promise<Markup> {
  const p = await reportPicture(image, title, undefined, undefined, WIDEST_PX);
  const source = new Markup(checkedPictureUri(p.dataUri));
  return html`<figure class="picture"><figcaption>${title} <small>${p.note}</small></figcaption><img src="${source}" width="${p.width}" height="${p.height}" alt="${p.alt}"></figure>`;
}

/** Points of every pair, and the mean of each difference as a line. */
function differencePlot({ trials, differences }: Omit<Comparison, 'shown'>): string {
  const psnrDb = (trial: ComparedTrial, mapping: Mapping) =>
    trial.find((p) => p.mapping === mapping)?.quality.psnrDb ?? Number.NaN;
  return plot({
    title: 'differences in PSNR',
    description: 'One point for each CSI report; above 0 the first mapping is better.',
    xLabel: 'CSI report',
    yLabel: 'PSNR difference, dB',
    width: 900,
    height: 260,
    xRange: [0.5, trials.length + 0.5],
    showTitle: false,
    standalone: false,
    series: [
      { kind: 'threshold', axis: 'y', value: 0 },
      ...differences.flatMap(({ of, minus, figures }, i) => [
        {
          kind: 'scatter' as const,
          label: `${of} - ${minus}`,
          colour: i,
          size: 7,
          x: trials.map((_, t) => t + 1),
          y: trials.map((trial) => psnrDb(trial, of) - psnrDb(trial, minus)),
        },
        {
          kind: 'line' as const,
          label: `mean of ${of} - ${minus}`,
          colour: i,
          dash: true,
          x: [0.5, trials.length + 0.5],
          y: Array.from({ length: 2 }, () => figures.psnrDb?.value ?? Number.NaN),
        },
      ]),
    ],
  });
}
