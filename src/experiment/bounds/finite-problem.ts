import { UsageError } from '../../common/errors.ts';
import type { FiniteSource } from './finite-source.ts';

/** Who has the side information V: nobody (or there is none), encoder and decoder, or the decoder alone. */
export type Knows = 'nobody' | 'both' | 'decoder';

/** Most columns of a problem: what the decoder can be told to do. */
export const MAX_COLUMNS = 1024;

/**
 * What the algorithm of blahut-arimoto.ts works on. Rows are what the encoder sees: letters x that occur, or pairs (x, v) where it has V. Columns are
 * what it can say: a reproduction (shat, xhat), or, with V at the decoder alone, a rule that names one for each v [Wyner76].
 */
export interface FiniteProblem {
  readonly rows: number;
  readonly columns: number;
  readonly px: Float64Array; // [row]
  readonly views: number;
  /** P(v|row): what the decoder has; a single v where it has nothing. */
  readonly view: Float64Array; // [row][v]
  /** Mean semantic and pixel distortion of a column in a row; 0 where it is infinite. */
  readonly cost: readonly [Float64Array, Float64Array]; // [row][column]
  /** 1 where that distortion is infinite. */
  readonly never: readonly [Uint8Array, Uint8Array];
  readonly rowLeast: readonly [Float64Array, Float64Array];
  /** Least mean distortions, those of the best column for every row; Infinity where a row has none. */
  readonly least: readonly [number, number];
  /** Least mean semantic (0) or pixel (1) distortion of a decoder that knows which column a channel [row][column] gave it, and its V. */
  readonly bestGuess: (which: 0 | 1, channel: Float64Array) => number;
}

interface Row {
  readonly p: number;
  readonly view: readonly number[]; // [v]
  /** Distortions of one reproduction when V is v. */
  readonly cost: readonly [(shat: number, v: number) => number, (xhat: number, v: number) => number];
}

/** Rules that a decoder with V of its own can be given: a reproduction, of the sides that have a limit, for each letter of V. */
export function ruleCount({ semantic, pixel, side }: FiniteSource, ds: number, dx: number): number {
  const pairs =
    (ds < Number.POSITIVE_INFINITY ? semantic[0].length : 1) * (dx < Number.POSITIVE_INFINITY ? pixel[0].length : 1);
  return pairs ** (side?.vGivenX[0].length ?? 1);
}

/** @throws UsageError where V at the decoder alone asks for more rules than MAX_COLUMNS */
export function finiteProblem(source: FiniteSource, knows: Knows, ds: number, dx: number): FiniteProblem {
  const { px, semantic, pixel, side } = source;
  const counts = [semantic[0].length, pixel[0].length] as const;
  const letters = Array.from(px.keys()).filter((x) => px[x] > 0);
  const guesses = (x: number, seen: (v: number) => Float64Array): Row['cost'] => [
    (shat, v) => seen(v)[shat],
    (xhat) => pixel[x][xhat],
  ];
  let rows: Row[];
  if (side === null || knows === 'nobody') {
    rows = letters.map((x) => ({ p: px[x], view: [1], cost: guesses(x, () => semantic[x]) }));
  } else if (knows === 'decoder') {
    rows = letters.map((x) => ({
      p: px[x],
      view: Array.from(side.vGivenX[x]),
      cost: guesses(x, (v) => side.semantic[x][v]),
    }));
  } else {
    rows = letters.flatMap((x) =>
      Array.from(side.vGivenX[x], (p, v) => ({
        p: px[x] * p,
        view: Array.from(side.vGivenX[x], (_, i) => Number(i === v)),
        cost: guesses(x, () => side.semantic[x][v]),
      })).filter((row) => row.p > 0),
    );
  }
  // A side without a limit needs no reproduction of its own.
  const limited = [ds, dx].map((limit) => limit < Number.POSITIVE_INFINITY);
  const wide = counts.map((count, c) => (limited[c] ? count : 1));
  const pairs = wide[0] * wide[1];
  // Where the encoder has V too, a reproduction for the v at hand is all that it need say.
  const ruled = knows === 'decoder' ? rows[0].view.length : 1;
  const columns = pairs ** ruled;
  if (!(columns <= MAX_COLUMNS)) {
    throw new UsageError(
      `V at the decoder alone asks for ${columns} rules, ${pairs} reproductions for each of ${ruled} letters of V: allowed up to ${MAX_COLUMNS}`,
      'give smaller tables, or leave --ds or --dx away',
    );
  }
  const chosen = (column: number, v: number) => (ruled > 1 ? Math.floor(column / pairs ** v) % pairs : column % pairs);
  const costOf = (row: Row, column: number, c: 0 | 1) => {
    if (!limited[c]) return 0;
    return row.view.reduce((total, p, v) => {
      const y = chosen(column, v);
      return p > 0 ? total + p * row.cost[c](c === 0 ? Math.floor(y / wide[1]) : y % wide[1], v) : total;
    }, 0);
  };
  return { ...tables(rows, columns, costOf), bestGuess: (c, channel) => bestGuess(rows, counts[c], c, channel) };
}

function tables(all: readonly Row[], columns: number, costOf: (row: Row, column: number, c: 0 | 1) => number) {
  const rows = all.length;
  const px = Float64Array.from(all, (row) => row.p);
  const sides = ([0, 1] as const).map((c) => {
    const cost = new Float64Array(rows * columns);
    const never = new Uint8Array(rows * columns);
    const rowLeast = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
    for (let i = 0; i < cost.length; i++) {
      const r = Math.floor(i / columns);
      const d = costOf(all[r], i % columns, c);
      rowLeast[r] = Math.min(rowLeast[r], d);
      if (Number.isFinite(d)) cost[i] = d;
      else never[i] = 1;
    }
    return { cost, never, rowLeast, least: rowLeast.reduce((total, v, r) => total + px[r] * v, 0) };
  });
  const both = <T>(of: (side: (typeof sides)[number]) => T) => [of(sides[0]), of(sides[1])] as const;
  return {
    rows,
    columns,
    px,
    views: all[0].view.length,
    view: Float64Array.from(all.flatMap((row) => row.view)),
    cost: both((s) => s.cost),
    never: both((s) => s.never),
    rowLeast: both((s) => s.rowLeast),
    least: both((s) => s.least),
  };
}

function bestGuess(rows: readonly Row[], count: number, c: 0 | 1, channel: Float64Array): number {
  const columns = channel.length / rows.length;
  let total = 0;
  for (let column = 0; column < columns; column++) {
    for (let v = 0; v < rows[0].view.length; v++) {
      const weights = rows.map((row, r) => row.p * row.view[v] * channel[r * columns + column]);
      const mean = (guess: number) =>
        rows.reduce((sum, row, r) => (weights[r] > 0 ? sum + weights[r] * row.cost[c](guess, v) : sum), 0);
      total += Math.min(...Array.from({ length: count }, (_, guess) => mean(guess)));
    }
  }
  return total;
}
