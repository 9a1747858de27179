import { START_EXPLICIT, START_FLAGS } from './start-counts.ts';

/**
 * Static and adaptive probabilities of a label given its coded neighbours, in whole numbers.
 *
 * A cell looks at W, N, NE and NW (and WW, NN for the context). The distinct labels among them, in that order, are its
 * candidates; "is it the next candidate?" is asked until yes, else the label is named outright. The context of the first
 * question is which of the four are equal (15 cases) and whether WW = W and NN = N; later questions use the 15 cases.
 * Counts start from static tables (start-counts.ts) and grow by what was coded.
 */
export interface Neighbourhood {
  /** Distinct neighbours in the order W, N, NE, NW; -1 beyond `count`. */
  readonly candidates: Int16Array; // [4]
  count: number;
  /** Which of the four are equal, 0..14; and with WW, NN 0..59. */
  pattern: number;
  context: number;
}

/** Contexts: 60 of the first question, then 15 for each further one. */
export const FLAG_CONTEXTS = 60 + 3 * 15;

// The 15 ways in which four things can be equal, by 6 bits W=N, W=NE, W=NW, N=NE, N=NW, NE=NW.
const PATTERN_OF = new Uint8Array(64);
{
  const known: number[] = [];
  for (let code = 0; code < 256; code++) {
    const [w, n, ne, nw] = [code & 3, (code >> 2) & 3, (code >> 4) & 3, code >> 6];
    const bits = equalities(w, n, ne, nw);
    if (!known.includes(bits)) known.push(bits);
  }
  known.sort((a, b) => a - b);
  known.forEach((bits, i) => {
    PATTERN_OF[bits] = i;
  });
}

/** Which of four neighbours are equal, 6 bits. */
export function equalities(w: number, n: number, ne: number, nw: number): number {
  return (
    (w === n ? 1 : 0) |
    (w === ne ? 2 : 0) |
    (w === nw ? 4 : 0) |
    (n === ne ? 8 : 0) |
    (n === nw ? 16 : 0) |
    (ne === nw ? 32 : 0)
  );
}

/** Bits of equalities: W = N; NE equal to one before it; NW equal to one before it. */
export const EQUAL = { wN: 1, anyNe: 2 | 8, anyNw: 4 | 16 | 32 } as const;

/** Number of the way in which four neighbours are equal, 0..14. */
export function patternOf(equal: number): number {
  return PATTERN_OF[equal];
}

export function newNeighbourhood(): Neighbourhood {
  return { candidates: new Int16Array(4), count: 0, pattern: 0, context: 0 };
}

/** Fills `out` for cell (row, column); beyond an edge the nearest coded neighbour stands in. The first cell has none. */
export function lookAround(labels: Uint8Array, columns: number, row: number, column: number, out: Neighbourhood): void {
  const at = row * columns + column;
  out.count = 0;
  if (at === 0) return;
  const n = row > 0 ? labels[at - columns] : labels[at - 1];
  const w = column > 0 ? labels[at - 1] : n;
  const nw = row > 0 && column > 0 ? labels[at - columns - 1] : n;
  const ne = row > 0 && column + 1 < columns ? labels[at - columns + 1] : n;
  const ww = column > 1 ? labels[at - 2] : w;
  const nn = row > 1 ? labels[at - 2 * columns] : n;
  out.pattern = PATTERN_OF[equalities(w, n, ne, nw)];
  out.context = flagContextOf(out.pattern, (ww === w ? 2 : 0) + (nn === n ? 1 : 0), 0);
  const c = out.candidates;
  c[0] = w;
  let count = 1;
  if (n !== w) c[count++] = n;
  if (ne !== w && ne !== n) c[count++] = ne;
  if (nw !== w && nw !== n && nw !== ne) c[count++] = nw;
  out.count = count;
}

/** Context of question number i (0..3) at a neighbourhood. */
export function flagContext(around: Neighbourhood, i: number): number {
  return i === 0 ? around.context : flagContextOf(around.pattern, 0, i);
}

/** The same by the pattern and what WW and NN are: 2 for WW = W and 1 for NN = N. */
export function flagContextOf(pattern: number, further: number, i: number): number {
  return i === 0 ? pattern * 4 + further : 60 + (i - 1) * 15 + pattern;
}

const GROWTH = 6;
const LIMIT = 4096;

/** Counts that both ends keep alike while a map is coded. */
export class LabelCounts {
  readonly yes: Uint16Array; // [context]
  readonly no: Uint16Array;
  /** Of labels named outright; [label of the space]. */
  readonly named: Uint16Array;

  constructor(space: 'street' | 'codebook') {
    const table = START_FLAGS[space];
    this.yes = Uint16Array.from({ length: FLAG_CONTEXTS }, (_, i) => table[2 * i + 1]);
    this.no = Uint16Array.from({ length: FLAG_CONTEXTS }, (_, i) => table[2 * i]);
    this.named = Uint16Array.from(START_EXPLICIT[space]);
  }

  answered(context: number, yes: boolean): void {
    if (yes) this.yes[context] += GROWTH;
    else this.no[context] += GROWTH;
    if (this.yes[context] + this.no[context] > LIMIT) {
      this.yes[context] = (this.yes[context] + 1) >> 1;
      this.no[context] = (this.no[context] + 1) >> 1;
    }
  }

  wasNamed(label: number): void {
    this.named[label] = Math.min(LIMIT / 4, this.named[label] + 2 * GROWTH);
  }
}
