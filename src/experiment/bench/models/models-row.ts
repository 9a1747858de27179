/** What a row is held against: only a missed `limit` makes the bench fail; a target says how far there is to go. */
export type RowKind = 'limit' | 'target' | 'shown';

/** One figure of `sct bench models`, beside what was asked. */
export interface ModelRow {
  readonly part: ModelPart;
  readonly what: string;
  readonly kind: RowKind;
  /** In words: ">= 26.0"; empty for a figure that is only shown. */
  readonly asked: string;
  readonly unit: string;
  /** null: could not be measured. */
  readonly value: number | null;
  /** 95 % interval where there is one. */
  readonly low: number | null;
  readonly high: number | null;
  /** null where nothing is asked, nothing was measured, or too few pictures were taken to judge. */
  readonly met: boolean | null;
  /** A figure of the whole test set: a quick run on a few of its pictures shows it and does not judge. */
  readonly wholeSet: boolean;
}

export const MODEL_PARTS = ['latency', 'entropy', 'kodak', 'labels', 'saliency', 'faithfulness', 'repair'] as const;
export type ModelPart = (typeof MODEL_PARTS)[number];

interface RowInput {
  readonly part: ModelPart;
  readonly what: string;
  readonly unit?: string;
  readonly value: number | null;
  readonly low?: number | null;
  readonly high?: number | null;
  readonly wholeSet?: boolean;
}

/** A figure without a demand. */
export function shown(input: RowInput): ModelRow {
  return rowOf(input, 'shown', '', null);
}

/** A figure that must (limit) or should (target) be at least `bound`. */
export function atLeast(kind: 'limit' | 'target', bound: number, input: RowInput): ModelRow {
  return rowOf(input, kind, `>= ${plain(bound)}`, (v) => v >= bound);
}

/** A figure that must or should be at most `bound`. */
export function atMost(kind: 'limit' | 'target', bound: number, input: RowInput): ModelRow {
  return rowOf(input, kind, `<= ${plain(bound)}`, (v) => v <= bound);
}

/** A figure that must or should lie between two bounds. */
export function between(kind: 'limit' | 'target', from: number, to: number, input: RowInput): ModelRow {
  return rowOf(input, kind, `${plain(from)} to ${plain(to)}`, (v) => v >= from && v <= to);
}

function rowOf(input: RowInput, kind: RowKind, asked: string, ok: ((v: number) => boolean) | null): ModelRow {
  const { part, what, unit = '', value, low = null, high = null, wholeSet = false } = input;
  const met = ok === null || value === null || !Number.isFinite(value) ? null : ok(value);
  return {
    part,
    what,
    kind,
    asked,
    unit,
    value: rounded(value),
    low: rounded(low),
    high: rounded(high),
    met,
    wholeSet,
  };
}

/** Rows of a run on a few pictures: what needs the whole set is not judged. */
export function ofFewPictures(rows: readonly ModelRow[]): ModelRow[] {
  return rows.map((row) => (row.wholeSet ? { ...row, met: null } : row));
}

/** Six significant digits: enough for every table, and JSON that can be read. NaN becomes null. */
export function rounded(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Number(value.toPrecision(6));
}

function plain(bound: number): string {
  return String(Number(bound.toPrecision(6)));
}
