import { fromDb } from '../../../src/common/units.ts';
import type { Antenna } from '../air.ts';
import { AnalogueFaults, type MakeFaults } from '../analogue-faults.ts';
import type { RfFigures } from '../rf-figures.ts';
import type { Dds } from './dds.ts';
import type { SampleClock } from './sample-clock.ts';
import type { Transceiver } from './transceiver.ts';

const CHUNK_SAMPLES = 16_384;
/** Samples that the loop inside the chip can still give to the receiver: 17 ms at the highest rate. */
const LOOP_SAMPLES = 1 << 20;

/**
 * From the words that leave the DMA to the connector: source select and tones, converter (the upper 12 of 16 bits), attenuator, mixer. 0 dB and
 * full scale |x| = 1 is the board's greatest power.
 */
export class TxPath {
  private readonly chip: Transceiver;
  private readonly dds: Dds;
  private readonly antenna: Antenna;
  private readonly figures: RfFigures;
  private readonly samples: SampleClock;
  private readonly faults: AnalogueFaults | null;
  /** Converter words, [sample][I, Q], sample n at n modulo its length; made while the loop is on. */
  private loop: Int16Array | null = null;
  emittedSamples = 0;
  /** End of the last stretch that was put on the air, s of the air; null: never. */
  lastEmissionS: number | null = null;

  constructor(options: {
    chip: Transceiver;
    dds: Dds;
    antenna: Antenna;
    figures: RfFigures;
    samples: SampleClock;
    faults: MakeFaults | null;
  }) {
    this.chip = options.chip;
    this.dds = options.dds;
    this.antenna = options.antenna;
    this.figures = options.figures;
    this.samples = options.samples;
    this.faults = options.faults && new AnalogueFaults(options.faults);
  }

  /** A SampleSink. */
  readonly play = (index: number, count: number, iq: Int16Array | null, offset: number): void => {
    const { chip, dds } = this;
    const looped = chip.loopback === 1;
    if (!looped) this.loop = null;
    const silent =
      (iq === null || !dds.sources.includes('dma')) &&
      [0, 1].every((channel) => dds.sources[channel] !== 'dds' || dds.silent(channel));
    if (!looped && (silent || !chip.transmits)) return;
    if (looped) this.loop ??= new Int16Array(2 * LOOP_SAMPLES);
    for (let at = 0; at < count; at += CHUNK_SAMPLES) {
      const n = Math.min(CHUNK_SAMPLES, count - at);
      const words = this.words(index + at, n, iq, offset + at);
      if (this.loop) this.keep(index + at, words);
      if (chip.transmits && !silent) this.emit(index + at, words);
    }
  };

  /** Words that were sent around the loop at these sample numbers; zeros where there were none. */
  looped(index: number, count: number, into: Int16Array, offset: number): void {
    for (let i = 0; i < count; i++) {
      const at = 2 * ((index + i) % LOOP_SAMPLES);
      into[2 * (offset + i)] = this.loop ? this.loop[at] : 0;
      into[2 * (offset + i) + 1] = this.loop ? this.loop[at + 1] : 0;
    }
  }

  /** 12-bit words of the converter, [sample][I, Q]. */
  private words(index: number, count: number, iq: Int16Array | null, offset: number): Int16Array {
    const words = new Int16Array(2 * count);
    for (let channel = 0; channel < 2; channel++) {
      const source = this.dds.sources[channel];
      if (source === 'dma' && iq) {
        for (let i = 0; i < count; i++) words[2 * i + channel] = iq[2 * (offset + i) + channel] >> 4;
      } else if (source === 'dds' && !this.dds.silent(channel)) {
        for (let i = 0; i < count; i++) words[2 * i + channel] = this.dds.sample(channel, index + i) >> 4;
      }
    }
    return words;
  }

  private keep(index: number, words: Int16Array): void {
    const loop = this.loop!;
    for (let i = 0; i < words.length; i += 2) {
      const at = 2 * ((index + i / 2) % LOOP_SAMPLES);
      loop[at] = words[i];
      loop[at + 1] = words[i + 1];
    }
  }

  private emit(index: number, words: Int16Array): void {
    const { chip } = this;
    const powerDbm = this.figures.maxOutputDbm(chip.txLo.frequencyHz) + chip.txGainDb;
    const fullScale = Math.sqrt(fromDb(powerDbm));
    let reIm: Float32Array = new Float32Array(words.length);
    for (let i = 0; i < words.length; i++) reIm[i] = words[i] / 2048;
    if (this.faults) reIm = this.faults.process(reIm, this.samples.rateHz).slice();
    for (let i = 0; i < reIm.length; i++) reIm[i] *= fullScale;
    this.emittedSamples += words.length / 2;
    this.lastEmissionS = this.samples.timeOf(index + words.length / 2);
    this.antenna.emit({
      rateHz: this.samples.rateHz,
      frequencyHz: chip.trueHz(chip.txLo.frequencyHz),
      startS: this.samples.timeOf(index),
      reIm,
    });
  }
}
