import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { tailQ } from '../../../src/experiment/bench/ldpc/ldpc-simulation.ts';
import { LEAST_NOISE_VARIANCE } from '../../../src/phy/kernels/demap/demap-kernel.ts';
import {
  MODULATION_ORDERS,
  type ModulationOrder,
  mapBits,
  mapBitsMixed,
  modulationName,
  requireModulationOrder,
} from '../../../src/phy/modulation/qam.ts';
import { softDemap, softDemapMixed } from '../../../src/phy/modulation/soft-demapper.ts';

/** TS 38.211 §5.1.3 to §5.1.6, written out. */
function specification(b: number[]): [number, number] {
  const s = b.map((x) => 1 - 2 * x);
  if (b.length === 2) return [s[0] / Math.sqrt(2), s[1] / Math.sqrt(2)];
  if (b.length === 4) return [(s[0] * (2 - s[2])) / Math.sqrt(10), (s[1] * (2 - s[3])) / Math.sqrt(10)];
  if (b.length === 6) {
    return [(s[0] * (4 - s[2] * (2 - s[4]))) / Math.sqrt(42), (s[1] * (4 - s[3] * (2 - s[5]))) / Math.sqrt(42)];
  }
  return [
    (s[0] * (8 - s[2] * (4 - s[4] * (2 - s[6])))) / Math.sqrt(170),
    (s[1] * (8 - s[3] * (4 - s[5] * (2 - s[7])))) / Math.sqrt(170),
  ];
}

/** All points of a constellation: bits (first one most significant) and place. */
function points(qm: ModulationOrder): { bits: number[]; at: [number, number] }[] {
  return Array.from({ length: 2 ** qm }, (_, index) => {
    const bits = Array.from({ length: qm }, (_, k) => (index >> (qm - 1 - k)) & 1);
    return { bits, at: specification(bits) };
  });
}

test('mapping is that of TS 38.211 §5.1 with unit mean power', () => {
  for (const qm of MODULATION_ORDERS) {
    const all = points(qm);
    const bits = Uint8Array.from(all.flatMap((p) => p.bits));
    const symbols = new Float32Array(2 * all.length + 2);
    mapBits(bits, qm, all.length, symbols, 0, 1);
    let power = 0;
    all.forEach((p, i) => {
      // Float32 holds 24 bits.
      assert.ok(Math.abs(symbols[2 * i + 2] - p.at[0]) < 1e-6 && Math.abs(symbols[2 * i + 3] - p.at[1]) < 1e-6);
      power += symbols[2 * i + 2] ** 2 + symbols[2 * i + 3] ** 2;
    });
    assert.ok(Math.abs(power / all.length - 1) < 1e-6);
  }
});

test('the demapper equals brute-force max-log everywhere, outside the constellation too', () => {
  const random = new RandomStream('maxlog');
  for (const qm of MODULATION_ORDERS) {
    const all = points(qm);
    const count = 400;
    const symbols = Float32Array.from({ length: 2 * count }, (_, i) => (i % 50 === 0 ? 9 : 1.3) * random.normal());
    const variance = Float32Array.from({ length: count }, () => random.between(0.01, 2));
    const llr = new Float32Array(count * qm);
    softDemap(symbols, variance, qm, count, llr);
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < qm; k++) {
        const nearest = [0, 1].map((bit) =>
          Math.min(
            ...all
              .filter((p) => p.bits[k] === bit)
              .map((p) => (symbols[2 * i] - p.at[0]) ** 2 + (symbols[2 * i + 1] - p.at[1]) ** 2),
          ),
        );
        const expected = (nearest[1] - nearest[0]) / variance[i];
        const tolerance = 2e-5 * (1 + Math.abs(expected) + nearest[0] / variance[i]);
        assert.ok(
          Math.abs(llr[i * qm + k] - expected) < tolerance,
          `Qm ${qm} bit ${k}: ${llr[i * qm + k]} ${expected}`,
        );
      }
    }
  }
});

/**
 * Mean bit error rate of Gray square QAM on AWGN [Cho & Yoon 2002] eq. 14 and 16, by Es/N0; erfc(x) = 2 Q(x sqrt 2).
 */
function uncodedBer(qm: ModulationOrder, esN0: number): number {
  const side = 2 ** (qm / 2);
  const axisBits = qm / 2;
  let sum = 0;
  for (let k = 1; k <= axisBits; k++) {
    let p = 0;
    for (let i = 0; i < (1 - 2 ** -k) * side; i++) {
      const t = Math.floor((i * 2 ** (k - 1)) / side);
      const factor = (t % 2 === 0 ? 1 : -1) * (2 ** (k - 1) - Math.floor((i * 2 ** (k - 1)) / side + 0.5));
      p += factor * 2 * tailQ((2 * i + 1) * Math.sqrt((3 * esN0) / (side * side - 1)));
    }
    sum += p / side;
  }
  return sum / axisBits;
}

test('uncoded hard decisions have the closed-form bit error rate', () => {
  const random = new RandomStream('ber');
  for (const [qm, esN0Db] of [
    [2, 6],
    [4, 12],
    [6, 17],
    [8, 22],
  ] as [ModulationOrder, number][]) {
    const count = 60_000;
    const variance = 10 ** (-esN0Db / 10);
    const bits = Uint8Array.from({ length: count * qm }, () => random.uint32() >>> 31);
    const symbols = new Float32Array(2 * count);
    mapBits(bits, qm, count, symbols);
    random.addComplexNoise(symbols, variance);
    const llr = new Float32Array(count * qm);
    softDemap(symbols, new Float32Array(count).fill(variance), qm, count, llr);
    let errors = 0;
    for (let i = 0; i < bits.length; i++) if (llr[i] < 0 !== (bits[i] === 1)) errors++;
    const expected = uncodedBer(qm, 10 ** (esN0Db / 10));
    const sigma = Math.sqrt((expected * (1 - expected)) / bits.length);
    // Errors of one symbol are nearly independent between axes and bits: 4.5 sigma.
    assert.ok(
      Math.abs(errors / bits.length - expected) < 4.5 * sigma,
      `Qm ${qm}: ${errors / bits.length}, ${expected}`,
    );
    assert.ok(errors > 300);
  }
});

test('LLRs are calibrated: P(bit = 1) = 1/(1 + exp(LLR)) for QPSK, where max-log is exact', () => {
  const random = new RandomStream('calibration');
  const count = 100_000;
  const bits = Uint8Array.from({ length: 2 * count }, () => random.uint32() >>> 31);
  const symbols = new Float32Array(2 * count);
  mapBits(bits, 2, count, symbols);
  random.addComplexNoise(symbols, 1);
  const llr = new Float32Array(2 * count);
  softDemap(symbols, new Float32Array(count).fill(1), 2, count, llr);
  for (const centre of [-2, -1, 0, 1, 2]) {
    let n = 0;
    let ones = 0;
    let expected = 0;
    for (let i = 0; i < llr.length; i++) {
      if (Math.abs(llr[i] - centre) > 0.25) continue;
      n++;
      ones += bits[i];
      expected += 1 / (1 + Math.exp(llr[i]));
    }
    assert.ok(
      Math.abs(ones - expected) < 4 * Math.sqrt(n) * 0.5,
      `LLR ${centre}: ${ones} of ${n}, expected ${expected}`,
    );
  }
});

test('mixed orders map and demap in place, unused symbols stay untouched', () => {
  const qm = Uint8Array.of(2, 2, 0, 6, 8, 8, 4, 0, 2);
  const total = 32;
  const random = new RandomStream('mixed');
  const bits = Uint8Array.from({ length: total }, () => random.uint32() >>> 31);
  const symbols = new Float32Array(2 * qm.length).fill(5);
  assert.equal(mapBitsMixed(bits, qm, symbols), total);
  assert.deepEqual([symbols[4], symbols[5], symbols[14], symbols[15]], [5, 5, 5, 5]);
  const llr = new Float32Array(total);
  assert.equal(softDemapMixed(symbols, new Float32Array(qm.length).fill(10), qm, llr), total);
  assert.deepEqual(
    [...llr].map((x) => (x < 0 ? 1 : 0)),
    [...bits],
  );
});

test('erased, broken and noiseless symbols stay harmless; unknown orders are refused', () => {
  const llr = new Float32Array(8);
  softDemap(Float32Array.of(0.4, -7), Float32Array.of(Number.POSITIVE_INFINITY), 8, 1, llr);
  assert.ok(llr.every((x) => x === 0));
  softDemap(Float32Array.of(0.3, 0.3), Float32Array.of(Number.NaN), 2, 1, llr);
  assert.ok(Number.isNaN(llr[0]) && Number.isNaN(llr[1]));
  softDemap(Float32Array.of(0.7, -0.7), Float32Array.of(0), 2, 1, llr);
  assert.ok(Number.isFinite(llr[0]) && llr[0] > 1 && llr[1] < -1 && LEAST_NOISE_VARIANCE > 0);
  assert.throws(() => requireModulationOrder(3), /allowed 2, 4, 6 and 8/);
  assert.throws(() => mapBits(new Uint8Array(3), 2, 2, new Float32Array(4)), /needs more bits/);
  assert.throws(() => softDemap(new Float32Array(4), new Float32Array(1), 2, 2, llr), /needs more symbols/);
  assert.deepEqual(MODULATION_ORDERS.map(modulationName), ['QPSK', '16-QAM', '64-QAM', '256-QAM']);
});
