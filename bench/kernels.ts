/**
 * Speed of each kernel of `src/phy/kernels` that works a slot a call, against its twin in plain TypeScript: nanoseconds of CPU time of
 * one core for a sample (or symbol), and what of that goes into copying data in and out of the kernel's memory.
 *
 *   node --import tsx bench/kernels.ts
 *
 * Writes bench/results/kernels.json. Kernels take turns; ratios are taken round by round, then the median. The Fourier transform is
 * in fft.ts, the channel code in ldpc-bler.ts and ldpc-peer.ts.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RandomStream } from '../src/common/random.ts';
import { hostFacts, programFacts } from '../src/experiment/host-facts.ts';
import { median } from '../src/experiment/stats.ts';
import { PlainDemapKernel } from '../src/phy/kernels/demap-plain.ts';
import { WasmDemapKernel } from '../src/phy/kernels/demap-wasm.ts';
import { PlainEqualiserKernel } from '../src/phy/kernels/equalise-plain.ts';
import { WasmEqualiserKernel } from '../src/phy/kernels/equalise-wasm.ts';
import { PlainOfdmKernel } from '../src/phy/kernels/ofdm-plain.ts';
import { WasmOfdmKernel } from '../src/phy/kernels/ofdm-wasm.ts';
import { halfSpacing, MODULATION_ORDERS } from '../src/phy/modulation/qam.ts';
import { NUMEROLOGIES, type Numerology, RB_DATA_RE, SLOT_SYMBOLS } from '../src/phy/numerology.ts';
import { resourceGrid } from '../src/phy/resource-grid.ts';

const ROUNDS = 9;
const PASSES = 5;
const PASS_MICROSECONDS = 10_000;

interface Subject {
  readonly name: string;
  /** What a nanosecond is counted for, and how many of them a call handles. */
  readonly unit: string;
  readonly units: number;
  readonly wasm: () => void;
  readonly plain: () => void;
  /** Copies of the same size as the kernel's. */
  readonly copy: () => void;
}

/** Copies between ordinary arrays and arrays of a WebAssembly memory are plain moves of memory, as this is. */
function copies(...lengths: number[]): () => void {
  const pairs = lengths.map((n) => [new Float32Array(n + 8), new Float32Array(n)] as const);
  return () => {
    for (const [from, to] of pairs) to.set(from.subarray(4, 4 + to.length));
  };
}

function noise(name: string, complexCount: number): Float32Array {
  const out = new Float32Array(2 * complexCount);
  new RandomStream(name).addComplexNoise(out, 1);
  return out;
}

function ofdm(n: Numerology): Subject {
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

function equaliser(n: Numerology): Subject {
  const pattern = resourceGrid(n).slotPattern;
  const rows = noise('rows', n.nCarriers * SLOT_SYMBOLS);
  // A channel that changes on a straight line.
  const nodes = noise('channel', 2 * n.nCarriers);
  const weights = Float32Array.from({ length: 2 * SLOT_SYMBOLS }, (_, i) => (i % 2 ? 0.01 * i : 1));
  const perRb = Float32Array.from({ length: 4 * n.nSubbands }, (_, i) => [0.1, 10, 0.01, 11][i % 4]);
  const phasors = new Float64Array(2 * SLOT_SYMBOLS).fill(Math.SQRT1_2);
  const re = n.nSubbands * RB_DATA_RE;
  const payload = new Float32Array(2 * re);
  const snr = new Float32Array(re);
  const efficiency = new Float64Array(n.nSubbands);
  const slot = {
    slots: 1,
    symbol: 14,
    rows,
    phasors,
    order: 2,
    nodes,
    sets: new Uint16Array(1),
    weights,
    noise: perRb,
  };
  const [wasm, plain] = [WasmEqualiserKernel, PlainEqualiserKernel].map((Kernel) => {
    const kernel = new Kernel(pattern);
    return () => {
      kernel.equalise(slot, payload, snr, efficiency);
    };
  });
  const copy = copies(rows.length, nodes.length, 3 * re);
  return { name: `equaliser, ${n.nSubbands} subbands`, unit: 'sample', units: n.slotLength, wasm, plain, copy };
}

function demapper(qm: (typeof MODULATION_ORDERS)[number]): Subject {
  const count = 4096;
  const symbols = noise('symbols', count);
  const variance = new Float32Array(count).fill(0.05);
  const llr = new Float32Array(qm * count);
  const [wasm, plain] = [new WasmDemapKernel(), new PlainDemapKernel()].map((kernel) => () => {
    kernel.demap(symbols, variance, qm, halfSpacing(qm), count, llr, 0, 0);
  });
  const copy = copies(3 * count, qm * count);
  return { name: `soft demapper, ${qm} bits`, unit: 'symbol', units: count, wasm, plain, copy };
}

/** Nanoseconds of CPU time of one call, the best of the passes after the first two. */
function best(work: () => void): number {
  let repeats = 8;
  let least = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < PASSES + 2; pass++) {
    const before = process.cpuUsage();
    for (let i = 0; i < repeats; i++) work();
    const { user, system } = process.cpuUsage(before);
    const used = Math.max(1, user + system);
    if (pass > 1) least = Math.min(least, (1e3 * used) / repeats);
    else repeats = Math.ceil((repeats * PASS_MICROSECONDS) / used);
  }
  return least;
}

const shapes = [NUMEROLOGIES[0], NUMEROLOGIES[4]];
const subjects = [...shapes.map(ofdm), ...shapes.map(equaliser), ...MODULATION_ORDERS.map(demapper)];
const rounds = Array.from({ length: ROUNDS }, () =>
  subjects.map(({ wasm, plain, copy }) => ({ wasm: best(wasm), plain: best(plain), copy: best(copy) })),
);
const rows = subjects.map(({ name, unit, units }, i) => {
  const per = (of: (r: (typeof rounds)[0][0]) => number) => {
    const x = rounds.map((round) => of(round[i]));
    return { median: median(x), low: Math.min(...x), high: Math.max(...x) };
  };
  const row = {
    name,
    unit,
    wasmNs: per((r) => r.wasm / units),
    plainNs: per((r) => r.plain / units),
    copyNs: per((r) => r.copy / units),
    ratio: per((r) => r.plain / r.wasm),
  };
  const { wasmNs, plainNs, copyNs, ratio } = row;
  const spread = `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`;
  console.log(
    `${name}: ${wasmNs.median.toFixed(2)} ns a ${unit}, copies ${copyNs.median.toFixed(2)}, plain ${plainNs.median.toFixed(2)}, ratio ${spread}`,
  );
  return row;
});
const report = {
  schema: 'sct-kernel-speed/1',
  command: 'node --import tsx bench/kernels.ts',
  machine: hostFacts(),
  program: await programFacts(),
  node: process.version,
  method: `CPU time of one core, best of ${PASSES} passes a round; median (low to high) of ${ROUNDS} alternating rounds, ratios (plain over WebAssembly) round by round`,
  rows,
};
writeFileSync(fileURLToPath(new URL('results/kernels.json', import.meta.url)), `${JSON.stringify(report, null, 1)}\n`);
