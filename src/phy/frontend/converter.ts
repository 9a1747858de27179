import { resampleKernel } from '../kernels/resample/resample.ts';
import { type NativeSamples, NO_CORRECTION, type ResampleKernel } from '../kernels/resample/resample-kernel.ts';
import { DcIqCorrector, DcIqWindow } from './dc-iq.ts';
import {
  designResampler,
  type RationalResampler,
  type ResamplerSpec,
  resampledIndex,
  sourceIndex,
} from './resampler.ts';

/** Device samples over which DC and IQ imbalance are estimated. */
export const IQ_WINDOW = 1 << 16;

/** What both converters have in common: where a sample goes, and how late. */
abstract class RateConverter {
  protected readonly resampler: RationalResampler | null;
  private readonly shifts: { readonly cyclesBefore: number; readonly cyclesAfter: number };
  private readonly text: string;
  private made: ResampleKernel | undefined;

  protected constructor(resampler: RationalResampler | null, cyclesBefore: number, cyclesAfter: number, text: string) {
    this.resampler = resampler;
    this.shifts = { cyclesBefore, cyclesAfter };
    this.text = text;
  }

  /** Made when the first samples come: a converter also serves to ask for its delay. */
  protected get kernel(): ResampleKernel {
    return (this.made ??= resampleKernel({ filter: this.resampler, ...this.shifts }));
  }

  /** Group delay in samples of the input rate. */
  get delayInputSamples(): number {
    return this.resampler?.delayInputSamples ?? 0;
  }

  /** Zeros to append at the input so that the last real input sample has wholly left the filter. */
  get tailInputSamples(): number {
    return 2 * this.delayInputSamples;
  }

  /** Converts a block [n][re, im]; the result is valid until the next call and may have any length. */
  process(block: Float32Array): Float32Array {
    return this.kernel.process(block, 1, NO_CORRECTION, null);
  }

  reset(): void {
    this.made?.reset();
  }

  /** Absolute (fractional) output index at which an input sample appears, counted from the last reset. */
  outputIndexOf(inputIndex: number): number {
    return this.resampler ? resampledIndex(this.resampler, inputIndex) : inputIndex;
  }

  /** Absolute (fractional) input index that an output sample shows. */
  inputIndexOf(outputIndex: number): number {
    return this.resampler ? sourceIndex(this.resampler, outputIndex) : outputIndex;
  }

  describe(): string {
    return this.text;
  }
}

/** Modem rate -> device rate: interpolating low-pass, then a shift by -loOffsetHz. Mean power is kept. */
export class Upconverter extends RateConverter {
  /** @param spec null where both rates are equal: the samples are then only shifted */
  constructor(spec: ResamplerSpec | null, deviceRateHz: number, loOffsetHz: number) {
    const resampler = spec && designResampler(spec);
    const about = `upconverter ${text(spec, resampler)}, shift ${-loOffsetHz} Hz`;
    super(resampler, 0, -loOffsetHz / deviceRateHz, about);
  }
}

/**
 * Device rate -> modem rate: a shift by +loOffsetHz, then a decimating low-pass with a pass band gain of 1. Native samples are
 * also converted to floats and corrected in the same pass.
 */
export class Downconverter extends RateConverter {
  /** The correction that processNative applies. */
  readonly corrector = new DcIqCorrector();
  /** Moments of the samples that processNative has seen since it was cleared, before correction. */
  readonly dcIq = new DcIqWindow(IQ_WINDOW);

  /** @param spec null where both rates are equal: the samples are then only shifted */
  constructor(spec: ResamplerSpec | null, deviceRateHz: number, loOffsetHz: number) {
    const resampler = spec && designResampler(spec);
    super(resampler, loOffsetHz / deviceRateHz, 0, `downconverter shift ${loOffsetHz} Hz, ${text(spec, resampler)}`);
  }

  /** Components of all input so far that were no finite numbers and were taken for 0. */
  get nonFinite(): number {
    return this.kernel.nonFinite;
  }

  /**
   * Converts native samples, [n][i, q], `fullScale` standing for 1: floats that are no numbers become 0, DC and IQ imbalance are
   * taken out as `corrector` says, then as `process`. Both kinds of input belong to one stream.
   */
  processNative(data: NativeSamples, fullScale: number): Float32Array {
    return this.kernel.process(data, 1 / fullScale, this.corrector.correction, this.dcIq);
  }
}

function text(spec: ResamplerSpec | null, resampler: RationalResampler | null): string {
  if (!spec || !resampler) return 'same rate';
  const { inputRateHz, up, down, passHz, stopHz, attenuationDb } = spec;
  return (
    `${inputRateHz / 1e6} Msps x ${up}/${down}, pass ${Math.round(passHz / 1e3)} kHz, stop ${Math.round(stopHz / 1e3)} kHz, ` +
    `${attenuationDb} dB, ${resampler.taps} taps a branch`
  );
}
