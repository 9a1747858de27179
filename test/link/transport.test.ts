import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError, UsageError } from '../../src/common/errors.ts';
import { RandomStream } from '../../src/common/random.ts';
import { encodeBlocks, encodeStream, TransportDecoder, TransportLayout, turnsOf } from '../../src/link/transport.ts';
import type { RedundancyVersion } from '../../src/phy/fec/rate-matching.ts';
import { payloadBytesAtRate, splitIntoBlocks } from '../../src/phy/fec/transport-plan.ts';

/** Symbols behind AWGN as the MMSE equaliser gives them: biased by snr / (1 + snr). */
function received(sent: Float32Array, snrDb: number, random: RandomStream) {
  const snr = 10 ** (snrDb / 10);
  const symbols = sent.slice();
  random.addComplexNoise(symbols, 1 / snr);
  for (let i = 0; i < symbols.length; i++) symbols[i] *= snr / (1 + snr);
  return { symbols, snr: new Float32Array(sent.length / 2).fill(snr) };
}

function mixed(count: number, random: RandomStream): Uint8Array {
  return Uint8Array.from({ length: count }, () => [2, 4, 6, 8][random.integer(4)]);
}

test('blocks share the RE out among them and every block has its part of every subband', () => {
  for (const nSubbands of [4, 6, 15, 25, 50]) {
    // An interleaved map: subband i mod nSubbands; about the fewest RE of blocks at the highest loading.
    const count = (n: number) => 1200 * n + 7;
    for (let n = 1; n <= 255; n += n < 60 ? 1 : 13) {
      const seen = new Uint8Array(count(n));
      for (let b = 0; b < n; b += Math.ceil(n / 8)) {
        const per = new Uint32Array(nSubbands);
        for (const i of turnsOf(b, n, count(n))) {
          per[i % nSubbands]++;
          assert.equal(seen[i]++, 0);
          assert.equal((i + Math.floor(i / lcm(n, 300))) % n, b);
        }
        const fair = 1200 / nSubbands;
        assert.ok(Math.min(...per) > 0.7 * fair && Math.max(...per) < 1.4 * fair, `${n} blocks, ${nSubbands} subbands`);
      }
    }
  }
  const all = Array.from({ length: 20 }, (_, b) => [...turnsOf(b, 20, 1234)]).flat();
  assert.deepEqual(
    all.sort((a, b) => a - b),
    [...new Array(1234).keys()],
  );
});

function lcm(a: number, b: number): number {
  let m = a;
  while (m % b !== 0) m += a;
  return m;
}

const bitsOf = (qm: Uint8Array) => qm.reduce((a, b) => a + b, 0);

test('any file comes back over any mixture of modulations', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 400, max: 6000 }),
      fc.double({ min: 0.1, max: 0.8, noNaN: true }),
      fc.nat(),
      (re, rate, seed) => {
        const random = new RandomStream(seed);
        const qm = mixed(re, random);
        const file = random.bytes(Math.max(1, payloadBytesAtRate(bitsOf(qm), rate)));
        const layout = TransportLayout.ofData(file.length, qm);
        const sent = encodeStream(layout, file, qm);
        let power = 0;
        for (const v of sent) power += v * v;
        // Mean of at least 400 symbols of unit mean power; 256-QAM's spread is 0.62 of it.
        assert.ok(Math.abs(power / re - 1) < 0.15, `mean power ${power / re}`);
        const decoder = new TransportDecoder(layout);
        const { symbols, snr } = received(sent, 40, random);
        decoder.add([...decoder.states.keys()], qm, symbols, snr, 0);
        const { file: got, ok, missing } = decoder.file();
        assert.ok(ok && missing.length === 0);
        assert.deepEqual(got, file);
      },
    ),
    { numRuns: 25 },
  );
});

/** A file of 6 blocks over QPSK at rate 1/2. */
function sixBlocks() {
  const random = new RandomStream('six blocks');
  const qm = new Uint8Array(50_000).fill(2);
  const file = random.bytes(payloadBytesAtRate(bitsOf(qm), 0.5));
  const layout = TransportLayout.ofData(file.length, qm);
  assert.equal(layout.blocks, 6);
  return { random, qm, file, layout, sent: encodeStream(layout, file, qm) };
}

test('a lost block leaves the others bit-exact, says where it is missing, and a repetition fills it', () => {
  const { random, qm, file, layout, sent } = sixBlocks();
  const { symbols, snr } = received(sent, 6, random);
  // Block 2 meets an interferer.
  for (const i of turnsOf(2, 6, qm.length)) snr[i] = symbols[2 * i] = symbols[2 * i + 1] = 0;
  const decoder = new TransportDecoder(layout);
  decoder.add([0, 1, 2, 3, 4, 5], qm, symbols, snr, 0);
  assert.deepEqual(decoder.acknowledged, [true, true, false, true, true, true]);
  const { blockBytes } = layout.plan;
  const partial = decoder.file();
  assert.equal(partial.ok, false);
  assert.deepEqual(partial.missing, [{ from: 2 * blockBytes, to: 3 * blockBytes }]);
  const expected = file.slice().fill(0, 2 * blockBytes, 3 * blockBytes);
  assert.deepEqual(partial.file, expected);
  assert.ok(decoder.softBytes > 0, 'what was heard of it is kept');

  const again = qm.subarray(0, 9000);
  const repeat = encodeBlocks(layout, splitIntoBlocks(layout.plan, file), [2], again, 0);
  const second = received(repeat, 6, random);
  decoder.add([2], again, second.symbols, second.snr, 0);
  assert.equal(decoder.file().ok, true);
  assert.deepEqual(decoder.file().file, file);
  assert.equal(decoder.states[2].attempts, 2);
  assert.equal(decoder.softBytes, 0, 'soft buffers go when their blocks have come');
});

test('redundancy versions combine: two receptions decode where neither alone does', () => {
  const { random, qm, file, layout } = sixBlocks();
  const payloads = splitIntoBlocks(layout.plan, file);
  const all = [0, 1, 2, 3, 4, 5];
  // QPSK 1/2 needs about 1 dB; here -1 dB each, as rate 1/4 it would need about -2.5 dB.
  const attempt = (rv: RedundancyVersion, decoder: TransportDecoder) => {
    const { symbols, snr } = received(encodeBlocks(layout, payloads, all, qm, rv), -1, random);
    decoder.add(all, qm, symbols, snr, rv);
    return decoder.states.filter((s) => s.ok).length;
  };
  assert.equal(attempt(0, new TransportDecoder(layout)), 0);
  assert.equal(attempt(2, new TransportDecoder(layout)), 0);
  const decoder = new TransportDecoder(layout);
  assert.equal(attempt(0, decoder), 0);
  assert.equal(attempt(2, decoder), 6);
  assert.deepEqual(decoder.file().file, file);
  const forgetful = new TransportDecoder(layout);
  attempt(0, forgetful);
  forgetful.releaseSoft();
  assert.equal(forgetful.softBytes, 0);
  assert.equal(attempt(2, forgetful), 0, 'without the soft buffer the second reception stands alone');
});

test('more bytes than fit and more blocks than can be numbered are refused before buffers are made', () => {
  assert.throws(() => TransportLayout.ofData(1000, new Uint8Array(100).fill(2)), UsageError);
  assert.throws(() => TransportLayout.ofData(1, new Uint8Array(100)), UsageError);
  assert.throws(
    () => TransportLayout.ofData(300_000, new Uint8Array(500_000).fill(8)),
    (e: unknown) => e instanceof FormatError && /at most 255/.test(e.message),
  );
});
