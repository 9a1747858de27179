import type { ClassMap, FeatureMap } from '../semantics/feature-map.ts';
import { CLASSES, type ModelTables } from '../semantics/model-tables.ts';
import { FrequencyTables, SYMBOL_MAX } from './frequency-tables.ts';
import { quantise, quantiserSteps } from './quantise.ts';
import { type Decoded, RansDecoder, RansEncoder } from './rans.ts';

/** Squared steps that the encoder gives for a bit; somewhat less than the slope of error over rate (ln 2 / 6) says. */
const BIT_WEIGHT = 0.07;

/** What both ends know of one SFV before its symbols: which cells it has, how coarse the quantiser is, the class of each cell. */
export interface FeatureLayout {
  /** Indices row x columns + column of the SFV's cells, in the order of coding. */
  readonly cells: ArrayLike<number>;
  /** Quantiser level, 0 to the set's last. */
  readonly level: number;
  readonly classMap: ClassMap;
}

/**
 * Entropy code of the quantised embeddings of one SFV: embedding by embedding, channel by channel, each symbol by the static
 * table of (level, class of the cell, channel). Nothing is taken from another SFV, and nothing but integers decides what is
 * decoded. O(cells x channels).
 */
export class FeatureCoder {
  private readonly channels: number;
  private readonly tableOf: Uint8Array; // [level][class][channel]
  readonly tables: FrequencyTables;
  private readonly modelTables: ModelTables;

  constructor(tables: ModelTables) {
    this.channels = tables.channels;
    this.tableOf = tables.tableOf;
    this.modelTables = tables;
    this.tables = new FrequencyTables(tables.cdfTables);
  }

  /**
   * The symbols that an encoder sends: of the multiple of the step nearest to y and the next one towards 0, that which minimises
   * (y / step - symbol)^2 + bitWeight x bits by the table. Worth 0.2 to 0.45 dB at the same bits.
   *
   * @param bitWeight squared steps a bit; 0 rounds
   * @returns [position in cells][channel]
   * @throws UsageError for NaN or a value beyond 32767 steps
   */
  quantise(layout: FeatureLayout, y: FeatureMap, bitWeight = BIT_WEIGHT): Int16Array {
    checkLayout(layout, this.modelTables.levels);
    const { cells, level, classMap } = layout;
    const { channels, tableOf, tables } = this;
    const symbols = quantise(y, cells, level, this.modelTables);
    const steps = quantiserSteps(this.modelTables, level);
    const area = y.rows * y.columns;
    for (let i = 0; i < cells.length; i++) {
      const row = (level * CLASSES + classMap.data[cells[i]]) * channels;
      for (let c = 0; c < channels; c++) {
        const near = symbols[i * channels + c];
        if (near === 0) continue;
        const value = y.data[c * area + cells[i]] / steps[c];
        const less = near - Math.sign(near);
        const gain = bitWeight * (tables.bits(tableOf[row + c], near) - tables.bits(tableOf[row + c], less));
        if ((value - less) ** 2 - (value - near) ** 2 < gain) symbols[i * channels + c] = less;
      }
    }
    return symbols;
  }

  /** @param symbols [position in cells][channel], as `quantise` gives them */
  encode(layout: FeatureLayout, symbols: Int16Array): Uint8Array {
    const rans = new RansEncoder();
    this.walk(layout, symbols, (table, s) => this.tables.encode(rans, table, s));
    return rans.finish();
  }

  /** Bits that the tables give to these symbols, without the code's flush. */
  bits(layout: FeatureLayout, symbols: Int16Array): number {
    let sum = 0;
    this.walk(layout, symbols, (table, s) => {
      sum += this.tables.bits(table, s);
    });
    return sum;
  }

  /** The symbols, [position in cells][channel], or why the bytes are not the code of an SFV of this layout. */
  decode(layout: FeatureLayout, bytes: Uint8Array): Decoded<Int16Array> {
    checkLayout(layout, this.modelTables.levels);
    const { cells, level, classMap } = layout;
    const { channels, tableOf, tables } = this;
    const out = new Int16Array(cells.length * channels);
    const rans = new RansDecoder(bytes);
    for (let i = 0, at = 0; i < cells.length; i++) {
      let row = (level * CLASSES + classMap.data[cells[i]]) * channels;
      for (const end = row + channels; row < end; row++) {
        const s = tables.decode(rans, tableOf[row]);
        if (s > SYMBOL_MAX || s < -SYMBOL_MAX) return { ok: false, reason: `symbol ${at} is out of range` };
        out[at++] = s;
      }
      if (rans.overrun) return { ok: false, reason: `ends within embedding ${i + 1} of ${cells.length}` };
    }
    return rans.intact ? { ok: true, value: out } : { ok: false, reason: 'does not end where its symbols end' };
  }

  /**
   * The embeddings of a code that stands in a slot with zeros behind it, as far as they are certain: all of them where all bytes
   * came and the code ends as it should, none where it does not; where bytes from `known` on are missing, those that depend on
   * none of these.
   *
   * @param slot its bytes; what stands from `known` on is not looked at
   * @returns symbols [position in cells][channel], zero behind the first `embeddings`
   */
  decodeKnown(
    layout: FeatureLayout,
    slot: Uint8Array,
    known = slot.length,
  ): { readonly symbols: Int16Array; readonly embeddings: number } {
    checkLayout(layout, this.modelTables.levels);
    const { cells, level, classMap } = layout;
    const { channels, tableOf, tables } = this;
    const out = new Int16Array(cells.length * channels);
    const nothing = () => ({ symbols: out.fill(0), embeddings: 0 });
    const rans = new RansDecoder(slot.subarray(0, known));
    for (let i = 0, at = 0; i < cells.length; i++) {
      let row = (level * CLASSES + classMap.data[cells[i]]) * channels;
      for (const end = row + channels; row < end; row++) {
        const s = tables.decode(rans, tableOf[row]);
        if (s > SYMBOL_MAX || s < -SYMBOL_MAX) {
          if (rans.taken <= known) return nothing();
          break;
        }
        out[at++] = s;
      }
      if (rans.taken <= known) continue;
      if (known === slot.length) return nothing();
      return { symbols: out.fill(0, i * channels), embeddings: i };
    }
    if (known === slot.length && !rans.intactInSlot) return nothing();
    return { symbols: out, embeddings: cells.length };
  }

  private walk(layout: FeatureLayout, symbols: Int16Array, visit: (table: number, symbol: number) => void): void {
    checkLayout(layout, this.modelTables.levels);
    const { cells, level, classMap } = layout;
    if (symbols.length !== cells.length * this.channels) {
      throw new Error(`${symbols.length} symbols for ${cells.length} embeddings of ${this.channels}`);
    }
    for (let i = 0, at = 0; i < cells.length; i++) {
      const row = (level * CLASSES + classMap.data[cells[i]]) * this.channels;
      for (let c = 0; c < this.channels; c++) visit(this.tableOf[row + c], symbols[at++]);
    }
  }
}

/** A layout comes from our own parser, which has bounded it: anything else is a programming error. */
function checkLayout({ cells, level, classMap }: FeatureLayout, levels: number): void {
  if (!Number.isInteger(level) || level < 0 || level >= levels) throw new Error(`quantiser level ${level}`);
  const area = classMap.rows * classMap.columns;
  if (classMap.data.length !== area) throw new Error('class map of another size than its grid');
  for (let i = 0; i < cells.length; i++) {
    if (!(cells[i] >= 0 && cells[i] < area)) throw new Error(`cell ${cells[i]} lies outside the grid of ${area}`);
    if (classMap.data[cells[i]] >= CLASSES) throw new Error(`class ${classMap.data[cells[i]]} of cell ${cells[i]}`);
  }
}
