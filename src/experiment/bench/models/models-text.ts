import type { ModelsReport } from './models.ts';
import type { ModelRow } from './models-row.ts';

const FIGURES = 4;

/** A figure with four significant digits; a dash where there is none. */
export function figure(value: number | null): string {
  return value === null ? '-' : String(Number(value.toPrecision(FIGURES)));
}

/** What a row says of its demand: met, missed, short (a target not reached), or nothing. */
export function verdict(row: ModelRow): string {
  if (row.kind === 'shown') return '';
  if (row.met === null) return row.value === null ? 'not measured' : 'few pictures';
  return row.met ? 'met' : row.kind === 'limit' ? 'missed' : 'short';
}

/** All rows as lines of text, the Kodak table first. */
export function modelsTable(report: ModelsReport): string {
  const lines: string[] = [];
  for (const curve of report.kodak?.curves ?? []) {
    const values = curve.snrDb.map((snr, s) => `${figure(curve.psnrDb[s])} at ${snr}`).join(', ');
    const side = `side information ${figure(curve.meanSideBytes)} bytes`;
    lines.push(`${curve.set}, CBR 1/${Math.round(1 / curve.cbr)}: PSNR ${values} dB; ${side}`);
  }
  const width = 12;
  for (const row of report.rows) {
    const interval = row.low === null || row.high === null ? '' : ` (${figure(row.low)} to ${figure(row.high)})`;
    const asked = row.asked === '' ? '' : `; ${row.kind} ${row.asked}`;
    lines.push(
      `${verdict(row).padEnd(width)} ${row.part}: ${row.what}: ${figure(row.value)} ${row.unit}${interval}${asked}`,
    );
  }
  const { limitsMet, limitsMissed, targetsMet, targetsMissed } = report;
  const limits = `limits: ${limitsMet} met, ${limitsMissed} missed`;
  lines.push(`${limits}; targets: ${targetsMet} met, ${targetsMissed} not reached`);
  return `${lines.join('\n')}\n`;
}
