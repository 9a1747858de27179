import type { ClassMap, FeatureMap } from '../semantics/feature-map.ts';
import { CLASSES, type ModelTables } from '../semantics/model-tables.ts';
import { CellClassCode } from './cell-class-code.ts';
import { FrequencyTables, SYMBOL_MAX } from './frequency-tables.ts';
import { type NearCells, nearCells, predicted } from './near-embeddings.ts';
import { quantise, quantiserSteps } from './quantise.ts';
import { type Decoded, RansDecoder, RansEncoder } from './rans.ts';

/** Squared steps that the encoder gives for a bit; somewhat less than the slope of error over rate (ln 2 / 6) says. */
const BIT_WEIGHT = 0.07;

/** What both ends know of one SFV before its symbols: which cells it has, how coarse the quantiser is, the class of each cell. */
export interface FeatureLayout {
  /** Indices row x columns + column of the SFV's cells, in the order of coding; each once. */
  readonly cells: ArrayLike<number>;
  /** Quantiser level, 0 to the set's last. */
  readonly level: number;
  /** Class of each cell; where the code carries classes, a decoder takes the code's. */
  readonly classMap: ClassMap;
  /** Even class of the SFV as a whole: then the code carries the even class of each cell, too. undefined: it does not. */
  readonly carries?: number | undefined;
  /** 0..65535, what the code belongs to: with another it does not end as it should (`decodeKnown` alone looks). Default 0. */
  readonly salt?: number | undefined;
}

/** Embeddings that were read from a code. */
export interface KnownEmbeddings {
  readonly symbols: Int16Array; // [position in cells][channel], 0 behind the first `embeddings`
  readonly embeddings: number;
  readonly classes: Uint8Array; // [position in cells]
}

/**
 * Entropy code of the quantised embeddings of one SFV or of a part of it: embedding by embedding (the class of the cell first, where the
 * code carries classes, by those of the near cells), channel by channel, each symbol by the static table of (level, class, channel). The model set's `predicted` channels (the mean colour of the block, as a rule)
 * are coded as differences from what near embeddings of the same code say, by tables of their own. Nothing is taken from another code, and
 * nothing but integers decides what is decoded. O(cells x channels).
 */
export class FeatureCoder {
  readonly tables: FrequencyTables;
  private readonly channels: number;
  private readonly tableOf: Uint8Array; // [level][class][channel]
  private readonly modelTables: ModelTables;
  private readonly predictedAt: Int8Array; // [channel], index in `predicted`, -1 for none
  private readonly classCode: CellClassCode;
  private places = new Int32Array(0);

  constructor(tables: ModelTables) {
    this.channels = tables.channels;
    this.tableOf = tables.tableOf;
    this.modelTables = tables;
    this.tables = new FrequencyTables(tables.cdfTables);
    this.classCode = new CellClassCode(tables);
    this.predictedAt = new Int8Array(tables.channels).fill(-1);
    tables.predicted.forEach((c, p) => {
      this.predictedAt[c] = p;
    });
  }

  /** Which embeddings predict which; undefined where nothing is predicted. A plain Error for a layout that no parser lets through. */
  near(layout: FeatureLayout): NearCells | undefined {
    checkLayout(layout, this.modelTables.levels);
    const { cells, classMap } = layout;
    if (this.modelTables.predicted.length === 0 && layout.carries === undefined) return undefined;
    if (this.places.length < classMap.data.length) this.places = new Int32Array(classMap.data.length).fill(-1);
    return nearCells(cells, classMap.columns, this.places);
  }

  /** Table of differences of a predicted channel; -1 for another channel. */
  differenceTable(level: number, k: number, c: number): number {
    const p = this.predictedAt[c];
    const { predicted: all, differenceOf } = this.modelTables;
    return p < 0 ? -1 : differenceOf[(level * CLASSES + k) * all.length + p];
  }

  /**
   * The symbols that an encoder sends: of the multiple of the step nearest to y and the next one towards 0, that which minimises
   * (y / step - symbol)^2 + bitWeight x bits by the table; predicted channels are rounded. Worth 0.2 to 0.45 dB at the same bits.
   *
   * @param bitWeight squared steps a bit; 0 rounds
   * @returns [position in cells][channel]
   * @throws UsageError for NaN or a value beyond 32767 steps
   */
  quantise(layout: FeatureLayout, y: FeatureMap, bitWeight = BIT_WEIGHT): Int16Array {
    checkLayout(layout, this.modelTables.levels);
    const { cells, level, classMap } = layout;
    const { channels, tableOf, tables, predictedAt } = this;
    const symbols = quantise(y, cells, level, this.modelTables);
    const steps = quantiserSteps(this.modelTables, level);
    const area = y.rows * y.columns;
    for (let i = 0; i < cells.length; i++) {
      const row = (level * CLASSES + classMap.data[cells[i]]) * channels;
      for (let c = 0; c < channels; c++) {
        const near = symbols[i * channels + c];
        if (near === 0 || predictedAt[c] >= 0) continue;
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
    this.walk(
      layout,
      symbols,
      (table, s) => this.tables.encode(rans, table, s),
      (west, north, k) => this.classCode.encode(rans, west, north, k),
    );
    return rans.finish(layout.salt);
  }

  /** Bits that the tables give to these symbols, without the code's flush. */
  bits(layout: FeatureLayout, symbols: Int16Array): number {
    let sum = 0;
    this.walk(
      layout,
      symbols,
      (table, s) => {
        sum += this.tables.bits(table, s);
      },
      (west, north, k) => {
        sum += this.classCode.bits(west, north, k);
      },
    );
    return sum;
  }

  /** Bits of the classes that a code carries. */
  classBits({ cells, classMap, carries }: FeatureLayout, near: NearCells | undefined): number {
    if (carries === undefined || !near) return 0;
    const classes = Uint8Array.from(cells, (at) => classMap.data[at]);
    let sum = 0;
    classes.forEach((k, i) => {
      sum += this.classCode.bits(...contextOf(near, classes, i, carries), k);
    });
    return sum;
  }

  /** The symbols, [position in cells][channel], or why the bytes are not the code of an SFV of this layout. */
  decode(layout: FeatureLayout, bytes: Uint8Array): Decoded<Int16Array> {
    const symbols = new Int16Array(layout.cells.length * this.channels);
    const rans = new RansDecoder(bytes);
    const fault = this.read(layout, rans, symbols, new Uint8Array(layout.cells.length), bytes.length);
    if (fault?.symbol !== undefined) return { ok: false, reason: `symbol ${fault.symbol} is out of range` };
    if (fault) return { ok: false, reason: `ends within embedding ${fault.embeddings + 1} of ${layout.cells.length}` };
    return rans.intact ? { ok: true, value: symbols } : { ok: false, reason: 'does not end where its symbols end' };
  }

  /**
   * The embeddings of a code that stands in a slot with zeros behind it, as far as they are certain: all of them where all bytes
   * came and the code ends as it should, none where it does not; where bytes from `known` on are missing, those that depend on
   * none of these.
   *
   * @param slot its bytes; what stands from `known` on is not looked at
   */
  decodeKnown(layout: FeatureLayout, slot: Uint8Array, known = slot.length): KnownEmbeddings {
    const symbols = new Int16Array(layout.cells.length * this.channels);
    const rans = new RansDecoder(slot.subarray(0, known));
    const classes = new Uint8Array(layout.cells.length);
    const fault = this.read(layout, rans, symbols, classes, known);
    const cut = known < slot.length;
    if (cut && fault && fault.symbol === undefined) {
      return { symbols: symbols.fill(0, fault.embeddings * this.channels), embeddings: fault.embeddings, classes };
    }
    const whole = !fault && (cut || rans.intactInSlot(layout.salt ?? 0));
    const embeddings = whole ? layout.cells.length : 0;
    return { symbols: whole ? symbols : symbols.fill(0), embeddings, classes };
  }

  /**
   * Reads symbols until more than `known` bytes would be needed or one is out of range; undefined when all were read. A symbol that is
   * out of range but depends on bytes beyond `known` is no fault of the code.
   */
  private read(
    layout: FeatureLayout,
    rans: RansDecoder,
    out: Int16Array,
    classes: Uint8Array,
    known: number,
  ): { readonly embeddings: number; readonly symbol?: number } | undefined {
    const near = this.near(layout);
    const { cells, level, classMap, carries } = layout;
    const { channels, tableOf, tables } = this;
    for (let i = 0, at = 0; i < cells.length; i++) {
      const k =
        near && carries !== undefined
          ? this.classCode.decode(rans, ...contextOf(near, classes, i, carries))
          : classMap.data[cells[i]];
      classes[i] = k;
      const row = (level * CLASSES + k) * channels;
      for (let c = 0; c < channels; c++) {
        const difference = near ? this.differenceTable(level, k, c) : -1;
        const expected = near && difference >= 0 ? predicted(near, out, channels, i, c) : undefined;
        const s =
          expected === undefined ? tables.decode(rans, tableOf[row + c]) : expected + tables.decode(rans, difference);
        if (s > SYMBOL_MAX || s < -SYMBOL_MAX) {
          return rans.taken <= known ? { embeddings: i, symbol: at } : { embeddings: i };
        }
        out[at++] = s;
      }
      if (rans.taken > known) return { embeddings: i };
    }
    return undefined;
  }

  /** Calls back with everything that is coded, in that order: table and value, or the context of a class and the class. */
  private walk(
    layout: FeatureLayout,
    symbols: Int16Array,
    visit: (table: number, value: number) => void,
    visitClass: (west: number, north: number, k: number) => void,
  ): void {
    const near = this.near(layout);
    const { cells, level, classMap, carries } = layout;
    const classes = Uint8Array.from(cells, (at) => classMap.data[at]);
    const { channels } = this;
    if (symbols.length !== cells.length * channels) {
      throw new Error(`${symbols.length} symbols for ${cells.length} embeddings of ${channels}`);
    }
    for (let i = 0, at = 0; i < cells.length; i++) {
      const k = classes[i];
      if (near && carries !== undefined) visitClass(...contextOf(near, classes, i, carries), k);
      const row = (level * CLASSES + k) * channels;
      for (let c = 0; c < channels; c++, at++) {
        const difference = near ? this.differenceTable(level, k, c) : -1;
        const expected = near && difference >= 0 ? predicted(near, symbols, channels, i, c) : undefined;
        if (expected === undefined) visit(this.tableOf[row + c], symbols[at]);
        else visit(difference, symbols[at] - expected);
      }
    }
  }
}

/** Classes of the near cells; the SFV's own in the place of one that is not there. */
function contextOf({ first, second }: NearCells, classes: Uint8Array, i: number, own: number): [number, number] {
  return [first[i] < 0 ? own : classes[first[i]], second[i] < 0 ? own : classes[second[i]]];
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
