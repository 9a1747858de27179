import { makeEqualiser } from '../kernels/equalise/equalise.ts';
import type { EqualiserKernel } from '../kernels/equalise/equalise-kernel.ts';
import { ofdmKernel } from '../kernels/ofdm/ofdm.ts';
import type { Numerology } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';

const equalisers = new Map<number, EqualiserKernel>();

/** The equaliser of a numerology, made once a thread, in the memory where the OFDM kernel holds a burst's rows. */
export function equaliserOf(n: Numerology): EqualiserKernel {
  let kernel = equalisers.get(n.id);
  if (!kernel) {
    kernel = makeEqualiser(resourceGrid(n).slotPattern, ofdmKernel(n.fftSize, n.nCarriers).memory);
    equalisers.set(n.id, kernel);
  }
  return kernel;
}
