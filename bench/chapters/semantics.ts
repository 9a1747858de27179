/**
 * The chapter on semantic coding of docs/results.md and its plots, from bench/results/semantics.json
 * (`sct bench semantics --data DIR -o OUT`).
 */

import type { JudgedRow, PartReport, SemanticsReport } from '../../src/experiment/bench/semantics/report.ts';
import { MEASURES, type Measure } from '../../src/experiment/bench/semantics/series.ts';
import { checkText, figureText, shownConditions, shownMeasures } from '../../src/experiment/bench/semantics/text.ts';
import { plot } from '../../src/experiment/report/svg/plot.ts';
import { type PlotFile, provenance, table } from './parts.ts';

/** Facts that are worth a column. */
const FACTS = ['MCS', 'MCS for, dB'] as const;

export function semanticsChapter(report: SemanticsReport): string {
  const parts = report.parts.filter((p) => p.rows.length > 0);
  return [
    '## Semantic coding through the whole modem',
    `Model set \`${report.set.name}\` ${report.set.id}. Of what was asked, ${report.met} met, ${report.open} open (the 95 % interval holds the limit), ${report.missed} missed.${report.quick ? ' **A quick run: not for quotation.**' : ''}${report.pending > 0 ? ` ${report.pending} units of work are not finished: their rows are missing.` : ''} Mean ± half of the 95 % interval; p10: 10th percentile. A picture that could not be decoded counts as flat grey, as an outage, and in every mean. ROI: sign, car, pedestrian, bicyclist by ground truth (ECSSD: the object). Differences are paired by picture and seed. The judge is a network of another architecture, trained on CamVid train alone, never shipped; its mIoU is over all received pictures of a row.`,
    `    ${report.command}`,
    `${provenance(report)}, code ${report.sourceSha256.slice(0, 12)}.`,
    ...(report.remarks ?? []),
    ...parts.flatMap(partOf),
  ].join('\n\n');
}

export function semanticsPlots(report: SemanticsReport): PlotFile[] {
  return report.parts.flatMap((p) => p.plots.map(({ name, spec }) => ({ file: fileOf(name), svg: plot(spec) })));
}

function fileOf(name: string): string {
  return `semantics-${name}.svg`;
}

function partOf(part: PartReport): string[] {
  const asked = part.checks.filter((c) => c.value !== null);
  const minutes = Math.round(part.cpuSeconds / 60);
  return [
    `### ${part.title}`,
    `${part.about} ${minutes} minutes of CPU time.${part.pending > 0 ? ` ${part.pending} units not finished.` : ''}`,
    ...part.plots.map(({ name, spec }) => `![${spec.title}](images/${fileOf(name)})`),
    rowsTable(part),
    ...(asked.length === 0
      ? []
      : [
          table(
            ['', 'what', 'value (95 % interval)'],
            asked.map((c) => [c.state === 'shown' ? '' : c.state, c.what, checkText(c)]),
          ),
        ]),
  ];
}

function rowsTable(part: PartReport): string {
  const conditions = shownConditions(part);
  const measures = shownMeasures(part);
  const facts = FACTS.filter((f) => part.rows.some((r) => r.facts[f] !== undefined));
  const judged = part.rows.some((r) => r.judge !== null);
  const head = [
    'scheme',
    ...conditions,
    ...facts,
    'trials',
    ...measures.map(headOf),
    ...(judged ? ['judge mIoU (on the originals)'] : []),
  ];
  const cells = (row: JudgedRow) => [
    row.scheme,
    ...conditions.map((c) => String(row.conditions[c] ?? '')),
    ...facts.map((f) => String(row.facts[f] ?? '')),
    String(row.trials),
    ...measures.map((m) => figureText(row, m)),
    ...(judged ? [judgeText(row)] : []),
  ];
  return table(head, part.rows.map(cells));
}

function headOf(measure: Measure): string {
  const { title, unit } = MEASURES[measure];
  return unit === '' || unit === 'share' ? title : `${title}, ${unit}`;
}

function judgeText({ judge }: JudgedRow): string {
  if (!judge) return '';
  const interval =
    judge.low === null || judge.high === null ? '' : ` (${judge.low.toFixed(3)} to ${judge.high.toFixed(3)})`;
  return `${judge.mIoU.toFixed(3)}${interval}${judge.clean === null ? '' : `; ${judge.clean.toFixed(3)}`}`;
}
