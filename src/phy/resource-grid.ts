import type { SlotPattern } from './kernels/equalise/equalise-kernel.ts';
import type { TransmitPattern } from './kernels/modulate/modulate-kernel.ts';
import { type Numerology, RB_DATA_RE, SLOT_SYMBOLS, SUBBAND_CARRIERS } from './numerology.ts';
import { goldQpsk, goldSequence, SEQUENCE } from './sequence.ts';

/**
 * Where pilots and data sit in a burst's resource grid, and the known sequences on them.
 *
 * A burst after its preamble is a row of OFDM symbols: `headerSymbols` + `extensionSymbols` control symbols, then
 * `slots` x 14. Each symbol carries one pilot in every subband. Its carrier within the subband is (5 t + 2) mod 12,
 * where t counts from 0 in the control part and again in every slot, so each slot has the same pilot pattern and
 * 12 successive symbols visit all 12 carriers. Pilots are 1/12 of all RE.
 */
export const PILOT_STEP = 5;
export const PILOT_START = 2;
/** Pilot values and scrambling repeat after that many symbols. */
const SEQUENCE_SYMBOLS = 64;

export class ResourceGrid {
  readonly numerology: Numerology;
  /** Pilot values, [SEQUENCE_SYMBOLS][nSubbands][re, im], unit power. */
  private readonly pilots: Float32Array;
  /** Quarter turns (0..3) that scramble each data RE, [SEQUENCE_SYMBOLS][symbolDataRe]. */
  private readonly turns: Uint8Array;
  /** Carriers without a pilot for each of the 12 pilot offsets, [12][symbolDataRe]. */
  private readonly dataCarriers: Int32Array[] = [];

  constructor(numerology: Numerology) {
    this.numerology = numerology;
    const { nSubbands, symbolDataRe, id } = numerology;
    this.pilots = goldQpsk(SEQUENCE.pilots + id, SEQUENCE_SYMBOLS * nSubbands);
    const bits = goldSequence(SEQUENCE.scrambling + id, 2 * SEQUENCE_SYMBOLS * symbolDataRe);
    this.turns = new Uint8Array(SEQUENCE_SYMBOLS * symbolDataRe);
    for (let i = 0; i < this.turns.length; i++) this.turns[i] = 2 * bits[2 * i] + bits[2 * i + 1];
    for (let offset = 0; offset < SUBBAND_CARRIERS; offset++) {
      const list = new Int32Array(symbolDataRe);
      let at = 0;
      for (let c = 0; c < numerology.nCarriers; c++) if (c % SUBBAND_CARRIERS !== offset) list[at++] = c;
      this.dataCarriers.push(list);
    }
  }

  /** Pilot carrier within each subband in symbol t of the control part or of a slot. */
  pilotOffset(t: number): number {
    return (PILOT_STEP * t + PILOT_START) % SUBBAND_CARRIERS;
  }

  /** Data carriers (indices 0..nCarriers-1, ascending) of symbol t of the control part or of a slot. */
  dataCarriersOf(t: number): Int32Array {
    return this.dataCarriers[this.pilotOffset(t)];
  }

  /** Writes symbol `symbol`'s pilots; `t` as in pilotOffset; grid is [symbol][carrier][re, im]. */
  placePilots(grid: Float32Array, symbol: number, t: number): void {
    const { nSubbands, nCarriers } = this.numerology;
    const offset = this.pilotOffset(t);
    const row = 2 * nCarriers * symbol;
    const p = 2 * nSubbands * (symbol % SEQUENCE_SYMBOLS);
    for (let s = 0; s < nSubbands; s++) {
      const at = row + 2 * (s * SUBBAND_CARRIERS + offset);
      grid[at] = this.pilots[p + 2 * s];
      grid[at + 1] = this.pilots[p + 2 * s + 1];
    }
  }

  /**
   * Least-squares channel at the pilots of one received symbol: out[s] = y conj(pilot), [nSubbands][re, im]
   * (pilots have unit power).
   */
  pilotChannel(row: Float32Array, rowOffset: number, symbol: number, t: number, out: Float32Array, at: number): void {
    const { nSubbands } = this.numerology;
    const offset = this.pilotOffset(t);
    const p = 2 * nSubbands * (symbol % SEQUENCE_SYMBOLS);
    for (let s = 0; s < nSubbands; s++) {
      const i = rowOffset + 2 * (s * SUBBAND_CARRIERS + offset);
      const pr = this.pilots[p + 2 * s];
      const pi = this.pilots[p + 2 * s + 1];
      out[at + 2 * s] = row[i] * pr + row[i + 1] * pi;
      out[at + 2 * s + 1] = row[i + 1] * pr - row[i] * pi;
    }
  }

  /** Those of all symbols, [SEQUENCE_SYMBOLS][symbolDataRe]. */
  get scrambling(): Uint8Array {
    return this.turns;
  }

  /** Quarter turns of the data RE of one symbol: the i-th data RE is multiplied by j^turns[i] before sending. */
  turnsOf(symbol: number): Uint8Array {
    const n = this.numerology.symbolDataRe;
    const at = (symbol % SEQUENCE_SYMBOLS) * n;
    return this.turns.subarray(at, at + n);
  }

  /** Pilots and scrambling of a slot, for the equaliser. */
  get slotPattern(): SlotPattern {
    const pilots = Array.from({ length: SLOT_SYMBOLS }, (_, t) => this.pilotOffset(t));
    return { nSubbands: this.numerology.nSubbands, pilots, turns: this.turns };
  }

  /** The same and the pilots' values, for the transmitter. */
  get transmitPattern(): TransmitPattern {
    return { ...this.slotPattern, pilotValues: this.pilots };
  }

  describe(): string {
    return `grid ${this.numerology.nCarriers} carriers, pilots 1/12 staggered by ${PILOT_STEP}`;
  }
}

/**
 * Index of the i-th data RE of a symbol in the payload of its slot, [nSubbands][RB_DATA_RE]: subband s holds its 11
 * data RE of slot symbol t at s * 154 + 11 t .. + 10, carriers ascending.
 */
export function payloadIndex(t: number, dataIndex: number): number {
  const perSubband = SUBBAND_CARRIERS - 1;
  const s = Math.floor(dataIndex / perSubband);
  return s * RB_DATA_RE + t * perSubband + (dataIndex - s * perSubband);
}

/** Multiplies one complex number at [at], [at+1] by j^turns. */
export function turn(array: Float32Array, at: number, turns: number): void {
  const re = array[at];
  const im = array[at + 1];
  if (turns === 1) {
    array[at] = -im;
    array[at + 1] = re;
  } else if (turns === 2) {
    array[at] = -re;
    array[at + 1] = -im;
  } else if (turns === 3) {
    array[at] = im;
    array[at + 1] = -re;
  }
}

/** Sizes of a burst, all in OFDM symbols, RE or samples of the modem rate. */
export interface BurstLayout {
  readonly headerSymbols: number;
  readonly extensionSymbols: number;
  readonly controlSymbols: number;
  readonly slots: number;
  readonly symbols: number;
  /** Data RE of the slots: slots x nSubbands x 154. */
  readonly payloadRe: number;
  readonly samples: number;
}

/** OFDM symbols an extension of so many bytes (CRC-24 added) takes at a code rate; 0 bytes take none. */
export function extensionSymbols(n: Numerology, bytes: number, rate: number): number {
  if (bytes === 0) return 0;
  return Math.ceil((8 * bytes + 24) / rate / (2 * n.symbolDataRe));
}

export function burstLayout(n: Numerology, slots: number, nExtensionSymbols: number): BurstLayout {
  const controlSymbols = n.headerSymbols + nExtensionSymbols;
  const symbols = controlSymbols + slots * SLOT_SYMBOLS;
  return {
    headerSymbols: n.headerSymbols,
    extensionSymbols: nExtensionSymbols,
    controlSymbols,
    slots,
    symbols,
    payloadRe: slots * n.nSubbands * RB_DATA_RE,
    samples: n.preambleLength + symbols * n.symbolLength,
  };
}

const grids = new Map<number, ResourceGrid>();

/** The grid of a numerology, made once. */
export function resourceGrid(n: Numerology): ResourceGrid {
  let grid = grids.get(n.id);
  if (!grid) {
    grid = new ResourceGrid(n);
    grids.set(n.id, grid);
  }
  return grid;
}
