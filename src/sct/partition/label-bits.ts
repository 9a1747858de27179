import type { LabelSpace } from './label-map-code.ts';
import { SPACES } from './label-map-code.ts';
import { EQUAL, equalities, flagContextOf, LabelCounts, patternOf } from './label-model.ts';

/** Neighbours that a cell's bits depend on, in the order W, N, NE, NW, WW, NN. */
const NEIGHBOURS = 6;
/** Answers of a cell: the first to fourth of its candidates, or none of them. */
const ANSWERS = 5;
/** Kept lattices: a video has one, a folder of photographs few. */
const MOST_LATTICES = 8;

/** Which cells of a lattice look at which, by the label model. */
export interface LatticeLooks {
  /** What each cell looks at; beyond an edge what stands in. [cell][W, N, NE, NW, WW, NN] */
  readonly at: Int32Array;
  /** Cells whose bits change with a cell's label: itself and all that look at it, from lookersFrom[cell] to lookersFrom[cell + 1]. */
  readonly lookers: Int32Array;
  readonly lookersFrom: Int32Array; // [cell + 1]
}

const lattices = new Map<string, LatticeLooks>();

/** Of a lattice of so many rows and columns, made once. Not to be written to. */
export function looksOf(rows: number, columns: number): LatticeLooks {
  const key = `${rows}x${columns}`;
  const known = lattices.get(key);
  if (known) return known;
  const cells = rows * columns;
  const at = new Int32Array(NEIGHBOURS * cells);
  const looking: number[][] = Array.from({ length: cells }, (_, cell) => [cell]);
  // The first cell looks at none.
  for (let cell = 1; cell < cells; cell++) {
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    const n = row > 0 ? cell - columns : cell - 1;
    const w = column > 0 ? cell - 1 : n;
    const ne = row > 0 && column + 1 < columns ? n + 1 : n;
    const nw = row > 0 && column > 0 ? n - 1 : n;
    const ww = column > 1 ? cell - 2 : w;
    const nn = row > 1 ? cell - 2 * columns : n;
    at.set([w, n, ne, nw, ww, nn], NEIGHBOURS * cell);
    for (const seen of new Set([w, n, ne, nw, ww, nn])) looking[seen].push(cell);
  }
  const lookersFrom = new Int32Array(cells + 1);
  looking.forEach((list, cell) => {
    lookersFrom[cell + 1] = lookersFrom[cell] + list.length;
  });
  const looks = { at, lookers: Int32Array.from(looking.flat()), lookersFrom };
  if (lattices.size >= MOST_LATTICES) lattices.clear();
  lattices.set(key, looks);
  return looks;
}

/** Bits of labels by the static counts of the label model, x 256. */
export class LabelBits {
  /** By which neighbours are equal and by the answer, [equalities x 4 + WW = W x 2 + NN = N][answer]. */
  private readonly table = new Int32Array(64 * 4 * ANSWERS);
  private readonly named: number;

  constructor(space: LabelSpace) {
    const counts = new LabelCounts(space);
    const bits = (part: number, whole: number) => Math.round(256 * Math.log2(whole / part));
    this.named = Math.round(256 * Math.log2(SPACES[space].count));
    for (let code = 0; code < 64 * 4; code++) {
      const equal = code >> 2;
      const candidates = 1 + answerOfNw(equal) - (equal & EQUAL.anyNw ? 1 : 0);
      let asked = 0;
      for (let i = 0; i < candidates; i++) {
        const context = flagContextOf(patternOf(equal), code & 3, i);
        const [yes, no] = [counts.yes[context], counts.no[context]];
        this.table[ANSWERS * code + i] = asked + bits(yes, yes + no);
        asked += bits(no, yes + no);
      }
      this.table[ANSWERS * code + ANSWERS - 1] = asked + this.named;
    }
  }

  of(labels: Uint8Array, { at }: LatticeLooks, cell: number): number {
    if (cell === 0) return this.named;
    const from = NEIGHBOURS * cell;
    const w = labels[at[from]];
    const n = labels[at[from + 1]];
    const ne = labels[at[from + 2]];
    const nw = labels[at[from + 3]];
    const equal = equalities(w, n, ne, nw);
    const code = 4 * equal + (labels[at[from + 4]] === w ? 2 : 0) + (labels[at[from + 5]] === n ? 1 : 0);
    const label = labels[cell];
    let answer = ANSWERS - 1;
    if (label === w) answer = 0;
    else if (label === n) answer = 1;
    else if (label === ne) answer = equal & EQUAL.wN ? 1 : 2;
    else if (label === nw) answer = answerOfNw(equal);
    return this.table[ANSWERS * code + answer];
  }

  describe(): string {
    return `static bits, ${this.named / 256} for a label named outright`;
  }
}

/** How many different candidates stand before NW. */
function answerOfNw(equal: number): number {
  return 1 + (equal & EQUAL.wN ? 0 : 1) + (equal & EQUAL.anyNe ? 0 : 1);
}
