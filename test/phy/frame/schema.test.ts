import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CRC16 } from '../../../src/common/crc.ts';
import { FormatError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { readHeader } from '../../../src/phy/burst/control-reader.ts';
import { encodeControl } from '../../../src/phy/fec/control-code.ts';
import { decodeHeader, encodeHeader, HEADER_BYTES, HEADER_SCHEMA, type Header } from '../../../src/phy/frame/header.ts';
import { decodeFields, encodeFields, list, type Schema, schemaTable, uint } from '../../../src/phy/frame/schema.ts';
import { numerology } from '../../../src/phy/numerology.ts';

const anyHeader: fc.Arbitrary<Header> = fc.record(
  {
    numerology: fc.integer({ min: 0, max: 4 }),
    session: fc.integer({ min: 0, max: 255 }),
    burst: fc.integer({ min: 0, max: 1023 }),
    kind: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
    slots: fc.integer({ min: 1, max: 128 }),
    csiNumber: fc.integer({ min: 0, max: 63 }),
    modelSet: fc.integer({ min: 0, max: 0xffffffff }),
    extensionUnits: fc.integer({ min: 0, max: 63 }),
    extensionMcs: fc.integer({ min: 0, max: 3 }),
  },
  { noNullPrototype: true },
);

test('the header is 80 bits, 96 with its CRC, and every header comes back', () => {
  assert.equal(
    HEADER_SCHEMA.reduce((sum, f) => sum + (f.kind === 'uint' ? f.bits : 0), 0),
    8 * HEADER_BYTES,
  );
  fc.assert(
    fc.property(anyHeader, (header) => {
      assert.deepEqual(decodeHeader(encodeHeader(header)), header);
    }),
  );
});

test('each header field is refused outside its range, by name, when sent and when received', () => {
  const good: Header = decodeHeader(
    encodeHeader({
      numerology: 3,
      session: 1,
      burst: 2,
      kind: 1,
      slots: 4,
      csiNumber: 0,
      modelSet: 7,
      extensionUnits: 1,
      extensionMcs: 0,
    }),
  );
  for (const field of HEADER_SCHEMA) {
    assert.equal(field.kind, 'uint');
    if (field.kind !== 'uint' || field.name === 'version') continue;
    const key = field.name === 'slotsLess1' ? 'slots' : (field.name as keyof Header);
    const shift = field.name === 'slotsLess1' ? 1 : 0;
    const max = (field.max ?? 2 ** field.bits - 1) + shift;
    for (const bad of [max + 1, -1, 0.5, Number.NaN]) {
      assert.throws(
        () => encodeHeader({ ...good, [key]: bad }),
        (e: unknown) => e instanceof FormatError && e.field === field.name,
        `${field.name} = ${bad}`,
      );
    }
    assert.equal(decodeHeader(encodeHeader({ ...good, [key]: max }))[key], max);
  }
  // Received: version 0 and 1, numerology 5, kind 7 are representable but wrong.
  const bytes = encodeHeader(good);
  const withBits = (byte: number, mask: number, value: number) => {
    const copy = bytes.slice();
    copy[byte] = (copy[byte] & ~mask) | value;
    return copy;
  };
  const cases: [string, Uint8Array][] = [
    ['version', withBits(0, 0xe0, 0x00)],
    ['version', withBits(0, 0xe0, 0x20)],
    ['numerology', withBits(0, 0x1c, 0x14)],
    ['kind', withBits(3, 0xe0, 0xe0)],
  ];
  for (const [field, wrong] of cases) {
    assert.throws(
      () => decodeHeader(wrong),
      (e: unknown) => e instanceof FormatError && e.field === field,
      field,
    );
  }
  assert.throws(() => decodeHeader(bytes.subarray(1)), FormatError);
});

test('a million random and mutated headers: a header within bounds or a FormatError, nothing else', () => {
  const random = new RandomStream('header fuzz');
  const bytes = new Uint8Array(HEADER_BYTES);
  const seedHeader = encodeHeader({
    numerology: 3,
    session: 9,
    burst: 77,
    kind: 1,
    slots: 20,
    csiNumber: 5,
    modelSet: 0xdeadbeef,
    extensionUnits: 12,
    extensionMcs: 1,
  });
  let good = 0;
  const heapBefore = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 1_000_000; i++) {
    if (i % 2 === 0) for (let k = 0; k < HEADER_BYTES; k += 1) bytes[k] = random.uint32() >>> 24;
    else {
      bytes.set(seedHeader);
      const flips = 1 + (i % 7);
      for (let k = 0; k < flips; k++) {
        const bit = random.uint32() % 80;
        bytes[bit >> 3] ^= 1 << (bit & 7);
      }
    }
    try {
      const h = decodeHeader(bytes);
      good++;
      if (h.slots < 1 || h.slots > 128 || h.extensionUnits > 63 || h.numerology > 4 || h.kind > 3)
        assert.fail('bounds');
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
  // Half are random (1/8 x 5/8 x 1/2 pass), half are a few bits from a good one.
  assert.ok(good > 100_000 && good < 900_000, `${good} accepted`);
  assert.ok(process.memoryUsage().arrayBuffers - heapBefore < 64e6, 'no array outlives its header');
});

const SAMPLE: Schema = [
  uint('count', 8, 'records'),
  uint('flag', 1, 'order follows'),
  list('order', 'width', uint('item', 6, 'an index', { max: 49 }), 'order', { when: 'flag' }),
  list('records', 'count', [uint('id', 8, 'id'), uint('size', 20, 'size', { min: 1 })], 'records'),
];

test('lists, records and optional lists come back; lengths beyond the bytes are refused before allocation', () => {
  const fields = fc
    .record({
      width: fc.integer({ min: 0, max: 50 }),
      flag: fc.integer({ min: 0, max: 1 }),
      records: fc.array(
        fc.record(
          { id: fc.integer({ min: 0, max: 255 }), size: fc.integer({ min: 1, max: 0xfffff }) },
          { noNullPrototype: true },
        ),
        { maxLength: 255 },
      ),
    })
    .chain(({ width, flag, records }) =>
      fc.array(fc.integer({ min: 0, max: 49 }), { minLength: width, maxLength: width }).map((order) => ({
        width,
        fields: { count: records.length, flag, order: flag ? order : null, records },
      })),
    );
  fc.assert(
    fc.property(fields, ({ width, fields: f }) => {
      const bytes = encodeFields(SAMPLE, f, { width });
      assert.deepEqual(decodeFields(SAMPLE, bytes, { width }), f as unknown);
      if (f.records.length > 0) {
        assert.throws(
          () => decodeFields(SAMPLE, bytes.subarray(0, bytes.length - 4), { width }),
          (e: unknown) => e instanceof FormatError,
        );
      }
      const padded = new Uint8Array(bytes.length + 1);
      padded.set(bytes);
      padded[bytes.length] = 1;
      assert.throws(() => decodeFields(SAMPLE, padded, { width }), /padding/);
    }),
    { numRuns: 200 },
  );
  assert.throws(() => decodeFields(SAMPLE, Uint8Array.of(1, 0x80), {}), /width is not known/);
});

test('random bytes through a schema with lists give fields or a FormatError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 50 }), (bytes, width) => {
      try {
        decodeFields(SAMPLE, bytes, { width });
      } catch (error) {
        assert.ok(error instanceof FormatError);
      }
    }),
    { numRuns: 3000 },
  );
});

test('the table of a schema names every field', () => {
  const table = schemaTable(SAMPLE);
  for (const word of ['count', 'order', 'item', 'records', 'size', '1 to 1048575', 'width times if flag = 1']) {
    assert.ok(table.includes(word), word);
  }
});

test('a header of another version is refused with its number, by the header alone', () => {
  const n = numerology(6);
  const header: Header = {
    numerology: n.id,
    session: 1,
    burst: 2,
    kind: 0,
    slots: 4,
    csiNumber: 0,
    modelSet: 0,
    extensionUnits: 0,
    extensionMcs: 0,
  };
  const llrsOf = (bytes: Uint8Array) =>
    Float32Array.from(encodeControl(bytes, CRC16, 2 * n.headerSymbols * n.symbolDataRe), (bit) => (bit ? -4 : 4));
  assert.deepEqual(readHeader(n, llrsOf(encodeHeader(header))), header);
  for (const version of [0, 1, 2, 7]) {
    // Everything behind the version may mean something else there.
    const bytes = new RandomStream('other version').bytes(HEADER_BYTES);
    bytes[0] = (version << 5) | (bytes[0] & 31);
    assert.deepEqual(readHeader(n, llrsOf(bytes)), { otherVersion: version });
  }
  assert.equal(readHeader(numerology(25), llrsOf(encodeHeader({ ...header, numerology: 4 }))), null);
});
