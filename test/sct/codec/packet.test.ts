import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import type { ByteRange } from '../../../src/sct/codec/codec.ts';
import { decodePacket } from '../../../src/sct/codec/packet-decode.ts';
import { fitPacket, leastPacketBytes } from '../../../src/sct/codec/packet-fit.ts';
import { interleavedCells, packetLayout, segmentCount } from '../../../src/sct/codec/packet-layout.ts';
import { FeatureCoder } from '../../../src/sct/entropy/feature-code.ts';
import type { FeatureMap } from '../../../src/sct/semantics/feature-map.ts';
import { drawClasses, syntheticTables } from '../entropy/synthetic-tables.ts';

const ROWS = 24;
const COLUMNS = 32;
const AREA = ROWS * COLUMNS;
const tables = syntheticTables(24, 24, [0, 2]);
const coder = new FeatureCoder(tables);
const classMap = { rows: ROWS, columns: COLUMNS, data: drawClasses(ROWS, COLUMNS, true, new RandomStream('classes')) };
const random = new RandomStream('features');
const y = emptyMap();
for (let i = 0; i < y.data.length; i++) {
  const sd = Math.sqrt(tables.variance[classMap.data[i % AREA] * tables.channels + Math.floor(i / AREA)]);
  y.data[i] = sd * random.normal();
}
const sfv = Uint32Array.from(classMap.data.keys()).filter((at) => at % COLUMNS > 4 && at > 3 * COLUMNS);
const source = (cells: Uint32Array) => ({ cells: interleavedCells(cells, COLUMNS), classMap, y });

function emptyMap(): FeatureMap {
  const data = new Float32Array(tables.channels * AREA).fill(Number.NaN);
  return { channels: tables.channels, rows: ROWS, columns: COLUMNS, widthPx: 512, heightPx: 384, data };
}

function decoded(payload: Uint8Array, cells: Uint32Array, level: number, missing: ByteRange[] = []) {
  const yHat = emptyMap();
  const arrived = decodePacket({ payload, missing }, cells, classMap, level, coder, tables, yHat);
  return { yHat, arrived };
}

test('the order of cells is a permutation, and near cells go to different segments', () => {
  const cells = interleavedCells(sfv, COLUMNS);
  assert.deepEqual(
    Uint32Array.from(cells).sort((a, b) => a - b),
    sfv,
  );
  for (const bytes of [1024, 2048, 5120]) {
    const segments = packetLayout(cells, classMap, 10, bytes, tables);
    const of = new Map<number, number>();
    segments.forEach((s, i) => {
      for (const at of s.cells) of.set(at, i);
    });
    let alike = 0;
    let pairs = 0;
    for (const at of sfv) {
      for (const next of [at + 1, at + COLUMNS]) {
        if (!of.has(next) || (next === at + 1 && next % COLUMNS === 0)) continue;
        pairs++;
        if (of.get(at) === of.get(next)) alike++;
      }
    }
    // Runs of rows would have all but a few pairs alike, chance 1 / segments.
    assert.ok(
      alike / pairs < 1 / segments.length,
      `${alike} of ${pairs} neighbours alike in ${segments.length} segments`,
    );
  }
});

test('segments cover bytes and cells exactly once, whatever the length', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 1, max: sfv.length }),
      fc.integer({ min: 0, max: 23 }),
      (bytes, count, level) => {
        const cells = interleavedCells(sfv.slice(0, count), COLUMNS);
        const segments = packetLayout(cells, classMap, level, bytes, tables);
        assert.equal(segments.length, segmentCount(bytes, count));
        let at = 0;
        for (const { bytes: range } of segments) {
          assert.equal(range.from, at);
          assert.ok(range.to >= range.from);
          at = range.to;
        }
        assert.equal(at, bytes);
        const all = Uint32Array.from(segments.flatMap((s) => [...s.cells]));
        assert.deepEqual(
          all.sort((a, b) => a - b),
          sfv.slice(0, count),
        );
      },
    ),
    { numRuns: 60 },
  );
});

test('a packet is as long as its grant, full to within 2 %, and decodes to within half a step or what zero leaves', () => {
  const { cells } = source(sfv);
  const least = leastPacketBytes(source(sfv), coder, tables);
  let errorBefore = Number.POSITIVE_INFINITY;
  for (const bytes of [least, 200, 333, 500, 1000, 1777, 3000]) {
    const packet = fitPacket(source(sfv), bytes, coder, tables)!;
    assert.equal(packet.payload.length, bytes);
    assert.ok(packet.codeBytes <= bytes);
    if (bytes > least) assert.ok(packet.codeBytes >= 0.98 * bytes, `${packet.codeBytes} of ${bytes}`);
    const { yHat, arrived } = decoded(packet.payload, cells, packet.level);
    assert.equal(arrived.length, sfv.length);
    let error = 0;
    for (const at of sfv) {
      for (let c = 0; c < tables.channels; c++) error += (yHat.data[c * AREA + at] - y.data[c * AREA + at]) ** 2;
    }
    assert.ok(error < errorBefore, `${bytes} bytes: error ${error}, less had ${errorBefore}`);
    errorBefore = error;
    const inside = new Set(sfv);
    assert.ok(
      yHat.data.every((v, i) => Number.isNaN(v) !== inside.has(i % AREA)),
      'writes its own cells and no other',
    );
  }
  assert.equal(fitPacket(source(sfv), 3, coder, tables), undefined);
});

test('more bytes than the finest level takes are zeros at the end, and decode', () => {
  const few = sfv.slice(0, 3);
  const packet = fitPacket(source(few), 3000, coder, tables)!;
  assert.equal(packet.level, 0);
  assert.ok(packet.codeBytes < 2000);
  assert.equal(decoded(packet.payload, interleavedCells(few, COLUMNS), 0).arrived.length, 3);
});

test('missing bytes cost the cells that depend on them and leave every other bit for bit', () => {
  const { cells } = source(sfv);
  const { payload, level, segments } = fitPacket(source(sfv), 3000, coder, tables)!;
  assert.ok(segments >= 5);
  const whole = decoded(payload, cells, level);
  const layout = packetLayout(cells, classMap, level, payload.length, tables);
  const noise = new RandomStream('noise');
  for (let trial = 0; trial < 60; trial++) {
    const from = noise.integer(payload.length);
    const missing = [{ from, to: Math.min(payload.length, from + 1 + noise.integer(900)) }];
    const damaged = payload.slice();
    for (let i = missing[0].from; i < missing[0].to; i++) damaged[i] = noise.integer(256);
    const { yHat, arrived } = decoded(damaged, cells, level, missing);
    const came = new Set(arrived);
    for (const { bytes, cells: own } of layout) {
      const clear = bytes.to <= missing[0].from || bytes.from >= missing[0].to;
      const n = own.filter((at) => came.has(at)).length;
      if (clear) assert.equal(n, own.length);
      else {
        const share = Math.max(0, missing[0].from - bytes.from) / (bytes.to - bytes.from);
        assert.ok(n < own.length || share > 0.95, 'a cell counts as come though its bytes did not');
        assert.ok(n >= 0.6 * share * own.length - 4, `${n} of ${own.length} cells from ${share} of the bytes`);
      }
    }
    for (let i = 0; i < yHat.data.length; i++) {
      const expected = came.has(i % AREA) ? whole.yHat.data[i] : Number.NaN;
      assert.ok(Object.is(yHat.data[i], expected));
    }
  }
});

test('bytes that changed on the way although nothing is missing: the segment counts as not come', () => {
  const { cells } = source(sfv);
  const { payload, level } = fitPacket(source(sfv), 2000, coder, tables)!;
  const layout = packetLayout(cells, classMap, level, payload.length, tables);
  const noise = new RandomStream('flips');
  let wrong = 0;
  for (let trial = 0; trial < 400; trial++) {
    const damaged = payload.slice();
    const at = noise.integer(payload.length);
    damaged[at] ^= 1 << noise.integer(8);
    const arrived = decoded(damaged, cells, level).arrived.length;
    const hit = layout.find((s) => s.bytes.from <= at && at < s.bytes.to)!;
    if (arrived !== sfv.length - hit.cells.length) wrong++;
  }
  assert.ok(wrong <= 1, `${wrong} of 400 single flips were not noticed`);
});

test('what one packet holds changes no byte of another: the same source, other cells elsewhere', () => {
  const first = source(sfv.slice(0, 200));
  const packet = fitPacket(first, 400, coder, tables)!;
  const other = { ...y, data: y.data.map((v, i) => (sfv.indexOf(i % AREA) >= 200 ? -2 * v : v)) };
  assert.deepEqual(fitPacket({ ...first, y: other }, 400, coder, tables), packet);
});
