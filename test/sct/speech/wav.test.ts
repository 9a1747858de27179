import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError, UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { readWav, speechOf, withoutOffset, writeWav } from '../../../src/sct/speech/speech.ts';

/** A WAV by the specification, written apart from the program. */
function wav(code: number, channels: number, bits: number, rate: number, data: Uint8Array): Uint8Array {
  const out = Buffer.alloc(44 + data.length);
  out.write('RIFF', 0);
  out.writeUInt32LE(36 + data.length, 4);
  out.write('WAVEfmt ', 8);
  out.writeUInt32LE(16, 16);
  out.writeUInt16LE(code, 20);
  out.writeUInt16LE(channels, 22);
  out.writeUInt32LE(rate, 24);
  out.writeUInt32LE((rate * channels * bits) / 8, 28);
  out.writeUInt16LE((channels * bits) / 8, 32);
  out.writeUInt16LE(bits, 34);
  out.write('data', 36);
  out.writeUInt32LE(data.length, 40);
  out.set(data, 44);
  return out;
}

test('every kind of sample is read at its scale, and channels are averaged', () => {
  const near = (found: Float32Array, wanted: number[]) => {
    assert.equal(found.length, wanted.length);
    wanted.forEach((v, i) => {
      assert.ok(Math.abs(found[i] - v) < 1e-6, `${found[i]} for ${v}`);
    });
  };
  near(readWav(wav(1, 1, 8, 8000, Uint8Array.of(0, 128, 192))).samples, [-1, 0, 0.5]);
  near(readWav(wav(1, 1, 16, 8000, Uint8Array.of(0, 0x80, 0, 0x40))).samples, [-1, 0.5]);
  near(readWav(wav(1, 1, 24, 8000, Uint8Array.of(0, 0, 0x80, 0, 0, 0x40))).samples, [-1, 0.5]);
  near(readWav(wav(1, 1, 32, 8000, Uint8Array.of(0, 0, 0, 0xc0))).samples, [-0.5]);
  near(readWav(wav(3, 1, 32, 8000, new Uint8Array(Float32Array.of(0.25, -3).buffer))).samples, [0.25, -3]);
  near(readWav(wav(3, 1, 64, 8000, new Uint8Array(Float64Array.of(0.25, -1).buffer))).samples, [0.25, -1]);
  near(readWav(wav(1, 2, 16, 48_000, Uint8Array.of(0, 0x40, 0, 0))).samples, [0.25]);
});

/** The extensible format: 22 bytes more, a GUID whose first two say what the samples are. */
function extensible(code: number, bits: number, data: Uint8Array): Uint8Array {
  const out = Buffer.alloc(68 + data.length);
  Buffer.from(wav(0xfffe, 1, bits, 8000, data)).copy(out, 0, 0, 36);
  out.writeUInt32LE(40, 16);
  out.writeUInt16LE(22, 36);
  out.writeUInt16LE(bits, 38);
  out.writeUInt32LE(4, 40);
  out.writeUInt16LE(code, 44);
  Buffer.from('000000001000800000aa00389b71', 'hex').copy(out, 46);
  out.write('data', 60);
  out.writeUInt32LE(data.length, 64);
  out.set(data, 68);
  return out;
}

test('the extensible format says in its GUID what the samples are', () => {
  assert.deepEqual([...readWav(extensible(1, 16, Uint8Array.of(0, 0x40))).samples], [0.5]);
  assert.deepEqual([...readWav(extensible(3, 32, new Uint8Array(Float32Array.of(0.25).buffer))).samples], [0.25]);
  const refused = (bytes: Uint8Array) => assert.throws(() => readWav(bytes), /format/);
  refused(extensible(0xffff, 16, new Uint8Array(4)));
  refused(wav(0xfffe, 1, 16, 8000, new Uint8Array(4)));
});

test('what is written is read again', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 50 }),
      (values) => {
        const sound = { rateHz: 16_000, samples: Float32Array.from(values) };
        const { samples, rateHz } = readWav(writeWav(sound));
        assert.equal(rateHz, 16_000);
        const exact = readWav(writeWav(sound, true)).samples;
        assert.ok(exact.length === values.length && exact.every((v, i) => v === sound.samples[i]));
        values.forEach((v, i) => {
          assert.ok(Math.abs(samples[i] - v) <= 2 ** -15);
        });
      },
    ),
  );
});

test('a recording that was cut off is read as far as it goes; what makes no sense is refused by name', () => {
  const whole = wav(1, 1, 16, 8000, new Uint8Array(100));
  assert.equal(readWav(whole.subarray(0, 44 + 31)).samples.length, 15);
  const refused = (bytes: Uint8Array, field: RegExp) =>
    assert.throws(
      () => readWav(bytes),
      (e) => e instanceof FormatError && field.test(e.message),
    );
  refused(new Uint8Array(0), /RIFF/);
  refused(whole.subarray(0, 40), /no chunk/);
  refused(wav(1, 0, 16, 8000, new Uint8Array(4)), /channels/);
  refused(wav(1, 9, 16, 8000, new Uint8Array(40)), /channels/);
  refused(wav(1, 1, 12, 8000, new Uint8Array(4)), /format/);
  refused(wav(2, 1, 4, 8000, new Uint8Array(4)), /format/);
  refused(wav(1, 1, 16, 0, new Uint8Array(4)), /rate/);
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
    refused(wav(3, 1, 32, 8000, new Uint8Array(Float32Array.of(0, wrong).buffer)), /byte 48 is no finite number/);
  }
  const long = whole.slice();
  new DataView(long.buffer).setUint32(40, 2 ** 31, true); // 2 GiB, it says
  assert.equal(readWav(long).samples.length, 50);
  new DataView(long.buffer).setUint32(4, 0, true);
  assert.equal(readWav(long).samples.length, 50, 'what RIFF says of its length is not needed');
  new DataView(long.buffer).setUint32(40, 0, true);
  assert.equal(readWav(long).samples.length, 50, 'nor what a pipe left open');
  new DataView(long.buffer).setUint32(4, 136, true);
  refused(long, /data: 0 samples/);
  new DataView(long.buffer).setUint32(16, 2 ** 32 - 1, true);
  refused(long, /fmt/);
  refused(wav(1, 1, 16, 8000, new Uint8Array(1)), /data/);
  assert.throws(() => speechOf(new Float32Array(0)), UsageError);
  assert.throws(() => speechOf(Float32Array.of(Number.NaN)), UsageError);
  assert.throws(() => speechOf(Float32Array.of(0, 3e38)), /allowed up to 32768/);
});

test('a constant is taken off, once', () => {
  const random = new RandomStream('offset');
  const voice = Float32Array.from({ length: 1000 }, () => random.normal() * 0.1);
  const mean = (x: Float32Array) => x.reduce((a, b) => a + b, 0) / x.length;
  const centred = withoutOffset(voice.map((v) => v - mean(voice) + 0.4));
  assert.ok(Math.abs(mean(centred)) < 1e-7);
  assert.equal(withoutOffset(centred), centred, 'what was judged is judged by again');
  const small = voice.map((v) => v - mean(voice) + 5e-5);
  assert.equal(withoutOffset(small), small);
  for (const constant of [0, 0.1, -3, 1e-9]) {
    const none = withoutOffset(new Float32Array(777).fill(constant));
    assert.ok(
      none.every((v) => v === 0),
      `${constant}`,
    );
  }
});

test('spoilt files are read or refused, nothing else', () => {
  const random = new RandomStream('spoilt WAV');
  const whole = wav(1, 2, 16, 44_100, random.bytes(200));
  for (let i = 0; i < 2000; i++) {
    const bytes = whole.slice(0, random.integer(3) ? whole.length : random.integer(whole.length));
    for (let k = 0; k <= random.integer(4); k++)
      if (bytes.length > 0) bytes[random.integer(bytes.length)] = random.integer(256);
    try {
      assert.ok(readWav(bytes).samples.every(Number.isFinite));
    } catch (error) {
      assert.ok(error instanceof FormatError, `${error}`);
    }
  }
});
