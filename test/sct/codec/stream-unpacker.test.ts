import assert from 'node:assert/strict';
import test from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { emptyPlanes, meanPower, receivedLength } from '../../../src/sct/codec/analog-stream.ts';
import { StreamUnpacker } from '../../../src/sct/codec/stream-unpacker.ts';
import { type SymbolOrder, symbolOrder } from '../../../src/sct/codec/symbol-order.ts';

const GRID = { rows: 2, columns: 3 };
const CELLS = Uint32Array.of(1, 3, 4);
const K = Uint8Array.of(4, 0, 8);
const CLASSES = [3, 0, 5];
const SFV = { cells: CELLS, classes: CLASSES, k: K };
/** One for all tests: what it did before must not show. */
const unpacker = new StreamUnpacker();

function symbolsOf(seed: number): Float32Array {
  const random = new RandomStream(seed);
  return Float32Array.from({ length: 384 * 6 }, () => random.normal());
}

/** An SFV's symbols in their order on the air. */
function packed(z: Float32Array, { cell, index }: SymbolOrder): Float32Array {
  const out = new Float32Array(2 * cell.length);
  for (let p = 0; p < cell.length; p++) {
    for (const part of [0, 1]) out[2 * p + part] = z[(2 * index[p] + part) * 6 + CELLS[cell[p]]];
  }
  return out;
}

const near = (a: number, b: number, tolerance: number, what: string) =>
  assert.ok(Math.abs(a - b) <= tolerance, `${what}: ${a} ${b}`);

test('without noise the symbols come back in their places, other cells stay empty', () => {
  const z = symbolsOf(1);
  const order = symbolOrder(K, CLASSES, 12);
  const symbolsReIm = packed(z, order);
  near(meanPower(symbolsReIm), 2, 1.5, 'power of normal re and im');
  const planes = emptyPlanes(GRID);
  const snrDb = new Float32Array(12).fill(60);
  const figures = unpacker.unpack({ symbolsReIm, snrDb }, SFV, 1, planes);
  assert.equal(figures.arrived, 12);
  near(figures.snrDb!, 60, 1e-3, 'SNR');
  let filled = 0;
  for (let cell = 0; cell < 6; cell++) {
    const k = K[CELLS.indexOf(cell)] ?? 0;
    assert.equal(planes.symbols[cell], k);
    assert.equal(planes.snrDb[cell], k > 0 ? 30 : -10); // the bounds of f_d
    for (let channel = 0; channel < 384; channel++) {
      const at = channel * 6 + cell;
      const expected = channel < 2 * k ? z[at] : 0;
      near(planes.received[at], expected, 1e-5, `channel ${channel} cell ${cell}`);
      if (expected !== 0) filled++;
    }
  }
  assert.equal(filled, 24);
  assert.ok(planes.damage.every((d) => d === 0));
});

test('repeated symbols are combined by maximum ratio, and SNRs of a cell by capacity', () => {
  const z = symbolsOf(2);
  const order = symbolOrder(K, CLASSES, 24); // each symbol twice
  const x = packed(z, order);
  const random = new RandomStream(3);
  const snr = Float32Array.from({ length: 24 }, (_, p) => (p % 3 === 0 ? 2 : 8));
  const noisy = x.map((v, i) => v + 0.3 * random.normal() * (snr[i >> 1] > 5 ? 0.5 : 1));
  const r = noisy.map((v, i) => (v * snr[i >> 1]) / (1 + snr[i >> 1]));
  const planes = emptyPlanes(GRID);
  unpacker.unpack({ symbolsReIm: r, snrDb: snr.map((s) => 10 * Math.log10(s)) }, SFV, 1, planes);
  for (const [i, cell] of CELLS.entries()) {
    let bits = 0;
    for (let index = 0; index < K[i]; index++) {
      let sum = 0;
      let weighted = 0;
      for (let p = 0; p < 24; p++) {
        if (order.cell[p] !== i || order.index[p] !== index) continue;
        sum += snr[p];
        weighted += snr[p] * noisy[2 * p];
      }
      near(planes.received[2 * index * 6 + cell], weighted / sum / (1 + 1 / sum), 1e-5, 'MMSE of the weighted mean');
      bits += Math.log2(1 + sum);
    }
    if (K[i] > 0) near(planes.snrDb[cell], 10 * Math.log10(2 ** (bits / K[i]) - 1), 1e-4, 'SNR');
  }
});

test("unit power of a stream is undone exactly: the planes are those of a noisier stream at the picture's scale", () => {
  const z = symbolsOf(4);
  const order = symbolOrder(K, CLASSES, 12);
  const x = packed(z, order);
  const ratio = 0.5;
  const snr = 10 ** 0.4;
  const random = new RandomStream(5);
  const noise = x.map(() => Math.sqrt(1 / (2 * snr)) * random.normal());
  const of = (symbols: Float32Array, s: number, r: number) => {
    const planes = emptyPlanes(GRID);
    const snrDb = new Float32Array(12).fill(10 * Math.log10(s));
    unpacker.unpack({ symbolsReIm: symbols.map((v) => (v * s) / (1 + s)), snrDb }, SFV, r, planes);
    return planes;
  };
  const own = of(
    x.map((v, i) => v / ratio + noise[i]),
    snr,
    ratio,
  );
  const common = of(
    x.map((v, i) => v + ratio * noise[i]),
    snr / ratio ** 2,
    1,
  );
  for (const [i, v] of own.received.entries()) near(v, common.received[i], 1e-5, 'symbol');
  for (const [i, v] of own.snrDb.entries()) near(v, common.snrDb[i], 1e-4, 'SNR');
});

test('lost, faint and absurd symbols are damage, not numbers', () => {
  const order = symbolOrder(K, CLASSES, 12);
  const symbolsReIm = packed(symbolsOf(6), order);
  const snrDb = new Float32Array(12).fill(10);
  const first = order.cell.indexOf(0); // a place of the cell with 4 symbols
  for (const [value, snr] of [
    [1, Number.NEGATIVE_INFINITY],
    [1, Number.NaN],
    [1, -17],
    [Number.NaN, 10],
    [1e30, 10],
  ]) {
    const planes = emptyPlanes(GRID);
    const bad = { symbolsReIm: Float32Array.from(symbolsReIm), snrDb: Float32Array.from(snrDb) };
    bad.symbolsReIm[2 * first] = value;
    bad.snrDb[first] = snr;
    unpacker.unpack(bad, SFV, 1, planes);
    near(planes.damage[1], 1 / 4, 1e-7, `${value} at ${snr} dB`);
    assert.equal(planes.damage[4], 0);
    assert.ok(planes.received.every((v) => Math.abs(v) < 10) && planes.snrDb.every(Number.isFinite));
  }
  const noisy = emptyPlanes(GRID);
  unpacker.unpack({ symbolsReIm, snrDb: snrDb.map(() => -15) }, SFV, 1, noisy);
  assert.ok(noisy.damage.every((d) => d === 0)); // noise alone is no damage
  const none = emptyPlanes(GRID);
  const gone = { symbolsReIm, snrDb: snrDb.map(() => Number.NEGATIVE_INFINITY) };
  assert.deepEqual(unpacker.unpack(gone, SFV, 1, none), { arrived: 0, snrDb: null });
  assert.deepEqual([...none.damage], [0, 1, 0, 0, 1, 0]); // a cell without symbols has none to lose
  assert.ok(none.received.every((v) => v === 0));
});

test('memory that is used again starts empty', () => {
  const received = new Float32Array(receivedLength(GRID)).fill(3);
  assert.deepEqual(emptyPlanes(GRID, received), emptyPlanes(GRID));
  const order = symbolOrder(K, CLASSES, 12);
  const stream = { symbolsReIm: packed(symbolsOf(7), order), snrDb: new Float32Array(12).fill(3) };
  const large = { cells: Uint32Array.of(0, 2, 3, 4, 5), classes: [1, 1, 2, 2, 2], k: Uint8Array.of(8, 8, 12, 12, 2) };
  const wide = { symbolsReIm: new Float32Array(84).fill(0.7), snrDb: new Float32Array(42).fill(1) };
  const [alone, after] = [emptyPlanes(GRID), emptyPlanes(GRID)];
  const first = new StreamUnpacker().unpack(stream, SFV, 0.8, alone);
  unpacker.unpack(wide, large, 1.2, emptyPlanes(GRID));
  assert.deepEqual(unpacker.unpack(stream, SFV, 0.8, after), first);
  assert.deepEqual(after, alone);
});
