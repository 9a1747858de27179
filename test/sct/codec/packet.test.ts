import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import type { ByteRange } from '../../../src/sct/codec/codec.ts';
import { decodePacket } from '../../../src/sct/codec/packet-decode.ts';
import { fitPacket, leastPacketBytes } from '../../../src/sct/codec/packet-fit.ts';
import {
  balancedOffsets,
  cellsOfSegment,
  interleavedCells,
  segmentCount,
  segmentSlots,
} from '../../../src/sct/codec/packet-layout.ts';
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
const SFV_CLASS = 2 * Math.round(classMap.data.reduce((a, b) => a + b, 0) / AREA / 2);
const ID = 3;
const flat = () => ({ ...classMap, data: new Uint8Array(AREA).fill(SFV_CLASS) });
const source = (cells: Uint32Array) => {
  return { id: ID, cells: interleavedCells(cells, COLUMNS), sfvClass: SFV_CLASS, flat: flat(), classMap, y };
};

/** The segments of a packet as its own bytes say. */
function segmentsOf(payload: Uint8Array, cells: Uint32Array) {
  const n = segmentCount(payload.length, cells.length);
  return segmentSlots(payload.length, n).map((bytes, i) => ({
    bytes,
    cells: n === 1 ? cells : cellsOfSegment(cells, n, i, payload[bytes.from]),
  }));
}

function emptyMap(): FeatureMap {
  const data = new Float32Array(tables.channels * AREA).fill(Number.NaN);
  return { channels: tables.channels, rows: ROWS, columns: COLUMNS, widthPx: 512, heightPx: 384, data };
}

function decoded(payload: Uint8Array, cells: Uint32Array, level: number, missing: ByteRange[] = []) {
  const yHat = emptyMap();
  const out = { yHat, classMap: flat() };
  const arrived = decodePacket({ payload, missing }, { id: ID, cells, sfvClass: SFV_CLASS, level }, out, coder, tables);
  return { ...out, arrived };
}

test('the order of cells is a permutation, and near cells go to different segments', () => {
  const cells = interleavedCells(sfv, COLUMNS);
  assert.deepEqual(
    Uint32Array.from(cells).sort((a, b) => a - b),
    sfv,
  );
  for (const bytes of [1024, 2048, 5120]) {
    const segments = segmentsOf(new Uint8Array(bytes).fill(0x88), cells);
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

test('segments cover bytes and cells exactly once, whatever the length, and balance what they are told', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 1, max: sfv.length }),
      fc.integer(),
      (bytes, count, seed) => {
        const cells = interleavedCells(sfv.slice(0, count), COLUMNS);
        const n = segmentCount(bytes, count);
        const slots = segmentSlots(bytes, n);
        assert.equal(slots.length, n);
        slots.forEach(({ from, to }, i) => {
          assert.equal(from, i === 0 ? 0 : slots[i - 1].to);
          assert.ok(to >= from);
        });
        assert.equal(slots[n - 1].to, bytes);
        const noise = new RandomStream(seed);
        const weights = Array.from(cells, () => 1 + noise.integer(200));
        const offsets = balancedOffsets(weights, n);
        const segments = slots.map((_, i) => cellsOfSegment(cells, n, i, offsets[i]));
        const all = Uint32Array.from(segments.flatMap((own) => [...own]));
        assert.deepEqual(
          all.sort((a, b) => a - b),
          sfv.slice(0, count),
        );
        const weightOf = (own: Uint32Array) => own.reduce((sum, at) => sum + weights[cells.indexOf(at)], 0);
        const even = weightOf(cells) / n;
        // A cut is up to half a unit of cells away from the best place, and a cell from where it could be.
        const slack = 200 * (2 + Math.max(1, count / n / 16));
        for (const own of segments) assert.ok(Math.abs(weightOf(own) - even) <= slack, `${weightOf(own)} of ${even}`);
      },
    ),
    { numRuns: 60 },
  );
});

test('any cuts from the air stay inside the list', () => {
  const cells = interleavedCells(sfv.slice(0, 50), COLUMNS);
  for (let offsets = 0; offsets < 256; offsets++) {
    for (let i = 0; i < 12; i++) {
      const own = cellsOfSegment(cells, 12, i, offsets);
      assert.ok(own.every((at) => cells.includes(at)) && new Set(own).size === own.length);
    }
  }
});

test('a packet is as long as its grant, full to within 2 %, and decodes to within half a step or what zero leaves', () => {
  const { cells } = source(sfv);
  const least = leastPacketBytes(source(sfv), coder, tables);
  let errorBefore = Number.POSITIVE_INFINITY;
  const carries = new Set<boolean>();
  for (const bytes of [least, 200, 333, 500, 1000, 1777, 3000]) {
    const packet = fitPacket(source(sfv), bytes, coder, tables)!;
    assert.equal(packet.payload.length, bytes);
    assert.ok(packet.codeBytes <= bytes);
    if (bytes > 300) assert.ok(packet.codeBytes >= 0.98 * bytes, `${packet.codeBytes} of ${bytes}`);
    const { yHat, arrived, classMap: classes } = decoded(packet.payload, cells, packet.level);
    assert.equal(arrived.length, sfv.length);
    const carried = packet.level < 13;
    carries.add(carried);
    assert.ok(sfv.every((at) => classes.data[at] === (carried ? classMap.data[at] : SFV_CLASS)));
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
  assert.equal(carries.size, 2, 'packets with classes of their own and without');
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
  const layout = segmentsOf(payload, cells);
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
  const segments = segmentsOf(payload, cells);
  const whole = decoded(payload, cells, level).yHat.data;
  const noise = new RandomStream('flips');
  let wrong = 0;
  let lost = 0;
  for (let trial = 0; trial < 400; trial++) {
    const damaged = payload.slice();
    const at = noise.integer(payload.length);
    damaged[at] ^= 1 << noise.integer(8);
    const { arrived, yHat } = decoded(damaged, cells, level);
    const hit = segments.find((s) => s.bytes.from <= at && at < s.bytes.to)!;
    // Only the outermost cuts' bits mean nothing.
    if (arrived.length === sfv.length - hit.cells.length) lost++;
    if (!arrived.every((cell) => Object.is(yHat.data[cell], whole[cell]))) wrong++;
  }
  assert.ok(wrong === 0 && lost >= 395, `${wrong} of 400 single flips were shown, ${lost} noticed`);
  const other = decodePacket(
    { payload, missing: [] },
    { id: ID + 1, cells, sfvClass: SFV_CLASS, level },
    { yHat: emptyMap(), classMap: flat() },
    coder,
    tables,
  );
  assert.equal(other.length, 0, 'the packet of another SFV does not fit');
});

test('what one packet holds changes no byte of another: the same source, other cells elsewhere', () => {
  const first = source(sfv.slice(0, 200));
  const packet = fitPacket(first, 400, coder, tables)!;
  const other = { ...y, data: y.data.map((v, i) => (sfv.indexOf(i % AREA) >= 200 ? -2 * v : v)) };
  assert.deepEqual(fitPacket({ ...first, y: other }, 400, coder, tables), packet);
});
