import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CRC16, CRC24B } from '../../../src/common/crc.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { CodeBlockCodec } from '../../../src/phy/fec/code-block.ts';
import { decodeControl, encodeControl } from '../../../src/phy/fec/control-code.ts';

/**
 * A parity bit of an extension row stands in one check only. If its channel value could outweigh that check's message,
 * one strong wrong parity bit would keep the checks from ever holding (seen: 2 % of headers at 0 to 6 dB, none at -3 dB).
 */
test('a strong wrong parity bit does not lose a message whose information is right', () => {
  const random = new RandomStream('extension parity');
  for (const snrDb of [0, 2, 4, 6]) {
    const variance = 10 ** (-snrDb / 10);
    let lost = 0;
    for (let i = 0; i < 250; i++) {
      const message = random.bytes(10);
      const llr = Float32Array.from(encodeControl(message, CRC16, 1320), (bit) => {
        const y = (1 - 2 * bit) * Math.SQRT1_2 + Math.sqrt(variance / 2) * random.normal();
        return (2 * Math.SQRT2 * y) / variance;
      });
      const result = decodeControl(llr, 10, CRC16);
      if (!result.ok || !Buffer.from(result.bytes).equals(Buffer.from(message))) lost++;
    }
    assert.equal(lost, 0, `${lost} of 250 lost at ${snrDb} dB`);
  }
});

/**
 * Parity bits of the core stand in two checks of a high-rate block: two messages of 31 against a channel value of 63
 * (seen: one block in a thousand at 5 dB, all its information right, however many iterations).
 */
test('one strong wrong bit anywhere does not lose a data block', () => {
  const random = new RandomStream('core parity');
  const codec = new CodeBlockCodec({ baseGraph: 1, payloadBytes: 247, crc: CRC24B });
  const payload = random.bytes(247);
  const codedBits = 2700;
  const coded = new Uint8Array(codedBits);
  codec.encode(payload, codedBits, 0, coded);
  const out = new Uint8Array(247);
  let lost = 0;
  for (let wrong = 0; wrong < codedBits; wrong += 17) {
    const llr = Float32Array.from(coded, (bit, i) => (i === wrong ? -40 : 6) * (1 - 2 * bit));
    const soft = codec.newSoftBuffer();
    codec.combine(llr, codedBits, 0, soft);
    if (!codec.decode(soft, out).ok || !Buffer.from(out).equals(Buffer.from(payload))) lost++;
  }
  assert.equal(lost, 0, `${lost} wrong bits lost the block`);
});

/**
 * Four wrong parity bits of the core that satisfy three of its four checks, with the extension bits that follow from
 * them: one broken check against many that hold (seen: one block in a thousand 2 dB above its threshold, for ever).
 */
test('parity bits that hold one another wrong do not lose a data block', () => {
  const random = new RandomStream('trapped parity');
  const codec = new CodeBlockCodec({ baseGraph: 1, payloadBytes: 1043, crc: CRC24B });
  const { code, infoBits } = codec.lifting;
  const { z, k } = code;
  const payload = random.bytes(1043);
  const codedBits = 12_600;
  const coded = new Uint8Array(codedBits);
  codec.encode(payload, codedBits, 0, coded);
  const first = k / z;
  const wrong = new Set([k + 0, k + z + (z - 1), k + 2 * z + (z - 1), k + 3 * z + (z - 1)]);
  for (let row = 4; row < code.rows; row++) {
    for (let check = 0; check < z; check++) {
      let flips = 0;
      for (let e = code.rowStart[row]; e < code.rowStart[row + 1]; e++) {
        const column = code.edgeColumn[e];
        if (column < first + 4 && wrong.has(column * z + ((check + code.edgeShift[e]) % z))) flips++;
      }
      if (flips % 2 === 1) wrong.add((first + row) * z + check);
    }
  }
  // Coded bit i is variable 2 z + i, fillers passed over.
  const variableOf = (i: number) => (i < infoBits - 2 * z ? 2 * z + i : 2 * z + i + (k - infoBits));
  const llr = Float32Array.from(coded, (bit, i) => (wrong.has(variableOf(i)) ? -3 : 3) * (1 - 2 * bit));
  const soft = codec.newSoftBuffer();
  codec.combine(llr, codedBits, 0, soft);
  const out = new Uint8Array(1043);
  const result = codec.decode(soft, out);
  assert.ok(result.ok);
  assert.deepEqual(out, payload);
});
