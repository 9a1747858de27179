/** Kernels of the channel model. */

import { RandomStream } from '../../src/common/random.ts';
import { PlainClockKernel } from '../../src/phy/kernels/clock/clock-plain.ts';
import { WasmClockKernel } from '../../src/phy/kernels/clock/clock-wasm.ts';
import { PlainNoiseKernel } from '../../src/phy/kernels/noise/noise-plain.ts';
import { WasmNoiseKernel } from '../../src/phy/kernels/noise/noise-wasm.ts';
import { type FilterChange, MAX_SPACING } from '../../src/phy/kernels/taps/taps-kernel.ts';
import { PlainTapsKernel } from '../../src/phy/kernels/taps/taps-plain.ts';
import { WasmTapsKernel } from '../../src/phy/kernels/taps/taps-wasm.ts';
import { copies, noise, type Subject } from './subject.ts';

const BLOCK = 4096;
/** Of EPA at 3.84 Msps. */
const TAPS = 26;

export function noiseMaker(): Subject {
  const samples = noise('samples', BLOCK);
  const [wasm, plain] = [new WasmNoiseKernel(), new PlainNoiseKernel()].map((kernel) => {
    const random = new RandomStream('noise');
    return () => kernel.add(random, samples, 0.01);
  });
  const copy = copies(2 * BLOCK, 2 * BLOCK);
  return { name: 'channel: complex Gaussian noise', unit: 'sample', units: BLOCK, wasm, plain, copy };
}

export function multipath(): Subject {
  const x = noise('multipath', TAPS - 1 + BLOCK);
  const out = new Float32Array(2 * BLOCK);
  const [first, second] = ['first', 'second'].map((name) => Float64Array.from(noise(name, TAPS)));
  const change: FilterChange = { first, second, spacing: MAX_SPACING, hold: 64, kind: 'line' };
  const [wasm, plain] = [new WasmTapsKernel(), new PlainTapsKernel()].map((kernel) => () => {
    for (let at = 0; at < BLOCK; at += MAX_SPACING) kernel.run(change, 0, x, at, out, at, MAX_SPACING);
  });
  const copy = copies(2 * (TAPS - 1 + BLOCK), 2 * BLOCK);
  return { name: `channel: multipath of ${TAPS} taps`, unit: 'sample', units: BLOCK, wasm, plain, copy };
}

export function clockOffset(): Subject {
  const x = noise('clock', BLOCK + 64);
  const out = new Float32Array(2 * BLOCK);
  const grid = { ratio: 1 / (1 + 7e-6), shift: 0.3 };
  const [wasm, plain] = [new WasmClockKernel(), new PlainClockKernel()].map((kernel) => () => {
    kernel.run(grid, 0, x, 16, out, 0, BLOCK);
  });
  const copy = copies(2 * (BLOCK + 32), 2 * BLOCK);
  return { name: 'channel: clock offset of 7 ppm', unit: 'sample', units: BLOCK, wasm, plain, copy };
}
