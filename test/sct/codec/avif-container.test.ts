import assert from 'node:assert/strict';
import test from 'node:test';
import sharp from 'sharp';
import { FormatError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { AVIF_BOX_BYTES, checkTemporalUnit, unwrapAvif, wrapAvif } from '../../../src/sct/codec/avif-container.ts';
import { fill } from '../quality/synthetic.ts';

async function avif(width: number, height: number, quality: number): Promise<Uint8Array> {
  const { data } = fill(width, height, (x, y, c) => 5 * x + 3 * y * c);
  return sharp(data, { raw: { width, height, channels: 3 } })
    .avif({ quality, effort: 0, chromaSubsampling: '4:4:4', tune: 'psnr' })
    .toBuffer();
}

test('the boxes put back are the very bytes that libheif wrote', async () => {
  for (const [w, h, q] of [
    [64, 48, 30],
    [17, 3, 1],
    [1, 1, 50],
    [301, 199, 80],
  ] as const) {
    const file = await avif(w, h, q);
    const unit = unwrapAvif(file);
    assert.equal(unit.length, file.length - AVIF_BOX_BYTES);
    const rebuilt = wrapAvif(unit, w, h, checkTemporalUnit(unit, w, h));
    assert.deepEqual(Buffer.from(rebuilt), Buffer.from(file), `${w}x${h}`);
  }
});

test('a unit of another size, cut or with a second sequence header is refused before it is decoded', async () => {
  const unit = unwrapAvif(await avif(64, 48, 30));
  assert.throws(() => checkTemporalUnit(unit, 64, 47), /frame size.*64x48.*64x47/);
  assert.throws(() => checkTemporalUnit(unit.subarray(0, unit.length - 1), 64, 48), /OBU size/);
  assert.throws(() => checkTemporalUnit(new Uint8Array(0), 64, 48), /no sequence header/);
  assert.throws(() => checkTemporalUnit(Buffer.concat([unit, unit]), 64, 48), /second sequence header/);
  const profile0 = Uint8Array.from(unit);
  profile0[4] &= 0x1f; // seq_profile, first bits of the sequence header
  assert.throws(() => checkTemporalUnit(profile0, 64, 48), /seq_profile/);
  assert.throws(() => unwrapAvif(unit), FormatError);
});

test('100 000 mutated units: accepted with a level of 5 bits or a FormatError, nothing else', async () => {
  const unit = unwrapAvif(await avif(16, 16, 20));
  const random = new RandomStream(3);
  let refused = 0;
  for (let i = 0; i < 100_000; i++) {
    const bytes = i % 4 ? Uint8Array.from(unit) : random.bytes(random.integer(60));
    for (let k = random.integer(4); k >= 0 && bytes.length; k--)
      bytes[random.integer(bytes.length)] = random.integer(256);
    try {
      const level = checkTemporalUnit(bytes, 16, 16);
      assert.ok(level >= 0 && level < 32);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
      refused++;
    }
  }
  assert.ok(refused > 10_000 && refused < 100_000, `${refused} refused`);
});
