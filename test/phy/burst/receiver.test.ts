import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { BurstReceiver } from '../../../src/phy/burst/burst-receiver.ts';
import { NUMEROLOGIES, numerology } from '../../../src/phy/numerology.ts';
import { burstSamples, bursts, errorPower, onAir, receive } from './stream.ts';

test('bursts back to back without a gap at 10 dB are all received', () => {
  for (const n of NUMEROLOGIES.slice(1)) {
    const count = 12;
    const extension = new RandomStream(1).bytes(24);
    const pieces = Array.from({ length: count }, (_, k) => burstSamples(n, k, 1 + (k % 2), extension));
    let at = 500;
    const placed: [number, Float32Array][] = [];
    for (const p of pieces) {
      placed.push([at, p]);
      at += p.length / 2;
    }
    const records = receive(n, onAir(n, at + 300, placed, 10, n.id));
    const found = bursts(records);
    assert.deepEqual(
      found.map((r) => r.header.burst),
      Array.from({ length: count }, (_, k) => k),
      `${n.nSubbands} subbands`,
    );
    for (const r of found) {
      assert.ok(r.extensionOk && Buffer.from(r.extension!).equals(Buffer.from(extension)));
      assert.ok(Math.abs(r.startSample - placed[r.header.burst][0]) <= 1);
    }
  }
});

test('records do not depend on how the stream is cut into blocks', () => {
  const n = numerology(6);
  const air = onAir(
    n,
    16_000,
    [
      [700, burstSamples(n, 1, 1, new Uint8Array(16).fill(7))],
      [8000, burstSamples(n, 2, 2)],
    ],
    8,
  );
  const whole = receive(n, air, [air.length / 2]);
  assert.equal(bursts(whole).length, 2);
  for (const sizes of [[1], [0, 3, 997], [137], [4096, 1, 50], [2500]]) {
    assert.deepEqual(receive(n, air, sizes), whole, `blocks of ${sizes}`);
  }
});

test('records released are used again, with the same results', () => {
  const n = numerology(4);
  const pieces = [1, 2, 3, 4].map((k): [number, Float32Array] => [700 + 6000 * k, burstSamples(n, k, 3)]);
  const air = onAir(n, 32_000, pieces, 12);
  const expected = bursts(receive(n, air));
  assert.equal(expected.length, 4);
  const receiver = new BurstReceiver(n);
  const seen = new Set<ArrayBufferLike>();
  let count = 0;
  const take = (records: ReturnType<BurstReceiver['push']>) => {
    for (const record of bursts(records)) {
      assert.deepEqual(record, expected[count++]);
      seen.add(record.payload.buffer);
      receiver.release(record);
    }
  };
  for (let at = 0; at < air.length; at += 4000) take(receiver.push(air.subarray(at, at + 4000)));
  take(receiver.flush());
  assert.equal(count, 4);
  assert.equal(seen.size, 1);
});

test('a burst cut in the middle gives the slots that came, marked as truncated', () => {
  const n = numerology(15);
  const sent = burstSamples(n, 5, 4);
  const header = n.preambleLength + n.headerSymbols * n.symbolLength;
  for (const slots of [0, 1, 3]) {
    const cut = header + Math.floor((slots + 0.5) * n.slotLength);
    const air = onAir(n, 600 + cut, [[600, sent.subarray(0, 2 * cut)]], 15);
    const [record] = bursts(receive(n, air));
    assert.ok(record, `${slots} slots`);
    assert.equal(record.truncated, true);
    assert.equal(record.slots, slots);
    assert.equal(record.header.slots, 4);
    assert.equal(record.payload.length, 2 * slots * n.nSubbands * 154);
    if (slots > 0) assert.ok(errorPower(n, record) < 10 ** -1.3, 'what came is good (15 dB less 2)');
  }
  // Cut inside the header: no burst, and no error.
  const short = onAir(n, 600 + n.preambleLength + 50, [[600, sent.subarray(0, 2 * (n.preambleLength + 50))]], 15);
  assert.equal(bursts(receive(n, short)).length, 0);
});

test('after a cut the receiver starts anew and finds the next burst', () => {
  const n = numerology(25);
  const receiver = new BurstReceiver(n);
  const first = onAir(n, 6000, [[400, burstSamples(n, 1, 3).subarray(0, 2 * 5600)]], 12, 1);
  const second = onAir(n, 15_000, [[900, burstSamples(n, 2, 1)]], 12, 2);
  const a = [...receiver.push(first), ...receiver.flush()];
  const b = [...receiver.push(second), ...receiver.flush()];
  assert.deepEqual(
    [...bursts(a), ...bursts(b)].map((r) => r.header.burst),
    [1, 2],
  );
  assert.equal(receiver.state, 'search');
});

test('of two overlapping bursts the stronger is read, and a later one alone', () => {
  const n = numerology(6);
  const strong = burstSamples(n, 1, 1);
  const weak = burstSamples(n, 2, 1).map((v) => 0.1 * v);
  const air = onAir(
    n,
    16_000,
    [
      [1000, strong],
      [1900, weak],
      [8000, burstSamples(n, 3, 1)],
    ],
    12,
  );
  assert.deepEqual(
    bursts(receive(n, air)).map((r) => r.header.burst),
    [1, 3],
  );
});

test('garbage, NaN and a strong tone before, between and after bursts do not hide them', () => {
  const n = numerology(15);
  const sent = burstSamples(n, 9, 1);
  const air = onAir(
    n,
    42_000,
    [
      [9000, sent],
      [30_000, burstSamples(n, 10, 1)],
    ],
    10,
  );
  const random = new RandomStream('garbage');
  for (let i = 2 * 1000; i < 2 * 8000; i++) air[i] += 3 * random.normal();
  for (let i = 17_000; i < 20_000; i++) air[2 * i] = Number.NaN;
  for (let i = 21_000; i < 29_000; i++) {
    air[2 * i] += 2 * Math.cos(0.3 * i);
    air[2 * i + 1] += 2 * Math.sin(0.3 * i);
  }
  const receiver = new BurstReceiver(n);
  const found = bursts([...receiver.push(air), ...receiver.flush()]);
  assert.deepEqual(
    found.map((r) => r.header.burst),
    [9, 10],
  );
  assert.equal(receiver.nonFiniteSamples, 3000);
});

test('records can be cloned to another thread', () => {
  const n = numerology(6);
  const [record] = bursts(receive(n, onAir(n, 9000, [[300, burstSamples(n, 1)]], 12)));
  assert.deepEqual(structuredClone(record), record);
});
