import { type SymbolAddress, strideOf, symbolRanks } from './symbol-order.ts';

/** One SFV's symbols in the order of symbolOrder. */
interface Packed {
  /** Addresses of its symbols, [rank]. */
  readonly ranks: Uint32Array;
  readonly symbols: number;
}

/** Puts the encoder network's symbols into the order of the air, SFV by SFV. Its memory serves picture after picture. */
export class StreamPacker {
  private memory = new Uint32Array(0);
  private used = 0;
  private readonly streams = new Map<number, Packed>();

  /** Begins a picture whose streams have so many symbols together at most. */
  begin(symbols: number): void {
    if (this.memory.length < symbols) this.memory = new Uint32Array(symbols);
    this.used = 0;
    this.streams.clear();
  }

  /**
   * Decides the order of an SFV's symbols.
   *
   * @param k symbols of each of its cells
   * @param classes class of each
   * @param places symbols granted
   * @throws UsageError as symbolOrder
   */
  order(id: number, k: Uint8Array, classes: ArrayLike<number>, places: number, address: SymbolAddress): void {
    const ranks = this.memory.subarray(this.used);
    const symbols = symbolRanks(k, classes, places, address, ranks);
    this.used += symbols;
    this.streams.set(id, { ranks, symbols });
  }

  /** Different symbols of an SFV; 0 without an order. */
  symbolsOf(id: number): number {
    return this.streams.get(id)?.symbols ?? 0;
  }

  /**
   * Writes an SFV's symbols as they go on the air, before normalisation; what is beyond its symbols repeats the first ones.
   *
   * @param z the network's output; real parts at the addresses, imaginary parts `apart` behind
   * @param out [place][re, im], as many as were granted
   */
  pack(id: number, z: Float32Array, apart: number, out: Float32Array): void {
    const { ranks, symbols } = this.streams.get(id)!;
    const places = out.length >> 1;
    const step = strideOf(places);
    for (let p = 0, walk = 0; p < places; p++) {
      const at = ranks[walk < symbols ? walk : walk % symbols]; // walk = p step mod places
      out[2 * p] = z[at];
      out[2 * p + 1] = z[at + apart];
      walk += step;
      if (walk >= places) walk -= places;
    }
  }
}
