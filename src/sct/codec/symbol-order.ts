import { UsageError } from '../../common/errors.ts';

/** Most symbols of one stream: what the burst's extension can count. */
export const MAX_STREAM_SYMBOLS = 2 ** 20 - 1;

/** Which symbol each place of an SFV's stream carries; both ends compute the same from integers. */
export interface SymbolOrder {
  /** Position in the SFV's list of cells. */
  readonly cell: Uint32Array; // [place in the stream]
  /** Index of the symbol in its embedding, 0..191. */
  readonly index: Uint8Array; // [place in the stream]
  /** Different symbols; the places beyond carry the most important ones again. */
  readonly symbols: number;
}

/** Cells of each SFV in row order; [SFV id]. */
export function cellsOfSfvs(sfvOf: Uint8Array, count: number): Uint32Array[] {
  const sizes = new Uint32Array(count);
  for (const id of sfvOf) sizes[id]++;
  const out = Array.from(sizes, (n) => new Uint32Array(n));
  const next = new Uint32Array(count);
  for (let at = 0; at < sfvOf.length; at++) out[sfvOf[at]][next[sfvOf[at]]++] = at;
  return out;
}

/**
 * The order of an SFV's symbols on the air. All first symbols of its embeddings, then all second ones and so on, inside by
 * rising class, then by cell: the ranks. What a grant has beyond them are ranks of their own that repeat the first ones. Place p
 * carries rank p s mod n with s the whole number next to n / golden ratio that has no factor in common with n: any stretch
 * of the stream takes its ranks at nearly even distances from the whole list, and so has nearly the same mix of symbol
 * indices, classes and cells, and the same mean power. Integers only; O(n + cells x 192).
 *
 * @param k symbols of each embedding; [position in the SFV's cells]
 * @param classes class of each; [position in the SFV's cells]
 * @param places symbols granted, at least the sum of k
 * @throws UsageError when the grant is smaller than that, or there is nothing to send
 */
export function symbolOrder(k: Uint8Array, classes: ArrayLike<number>, places: number): SymbolOrder {
  const n = k.length;
  const ranks = new Uint32Array(k.reduce((a, b) => a + b, 0));
  const symbols = symbolRanks(k, classes, places, { stride: n, cellOf: Uint32Array.from(k.keys()) }, ranks);
  const step = strideOf(places);
  const cell = new Uint32Array(places);
  const index = new Uint8Array(places);
  for (let p = 0, walk = 0; p < places; p++) {
    const rank = ranks[walk < symbols ? walk : walk % symbols]; // walk = p step mod places
    cell[p] = rank % n;
    index[p] = Math.floor(rank / n);
    walk += step;
    if (walk >= places) walk -= places;
  }
  return { cell, index, symbols };
}

/** Where the symbol with this index of an embedding is found: index x stride + cellOf[position in the SFV's cells]. */
export interface SymbolAddress {
  readonly stride: number;
  readonly cellOf: Uint32Array;
}

/**
 * The ranks of symbolOrder, each as the address of its symbol: place p carries ranks[p strideOf(places) mod places mod symbols].
 *
 * @param ranks gets them, from its beginning; holds the sum of k at least
 * @returns the sum of k: different symbols
 * @throws UsageError as symbolOrder
 */
export function symbolRanks(
  k: Uint8Array,
  classes: ArrayLike<number>,
  places: number,
  { stride, cellOf }: SymbolAddress,
  ranks: Uint32Array,
): number {
  let symbols = 0;
  for (let i = 0; i < k.length; i++) symbols += k[i];
  if (symbols === 0 || places < symbols || places > MAX_STREAM_SYMBOLS) {
    throw new UsageError(`${places} places for ${symbols} symbols: allowed 1 to ${MAX_STREAM_SYMBOLS}, and no fewer`);
  }
  const { order, address } = sortedByClass(classes, cellOf, k.length);
  let live = k.length; // cells that have more symbols
  for (let index = 0, rank = 0; rank < symbols; ) {
    let next = Number.POSITIVE_INFINITY; // index at which the first of them has none left
    let kept = 0;
    for (let i = 0; i < live; i++) {
      const cell = order[i];
      if (k[cell] <= index) continue;
      if (k[cell] < next) next = k[cell];
      order[kept] = cell;
      address[kept++] = address[i];
    }
    live = kept;
    for (; index < next; index++) {
      const from = index * stride;
      for (let i = 0; i < live; i++) ranks[rank++] = from + address[i];
    }
  }
  return symbols;
}

/** Positions of cells by rising class, equal ones as they stand, and what cellOf says of them; valid until the next call. */
function sortedByClass(classes: ArrayLike<number>, cellOf: Uint32Array, count: number) {
  if (sorted.order.length < count) sorted = { order: new Uint32Array(count), address: new Uint32Array(count) };
  const { order, address } = sorted;
  firstOfClass.fill(0);
  for (let i = 0; i < count; i++) firstOfClass[classes[i] + 1]++;
  for (let c = 1; c < firstOfClass.length; c++) firstOfClass[c] += firstOfClass[c - 1];
  for (let i = 0; i < count; i++) {
    const at = firstOfClass[classes[i]]++;
    order[at] = i;
    address[at] = cellOf[i];
  }
  return sorted;
}
let sorted = { order: new Uint32Array(0), address: new Uint32Array(0) };
const firstOfClass = new Uint32Array(257);

/** floor(n x 40503 / 65536), then the next number without a common factor; 1 for n = 1. */
export function strideOf(n: number): number {
  let step = Math.max(1, Math.floor((n * 40503) / 65536));
  while (gcd(step, n) !== 1) step++;
  return step;
}

function gcd(a: number, b: number): number {
  while (b > 0) [a, b] = [b, a % b];
  return a;
}
