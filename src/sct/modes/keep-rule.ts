import { UsageError } from '../../common/errors.ts';
import { taskClassIds } from '../importance/task-classes.ts';
import { SPACES } from '../partition/label-map-code.ts';
import type { Partition } from '../partition/partition.ts';
import { type CellRectangle, cutPartition, rectangleMask } from '../partition/select.ts';
import { CELL_PX, type PictureShape } from '../semantics/feature-map.ts';

/** Which SFVs selective mode keeps: those of street classes, or those of a score as sent (0..255) and above. */
export type KeepRule =
  | { readonly kind: 'classes'; readonly names: readonly string[] }
  | { readonly kind: 'score'; readonly atLeast: number };

/** A rectangle of the picture. */
export interface PixelRectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const MAX_TEXT = 500;
const SCORE = /^score\s*>=\s*(\d{1,3})$/;

/**
 * Reads `--keep`: names of street classes with commas between them, or `score>=X`, X = 0 to 255 as `sct analyze` prints scores.
 *
 * @param known names of the street classes, [class]
 * @throws UsageError saying what is allowed
 */
export function parseKeep(text: string, known: readonly string[]): KeepRule {
  const words = text.slice(0, MAX_TEXT).trim().toLowerCase();
  const help = `allowed are names of classes (${known.join(', ')}) with commas between them, or score>=X with X = 0 to 255`;
  if (words === '') throw new UsageError(`--keep is empty: ${help}`);
  if (!words.startsWith('score')) {
    const names = words.split(',').map((w) => w.trim());
    const wrong = names.find((n) => !known.includes(n));
    if (wrong !== undefined) throw new UsageError(`--keep: "${wrong.slice(0, 40)}" is no class: ${help}`);
    return { kind: 'classes', names };
  }
  const atLeast = Number(SCORE.exec(words)?.[1] ?? Number.NaN);
  if (!(atLeast <= 255)) throw new UsageError(`--keep: "${words.slice(0, 40)}" is no rule: ${help}`);
  return { kind: 'score', atLeast };
}

/**
 * Reads `--roi x,y,w,h` in pixels.
 *
 * @throws UsageError unless these are four whole numbers, width and height at least 1
 */
export function parseRoi(text: string): PixelRectangle {
  const parts = text.slice(0, MAX_TEXT).split(',');
  const numbers = parts.map((p) => (/^\s*\d{1,5}\s*$/.test(p) ? Number(p) : Number.NaN));
  const [x, y, width, height] = numbers;
  if (parts.length !== 4 || numbers.some(Number.isNaN) || width < 1 || height < 1) {
    throw new UsageError(
      `--roi: "${text.slice(0, 40)}" is no rectangle: allowed x,y,w,h in whole pixels, w and h from 1`,
    );
  }
  return { x, y, width, height };
}

/**
 * Every cell that a rectangle touches.
 *
 * @throws UsageError when it does not lie inside the picture
 */
export function cellsOfRectangle({ x, y, width, height }: PixelRectangle, shape: PictureShape): CellRectangle {
  const { widthPx, heightPx } = shape;
  const whole = [x, y, width, height].every(Number.isInteger) && x >= 0 && y >= 0 && width >= 1 && height >= 1;
  if (!whole || x + width > widthPx || y + height > heightPx) {
    throw new UsageError(
      `rectangle ${x},${y},${width},${height} is out of range: the picture has ${widthPx}x${heightPx} pixels`,
    );
  }
  const column = Math.floor(x / CELL_PX);
  const row = Math.floor(y / CELL_PX);
  const columns = Math.ceil((x + width) / CELL_PX) - column;
  return { column, row, columns, rows: Math.ceil((y + height) / CELL_PX) - row };
}

/** What is kept of a partition; SFVs are those of the partition after the cut. */
export interface KeptSfvs {
  readonly kept: Uint8Array; // [SFV id], 1 = kept
  readonly rectangle: CellRectangle | undefined;
}

/**
 * SFVs to keep: those that the rule names, and everything inside the rectangle. SFVs are cut along the rectangle: a large SFV (sky,
 * road) that reaches into it is kept there and nowhere else. A cell on the rectangle's edge belongs to it.
 *
 * @param scores as sent, of the partition before the cut; [SFV id]
 * @param known names of the street classes, [class]
 * @throws UsageError when nothing is kept, naming what the picture has
 */
export function keptSfvs(
  partition: Partition,
  scores: Uint8Array,
  rule: KeepRule | undefined,
  rectangle: CellRectangle | undefined,
  known: readonly string[],
): KeptSfvs {
  const before = partition.sfvs.map((s) => named(s.label, scores[s.id], rule, known));
  if (!rectangle) {
    if (!before.includes(true)) throw nothingKept(partition, scores, rule, known);
    return { kept: Uint8Array.from(before, Number), rectangle };
  }
  const cut = cutPartition(partition, rectangle);
  const kept = new Uint8Array(cut.sfvs.length);
  const inside = rectangleMask(rectangle, partition);
  cut.sfvOf.forEach((id, at) => {
    if (inside[at] || before[partition.sfvOf[at]]) kept[id] = 1;
  });
  return { kept, rectangle };
}

function named(label: number, score: number, rule: KeepRule | undefined, known: readonly string[]): boolean {
  if (!rule) return false;
  if (rule.kind === 'score') return score >= rule.atLeast;
  return label < SPACES.street.count && taskClassIds(rule.names, known).includes(label);
}

function nothingKept(
  { space, sfvs }: Partition,
  scores: Uint8Array,
  rule: KeepRule | undefined,
  known: readonly string[],
): UsageError {
  if (rule?.kind === 'classes') {
    const asked = rule.names.join(', ');
    if (space === 'codebook') {
      return new UsageError(
        `nothing to keep: the picture is no street scene, it has clusters in place of classes (${asked})`,
        "keep by score (--keep 'score>=X') or by rectangle (--roi x,y,w,h)",
      );
    }
    const there = [...new Set(sfvs.map((s) => known[s.label]))].sort().join(', ');
    return new UsageError(`nothing to keep: no SFV is ${asked}; the picture has ${there}`);
  }
  const best = scores.reduce((a, b) => Math.max(a, b), 0);
  return new UsageError(`nothing to keep: no SFV has score ${rule?.atLeast} or more; the highest is ${best}`);
}
