import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { makeEqualiser } from '../../../src/phy/kernels/equalise/equalise.ts';
import type { SlotPattern, SlotsToEqualise } from '../../../src/phy/kernels/equalise/equalise-kernel.ts';
import { PlainEqualiserKernel } from '../../../src/phy/kernels/equalise/equalise-plain.ts';
import { WasmEqualiserKernel } from '../../../src/phy/kernels/equalise/equalise-wasm.ts';
import { WasmOfdmKernel } from '../../../src/phy/kernels/ofdm/ofdm-wasm.ts';
import { NUMEROLOGIES } from '../../../src/phy/numerology.ts';
import { resourceGrid } from '../../../src/phy/resource-grid.ts';

/** Any pilots and scrambling at all: the kernels need not know those of the air interface. */
function pattern(nSubbands: number, random: RandomStream): SlotPattern {
  return {
    nSubbands,
    pilots: Array.from({ length: 14 }, () => random.integer(12)),
    turns: Uint8Array.from({ length: 64 * 11 * nSubbands }, () => random.integer(4)),
  };
}

function complexNoise(random: RandomStream, count: number): Float32Array {
  const out = new Float32Array(2 * count);
  random.addComplexNoise(out, 1);
  return out;
}

interface Shape {
  readonly nSubbands: number;
  readonly slots: number;
  readonly order: number;
  readonly symbol: number;
  readonly noiseLog: number;
}

/** Slots with a channel of random functions, some of which serve more than one slot. */
function slotsOf({ nSubbands, slots, order, symbol, noiseLog }: Shape, random: RandomStream): SlotsToEqualise {
  const sets = new Uint16Array(slots);
  for (let i = 1; i < slots; i++) sets[i] = sets[i - 1] + random.integer(2);
  const carriers = 12 * nSubbands;
  const noise = new Float32Array(4 * nSubbands * slots);
  for (let rb = 0; rb < nSubbands * slots; rb++) {
    const sigma2 = 10 ** noiseLog * (0.5 + random.uniform());
    noise.set([sigma2, 1 / sigma2, 0.3 * sigma2 * random.normal(), 1.1 / sigma2], 4 * rb);
  }
  // Any start, and some turns over all carriers.
  const angles = Array.from({ length: 28 * slots }, (_, i) => (i % 2 ? 5 / nSubbands : 9) * random.normal());
  return {
    slots,
    symbol,
    rows: complexNoise(random, carriers * 14 * slots),
    turns: Float64Array.from(angles.flatMap((a) => [Math.cos(a), Math.sin(a)])),
    order,
    nodes: complexNoise(random, carriers * order * (sets[slots - 1] + 1)),
    sets,
    weights: Float32Array.from({ length: 14 * slots * order }, () => random.normal()),
    noise,
  };
}

function run(kernel: PlainEqualiserKernel | WasmEqualiserKernel, input: SlotsToEqualise) {
  const re = 154 * kernel.nSubbands * input.slots;
  const payload = new Float32Array(2 * re + 8).fill(7);
  const snr = new Float32Array(re + 8).fill(7);
  const efficiency = new Float64Array(kernel.nSubbands * input.slots + 2).fill(7);
  const middles = new Float32Array(24 * kernel.nSubbands * input.slots + 8).fill(7);
  const power = kernel.equalise(input, payload, snr, efficiency, middles);
  return { power, payload, snr, efficiency, middles };
}

test('WebAssembly equalises like plain TypeScript, any pattern, channel, place, phase and noise', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2, 4, 6, 15, 25, 50),
      fc.integer({ min: 1, max: 14 }),
      fc.integer({ min: 1, max: 14 }),
      fc.integer({ min: 0, max: 200 }),
      fc.double({ min: -5, max: 1, noNaN: true }),
      fc.integer(),
      (nSubbands, slots, order, symbol, noiseLog, seed) => {
        const random = new RandomStream(seed);
        const shape = pattern(nSubbands, random);
        const input = slotsOf({ nSubbands, slots, order, symbol, noiseLog }, random);
        const of = run(new PlainEqualiserKernel(shape), input);
        const on = run(new WasmEqualiserKernel(shape), input);
        // Where the channel's functions nearly cancel, single precision has so much less to say.
        const scale = (i: number) => Math.max(1e-2 * Math.sqrt(order), Math.abs(i));
        const close = (a: number, b: number, most: number, what: string) =>
          assert.ok(Math.abs(a - b) <= most * scale(a), `${what}: ${a} ${b}`);
        close(of.power, on.power, 1e-5, 'power');
        let worst = 0;
        let sum = 0;
        let total = 0;
        const most = of.snr.subarray(0, -8).reduce((a, b) => Math.max(a, b), 0);
        // What lies behind the slots stays as it was.
        for (let i = 0; i < of.payload.length; i++) {
          worst = Math.max(worst, Math.abs(of.payload[i] - on.payload[i]) / Math.max(1, Math.abs(of.payload[i])));
          if (of.snr[i >> 1] < 1e-4 * most) continue;
          sum += (of.payload[i] - on.payload[i]) ** 2;
          total += of.payload[i] ** 2;
        }
        assert.ok(Math.sqrt(sum / total) < 1e-5, `payload ${Math.sqrt(sum / total)}`);
        assert.ok(worst < 1e-3, `worst RE ${worst}`);
        of.snr.forEach((v, i) => {
          assert.ok(Math.abs(v - on.snr[i]) <= 1e-5 * Math.max(v, 1e-2 * most), `snr ${i}: ${v} ${on.snr[i]}`);
        });
        of.middles.forEach((v, i) => {
          assert.ok(
            Math.abs(v - on.middles[i]) <= 1e-5 * Math.max(1, Math.abs(v)),
            `middle ${i}: ${v} ${on.middles[i]}`,
          );
        });
        of.efficiency.forEach((v, i) => {
          assert.ok(Math.abs(v - on.efficiency[i]) < 1e-5 * Math.max(1, v), `RB ${i}: ${v} ${on.efficiency[i]}`);
        });
      },
    ),
    { numRuns: 80 },
  );
});

test('a known channel, phase and scrambling are taken out: closed form', () => {
  const random = new RandomStream('closed');
  const shape = pattern(6, random);
  const slots = 11;
  const sigma2 = 0.04;
  // Two functions: the channel turns from the first to the second.
  const input = slotsOf({ nSubbands: 6, slots, order: 2, symbol: 61, noiseLog: 0 }, random);
  const sent = complexNoise(random, 154 * 6 * slots);
  for (let rb = 0; rb < 6 * slots; rb++) input.noise.set([sigma2, 1 / sigma2, 0, 1 / sigma2], 4 * rb);
  const expected = new Float32Array(sent.length);
  const middles = new Float32Array(144 * slots);
  const snrs = new Float32Array(sent.length / 2);
  const efficiency = new Float64Array(6 * slots);
  let p = 0;
  for (let slot = 0; slot < slots; slot++) {
    for (let s = 0; s < 6; s++) {
      for (let t = 0; t < 14; t++) {
        const symbol = 14 * slot + t;
        let data = 0;
        for (let k = 0; k < 12; k++) {
          if (k === shape.pilots[t]) continue;
          const c = 12 * s + k;
          const [w0, w1] = input.weights.subarray(2 * symbol);
          const node = 2 * 72 * 2 * input.sets[slot] + 2 * c;
          const hr = w0 * input.nodes[node] + w1 * input.nodes[node + 144];
          const hi = w0 * input.nodes[node + 1] + w1 * input.nodes[node + 145];
          if (t === 7) middles.set([hr, hi], 144 * slot + 2 * c);
          const turn = shape.turns[66 * ((61 + symbol) % 64) + 11 * s + data++];
          const [start, step] = [0, 2].map((i) =>
            Math.atan2(input.turns[4 * symbol + i + 1], input.turns[4 * symbol + i]),
          );
          const angle = (Math.PI / 2) * turn - start - (c < 36 ? c : c + 1) * step;
          const [xr, xi] = [sent[2 * p], sent[2 * p + 1]];
          const ar = xr * Math.cos(angle) - xi * Math.sin(angle);
          const ai = xr * Math.sin(angle) + xi * Math.cos(angle);
          const at = 2 * (72 * symbol + c);
          input.rows[at] = hr * ar - hi * ai;
          input.rows[at + 1] = hr * ai + hi * ar;
          const snr = (hr * hr + hi * hi) / sigma2;
          snrs[p] = snr;
          expected[2 * p] = (xr * snr) / (1 + snr);
          expected[2 * p + 1] = (xi * snr) / (1 + snr);
          efficiency[6 * slot + s] += Math.log2(1 + snr);
          p++;
        }
      }
    }
  }
  for (const kernel of [new PlainEqualiserKernel(shape), new WasmEqualiserKernel(shape)]) {
    const got = run(kernel, input);
    expected.forEach((v, i) => {
      assert.ok(Math.abs(got.payload[i] - v) < 2e-5 * Math.max(1, Math.abs(v)), `${i}: ${got.payload[i]} ${v}`);
    });
    for (let slot = 0; slot < slots; slot++) {
      for (let c = 0; c < 144; c++) {
        // Nothing is said of pilot carriers, where no data RE gives the channel.
        if (c >> 1 === 12 * Math.floor(c / 24) + shape.pilots[7]) continue;
        const i = 144 * slot + c;
        assert.ok(Math.abs(got.middles[i] - middles[i]) < 1e-5, `middle ${i}: ${got.middles[i]} ${middles[i]}`);
      }
    }
    snrs.forEach((v, i) => {
      assert.ok(Math.abs(got.snr[i] - v) < 1e-4 * Math.max(0.1, v), `snr ${i}`);
    });
    efficiency.forEach((v, i) => {
      assert.ok(Math.abs(got.efficiency[i] - v) < 1e-3, `RB ${i}`);
    });
  }
});

test('soft bits of control symbols: QPSK over a channel, closed form; both kernels alike, any number of symbols', () => {
  const random = new RandomStream('control');
  for (const [nSubbands, count, own] of [
    [4, 20, false],
    [4, 400, true],
    [15, 100, true],
    [50, 3, false],
    [50, 30, false],
    [1, 701, true],
  ] as const) {
    const shape = pattern(nSubbands, random);
    const row = 24 * nSubbands;
    const symbol = random.integer(90);
    const channel = complexNoise(random, (own ? count : 1) * 12 * nSubbands);
    const weights = channel.map((v, i) => (i % 2 ? -7 * v : 7 * v));
    const pilots = Uint32Array.from({ length: count }, () => random.integer(12));
    const phases = Float64Array.from({ length: count }, () => 9 * random.normal());
    const rows = complexNoise(random, count * 12 * nSubbands);
    const expected = new Float32Array(22 * nSubbands * count);
    for (let t = 0, at = 0; t < count; t++) {
      for (let c = 0, data = 0; c < row; c += 2) {
        if ((c % 24) / 2 === pilots[t]) continue;
        const [sr, si] = [1 - 2 * random.integer(2), 1 - 2 * random.integer(2)];
        const angle = phases[t] + (Math.PI / 2) * shape.turns[11 * nSubbands * ((symbol + t) % 64) + data++];
        const xr = sr * Math.cos(angle) - si * Math.sin(angle);
        const xi = sr * Math.sin(angle) + si * Math.cos(angle);
        const [hr, hi] = channel.subarray((own ? row * t : 0) + c);
        rows[row * t + c] = hr * xr - hi * xi;
        rows[row * t + c + 1] = hr * xi + hi * xr;
        expected[at++] = 7 * sr * (hr * hr + hi * hi);
        expected[at++] = 7 * si * (hr * hr + hi * hi);
      }
    }
    for (const kernel of [new PlainEqualiserKernel(shape), new WasmEqualiserKernel(shape)]) {
      const llr = new Float32Array(expected.length + 4).fill(5);
      kernel.controlLlrs({ count, symbol, rows, weights, phases, pilots }, llr);
      expected.forEach((v, i) => {
        assert.ok(Math.abs(llr[i] - v) < 2e-5 * Math.max(1, Math.abs(v)), `${i}: ${llr[i]} ${v}`);
      });
      assert.ok(llr.subarray(-4).every((v) => v === 5));
    }
  }
});

test('rows in the memory of an OFDM kernel are read there, also after it has grown', () => {
  for (const n of NUMEROLOGIES) {
    const random = new RandomStream(`held/${n.id}`);
    const { slotPattern, transmitPattern } = resourceGrid(n);
    const held = new WasmOfdmKernel(n.fftSize, n.nCarriers);
    const there = new WasmEqualiserKernel(slotPattern, held.memory);
    const apart = new WasmEqualiserKernel(slotPattern);
    const { pilots: offsets, pilotValues: values } = transmitPattern;
    for (const slots of [3, 100, 20]) {
      const { rows, pilots } = held.hold({ offsets, values }, 14 * slots);
      const input = slotsOf({ nSubbands: n.nSubbands, slots, order: 2, symbol: 40, noiseLog: -1 }, random);
      rows.set(input.rows);
      pilots.fill(3);
      assert.deepEqual(run(there, { ...input, rows }), run(apart, input));
      // Neither kernel writes on what the other one holds.
      assert.deepEqual(rows, input.rows);
      assert.ok(pilots.every((v) => v === 3));
    }
  }
});

test('a channel of nothing gives nothing, and an endless SNR stays finite', () => {
  const random = new RandomStream('edges');
  const shape = pattern(2, random);
  for (const kernel of [new PlainEqualiserKernel(shape), new WasmEqualiserKernel(shape)]) {
    for (const level of [0, 1e6]) {
      const input = slotsOf({ nSubbands: 2, slots: 3, order: 1, symbol: 0, noiseLog: 0 }, random);
      for (const array of [input.rows, input.nodes]) array.fill(level);
      input.weights.fill(1);
      for (let rb = 0; rb < 6; rb++) input.noise.set([1e-30, 1e30, 0, 1e30], 4 * rb);
      const { payload, efficiency } = run(kernel, input);
      assert.ok(payload.subarray(0, -8).every((v) => Number.isFinite(v) && Math.abs(v) <= 1.001));
      // 154 RE at the SNR that counts as no more.
      const most = level === 0 ? 0 : 154 * Math.log2(1e12);
      for (const v of efficiency.subarray(0, 6)) assert.ok(Math.abs(v - most) < 0.01, `${v}`);
    }
  }
});

test('what the memory of the kernel does not hold is refused', () => {
  const random = new RandomStream('refused');
  assert.throws(() => new WasmEqualiserKernel(pattern(51, random)), RangeError);
  assert.throws(() => new WasmEqualiserKernel({ ...pattern(4, random), turns: new Uint8Array(10) }), RangeError);
  const input = slotsOf({ nSubbands: 4, slots: 1, order: 15, symbol: 0, noiseLog: 0 }, random);
  assert.throws(() => run(new WasmEqualiserKernel(pattern(4, random)), input), RangeError);
});

test('the kernel of the product is the fast one', () => {
  const expected = process.env.SCT_KERNELS === 'js' ? PlainEqualiserKernel : WasmEqualiserKernel;
  assert.equal(makeEqualiser(pattern(1, new RandomStream('which'))).constructor, expected);
});
