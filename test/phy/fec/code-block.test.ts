import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CRC16, CRC24A, CRC24B } from '../../../src/common/crc.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { CodeBlockCodec } from '../../../src/phy/fec/code-block.ts';
import { decodeControl, encodeControl } from '../../../src/phy/fec/control-code.ts';
import type { RedundancyVersion } from '../../../src/phy/fec/rate-matching.ts';
import {
  HIGHEST_CODE_RATE,
  joinBlocks,
  payloadBytesAtRate,
  planTransport,
  splitIntoBlocks,
} from '../../../src/phy/fec/transport-plan.ts';

/** LLRs of QPSK bits at this Es/N0, ln P(0)/P(1): on one axis amplitude 1, noise variance N0/Es. */
function noisy(bits: Uint8Array, esN0Db: number, random: RandomStream): Float32Array {
  const sigma = 10 ** (-esN0Db / 20);
  return Float32Array.from(bits, (b) => (2 / (sigma * sigma)) * (1 - 2 * b + sigma * random.normal()));
}

test('a block alone comes back, with its CRC, and a wrong CRC is refused', () => {
  const codec = new CodeBlockCodec({ baseGraph: 1, payloadBytes: 400, crc: CRC24B });
  assert.equal(codec.infoBits, 3224);
  assert.match(codec.describe(), /BG1 Z=160 K'=3224/);
  const random = new RandomStream('block');
  const payload = random.bytes(400);
  const e = 4836;
  const sent = new Uint8Array(e);
  codec.encode(payload, e, 0, sent);
  const soft = codec.newSoftBuffer();
  codec.combine(noisy(sent, 5, random), e, 0, soft);
  const out = new Uint8Array(400);
  assert.ok(codec.decode(soft, out).ok);
  assert.deepEqual(out, payload);
  assert.equal(codec.decode(soft, out, 20, () => false).ok, false);
  // The same bits read with another CRC: all checks hold, the CRC does not.
  const other = new CodeBlockCodec({ baseGraph: 1, payloadBytes: 400, crc: CRC24A });
  const result = other.decode(soft, out, 5);
  assert.deepEqual([result.ok, result.parity], [false, true]);
});

test('redundancy versions combine: two transmissions that fail alone decode together', () => {
  const codec = new CodeBlockCodec({ baseGraph: 2, payloadBytes: 200, crc: CRC24B });
  const random = new RandomStream('harq');
  const e = 2400;
  let alone = 0;
  let together = 0;
  for (let trial = 0; trial < 20; trial++) {
    const payload = random.bytes(200);
    const soft = codec.newSoftBuffer();
    const out = new Uint8Array(200);
    const sent = new Uint8Array(e);
    for (const rv of [0, 2] as RedundancyVersion[]) {
      codec.encode(payload, e, rv, sent);
      codec.combine(noisy(sent, 0, random), e, rv, soft);
      if (rv === 0 && codec.decode(soft, out).ok) alone++;
    }
    if (codec.decode(soft, out).ok && Buffer.compare(out, payload) === 0) together++;
  }
  // Rate 0.68 needs about 3.4 dB, so 0 dB cannot work; together the rate is 0.34, which needs about -0.8 dB.
  assert.equal(alone, 0);
  assert.ok(together >= 18, `${together} of 20`);
});

test('a plan cuts any file into equal blocks and joins them again', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20_000 }),
      fc.double({ min: 0.1, max: 0.9, noNaN: true }),
      fc.constantFrom(1, 2, 4, 6, 8),
      (bytes, rate, unit) => {
        const codedBits = unit * Math.ceil((8 * bytes + 600 + bytes / 20) / rate / unit);
        const plan = planTransport(bytes, codedBits, { unit });
        assert.equal(plan.lifting.infoBits, 8 * plan.blockBytes + 24);
        assert.equal(plan.codedBits.length, plan.blocks);
        assert.ok(plan.codedBits.every((e) => e % unit === 0 && plan.lifting.infoBits <= HIGHEST_CODE_RATE * e));
        assert.equal(
          plan.codedBits.reduce((s, e) => s + e, 0),
          codedBits,
        );
        const file = new RandomStream(bytes).bytes(bytes);
        const blocks = splitIntoBlocks(plan, file);
        assert.ok(blocks.every((b) => b.length === plan.blockBytes));
        const joined = joinBlocks(plan, blocks);
        assert.ok(joined.ok);
        assert.deepEqual(joined.file, file);
        assert.equal(joinBlocks(plan, [null, ...blocks.slice(1)]).ok, false);
        const wrong = blocks.map((b) => b.slice());
        wrong[0][0] ^= 1;
        assert.equal(joinBlocks(plan, wrong).ok, false);
      },
    ),
    { seed: 5, numRuns: 60 },
  );
});

test('payloadBytesAtRate fills the rate: it fits, and one block-share more does not', () => {
  for (const [g, rate] of [
    [1000, 0.3],
    [9000, 0.5],
    [40_000, 0.2],
    [123_456, 0.75],
    [600_000, 0.9],
  ] as const) {
    const bytes = payloadBytesAtRate(g, rate);
    const plan = planTransport(bytes, g);
    assert.ok(plan.codeRate <= rate, `${g} ${rate}`);
    assert.equal(plan.paddingBytes, 0);
    assert.ok(
      planTransport(bytes + plan.blocks, g).codeRate > rate - 1e-9,
      `${g} ${rate}: more than ${bytes} would fit`,
    );
  }
  assert.equal(payloadBytesAtRate(50, 0.5), 0);
  assert.throws(
    () => planTransport(2000, 16_000),
    (e: Error & { hint?: string }) => /do not fit/.test(e.message) && /about 18\d\d bytes/.test(e.hint ?? ''),
  );
  assert.throws(() => planTransport(0, 100), /allowed 1/);
});

test('control messages of any length and spread come back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 600 }),
      fc.constantFrom(CRC16, CRC24A),
      fc.double({ min: 1.5, max: 12, noNaN: true }),
      fc.integer(),
      (length, crc, spread, seed) => {
        const random = new RandomStream(seed);
        const message = random.bytes(length);
        const e = Math.ceil((8 * length + 100) * spread);
        const sent = encodeControl(message, crc, e);
        assert.equal(sent.length, e);
        const result = decodeControl(
          Float32Array.from(sent, (b) => (b ? -5 : 5)),
          length,
          crc,
        );
        assert.ok(result.ok, `${length} bytes over ${e} bits`);
        assert.deepEqual(result.bytes, message);
      },
    ),
    { seed: 6, numRuns: 60 },
  );
  assert.throws(() => encodeControl(new Uint8Array(10), CRC16, 95), /at least 96/);
  assert.throws(() => encodeControl(new Uint8Array(0), CRC16, 95), /allowed 1 to/);
});

test('a header of 80 bits over 1280 coded bits survives -5 dB, and noise never passes for one', () => {
  const random = new RandomStream('header');
  let lost = 0;
  for (let i = 0; i < 200; i++) {
    const message = random.bytes(10);
    const result = decodeControl(noisy(encodeControl(message, CRC16, 1280), -5, random), 10, CRC16);
    if (!result.ok) lost++;
    else assert.deepEqual(result.bytes, message);
  }
  // Asked is BLER <= 1e-2 at -3 dB; at -5 dB three losses of 200 are still within 2 sigma of 1e-2.
  assert.ok(lost <= 5, `${lost} of 200 lost`);
  for (let i = 0; i < 300; i++) {
    const noise = Float32Array.from({ length: 1280 }, () => 2 * random.normal());
    assert.equal(decodeControl(noise, 10, CRC16, 10).ok, false);
  }
  // A constant offset looks like the all-zero codeword; the inverted CRC refuses it.
  assert.equal(decodeControl(new Float32Array(1280).fill(4), 10, CRC16).ok, false);
  assert.equal(decodeControl(new Float32Array(1280), 10, CRC16).ok, false);
});
