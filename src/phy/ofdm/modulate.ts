import { modulateKernel } from '../kernels/modulate/modulate.ts';
import type { ModulateKernel } from '../kernels/modulate/modulate-kernel.ts';
import type { Numerology } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';

/** One for each numerology, made once a thread. */
const kernels = new Map<number, ModulateKernel>();

function kernelOf(n: Numerology): ModulateKernel {
  let kernel = kernels.get(n.id);
  if (!kernel) {
    kernel = modulateKernel(n, resourceGrid(n).transmitPattern);
    kernels.set(n.id, kernel);
  }
  return kernel;
}

/**
 * OFDM modulation (kernels/modulate-kernel.ts) at a level: `out` receives symbolLength samples a symbol from sample `outSample` on,
 * of mean square rms^2 where the grid has unit mean power per RE: scale = rms / sqrt(nCarriers).
 */
export class OfdmModulator {
  private readonly n: Numerology;
  private readonly kernel: ModulateKernel;

  constructor(numerology: Numerology) {
    this.n = numerology;
    this.kernel = kernelOf(numerology);
  }

  /** grid: [symbol][carrier][re, im], its first `symbols` symbols. */
  modulate(grid: Float32Array, symbols: number, rms: number, out: Float32Array, outSample: number): void {
    this.kernel.modulate(grid, symbols, rms / Math.sqrt(this.n.nCarriers), out, outSample);
  }

  /** A slot with its pilots. payload: [nSubbands][RB_DATA_RE][re, im] from `from` on; symbol: number of its first in the burst. */
  modulateSlot(
    payload: Float32Array,
    from: number,
    symbol: number,
    rms: number,
    out: Float32Array,
    outSample: number,
  ): void {
    this.kernel.modulateSlot(payload, from, symbol, rms / Math.sqrt(this.n.nCarriers), out, outSample);
  }

  describe(): string {
    return `OFDM ${this.n.fftSize}/${this.n.cpLength}, ${this.n.nCarriers} carriers`;
  }
}
