/** Kernels on the stream of samples: front end and search. */

import { CFO_ALLOWANCE_HZ } from '../../src/phy/frontend/frontend.ts';
import { designResampler } from '../../src/phy/frontend/resampler.ts';
import { SearchPast } from '../../src/phy/kernels/correlate/correlate-kernel.ts';
import { PlainCorrelateKernel } from '../../src/phy/kernels/correlate/correlate-plain.ts';
import { WasmCorrelateKernel } from '../../src/phy/kernels/correlate/correlate-wasm.ts';
import { DC_STATE } from '../../src/phy/kernels/dc/dc-kernel.ts';
import { PlainDcKernel } from '../../src/phy/kernels/dc/dc-plain.ts';
import { WasmDcKernel } from '../../src/phy/kernels/dc/dc-wasm.ts';
import { NO_CORRECTION } from '../../src/phy/kernels/resample/resample-kernel.ts';
import { PlainResampleKernel } from '../../src/phy/kernels/resample/resample-plain.ts';
import { WasmResampleKernel } from '../../src/phy/kernels/resample/resample-wasm.ts';
import { type Numerology, numerology, SUBCARRIER_SPACING_HZ } from '../../src/phy/numerology.ts';
import { preamble } from '../../src/phy/sync/preamble.ts';
import { copies, noise, type Subject } from './subject.ts';

const BLOCK = 8192;

/** 8-bit samples at 20 Msps to floats at 15.36, shifted by the LO's offset; or no more than converted. */
export function resampler(changesRate: boolean): Subject {
  const native = Int8Array.from(noise('native', BLOCK), (v) => Math.max(-128, Math.min(127, 20 * v)));
  const modemRateHz = 15.36e6;
  const deviceRateHz = changesRate ? 20e6 : modemRateHz;
  const passHz = (601 * SUBCARRIER_SPACING_HZ) / 2 + CFO_ALLOWANCE_HZ;
  const bands = { passHz, stopHz: modemRateHz - passHz, attenuationDb: 70 };
  const filter = changesRate ? designResampler({ inputRateHz: deviceRateHz, up: 96, down: 125, ...bands }) : null;
  const setup = { filter, cyclesBefore: changesRate ? 4.8e6 / deviceRateHz : 0, cyclesAfter: 0 };
  const [wasm, plain] = [WasmResampleKernel, PlainResampleKernel].map((Kernel) => {
    const kernel = new Kernel(setup);
    return () => {
      kernel.process(native, 1 / 128, NO_CORRECTION, null);
    };
  });
  const copy = copies(native.length / 4, (2 * BLOCK * modemRateHz) / deviceRateHz);
  const name = changesRate ? 'conversion, shift, resampling 20 to 15.36 Msps' : 'conversion of 8-bit samples';
  return { name, unit: 'sample', units: BLOCK, wasm, plain, copy };
}

export function search(n: Numerology): Subject {
  const pattern = { lag: n.segmentLength, hop: n.segmentLength / 4, products: preamble(n).products };
  const samples = noise('search', BLOCK + n.segmentLength);
  const count = BLOCK / pattern.hop;
  const metric = { re: new Float32Array(count), im: new Float32Array(count), plain: new Float32Array(count) };
  const [wasm, plain] = [new WasmCorrelateKernel(), new PlainCorrelateKernel()].map((kernel) => {
    const past = new SearchPast(pattern);
    return () => kernel.search(pattern, past, samples, 0, count, metric, 0);
  });
  const copy = copies(samples.length, 3 * count);
  return { name: `preamble search, ${n.fftSize} points`, unit: 'sample', units: BLOCK, wasm, plain, copy };
}

export function dcBlocker(): Subject {
  const samples = noise('dc', BLOCK);
  const [wasm, plain] = [new WasmDcKernel(), new PlainDcKernel()].map((kernel) => {
    const state = new Float64Array(DC_STATE);
    kernel.reserve(BLOCK);
    return () => kernel.process(state, samples, 0);
  });
  // What comes out stays where it is.
  return { name: 'DC blocker', unit: 'sample', units: BLOCK, wasm, plain, copy: copies(samples.length, 0) };
}

/** The numerologies at both ends, as the rows show them. */
export const SHAPES: readonly Numerology[] = [numerology(4), numerology(50)];
