import type { Numerology } from '../../numerology.ts';
import type { SlotPattern } from '../equalise/equalise-kernel.ts';

/** What lies on the carriers of a slot beside its payload. */
export interface TransmitPattern extends SlotPattern {
  /** Pilot values: [64][nSubbands][re, im]. */
  readonly pilotValues: Float32Array;
}

export type OfdmShape = Pick<Numerology, 'fftSize' | 'cpLength' | 'symbolLength' | 'nCarriers' | 'nSubbands' | 'bins'>;

/**
 * OFDM modulation: x[m] = scale x sum_k X_k exp(2 pi i k m / N), m = 0..N - 1, preceded by its last `cpLength` samples.
 * Symbols follow one another in `out`, [sample][re, im], from sample `outSample` on.
 */
export interface ModulateKernel {
  /** grid: [symbol][nCarriers][re, im], its first `symbols` symbols. */
  modulate(grid: Float32Array, symbols: number, scale: number, out: Float32Array, outSample: number): void;
  /**
   * The 14 symbols of a slot. payload: [nSubbands][154][re, im] from element `from` on, each RE turned by its quarter turns;
   * symbol: number of the slot's first symbol in the burst, by which turns and pilots go.
   */
  modulateSlot(
    payload: Float32Array,
    from: number,
    symbol: number,
    scale: number,
    out: Float32Array,
    outSample: number,
  ): void;
}
