import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { BurstReceiver } from '../../../src/phy/burst/burst-receiver.ts';
import { dcKernel } from '../../../src/phy/kernels/dc/dc.ts';
import { numerology } from '../../../src/phy/numerology.ts';
import { CarrierLog } from '../../../src/phy/sync/carrier-log.ts';
import { DcBlocker } from '../../../src/phy/sync/dc.ts';
import { burstSamples, bursts, onAir } from '../burst/stream.ts';

test('a stream without noise holds its bursts, no carrier and no other preamble, whatever its tail', () => {
  for (const subbands of [6, 25, 50]) {
    const n = numerology(subbands);
    const sent = burstSamples(n, 1, 3);
    const length = sent.length / 2;
    const second = 3000 + length + 8 * n.preambleLength;
    const air = onAir(
      n,
      second + length + 20 * n.preambleLength,
      [
        [3000, sent],
        [second, burstSamples(n, 2, 3)],
      ],
      1000,
    );
    const receiver = new BurstReceiver(n);
    const records = [...receiver.push(air), ...receiver.flush()];
    assert.deepEqual(
      bursts(records).map((r) => r.header.burst),
      [1, 2],
    );
    assert.equal(records.length, 2, `${subbands} subbands: ${records.length} records`);
    assert.equal(receiver.carriersRemoved, 0, `${subbands} subbands`);
  }
});

test('a carrier in the silence is told of down to 20 dB under the bursts, and not 40 dB under them', () => {
  const n = numerology(6);
  const sent = burstSamples(n, 1, 3);
  const length = sent.length / 2;
  for (const [db, told] of [
    [0, 1],
    [-10, 1],
    [-40, 0],
  ]) {
    const air = onAir(n, 9000 + length + 9000, [[9000, sent]], 1000);
    const power = sent.reduce((sum, v) => sum + v * v, 0) / length;
    const amplitude = Math.sqrt(power) * 10 ** (db / 20);
    for (let i = 0; i < air.length / 2; i++) {
      air[2 * i] += amplitude * Math.cos(2 * Math.PI * 0.13 * i);
      air[2 * i + 1] += amplitude * Math.sin(2 * Math.PI * 0.13 * i);
    }
    const receiver = new BurstReceiver(n);
    const records = [...receiver.push(air), ...receiver.flush()];
    assert.equal(bursts(records).length, 1, `${db} dB`);
    assert.equal(Math.min(1, receiver.carriersRemoved), told, `${db} dB`);
  }
});

test('carriers are judged by the weakest burst, and all count where none was received', () => {
  const log = new CarrierLog();
  log.add(1e-6);
  log.add(1);
  log.add(0);
  log.add(Number.POSITIVE_INFINITY);
  assert.equal(log.count, 4);
  log.burst(1);
  assert.equal(log.count, 2);
  log.burst(1e-5);
  assert.equal(log.count, 3);
  log.burst(1);
  assert.equal(log.count, 3);
});

test('the DC blocker: silence stays silence, however the stream is cut', () => {
  const random = new RandomStream('silence');
  const input = new Float32Array(2 * 3000);
  // Stretches of signal on a constant and of nothing, shorter and longer than what counts as silence.
  for (let at = 0, on = true; at < 3000; on = !on) {
    const stop = Math.min(3000, at + 1 + Math.floor(random.uniform() * 140));
    for (; at < stop; at++) {
      if (on) input[2 * at] = 0.3 + random.normal();
      if (on) input[2 * at + 1] = random.normal();
    }
  }
  const filter = (sizes: readonly number[]) => {
    const blocker = new DcBlocker();
    const kernel = dcKernel();
    kernel.reserve(3000);
    for (let at = 0, k = 0; at < input.length; k++) {
      const end = Math.min(input.length, at + 2 * sizes[k % sizes.length]);
      blocker.process(input.subarray(at, end), kernel, at / 2);
      at = end;
    }
    return kernel.samples.slice(0, input.length);
  };
  const whole = filter([3000]);
  let zeros = 0;
  for (let i = 0; i < 3000; i++) {
    zeros = input[2 * i] === 0 && input[2 * i + 1] === 0 ? zeros + 1 : 0;
    // From the first 16 samples there is no mean to take.
    if (i >= 16) assert.equal(whole[2 * i] === 0 && whole[2 * i + 1] === 0, zeros > 64, `sample ${i}`);
  }
  for (const sizes of [[1], [7, 64], [65], [500, 3]]) assert.deepEqual(filter(sizes), whole, `blocks of ${sizes}`);
});
