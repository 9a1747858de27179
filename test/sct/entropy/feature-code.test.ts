import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { FeatureCoder } from '../../../src/sct/entropy/feature-code.ts';
import { dequantise, quantise, quantisedQuality, quantiserSteps } from '../../../src/sct/entropy/quantise.ts';
import { RANS_FLUSH_BYTES } from '../../../src/sct/entropy/rans.ts';
import { drawClasses, drawSymbols, syntheticTables } from './synthetic-tables.ts';

const tables = syntheticTables();
const coder = new FeatureCoder(tables);
const ROWS = 9;
const COLUMNS = 11;
const classMap = { rows: ROWS, columns: COLUMNS, data: drawClasses(ROWS, COLUMNS, false, new RandomStream('classes')) };

/** Some cells in some order, as an SFV has them. */
const cellSets = fc.uniqueArray(fc.integer({ min: 0, max: ROWS * COLUMNS - 1 }), { minLength: 1, maxLength: 40 });
const levels = fc.integer({ min: 0, max: tables.levels - 1 });

test('symbols of any size come back; the bytes are as many as the tables say', () => {
  fc.assert(
    fc.property(cellSets, levels, fc.integer(), (cells, level, seed) => {
      const layout = { cells, level, classMap };
      const symbols = drawSymbols(tables, classMap.data, cells, level, new RandomStream(seed));
      symbols[seed % 2 ? symbols.length - 1 : 0] = seed % 3 ? 32767 : -32767;
      const bytes = coder.encode(layout, symbols);
      assert.deepEqual(coder.decode(layout, bytes), { ok: true, value: symbols });
      const excess = bytes.length - RANS_FLUSH_BYTES - coder.bits(layout, symbols) / 8;
      assert.ok(excess > -2 && excess < 0.02 + 1e-3 * bytes.length, `${excess} bytes`);
    }),
  );
});

test('a picture drawn from the tables is coded within 0.1 % of sum -log2(frequency / 65536)', () => {
  const map = { rows: 32, columns: 48, data: drawClasses(32, 48, true, new RandomStream('picture')) };
  const cells = [...map.data.keys()];
  for (const level of [0, 7, 13]) {
    const symbols = drawSymbols(tables, map.data, cells, level, new RandomStream(`level ${level}`));
    const bits = cells.reduce((sum, cell, i) => {
      for (let c = 0; c < tables.channels; c++) {
        const { low, frequencies } =
          tables.cdfTables[tables.tableOf[(level * 16 + map.data[cell]) * tables.channels + c]];
        const at = symbols[i * tables.channels + c] - low;
        const last = frequencies.length - 1;
        const beyond = at < 0 ? -at : at - last + 1;
        sum -= Math.log2(frequencies[at >= 0 && at < last ? at : last] / 65536);
        if (at < 0 || at >= last) sum += 2 + 2 * Math.floor(Math.log2(beyond));
      }
      return sum;
    }, 0);
    const bytes = coder.encode({ cells, level, classMap: map }, symbols).length;
    assert.ok(
      Math.abs((bytes - RANS_FLUSH_BYTES) * 8 - bits) < 8 + 0.001 * bits,
      `${bytes} bytes, ${bits / 8} by the tables`,
    );
  }
});

test('no context crosses an SFV: what stands in other cells changes neither bytes nor symbols', () => {
  const cells = [3, 4, 5, 14, 15, 16];
  const symbols = drawSymbols(tables, classMap.data, cells, 5, new RandomStream('alone'));
  const other = { ...classMap, data: classMap.data.map((c, i) => (cells.includes(i) ? c : 15 - c)) };
  const bytes = coder.encode({ cells, level: 5, classMap }, symbols);
  assert.deepEqual(coder.encode({ cells, level: 5, classMap: other }, symbols), bytes);
  assert.deepEqual(coder.decode({ cells, level: 5, classMap: other }, bytes), { ok: true, value: symbols });
});

test('fuzz: random, truncated, lengthened and flipped bytes end in a typed answer', () => {
  const random = new RandomStream('fuzz');
  let taken = 0;
  for (let i = 0; i < 3000; i++) {
    const cells = [...classMap.data.keys()].slice(0, 1 + random.integer(12));
    const layout = { cells, level: random.integer(tables.levels), classMap };
    const symbols = drawSymbols(tables, classMap.data, cells, layout.level, random);
    let bytes = coder.encode(layout, symbols);
    const kind = i % 4;
    if (kind === 0) bytes = random.bytes(random.integer(80));
    else if (kind === 1) bytes = bytes.slice(0, random.integer(bytes.length));
    else if (kind === 2) bytes = Uint8Array.from([...bytes, ...random.bytes(1 + random.integer(3))]);
    else bytes[random.integer(bytes.length)] ^= 1 << random.integer(8);
    const result = coder.decode(layout, bytes);
    if (result.ok) {
      taken++;
      assert.equal(result.value.length, cells.length * tables.channels);
    } else assert.match(result.reason, /symbol \d+ is out of range|ends within embedding|does not end where/);
  }
  assert.ok(taken <= 2, `${taken} of 3000 damaged streams passed the check of 23 bits`);
});

test('a layout that no parser lets through is a programming error', () => {
  const symbols = new Int16Array(tables.channels);
  assert.throws(() => coder.encode({ cells: [0], level: 14, classMap }, symbols), /level 14/);
  assert.throws(() => coder.encode({ cells: [99], level: 1, classMap }, symbols), /outside the grid/);
  assert.throws(() => coder.encode({ cells: [0, 1], level: 1, classMap }, symbols), /12 symbols for 2 embeddings/);
  const wild = { ...classMap, data: classMap.data.map(() => 16) };
  assert.throws(() => coder.decode({ cells: [0], level: 1, classMap: wild }, new Uint8Array(9)), /class 16/);
});

test('quantise: weighing bits costs fewer of them and never does worse in error plus weight x bits', () => {
  const random = new RandomStream('rate-distortion');
  const { channels } = tables;
  const data = Float32Array.from({ length: channels * ROWS * COLUMNS }, () => 0.4 * random.normal());
  const y = { channels, rows: ROWS, columns: COLUMNS, widthPx: 16 * COLUMNS, heightPx: 16 * ROWS, data };
  const layout = { cells: [...classMap.data.keys()], level: 9, classMap };
  const step = quantiserSteps(tables, 9)[0];
  const cost = (q: Int16Array, weight: number) => {
    const error = q.reduce((sum, s, at) => {
      const place = (at % channels) * ROWS * COLUMNS + Math.floor(at / channels);
      return sum + (data[place] / step - s) ** 2;
    }, 0);
    return error + weight * coder.bits(layout, q);
  };
  const plain = coder.quantise(layout, y, 0);
  assert.deepEqual(plain, quantise(y, layout.cells, 9, tables));
  for (const weight of [0.02, 0.07, 0.3]) {
    const weighed = coder.quantise(layout, y, weight);
    assert.ok(coder.bits(layout, weighed) < coder.bits(layout, plain));
    assert.ok(cost(weighed, weight) < cost(plain, weight));
    assert.ok(weighed.every((s, i) => Math.abs(plain[i] - s) <= 1 && Math.abs(s) <= Math.abs(plain[i])));
  }
});

test('receiver noise of 1e-3 on every float table changes no decoded integer', () => {
  const random = new RandomStream('noise');
  const shake = <T extends Float32Array | Float64Array>(a: T): T => {
    const out = a.slice() as T;
    for (let i = 0; i < out.length; i++) out[i] += random.integer(2) ? 1e-3 : -1e-3;
    return out;
  };
  const noisy = new FeatureCoder({
    ...tables,
    theta0: tables.theta0 + 1e-3,
    activityEdges: shake(tables.activityEdges),
    variance: shake(tables.variance),
    stepBase: shake(tables.stepBase),
  });
  const cells = [...classMap.data.keys()];
  for (let level = 0; level < tables.levels; level++) {
    const layout = { cells, level, classMap };
    const symbols = drawSymbols(tables, classMap.data, cells, level, random);
    assert.deepEqual(noisy.decode(layout, coder.encode(layout, symbols)), { ok: true, value: symbols });
  }
});

test('quantise: the nearest multiple of the step comes back in the cells asked for; NaN and overflow are refused', () => {
  const random = new RandomStream('quantise');
  const shape = { channels: 12, rows: 2, columns: 3, widthPx: 48, heightPx: 32 };
  const y = { ...shape, data: Float32Array.from({ length: 72 }, () => 2 * random.normal()) };
  const out = { ...shape, data: new Float32Array(72).fill(Number.NaN) };
  const cells = [5, 0, 2];
  dequantise(quantise(y, cells, 4, tables), cells, 4, tables, out);
  const step = quantiserSteps(tables, 4)[0];
  assert.ok(Math.abs(step - 0.03 * 2 ** (4 / 3)) < 1e-8);
  for (let i = 0; i < 72; i++) {
    if (cells.includes(i % 6)) assert.ok(Math.abs(out.data[i] - y.data[i]) <= step / 2 + 1e-6);
    else assert.ok(Number.isNaN(out.data[i]));
  }
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 2000]) {
    y.data[2] = bad;
    assert.throws(() => quantise(y, cells, 0, tables), UsageError);
  }
  const [flat, , busy] = quantisedQuality(tables, 13).filter((_, k) => k % 7 === 0);
  assert.ok(flat < busy, 'a busier class has more error at the same step');
  assert.ok(quantisedQuality(tables, 12)[8] > quantisedQuality(tables, 11)[8]);
  assert.deepEqual(
    quantisedQuality(tables, 13),
    quantisedQuality(tables, 12),
    'g_s is told no larger error than it knows',
  );
});
