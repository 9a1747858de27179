import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { FormatError, UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import {
  CLASSICAL_FORMATS,
  CLASSICAL_HEADER_BYTES,
  MAX_BODY_BYTES,
  readClassicalHeader,
  SCALES,
  scaledSize,
  writeClassicalHeader,
} from '../../../src/sct/codec/classical-header.ts';

test('header: what is written is read', () => {
  fc.assert(
    fc.property(
      fc.record({
        format: fc.constantFrom(...CLASSICAL_FORMATS),
        scale: fc.integer({ min: 0, max: SCALES.length - 1 }),
        width: fc.integer({ min: 1, max: 8192 }),
        height: fc.integer({ min: 1, max: 8192 }),
        bodyBytes: fc.integer({ min: 1, max: 5000 }),
      }),
      fc.integer({ min: 0, max: 100 }),
      (header, padding) => {
        const bytes = new Uint8Array(CLASSICAL_HEADER_BYTES + header.bodyBytes + padding);
        bytes.set(writeClassicalHeader(header));
        assert.deepEqual({ ...readClassicalHeader(bytes) }, { ...header });
      },
    ),
  );
});

test('header bytes are fixed: format, scale, width - 1, height - 1, body, most significant bit first', () => {
  const header = { format: 'webp', scale: 2, width: 768, height: 512, bodyBytes: 0x010203 } as const;
  // 001 010 0001011111111 0000111111111 00000001 00000010 00000011
  assert.deepEqual([...writeClassicalHeader(header)], [0x28, 0x5f, 0xe1, 0xff, 1, 2, 3]);
});

test('out of range fields are refused, never cut', () => {
  const good = { format: 'avif', scale: 0, width: 10, height: 10, bodyBytes: 10 } as const;
  assert.throws(() => writeClassicalHeader({ ...good, width: 8193 }), UsageError);
  assert.throws(() => writeClassicalHeader({ ...good, height: 0 }), UsageError);
  assert.throws(() => writeClassicalHeader({ ...good, scale: 8 }), UsageError);
  assert.throws(() => writeClassicalHeader({ ...good, bodyBytes: MAX_BODY_BYTES + 1 }), UsageError);
  assert.throws(() => writeClassicalHeader({ ...good, format: 'png' as never }), UsageError);
});

test('200 000 random headers: read within bounds or refused with a FormatError naming the field', () => {
  const random = new RandomStream(7);
  let accepted = 0;
  for (let i = 0; i < 200_000; i++) {
    const bytes = random.bytes(random.integer(40));
    if (bytes.length > 5 && i % 2) bytes[4] = bytes[5] = 0; // a body short enough now and then
    try {
      const h = readClassicalHeader(bytes);
      accepted++;
      assert.ok(h.width >= 1 && h.width <= 8192 && h.height >= 1 && h.height <= 8192);
      assert.ok(h.bodyBytes >= 1 && h.bodyBytes <= bytes.length - CLASSICAL_HEADER_BYTES);
      const size = scaledSize(h.width, h.height, h.scale);
      assert.ok(size.width >= 1 && size.width <= h.width && size.height >= 1 && size.height <= h.height);
    } catch (error) {
      assert.ok(error instanceof FormatError && error.field.length > 0, String(error));
    }
  }
  assert.ok(accepted > 100, `only ${accepted} accepted: the fuzzer does not reach the fields`);
});

test('scaled sizes round and never vanish', () => {
  assert.deepEqual(scaledSize(768, 512, 1), { width: 576, height: 384 });
  assert.deepEqual(scaledSize(17, 3, 2), { width: 9, height: 2 });
  assert.deepEqual(scaledSize(1, 1, 7), { width: 1, height: 1 });
});
