import { figure } from '../models/models-text.ts';
import type { RequirementsReport } from './requirements.ts';
import type { BenchRow } from './row.ts';

/** Trials, value and interval of a row in words. */
function measured(row: BenchRow): string {
  const interval = row.low === null && row.high === null ? '' : `${figure(row.low)} to ${figure(row.high)}, `;
  const note = row.note ? `; ${row.note}` : '';
  return `${figure(row.value)} ${row.unit} (${interval}${row.trials} trials; asked ${row.asked}${note})`;
}

/** All rows as lines of text, part by part. */
export function requirementsTable(report: RequirementsReport): string {
  const width = Math.max(0, ...report.rows.map((r) => r.name.length));
  const lines = report.rows.map((r) => {
    const where = r.subbands > 0 ? `${String(r.subbands).padStart(2)} subbands` : ''.padStart(11);
    return `${r.state.padEnd(6)} ${r.name.padEnd(width)}  ${where}  ${measured(r)}`;
  });
  const pending =
    report.pending > 0 ? `; ${report.pending} measurements not finished or under way in another process` : '';
  lines.push(
    `${report.passed} met, ${report.open} open (the interval holds the limit), ${report.failed} missed; ${report.cpuSeconds} s of CPU time${pending}`,
  );
  return `${lines.join('\n')}\n`;
}
