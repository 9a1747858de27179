import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { FrequencyTables, SYMBOL_MAX } from '../../../src/sct/entropy/frequency-tables.ts';
import { RANS_FLUSH_BYTES, RansDecoder, RansEncoder } from '../../../src/sct/entropy/rans.ts';
import { syntheticTables } from './synthetic-tables.ts';

const intervals = fc.array(
  fc.oneof(
    fc.tuple(fc.integer({ min: 0, max: 65535 }), fc.integer({ min: 1, max: 65536 })),
    fc.tuple(fc.constant(0), fc.constantFrom(1, 65535, 65536)),
    fc.tuple(fc.constant(65535), fc.constant(1)),
  ),
  { maxLength: 300 },
);

test('rANS: every interval is found again and the stream is intact', () => {
  fc.assert(
    fc.property(intervals, (drawn) => {
      const pairs = drawn.map(([start, size]) => [start, Math.min(size, 65536 - start)]);
      const encoder = new RansEncoder();
      for (const [start, freq] of pairs) encoder.push(start, freq);
      const bytes = encoder.finish();
      const decoder = new RansDecoder(bytes);
      for (const [start, freq] of pairs) {
        assert.ok(decoder.slot >= start && decoder.slot < start + freq);
        decoder.take(start, freq);
      }
      assert.ok(decoder.intact && !decoder.overrun);
      const ideal = pairs.reduce((sum, [, freq]) => sum + 16 - Math.log2(freq), 0);
      const excess = 8 * bytes.length - ideal;
      assert.ok(excess > 23 && excess <= 32.1 + 0.001 * ideal, `${excess} bits beyond ${ideal}`);
    }),
  );
});

test('rANS: nothing coded is 4 bytes; intervals beyond 65536 are refused; the encoder starts anew', () => {
  const encoder = new RansEncoder();
  assert.deepEqual([...encoder.finish()], [0, 128, 0, 0]);
  assert.throws(() => encoder.push(1, 65536), /no interval/);
  assert.throws(() => encoder.push(0, 0), /no interval/);
  encoder.pushBits(5, 3);
  const first = encoder.finish();
  encoder.pushBits(5, 3);
  assert.deepEqual(encoder.finish(), first);
  assert.equal(new RansDecoder(first).takeBits(3), 5);
  assert.equal(first.length, RANS_FLUSH_BYTES);
});

test('rANS: any bytes decode to something, in bounded steps, and are hardly ever taken for whole', () => {
  const random = new RandomStream('rans fuzz');
  let whole = 0;
  for (let i = 0; i < 20000; i++) {
    const decoder = new RansDecoder(random.bytes(random.integer(12)));
    for (let n = 0; n < 12; n++) {
      const start = decoder.slot & 0xff00;
      decoder.take(start, 256);
      assert.ok(decoder.slot >= 0 && decoder.slot < 65536);
    }
    if (decoder.intact) whole++;
  }
  assert.ok(whole <= 1, `${whole} of 20000 random streams pass a check of 23 bits`);
});

test('frequency tables: symbols from table and escape come back and cost what the frequencies say', () => {
  const { cdfTables } = syntheticTables();
  const tables = new FrequencyTables(cdfTables);
  const symbol = fc.oneof(fc.integer({ min: -40, max: 40 }), fc.integer({ min: -SYMBOL_MAX, max: SYMBOL_MAX }));
  const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: cdfTables.length - 1 }), symbol), { maxLength: 60 });
  fc.assert(
    fc.property(pairs, (list) => {
      const encoder = new RansEncoder();
      for (const [t, s] of list) tables.encode(encoder, t, s);
      const bytes = encoder.finish();
      const decoder = new RansDecoder(bytes);
      for (const [t, s] of list) assert.equal(tables.decode(decoder, t), s);
      assert.ok(decoder.intact);
      let ideal = 0; // from the tables themselves, with the escape's code spelled out
      for (const [t, s] of list) {
        const { low, frequencies } = cdfTables[t];
        const high = low + frequencies.length - 2;
        if (s >= low && s <= high) ideal -= Math.log2(frequencies[s - low] / 65536);
        else {
          ideal -= Math.log2(frequencies[frequencies.length - 1] / 65536);
          const distance = s < low ? low - s : s - high;
          ideal += 1 + 2 * (distance.toString(2).length - 1) + 1;
        }
      }
      const counted = list.reduce((sum, [t, s]) => sum + tables.bits(t, s), 0);
      assert.ok(Math.abs(counted - ideal) < 1e-9 * (1 + ideal));
      assert.ok(8 * bytes.length - ideal <= 32.1 + 0.001 * ideal);
    }),
  );
});

test('frequency tables: wrong sums, zero frequencies and symbols beyond 16 bits are refused by name', () => {
  const make = (low: number, frequencies: number[]) => () =>
    new FrequencyTables([{ low, frequencies: Uint32Array.from(frequencies) }]);
  assert.throws(make(0, [65536, 1]), FormatError);
  assert.throws(make(0, [65535]), /cdfTables\[0\]: sums to 65535/);
  assert.throws(make(0, [0, 65536]), /frequency below 1/);
  assert.throws(make(32767, [65534, 1, 1]), /allowed symbols/);
  assert.throws(make(0, []), /0 entries/);
  const only = new FrequencyTables([{ low: 0, frequencies: Uint32Array.of(65536) }]); // nothing but the escape
  const encoder = new RansEncoder();
  for (const s of [0, -1, 7, -SYMBOL_MAX, SYMBOL_MAX]) only.encode(encoder, 0, s);
  const decoder = new RansDecoder(encoder.finish());
  for (const s of [0, -1, 7, -SYMBOL_MAX, SYMBOL_MAX]) assert.equal(only.decode(decoder, 0), s);
  assert.equal(new FrequencyTables([]).size.length, 0);
});
