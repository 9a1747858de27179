import { SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../../numerology.ts';
import { fftKernel } from '../fft/fft.ts';
import type { ModulateKernel, OfdmShape, TransmitPattern } from './modulate-kernel.ts';

/** Cosine of k quarter turns at k, sine at k + 3. */
const QUARTER = Float64Array.of(1, 0, -1, 0, 1, 0, -1);

/** The kernel in plain TypeScript: the twin of the one in WebAssembly. */
export class PlainModulateKernel implements ModulateKernel {
  private readonly shape: OfdmShape;
  private readonly pattern: TransmitPattern;
  private readonly rows: Float32Array;
  private readonly spectrum: Float32Array;
  private readonly time: Float32Array;

  constructor(shape: OfdmShape, pattern: TransmitPattern) {
    this.shape = shape;
    this.pattern = pattern;
    this.rows = new Float32Array(2 * shape.nCarriers * SLOT_SYMBOLS);
    this.spectrum = new Float32Array(2 * shape.fftSize);
    this.time = new Float32Array(2 * shape.fftSize);
  }

  modulate(grid: Float32Array, symbols: number, scale: number, out: Float32Array, outSample: number): void {
    const { fftSize, cpLength, symbolLength, nCarriers, bins } = this.shape;
    const { spectrum, time } = this;
    const fft = fftKernel(fftSize);
    for (let t = 0; t < symbols; t++) {
      const row = 2 * nCarriers * t;
      // Carriers below DC stand in the upper half of the bins.
      const lower = 2 * bins[0];
      for (let i = 0; i < nCarriers; i++) spectrum[lower + i] = scale * grid[row + i];
      for (let i = nCarriers, j = 2 * bins[nCarriers / 2]; i < 2 * nCarriers; i++, j++)
        spectrum[j] = scale * grid[row + i];
      fft.inverse(spectrum, 0, time, 0);
      const at = 2 * (outSample + t * symbolLength);
      out.set(time.subarray(2 * (fftSize - cpLength)), at);
      out.set(time, at + 2 * cpLength);
    }
  }

  modulateSlot(
    payload: Float32Array,
    from: number,
    symbol: number,
    scale: number,
    out: Float32Array,
    outSample: number,
  ): void {
    const { rows } = this;
    const { pilots, turns, pilotValues, nSubbands } = this.pattern;
    const perSubband = SUBBAND_CARRIERS - 1;
    const known = pilotValues.length / (2 * nSubbands);
    for (let t = 0, g = 0; t < SLOT_SYMBOLS; t++) {
      let i = ((symbol + t) % known) * nSubbands * perSubband;
      let pilot = 2 * nSubbands * ((symbol + t) % known);
      for (let s = 0; s < nSubbands; s++) {
        let p = from + 2 * perSubband * (s * SLOT_SYMBOLS + t);
        const pilotAt = g + 2 * pilots[t];
        for (const end = g + 2 * SUBBAND_CARRIERS; g < end; g += 2) {
          if (g === pilotAt) continue;
          // Times j^turns, without a branch that cannot be foreseen.
          const cos = QUARTER[turns[i]];
          const sin = QUARTER[turns[i++] + 3];
          rows[g] = payload[p] * cos - payload[p + 1] * sin;
          rows[g + 1] = payload[p] * sin + payload[p + 1] * cos;
          p += 2;
        }
        rows[pilotAt] = pilotValues[pilot++];
        rows[pilotAt + 1] = pilotValues[pilot++];
      }
    }
    this.modulate(rows, SLOT_SYMBOLS, scale, out, outSample);
  }
}
