import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError, UsageError } from '../../common/errors.ts';
import { asNumber, asObject, orNull, readJsonFile, readTextFile } from '../../common/json-input.ts';

/** What was measured at one operating point; null where it was not. */
export interface MeasuredPoint {
  readonly label: string;
  readonly snrDb: number | null;
  readonly rateBits: number | null;
  readonly ds: number | null;
  readonly dx: number | null;
  /** Of a code: channel uses of a block, and how often it was wrong. */
  readonly n: number | null;
  readonly error: number | null;
}

const MAX_BYTES = 16 * 2 ** 20;
const MAX_POINTS = 100_000;
const COLUMNS = ['label', 'snr_db', 'rate_bits', 'ds', 'dx', 'n', 'error'] as const;
/** One of these at least. */
const SAYS = ['ds', 'dx', 'rate_bits'] as const;

/**
 * Points of a CSV file (.csv), of a run directory, or of every run in a folder.
 *
 * @throws UsageError for a path that is neither, FormatError naming line and column
 */
export async function readPoints(path: string): Promise<MeasuredPoint[]> {
  const info = await stat(path).catch(() => null);
  if (!info) throw new UsageError(`${path}: no such file or folder`);
  if (!info.isDirectory()) return csvPoints(path, await readTextFile(path, MAX_BYTES));
  const own = await runPoint(path);
  if (own) return [own];
  const points: MeasuredPoint[] = [];
  const names = (await readdir(path)).sort();
  for (const name of names) {
    const folder = join(path, name);
    if (!(await stat(folder).catch(() => null))?.isDirectory()) continue;
    const point = await runPoint(folder);
    if (point) points.push(point);
    if (points.length > MAX_POINTS) throw new UsageError(`${path}: more than ${MAX_POINTS} runs`);
  }
  if (points.length === 0) throw new UsageError(`${path}: no run in it`, 'a run directory holds metrics.json');
  return points;
}

/**
 * A run as a point: dx = MSE relative to 255^2, 10^(-PSNR/10); ds = 1 - mIoU where a truth was given, by a judge on the
 * received picture where there was one (`--judge`), else of what the heads found. These are distortions of pictures and
 * their tasks, not of a Gaussian source.
 */
async function runPoint(folder: string): Promise<MeasuredPoint | null> {
  const path = join(folder, 'metrics.json');
  if (!(await stat(path).catch(() => null))?.isFile()) return null;
  const m = asObject(path, await readJsonFile(path, MAX_BYTES));
  const psnrDb = orNull(`${path}: psnrDb`, m.psnrDb, asNumber);
  const judged = orNull(`${path}: judgeMIoU`, m.judgeMIoU ?? null, asNumber);
  const mIoU = judged ?? orNull(`${path}: mIoU`, m.mIoU, asNumber);
  return {
    label: folder,
    snrDb: orNull(`${path}: snrDb`, m.snrDb, asNumber),
    rateBits: null,
    ds: mIoU === null ? null : 1 - mIoU,
    dx: psnrDb === null ? null : 10 ** (-psnrDb / 10),
    n: null,
    error: null,
  };
}

/** Comma-separated with a header line: any of label, snr_db, rate_bits, ds, dx, n, error. Empty cells are not measured. */
export function csvPoints(path: string, text: string): MeasuredPoint[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length < 2) throw new FormatError(path, 'has no header line and a line below it');
  if (lines.length - 1 > MAX_POINTS)
    throw new FormatError(path, `${lines.length - 1} lines, at most ${MAX_POINTS} allowed`);
  const names = lines[0].split(',').map((name) => name.trim());
  for (const name of names) {
    if (!(COLUMNS as readonly string[]).includes(name)) {
      throw new FormatError(path, `column "${name.slice(0, 40)}" is not one of ${COLUMNS.join(', ')}`);
    }
  }
  if (!SAYS.some((name) => names.includes(name))) throw new FormatError(path, `has no column ${SAYS.join(', ')}`);
  return lines.slice(1).map((line, i) => {
    const cells = line.split(',').map((cell) => cell.trim());
    if (cells.length !== names.length) {
      throw new FormatError(path, `line ${i + 2} has ${cells.length} cells, the header ${names.length}`);
    }
    const cell = (name: string) => cells[names.indexOf(name)] ?? '';
    const value = (name: string, least: number, most = Number.MAX_VALUE) => {
      if (cell(name) === '') return null;
      const number = Number(cell(name));
      if (!(number >= Math.max(least, -Number.MAX_VALUE) && number <= most)) {
        const from = least === Number.NEGATIVE_INFINITY ? '' : ` from ${least}`;
        const allowed = `a finite number${from}${most < Number.MAX_VALUE ? ` to ${most}` : ''}`;
        throw new FormatError(path, `line ${i + 2}, ${name}: "${cell(name).slice(0, 40)}" is not ${allowed}`);
      }
      return number;
    };
    return {
      label: cell('label') || `line ${i + 2}`,
      snrDb: value('snr_db', Number.NEGATIVE_INFINITY),
      rateBits: value('rate_bits', 0),
      ds: value('ds', 0),
      dx: value('dx', 0),
      n: value('n', 1, 1e9),
      error: value('error', 0, 1),
    };
  });
}
