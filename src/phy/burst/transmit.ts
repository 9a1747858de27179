import { CRC16, CRC24A, type CrcSpec } from '../../common/crc.ts';
import { UsageError } from '../../common/errors.ts';
import { FloatRoom } from '../../common/float-room.ts';
import { encodeControl } from '../fec/control-code.ts';
import { EXTENSION_RATES, EXTENSION_UNIT_BYTES, encodeHeader, type Header, MAX_SLOTS } from '../frame/header.ts';
import { type Numerology, RB_DATA_RE, SLOT_SYMBOLS } from '../numerology.ts';
import { OfdmModulator } from '../ofdm/modulate.ts';
import {
  type BurstLayout,
  burstLayout,
  extensionSymbols,
  type ResourceGrid,
  resourceGrid,
  turn,
} from '../resource-grid.ts';
import { goldQpsk, SEQUENCE } from '../sequence.ts';
import { preamble } from '../sync/preamble.ts';

/** Root mean square of the digital waveform, dB relative to a full-scale complex amplitude of 1 (design §4). */
export const TRANSMIT_RMS_DBFS = -11;
export const TRANSMIT_RMS = 10 ** (TRANSMIT_RMS_DBFS / 20);
/** Largest extension, set by the header's 6-bit length. */
export const MAX_EXTENSION_BYTES = 63 * EXTENSION_UNIT_BYTES;

export interface BurstContent {
  /** Everything but the extension's length, which follows from `extension`. */
  readonly header: Omit<Header, 'extensionUnits'>;
  /** Extension bytes, at most MAX_EXTENSION_BYTES; zero-padded to the unit. */
  readonly extension: Uint8Array;
  /** Payload RE with unit mean power, [slot x nSubbands + subband][RB_DATA_RE][re, im]. */
  readonly payload: Float32Array;
}

/**
 * Makes the samples of bursts of one numerology: preamble, header, extension, slots (docs/air-interface.md).
 * The mean square is TRANSMIT_RMS^2 in preamble, pilots and data alike.
 */
export class BurstTransmitter {
  readonly numerology: Numerology;
  private readonly grid: ResourceGrid;
  private readonly ofdm: OfdmModulator;
  /** Carriers of header and extension, [symbol][carrier][re, im]. */
  private readonly control = new FloatRoom();
  /** The preamble at its level. */
  private readonly opening: Float32Array;

  constructor(numerology: Numerology) {
    this.numerology = numerology;
    this.grid = resourceGrid(numerology);
    this.ofdm = new OfdmModulator(numerology);
    this.opening = preamble(numerology).samples.map((v) => TRANSMIT_RMS * v);
  }

  layout(slots: number, extensionBytes: number, extensionMcs: number): BurstLayout {
    if (!Number.isInteger(slots) || slots < 1 || slots > MAX_SLOTS) {
      throw new UsageError(`a burst has 1 to ${MAX_SLOTS} slots, not ${slots}`);
    }
    if (extensionBytes > MAX_EXTENSION_BYTES) {
      throw new UsageError(`the extension has ${extensionBytes} bytes; at most ${MAX_EXTENSION_BYTES} fit`);
    }
    const padded = Math.ceil(extensionBytes / EXTENSION_UNIT_BYTES) * EXTENSION_UNIT_BYTES;
    return burstLayout(
      this.numerology,
      slots,
      extensionSymbols(this.numerology, padded, EXTENSION_RATES[extensionMcs]),
    );
  }

  /**
   * Samples of one burst, [layout.samples][re, im].
   *
   * @param room where they are written, from its beginning; default memory of their own
   * @throws UsageError when sizes do not fit
   */
  build(content: BurstContent, room?: Float32Array): Float32Array {
    const n = this.numerology;
    const units = Math.ceil(content.extension.length / EXTENSION_UNIT_BYTES);
    const header: Header = { ...content.header, numerology: n.id, extensionUnits: units };
    const layout = this.layout(header.slots, content.extension.length, header.extensionMcs);
    if (content.payload.length !== 2 * layout.payloadRe) {
      throw new UsageError(`payload has ${content.payload.length / 2} RE, the burst holds ${layout.payloadRe}`);
    }
    if (room && room.length < 2 * layout.samples) {
      throw new UsageError(`room for ${room.length >> 1} samples, the burst has ${layout.samples}`);
    }
    const grid = this.control.first(2 * n.nCarriers * layout.controlSymbols).fill(0);
    const padded = new Uint8Array(units * EXTENSION_UNIT_BYTES);
    padded.set(content.extension);
    this.placeControl(grid, encodeHeader(header), CRC16, 0, layout.headerSymbols);
    if (units > 0) this.placeControl(grid, padded, CRC24A, layout.headerSymbols, layout.extensionSymbols);

    const samples = room ? room.subarray(0, 2 * layout.samples) : new Float32Array(2 * layout.samples);
    samples.set(this.opening);
    this.ofdm.modulate(grid, layout.controlSymbols, TRANSMIT_RMS, samples, n.preambleLength);
    const perSlot = 2 * n.nSubbands * RB_DATA_RE;
    for (let slot = 0; slot < layout.slots; slot++) {
      const symbol = layout.controlSymbols + slot * SLOT_SYMBOLS;
      const at = n.preambleLength + symbol * n.symbolLength;
      this.ofdm.modulateSlot(content.payload, slot * perSlot, symbol, TRANSMIT_RMS, samples, at);
    }
    return samples;
  }

  private placeControl(grid: Float32Array, bytes: Uint8Array, crc: CrcSpec, first: number, symbols: number): void {
    const n = this.numerology;
    const bits = encodeControl(bytes, crc, 2 * symbols * n.symbolDataRe);
    let at = 0;
    for (let symbol = first; symbol < first + symbols; symbol++) {
      const turns = this.grid.turnsOf(symbol);
      const carriers = this.grid.dataCarriersOf(symbol);
      const row = 2 * n.nCarriers * symbol;
      for (let i = 0; i < carriers.length; i++) {
        const g = row + 2 * carriers[i];
        grid[g] = (1 - 2 * bits[at++]) * Math.SQRT1_2;
        grid[g + 1] = (1 - 2 * bits[at++]) * Math.SQRT1_2;
        turn(grid, g, turns[i]);
      }
      this.grid.placePilots(grid, symbol, symbol);
    }
  }

  describe(): string {
    return `burst transmitter, ${this.numerology.nSubbands} subbands, ${TRANSMIT_RMS_DBFS} dBFS RMS`;
  }
}

/**
 * Unit-power QPSK that fills RE without payload (and every RE of a sounding burst), [count][re, im]; the caller's to change.
 *
 * @param room where they are written, from its beginning; default memory of their own
 */
export function paddingSymbols(n: Numerology, count: number, room?: Float32Array): Float32Array {
  let known = paddings.get(n.id);
  if (!known || known.length < 2 * count) {
    known = goldQpsk(SEQUENCE.padding + n.id, count);
    paddings.set(n.id, known);
  }
  if (!room) return known.slice(0, 2 * count);
  const symbols = room.subarray(0, 2 * count);
  symbols.set(known.subarray(0, 2 * count));
  return symbols;
}
/** The longest one made so far, by numerology: a shorter one is its beginning. */
const paddings = new Map<number, Float32Array>();
