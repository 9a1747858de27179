import { printable } from '../report/terminal.ts';
import type { SweepReport } from './document.ts';
import { sourceText } from './material.ts';
import { valueText } from './setting-text.ts';
import { gainTable, groupTable, type ReadTable } from './tables.ts';

/** Lines of a table on a terminal; the files have them all. */
const MOST_ROWS = 200;

/** The report for a terminal. */
export function reportText(r: SweepReport): string {
  const varied = r.design.axes.map(({ key, values }) => {
    const few = values.slice(0, 12).map((v) => valueText(v));
    return `  ${key}: ${few.join(', ')}${values.length > 12 ? `, … ${values.length} values` : ''}`;
  });
  const names = r.figures.map((f) => f.name);
  const lines = [
    ...r.sources.map(sourceText),
    ...(varied.length > 0 ? ['varied:', ...varied] : ['nothing varied but photo and seed']),
    '',
    ...tableLines(groupTable(r)),
    ...(r.gains.length > 0 ? ['', ...tableLines(gainTable(r))] : []),
    '',
    names.length > 0
      ? `figures: ${names.join(', ')}`
      : 'no figure: no number was varied that one could be over, or nothing measured that one shows',
    'intervals are 95 %; how they are made stands in report.html and report.json',
  ];
  return `${lines.map((line) => printable(line)).join('\n')}\n`;
}

function tableLines({ head, rows, numeric }: ReadTable): string[] {
  const shown = [head, ...rows.slice(0, MOST_ROWS)];
  const widths = head.map((_, c) => Math.max(...shown.map((row) => row[c].length)));
  const pad = (text: string, c: number) => (numeric.includes(c) ? text.padStart(widths[c]) : text.padEnd(widths[c]));
  const lines = shown.map((row) => row.map(pad).join('  ').trimEnd());
  return rows.length > MOST_ROWS ? [...lines, `… ${rows.length - MOST_ROWS} more: see -o DIR`] : lines;
}
