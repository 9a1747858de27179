import { inRange, UsageError } from '../../common/errors.ts';
import { asArray, asNumber, asObject } from '../../common/json-input.ts';
import { requireWhole } from './limits.ts';

/** Largest alphabets: the tables of the algorithm have |X| x |Shat| |Xhat| entries. */
export const MAX_LETTERS = 16;
const LARGEST_DISTORTION = 1e6;

/** Observation X with a state S behind it, and a distortion for each; rows of all tables are the source's letters. */
export interface FiniteSource {
  readonly px: Float64Array; // [x]
  /** Semantic distortion of deciding shat when x was seen, in the mean over S: ds'(x, shat) = sum over s of P(s|x) ds(s, shat). */
  readonly semantic: readonly Float64Array[]; // [x][shat]
  readonly pixel: readonly Float64Array[]; // [x][xhat]; Infinity for a reproduction that must not be
  /** Side information V; null for none. */
  readonly side: SideLetters | null;
}

export interface SideLetters {
  readonly vGivenX: readonly Float64Array[]; // [x][v]
  /** As `semantic`, when V is known, too. */
  readonly semantic: readonly (readonly Float64Array[])[]; // [x][v][shat]
}

/** Tables of a source. */
export interface FiniteTables {
  readonly px: readonly number[];
  /** P(s|x), [x][s]. */
  readonly sGivenX: readonly (readonly number[])[];
  /** ds(s, shat), [s][shat], and dx(x, xhat), [x][xhat]; Infinity for what must not be. */
  readonly ds: readonly (readonly number[])[];
  readonly dx: readonly (readonly number[])[];
  /** P(v|x), [x][v]. */
  readonly vGivenX?: readonly (readonly number[])[];
  /** P(s|x, v), [x][v][s], where V says something of S that X does not; else P(s|x). */
  readonly sGivenXV?: readonly (readonly (readonly number[])[])[];
}

/**
 * Surrogate of an indirect source ([Liu21]; named below [Shi23] eq. 2): the encoder sees only x, so ds is replaced by its mean given x, or given x and v.
 *
 * @throws UsageError naming the table and what is wrong with it
 */
export function finiteSource({ px, sGivenX, ds, dx, vGivenX, sGivenXV }: FiniteTables): FiniteSource {
  requireWhole('the number of letters of px', px.length, 1, MAX_LETTERS);
  probabilities('px', px);
  const states = conditional('sGivenX', sGivenX, px.length);
  table('ds', ds, states, LARGEST_DISTORTION);
  table('dx', dx, px.length, LARGEST_DISTORTION);
  // Infinity times no probability is nothing.
  const mean = (p: readonly number[]) =>
    Float64Array.from(ds[0], (_, shat) => p.reduce((total, q, s) => (q > 0 ? total + q * ds[s][shat] : total), 0));
  const plain = { px: Float64Array.from(px), semantic: sGivenX.map(mean), pixel: dx.map((r) => Float64Array.from(r)) };
  if (vGivenX === undefined) {
    if (sGivenXV !== undefined) throw new UsageError('sGivenXV: only with vGivenX');
    return { ...plain, side: null };
  }
  const views = conditional('vGivenX', vGivenX, px.length);
  if (sGivenXV !== undefined) requireConsistent(sGivenXV, sGivenX, vGivenX, views, states);
  const semantic = px.map((_, x) => vGivenX[x].map((_, v) => mean(sGivenXV?.[x][v] ?? sGivenX[x])));
  return { ...plain, side: { vGivenX: vGivenX.map((r) => Float64Array.from(r)), semantic } };
}

/** P(s|x, v) of the right size whose mean over v is P(s|x). */
function requireConsistent(
  sGivenXV: readonly (readonly (readonly number[])[])[],
  sGivenX: readonly (readonly number[])[],
  vGivenX: readonly (readonly number[])[],
  views: number,
  states: number,
): void {
  requireRows('sGivenXV', sGivenXV, sGivenX.length);
  sGivenXV.forEach((rows, x) => {
    const name = `sGivenXV[${x}]`;
    const columns = conditional(name, rows, views);
    if (columns !== states) throw new UsageError(`${name}[0] has ${columns} elements: ${states} are needed`);
    for (let s = 0; s < states; s++) {
      const mean = rows.reduce((total, row, v) => total + vGivenX[x][v] * row[s], 0);
      if (Math.abs(mean - sGivenX[x][s]) > 1e-9) {
        throw new UsageError(
          `sGivenXV[${x}]: its mean over v is ${mean} for state ${s}, sGivenX[${x}][${s}] is ${sGivenX[x][s]}`,
        );
      }
    }
  });
}

/**
 * S uniform over `letters`, X = S but with probability `epsilon` one of the others; Hamming distortion on both. With 2 letters and
 * Dx = inf this is the binary classification state of [Liu21]. V, where there is one, is X but with probability `vEpsilon` one of the others.
 */
export function symmetricSource(letters: number, epsilon: number, vEpsilon: number | null = null): FiniteSource {
  requireWhole('letters', letters, 2, MAX_LETTERS);
  inRange('epsilon', epsilon, 0, 1);
  if (vEpsilon !== null) inRange('v-epsilon', vEpsilon, 0, 1);
  const each = (same: number, other: number) =>
    Array.from({ length: letters }, (_, a) => Array.from({ length: letters }, (_, b) => (a === b ? same : other)));
  const hamming = each(0, 1);
  const wrong = (p: number) => each(1 - p, p / (letters - 1));
  return finiteSource({
    px: new Array<number>(letters).fill(1 / letters),
    sGivenX: wrong(epsilon),
    ds: hamming,
    dx: hamming,
    ...(vEpsilon === null ? {} : { vGivenX: wrong(vEpsilon) }),
  });
}

const FIELDS = ['px', 'sGivenX', 'ds', 'dx', 'vGivenX', 'sGivenXV'];

/**
 * Reads {"px": [...], "sGivenX": [[...]], "ds": [[...]], "dx": [[...]]}, and for side information "vGivenX": [[...]], "sGivenXV": [[[...]]]. A distortion
 * may be "inf". FormatError or UsageError naming the field.
 */
export function finiteSourceOf(json: unknown): FiniteSource {
  const o = asObject('source', json);
  for (const key of Object.keys(o)) {
    if (!FIELDS.includes(key)) {
      throw new UsageError(`source: "${key.slice(0, 40)}" is not one of ${FIELDS.join(', ')}`);
    }
  }
  const optional = <T>(name: string, read: (name: string, value: unknown) => T) =>
    o[name] === undefined ? {} : { [name]: read(name, o[name]) };
  return finiteSource({
    px: numbers('px', o.px),
    sGivenX: rows('sGivenX', o.sGivenX),
    ds: rows('ds', o.ds, orInf),
    dx: rows('dx', o.dx, orInf),
    ...optional('vGivenX', rows),
    ...optional('sGivenXV', (name, value) =>
      asArray(name, value, MAX_LETTERS).map((table, x) => rows(`${name}[${x}]`, table)),
    ),
  });
}

type Read = (field: string, value: unknown) => number;

const orInf: Read = (field, value) => {
  if (value === 'inf') return Number.POSITIVE_INFINITY;
  if (typeof value !== 'number') throw new UsageError(`${field}: must be a number or "inf"`);
  return asNumber(field, value);
};

function rows(field: string, value: unknown, read?: Read): number[][] {
  return asArray(field, value, MAX_LETTERS).map((row, r) => numbers(`${field}[${r}]`, row, read));
}

function numbers(field: string, value: unknown, read: Read = asNumber): number[] {
  return asArray(field, value, MAX_LETTERS).map((v, i) => read(`${field}[${i}]`, v));
}

function probabilities(name: string, p: readonly number[]): void {
  p.forEach((v, i) => {
    inRange(`${name}[${i}]`, v, 0, 1);
  });
  const total = p.reduce((a, b) => a + b, 0);
  if (!(Math.abs(total - 1) <= 1e-9)) throw new UsageError(`${name} adds up to ${total}: probabilities add up to 1`);
}

/** A probability distribution in each row; returns how many columns they have. */
function conditional(name: string, rows: readonly (readonly number[])[], length: number): number {
  const columns = table(name, rows, length, 1);
  rows.forEach((row, r) => {
    probabilities(`${name}[${r}]`, row);
  });
  return columns;
}

function requireRows(name: string, rows: readonly unknown[], length: number): void {
  if (rows.length !== length) throw new UsageError(`${name} has ${rows.length} rows: ${length} are needed`);
}

function table(name: string, rows: readonly (readonly number[])[], length: number, max: number): number {
  requireRows(name, rows, length);
  const columns = requireWhole(`the number of columns of ${name}`, rows[0]?.length ?? 0, 1, MAX_LETTERS);
  rows.forEach((row, r) => {
    if (row.length !== columns) {
      throw new UsageError(`${name}[${r}] has ${row.length} elements, ${name}[0] has ${columns}`);
    }
    row.forEach((v, c) => {
      if (max === 1 || v !== Number.POSITIVE_INFINITY) inRange(`${name}[${r}][${c}]`, v, 0, max);
    });
  });
  return columns;
}
