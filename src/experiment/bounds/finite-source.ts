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
  readonly pixel: readonly Float64Array[]; // [x][xhat]
}

/**
 * Surrogate of an indirect source ([Liu21]; named below [Shi23] eq. 2): the encoder sees only x, so ds is replaced by its mean given x.
 *
 * @param px probabilities of x
 * @param sGivenX P(s|x), [x][s]
 * @param ds ds(s, shat), [s][shat]
 * @param dx dx(x, xhat), [x][xhat]
 * @throws UsageError naming the table and what is wrong with it
 */
export function finiteSource(
  px: readonly number[],
  sGivenX: readonly (readonly number[])[],
  ds: readonly (readonly number[])[],
  dx: readonly (readonly number[])[],
): FiniteSource {
  requireWhole('the number of letters of px', px.length, 1, MAX_LETTERS);
  probabilities('px', px);
  table('sGivenX', sGivenX, px.length, 1);
  sGivenX.forEach((row, x) => {
    probabilities(`sGivenX[${x}]`, row);
  });
  table('ds', ds, sGivenX[0].length, LARGEST_DISTORTION);
  table('dx', dx, px.length, LARGEST_DISTORTION);
  const semantic = px.map((_, x) =>
    Float64Array.from(ds[0], (_, shat) => sGivenX[x].reduce((total, p, s) => total + p * ds[s][shat], 0)),
  );
  return { px: Float64Array.from(px), semantic, pixel: dx.map((row) => Float64Array.from(row)) };
}

/**
 * S uniform over `letters`, X = S but with probability `epsilon` one of the others; Hamming distortion on both. With 2 letters and
 * Dx = inf this is the binary classification state of [Liu21].
 */
export function symmetricSource(letters: number, epsilon: number): FiniteSource {
  requireWhole('letters', letters, 2, MAX_LETTERS);
  inRange('epsilon', epsilon, 0, 1);
  const each = (same: number, other: number) =>
    Array.from({ length: letters }, (_, a) => Array.from({ length: letters }, (_, b) => (a === b ? same : other)));
  const hamming = each(0, 1);
  const posterior = each(1 - epsilon, epsilon / (letters - 1));
  return finiteSource(new Array<number>(letters).fill(1 / letters), posterior, hamming, hamming);
}

/** Reads {"px": [...], "sGivenX": [[...]], "ds": [[...]], "dx": [[...]]}. FormatError or UsageError naming the field. */
export function finiteSourceOf(json: unknown): FiniteSource {
  const o = asObject('source', json);
  for (const key of Object.keys(o)) {
    if (!['px', 'sGivenX', 'ds', 'dx'].includes(key)) {
      throw new UsageError(`source: "${key.slice(0, 40)}" is not one of px, sGivenX, ds, dx`);
    }
  }
  const rows = (name: string) => asArray(name, o[name], MAX_LETTERS).map((row, r) => numbers(`${name}[${r}]`, row));
  return finiteSource(numbers('px', o.px), rows('sGivenX'), rows('ds'), rows('dx'));
}

function numbers(field: string, value: unknown): number[] {
  return asArray(field, value, MAX_LETTERS).map((v, i) => asNumber(`${field}[${i}]`, v));
}

function probabilities(name: string, p: readonly number[]): void {
  p.forEach((v, i) => {
    inRange(`${name}[${i}]`, v, 0, 1);
  });
  const total = p.reduce((a, b) => a + b, 0);
  if (!(Math.abs(total - 1) <= 1e-9)) throw new UsageError(`${name} adds up to ${total}: probabilities add up to 1`);
}

function table(name: string, rows: readonly (readonly number[])[], length: number, max: number): void {
  if (rows.length !== length) throw new UsageError(`${name} has ${rows.length} rows: ${length} are needed`);
  const columns = requireWhole(`the number of columns of ${name}`, rows[0]?.length ?? 0, 1, MAX_LETTERS);
  rows.forEach((row, r) => {
    if (row.length !== columns) {
      throw new UsageError(`${name}[${r}] has ${row.length} elements, ${name}[0] has ${columns}`);
    }
    row.forEach((v, c) => {
      inRange(`${name}[${r}][${c}]`, v, 0, max);
    });
  });
}
