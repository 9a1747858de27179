import { createHash } from 'node:crypto';
import { html, Markup, table } from '../report/markup.ts';
import { pageCss } from '../report/style.ts';
import type { Estimate } from '../stats.ts';
import { COMPARED, type Comparison } from './compare.ts';

const NAMES: Readonly<Record<(typeof COMPARED)[number], readonly [name: string, digits: number]>> = {
  psnrDb: ['PSNR dB', 2],
  roiPsnrDb: ['ROI-PSNR dB', 2],
  msSsim: ['MS-SSIM', 4],
  ssim: ['SSIM', 4],
};

/** report.html of a comparison: differences with their intervals, means, every picture. No script, no request. */
export function comparePage(title: string, facts: Readonly<Record<string, string>>, c: Comparison): string {
  const css = pageCss();
  const hash = createHash('sha256').update(css).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const shown = COMPARED.filter((key) => c.differences.some((d) => d.figures[key] !== null));
  const number = (value: number | null, digits: number) => (value === null ? '-' : value.toFixed(digits));
  const interval = (e: Estimate | null, digits: number) =>
    e === null ? '-' : `${e.value.toFixed(digits)} [${e.low.toFixed(digits)}, ${e.high.toFixed(digits)}]`;
  const differences = c.differences.map((d) => [
    `${d.of} - ${d.minus}`,
    ...shown.map((key) => interval(d.figures[key], NAMES[key][1])),
  ]);
  const means = Object.entries(c.means).map(([mapping, m]) => [
    mapping,
    ...shown.map((key) => number(m[key], NAMES[key][1])),
  ]);
  const pictures = c.trials.flatMap((trial, t) =>
    trial.map((p, i) => [
      `${t + 1}.${i + 1}`,
      p.mapping,
      number(p.csiAgeMs, 1),
      p.complete ? 'whole' : 'damaged',
      ...shown.map((key) => number(p.quality[key], NAMES[key][1])),
    ]),
  );
  const head = shown.map((key) => NAMES[key][0]);
  const n = c.trials.length;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${title} · sct compare</title><style>${new Markup(css)}</style></head>
<body><main><h1>${title}</h1><p class="sub">${Object.entries(facts)
    .map(([key, value]) => `${key}: ${value}`)
    .join(' · ')}</p>
<section><h2>Differences</h2>${table(`means over ${n} pairs on one CSI report each, with 95 % intervals`, ['', ...head], differences, [1, 2, 3, 4])}</section>
<section><h2>Means</h2>${table('', ['mapping', ...head], means, [1, 2, 3, 4])}</section>
<section><h2>Pictures</h2>${table('in the order in which they were sent', ['', 'mapping', 'CSI age ms', '', ...head], pictures, [2, 4, 5, 6, 7])}</section>
</main></body></html>
`.text;
}
