import { Nco } from './nco.ts';
import { RationalResampler, type ResamplerSpec } from './resampler.ts';
import { OutputBuffer } from './sample-history.ts';

/** What both converters have in common: where a sample goes, and how late. */
export interface RateConverter {
  /** Group delay in samples of the input rate. */
  readonly delayInputSamples: number;
  /** Zeros to append at the input so that the last real input sample has wholly left the filter. */
  readonly tailInputSamples: number;
  /** Converts a block [n][re, im]; the result is valid until the next call and may have any length. */
  process(block: Float32Array): Float32Array;
  reset(): void;
  /** Absolute (fractional) output index at which an input sample appears, counted from the last reset. */
  outputIndexOf(inputIndex: number): number;
  /** Absolute (fractional) input index that an output sample shows. */
  inputIndexOf(outputIndex: number): number;
  describe(): string;
}

/** Modem rate -> device rate: interpolating low-pass, then a shift by -loOffsetHz. Mean power is kept. */
export class Upconverter implements RateConverter {
  private readonly resampler: RationalResampler | null;
  private readonly nco: Nco | null;
  private readonly mixed = new OutputBuffer();
  private readonly text: string;

  /** @param spec null where both rates are equal: the samples are then only shifted */
  constructor(spec: ResamplerSpec | null, deviceRateHz: number, loOffsetHz: number) {
    this.resampler = spec ? new RationalResampler(spec) : null;
    this.nco = loOffsetHz !== 0 ? new Nco(-loOffsetHz, deviceRateHz) : null;
    this.text = `upconverter ${text(spec, this.resampler)}, shift ${-loOffsetHz} Hz`;
  }

  get delayInputSamples(): number {
    return this.resampler?.delayInputSamples ?? 0;
  }

  get tailInputSamples(): number {
    return 2 * this.delayInputSamples;
  }

  process(block: Float32Array): Float32Array {
    const rated = this.resampler ? this.resampler.process(block) : block;
    if (!this.nco) return rated;
    const out = this.resampler ? rated : this.mixed.take(rated.length >> 1);
    this.nco.mix(rated, out);
    return out;
  }

  reset(): void {
    this.resampler?.reset();
    this.nco?.reset();
  }

  outputIndexOf(inputIndex: number): number {
    return this.resampler?.outputIndexOf(inputIndex) ?? inputIndex;
  }

  inputIndexOf(outputIndex: number): number {
    return this.resampler?.inputIndexOf(outputIndex) ?? outputIndex;
  }

  describe(): string {
    return this.text;
  }
}

/** Device rate -> modem rate: a shift by +loOffsetHz, then a decimating low-pass with a pass band gain of 1. */
export class Downconverter implements RateConverter {
  private readonly resampler: RationalResampler | null;
  private readonly nco: Nco | null;
  private readonly mixed = new OutputBuffer();
  private readonly text: string;

  /** @param spec null where both rates are equal: the samples are then only shifted */
  constructor(spec: ResamplerSpec | null, deviceRateHz: number, loOffsetHz: number) {
    this.resampler = spec ? new RationalResampler(spec) : null;
    this.nco = loOffsetHz !== 0 ? new Nco(loOffsetHz, deviceRateHz) : null;
    this.text = `downconverter shift ${loOffsetHz} Hz, ${text(spec, this.resampler)}`;
  }

  get delayInputSamples(): number {
    return this.resampler?.delayInputSamples ?? 0;
  }

  get tailInputSamples(): number {
    return 2 * this.delayInputSamples;
  }

  process(block: Float32Array): Float32Array {
    let shifted = block;
    if (this.nco) {
      shifted = this.mixed.take(block.length >> 1);
      this.nco.mix(block, shifted);
    }
    return this.resampler ? this.resampler.process(shifted) : shifted;
  }

  reset(): void {
    this.resampler?.reset();
    this.nco?.reset();
  }

  outputIndexOf(inputIndex: number): number {
    return this.resampler?.outputIndexOf(inputIndex) ?? inputIndex;
  }

  inputIndexOf(outputIndex: number): number {
    return this.resampler?.inputIndexOf(outputIndex) ?? outputIndex;
  }

  describe(): string {
    return this.text;
  }
}

function text(spec: ResamplerSpec | null, resampler: RationalResampler | null): string {
  if (!spec || !resampler) return 'same rate';
  const { inputRateHz, up, down, passHz, stopHz, attenuationDb } = spec;
  return (
    `${inputRateHz / 1e6} Msps x ${up}/${down}, pass ${Math.round(passHz / 1e3)} kHz, stop ${Math.round(stopHz / 1e3)} kHz, ` +
    `${attenuationDb} dB, ${resampler.tapsPerBranch} taps a branch`
  );
}
