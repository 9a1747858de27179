import { fixed } from '../report/svg/text.ts';
import { printable } from '../report/terminal.ts';
import type { AnalysisRecord } from './record.ts';

const MAX_ROWS = 40;

/** What stands on stdout: a few lines about the picture, then its SFVs, most important first. */
export function analysisText(r: AnalysisRecord, options: { colour: boolean; directory?: string | undefined }): string {
  const paint = (code: number, text: string) => (options.colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const presence = Object.entries(r.presence)
    .filter(([, p]) => p >= 0.5)
    .map(([name]) => name);
  const rows: [string, string][] = [
    [
      'picture',
      `${r.photo.width} x ${r.photo.height}, ${r.grid.columns} x ${r.grid.rows} cells of ${r.grid.cellPx} px`,
    ],
    [
      'labels',
      r.labelSpace === 'street'
        ? `street scene (${percent(r.streetProbability)}): ${presence.join(', ') || 'no class for certain'}`
        : `no street scene (${percent(1 - r.streetProbability)}): 32 clusters`,
    ],
    [
      'importance',
      `${fixed(r.weights.entropy, 2)} entropy + ${fixed(r.weights.attention, 2)} ${r.attention} (task ${r.task})` +
        (r.attention === 'saliency' ? '' : `: ${r.taskClasses.join(', ')}`),
    ],
    [
      'partition',
      `${r.sfvs.length} SFVs in ${r.partition.bytes} bytes, ${percent(r.partition.agreement, 1)} of the labels kept`,
    ],
    ['models', `${r.models.name} ${r.models.version} (${r.models.id})`],
    ['time', `${fixed(r.timingsMs.totalMs, 0)} ms`],
  ];
  if (options.directory !== undefined) rows.push(['report', `${options.directory}/analysis.html`]);
  const lines = [paint(1, printable(r.photo.name))];
  for (const [name, text] of rows) lines.push(`  ${paint(2, name.padEnd(10))}  ${printable(text)}`);
  lines.push('', ...sfvTable(r).map((line, i) => (i === 0 ? paint(2, line) : line)));
  if (r.sfvs.length > MAX_ROWS) lines.push(`  and ${r.sfvs.length - MAX_ROWS} more in analysis.json`);
  return `${lines.join('\n')}\n`.replaceAll('\u2212', '-');
}

function sfvTable(r: AnalysisRecord): string[] {
  const head = ['', 'SFV', 'label', 'picture', 'importance', 'score', 'density', 'entropy', 'saliency', 'activation'];
  const body = r.sfvs
    .slice(0, MAX_ROWS)
    .map((s, i) => [
      String(i + 1),
      String(s.id),
      s.labelName,
      percent(s.share, 1),
      percent(s.importance, 1),
      String(s.score),
      fixed(s.density, 2),
      fixed(s.meanEntropy, 0),
      s.meanSaliency === null ? '-' : fixed(s.meanSaliency, 2),
      s.meanActivation === null ? '-' : fixed(s.meanActivation, 2),
    ]);
  const widths = head.map((_, c) => Math.max(...[head, ...body].map((row) => row[c].length)));
  return [head, ...body].map(
    (row) => `  ${row.map((cell, c) => (c === 2 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  ')}`,
  );
}

function percent(share: number, digits = 0): string {
  return `${fixed(100 * share, digits)} %`;
}
