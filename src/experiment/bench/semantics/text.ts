import type { Check } from './figures.ts';
import type { JudgedRow, PartReport, SemanticsReport } from './report.ts';
import { MEASURES, type Measure } from './series.ts';

/** Conditions that differ between the rows of a part, or that it always names. */
export function shownConditions({ conditions, rows }: Pick<PartReport, 'conditions' | 'rows'>): string[] {
  return conditions.filter((c) => rows.some((r) => r.conditions[c] !== undefined));
}

/** Measures that any row of a part has. */
export function shownMeasures({ measures, rows }: Pick<PartReport, 'measures' | 'rows'>): Measure[] {
  return measures.filter((m) => rows.some((r) => r.figures[m] !== undefined));
}

/** "31.52 ± 0.40 (p10 28.11)"; rates without a percentile. */
export function figureText(row: JudgedRow, measure: Measure): string {
  const f = row.figures[measure];
  if (!f) return '';
  const { unit } = MEASURES[measure];
  const show = (v: number) => (unit === 'dB' ? v.toFixed(2) : Number(v.toPrecision(3)).toString());
  if (f.low === null || f.high === null) return show(f.mean);
  if (measure === 'outage' || measure === 'reached') return `${show(f.mean)} (${show(f.low)} to ${show(f.high)})`;
  const half = ` ± ${show((f.high - f.low) / 2)}`;
  const spread = measure === 'psnrDb' || measure === 'roiPsnrDb' ? ` (p10 ${show(f.p10)})` : '';
  return `${show(f.mean)}${half}${spread}`;
}

export function checkText(c: Check): string {
  const unit = c.unit === 'dB' ? ' dB' : '';
  const digits = (v: number) => (c.unit === 'dB' ? v.toFixed(2) : Number(v.toPrecision(3)).toString());
  const value = c.value === null ? 'none' : `${digits(c.value)}${unit}`;
  const interval = c.low === null || c.high === null ? '' : ` (${digits(c.low)} to ${digits(c.high)})`;
  return `${value}${interval}, n ${c.n}${c.asked ? `, asked ${c.asked}` : ''}`;
}

/** The report as plain text. */
export function semanticsTable(report: SemanticsReport): string {
  const lines = [`model set ${report.set.name} ${report.set.id}`];
  for (const part of report.parts) {
    lines.push(
      '',
      `${part.title} (${part.name}; ${part.cpuSeconds} CPU s${part.pending ? `; ${part.pending} units pending` : ''})`,
    );
    const conditions = shownConditions(part);
    const measures = shownMeasures(part);
    for (const row of part.rows) {
      const where = conditions.map((c) => (row.conditions[c] === undefined ? '' : `${c} ${row.conditions[c]}`));
      const figures = measures.filter((m) => row.figures[m]).map((m) => `${MEASURES[m].title} ${figureText(row, m)}`);
      const judge = row.judge ? [`judge mIoU ${row.judge.mIoU}`] : [];
      lines.push(
        `  ${row.scheme}; ${where.filter(Boolean).join(', ')}; n ${row.trials}: ${[...figures, ...judge].join('; ')}`,
      );
    }
    for (const c of part.checks) lines.push(`  ${c.state.padEnd(7)}${c.what}: ${checkText(c)}`);
  }
  for (const { id, message } of report.failures) lines.push(`  FAILED ${id}: ${message}`);
  lines.push('', `${report.met} met, ${report.missed} missed, ${report.open} open, ${report.pending} units pending`);
  return `${lines.join('\n')}\n`;
}
