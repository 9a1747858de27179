import '../../fixed-seed.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { RangeDecoder, RangeEncoder } from '../../../src/sct/partition/range-coder.ts';

interface Symbol3 {
  low: number;
  frequency: number;
  total: number;
}

const anySymbols = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 65536 }), fc.nat(), fc.nat()).map(([total, a, b]): Symbol3 => {
    const low = a % total;
    return { low, frequency: 1 + (b % (total - low)), total };
  }),
  { maxLength: 200 },
);

function write(symbols: readonly Symbol3[]): Uint8Array {
  const out = new RangeEncoder();
  for (const s of symbols) out.encode(s.low, s.frequency, s.total);
  return out.finish();
}

test('property: symbols come back, in as many bytes as they are worth', () => {
  fc.assert(
    fc.property(anySymbols, (symbols) => {
      const bytes = write(symbols);
      const input = new RangeDecoder(bytes);
      let bits = 0;
      for (const s of symbols) {
        const position = input.position(s.total);
        assert.ok(position >= s.low && position < s.low + s.frequency);
        input.consume(s.low, s.frequency, s.total);
        bits += Math.log2(s.total / s.frequency);
      }
      // Rounding of the range loses at most 2^-8 of a symbol's probability, the end at most a byte.
      assert.ok(bytes.length <= bits / 8 + 1 + symbols.length * 0.001, `${bytes.length} bytes for ${bits} bits`);
    }),
  );
});

test('carries run through long rows of 0xff', () => {
  // The top of the range again and again keeps low at 0xffff..., then one small symbol may carry.
  for (let length = 1; length < 40; length++) {
    const symbols: Symbol3[] = Array.from({ length }, () => ({ low: 65535, frequency: 1, total: 65536 }));
    symbols.push({ low: 0, frequency: 1, total: 3 }, { low: 2, frequency: 1, total: 3 });
    const input = new RangeDecoder(write(symbols));
    for (const s of symbols) {
      assert.equal(input.position(s.total), s.low);
      input.consume(s.low, s.frequency, s.total);
    }
  }
});

test('any bytes decode to symbols within the total', () => {
  const random = new RandomStream(3);
  for (const bytes of [random.bytes(50), new Uint8Array(0), new Uint8Array(50).fill(255)]) {
    const input = new RangeDecoder(bytes);
    for (let i = 0; i < 2000; i++) {
      const total = 1 + random.integer(65536);
      const position = input.position(total);
      assert.ok(Number.isInteger(position) && position >= 0 && position < total);
      input.consume(position, 1, total);
    }
  }
});
