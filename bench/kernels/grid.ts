/** Kernels between samples and bits. */

import { PlainDemapKernel } from '../../src/phy/kernels/demap/demap-plain.ts';
import { WasmDemapKernel } from '../../src/phy/kernels/demap/demap-wasm.ts';
import { PlainEqualiserKernel } from '../../src/phy/kernels/equalise/equalise-plain.ts';
import { WasmEqualiserKernel } from '../../src/phy/kernels/equalise/equalise-wasm.ts';
import { PlainOfdmKernel } from '../../src/phy/kernels/ofdm/ofdm-plain.ts';
import { WasmOfdmKernel } from '../../src/phy/kernels/ofdm/ofdm-wasm.ts';
import { PlainRateMatchKernel } from '../../src/phy/kernels/rate-match/rate-match-plain.ts';
import { WasmRateMatchKernel } from '../../src/phy/kernels/rate-match/rate-match-wasm.ts';
import { LONGEST_GROUP, SPREAD_LANES } from '../../src/phy/kernels/spread/spread-kernel.ts';
import { PlainSpreadKernel } from '../../src/phy/kernels/spread/spread-plain.ts';
import { WasmSpreadKernel } from '../../src/phy/kernels/spread/spread-wasm.ts';
import { halfSpacing, type ModulationOrder } from '../../src/phy/modulation/qam.ts';
import { type Numerology, RB_DATA_RE, SLOT_SYMBOLS } from '../../src/phy/numerology.ts';
import { resourceGrid } from '../../src/phy/resource-grid.ts';
import { copies, noise, type Subject } from './subject.ts';

export function ofdm(n: Numerology): Subject {
  const samples = noise('ofdm', n.slotLength + n.fftSize);
  const windows = Int32Array.from({ length: SLOT_SYMBOLS }, (_, t) => t * n.symbolLength + 3);
  const angles = Float64Array.from({ length: 2 * SLOT_SYMBOLS }, (_, i) => 0.01 * i);
  const out = new Float32Array(2 * n.nCarriers * SLOT_SYMBOLS);
  const [wasm, plain] = [WasmOfdmKernel, PlainOfdmKernel].map((Kernel) => {
    const kernel = new Kernel(n.fftSize, n.nCarriers);
    return () => kernel.demodulate(samples, windows, angles, SLOT_SYMBOLS, 0.001, out, 0);
  });
  const copy = copies(2 * n.slotLength, out.length);
  return { name: `OFDM demodulation, ${n.fftSize} points`, unit: 'sample', units: n.slotLength, wasm, plain, copy };
}

export function equaliser(n: Numerology): Subject {
  const pattern = resourceGrid(n).slotPattern;
  const rows = noise('rows', n.nCarriers * SLOT_SYMBOLS);
  // A channel that changes on a straight line.
  const nodes = noise('channel', 2 * n.nCarriers);
  const weights = Float32Array.from({ length: 2 * SLOT_SYMBOLS }, (_, i) => (i % 2 ? 0.01 * i : 1));
  const perRb = Float32Array.from({ length: 4 * n.nSubbands }, (_, i) => [0.1, 10, 0.01, 11][i % 4]);
  const turns = Float64Array.from({ length: 4 * SLOT_SYMBOLS }, (_, i) => [Math.SQRT1_2, Math.SQRT1_2, 1, 0][i % 4]);
  const re = n.nSubbands * RB_DATA_RE;
  const payload = new Float32Array(2 * re);
  const snr = new Float32Array(re);
  const efficiency = new Float64Array(n.nSubbands);
  const middles = new Float32Array(2 * n.nCarriers);
  const slot = {
    slots: 1,
    symbol: 14,
    rows,
    turns,
    order: 2,
    nodes,
    sets: new Uint16Array(1),
    weights,
    noise: perRb,
  };
  const [wasm, plain] = [WasmEqualiserKernel, PlainEqualiserKernel].map((Kernel) => {
    const kernel = new Kernel(pattern);
    return () => {
      kernel.equalise(slot, payload, snr, efficiency, middles);
    };
  });
  const copy = copies(rows.length, nodes.length, 3 * re, middles.length);
  return { name: `equaliser, ${n.nSubbands} subbands`, unit: 'sample', units: n.slotLength, wasm, plain, copy };
}

/** Of symbols as the equaliser leaves them. */
export function demapper(qm: ModulationOrder): Subject {
  const count = 4096;
  const symbols = noise('symbols', count);
  const snr = new Float32Array(count).fill(20);
  const llr = new Float32Array(qm * count);
  const [wasm, plain] = [new WasmDemapKernel(), new PlainDemapKernel()].map((kernel) => () => {
    kernel.demapMmse(symbols, snr, qm, halfSpacing(qm), count, llr, 0, 0);
  });
  const copy = copies(3 * count, qm * count);
  return { name: `soft demapper, ${qm} bits`, unit: 'symbol', units: count, wasm, plain, copy };
}

export function deinterleaver(qm: ModulationOrder): Subject {
  const count = 4096;
  const received = noise('received', (qm * count) / 2);
  const coded = new Float32Array(qm * count);
  const [wasm, plain] = [new WasmRateMatchKernel(), new PlainRateMatchKernel()].map((kernel) => () => {
    kernel.deinterleave(received, qm, count, coded, 0, 0);
  });
  const copy = copies(received.length, coded.length);
  return { name: `bit deinterleaver, ${qm} bits`, unit: 'soft bit', units: qm * count, wasm, plain, copy };
}

/** Spreading of analog symbols over resource blocks. */
export function spreader(): Subject {
  const symbols = noise('spread', SPREAD_LANES * LONGEST_GROUP);
  const [wasm, plain] = [new WasmSpreadKernel(), new PlainSpreadKernel()].map((kernel) => () => {
    kernel.lanes.set(symbols);
    kernel.transform(LONGEST_GROUP);
  });
  const units = SPREAD_LANES * LONGEST_GROUP;
  return { name: 'DFT spreading of analog symbols', unit: 'symbol', units, wasm, plain, copy: copies(symbols.length) };
}
