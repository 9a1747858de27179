import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { BurstReceiver } from '../../../src/phy/burst/burst-receiver.ts';
import { TRANSMIT_RMS } from '../../../src/phy/burst/transmit.ts';
import { JammerStage } from '../../../src/phy/channel/jammer.ts';
import { type Numerology, numerology } from '../../../src/phy/numerology.ts';
import { errorDb, receiveAll, ThreeBursts } from './rough.ts';
import { burstSamples, onAir } from './stream.ts';

/** Carriers inside the band, in the guard band and at its edge, cycles a sample. */
function places(n: Numerology): readonly (readonly [string, number])[] {
  return [
    ['in the band', (n.nCarriers / 4 + 0.37) / n.fftSize],
    ['in the guard', (-n.nCarriers / 2 - 5.3) / n.fftSize],
    ['at the edge', 0.45],
  ];
}

for (const subbands of [6, 25, 50]) {
  const n = numerology(subbands);

  test(`${subbands} subbands: a carrier 30 dB above the signal costs little at 15 dB`, () => {
    for (const [name, frequency] of places(n)) {
      // It has been there for 9000 samples: the notch settles within 4096 or so.
      const { burst, receiver } = new ThreeBursts(n, 2, 15, 9000).tone(frequency, 30).receive();
      for (const k of [1, 2, 3]) assert.ok(errorDb(n, burst(k)) < -13.3, `${name}, burst ${k}`);
      assert.ok(errorDb(n, burst(3)) < -14.3, `${name}: hardly anything in the end`);
      assert.equal(receiver.carriersRemoved, 1, name);
    }
  });

  test(`${subbands} subbands: switched on inside a burst, it costs that burst; the next one is received`, () => {
    for (const [name, frequency] of [...places(n), ['at DC', 0] as const]) {
      for (const db of [10, 30]) {
        const air = new ThreeBursts(n, 4);
        const { burst } = air.tone(frequency, db, air.slot(2.5)).receive();
        const label = `${name}, ${db} dB`;
        // 30 dB in the band spoil the channel estimate of the slots before as well.
        if (db === 10) assert.ok(errorDb(n, burst(2), 0, 1) < -11, `${label}: the first slot`);
        // DC is taken out of the burst whenever it began.
        else if (frequency === 0) assert.ok(errorDb(n, burst(2)) < -11, `${label}: the whole burst`);
        else assert.match(burst(2)!.suspect ?? '', /disturbed/, label);
        assert.ok(errorDb(n, burst(3)) < -13, `${label}: the next burst`);
      }
    }
  });
}

test('a carrier during one preamble alone costs that burst at most, and its end nothing', () => {
  const n = numerology(6);
  for (const [name, frequency] of places(n)) {
    for (const db of [10, 30]) {
      const air = new ThreeBursts(n, 3);
      const { burst } = air.tone(frequency, db, air.start(2), air.start(2) + n.preambleLength).receive();
      assert.ok(errorDb(n, burst(1)) < -13.5 && errorDb(n, burst(3)) < -13.5, `${name}, ${db} dB`);
    }
  }
});

test('two carriers, one of them beginning later, are both taken out', () => {
  const n = numerology(6);
  const air = new ThreeBursts(n, 2, 15, 9000);
  const { burst, receiver } = air
    .tone(0.13, 30)
    .tone(-0.21, 20, air.start(2) - 700)
    .receive();
  // The second begins half a preamble before burst 2.
  for (const [k, limit] of [
    [1, -13],
    [2, -9],
    [3, -14],
  ]) {
    assert.ok(errorDb(n, burst(k)) < limit, `burst ${k}`);
  }
  assert.equal(receiver.carriersRemoved, 2);
});

test('DC 30 dB above the signal from the first sample on costs one burst at most', () => {
  for (const subbands of [6, 25]) {
    const n = numerology(subbands);
    const { burst } = new ThreeBursts(n, 2).tone(0, 30).receive();
    assert.ok(errorDb(n, burst(2)) < -13.5 && errorDb(n, burst(3)) < -13.5, `${subbands} subbands`);
  }
});

/** Bursts found under noise on some subbands, so many dB above the signal in all. */
function jammed(n: Numerology, subbands: number, db: number) {
  const sent = burstSamples(n, 1, 2);
  const trials = 4;
  let received = 0;
  let misses = 0;
  for (let k = 0; k < trials; k++) {
    const air = onAir(n, 12_000 + sent.length / 2 + 3000, [[12_000, sent]], 15, `jam ${k}`);
    const centreHz = (n.nSubbands / 2 - subbands / 2 - 1) * 180e3;
    const options = { kind: 'subband', powerDb: db, centreHz, widthHz: subbands * 180e3 } as const;
    const stage = new JammerStage(options, TRANSMIT_RMS ** 2, n.sampleRateHz, new RandomStream(`jam ${k}`));
    const got = receiveAll(n, stage.process(air).slice());
    if (got.burst(1)) received++;
    misses += got.misses;
  }
  return { received, trials, misses };
}

test('noise on a part of the band, 15 dB above all of the signal, hides no burst', () => {
  for (const [subbands, width] of [
    [6, 1],
    [6, 2],
    [25, 2],
    [25, 8],
  ]) {
    const { received, trials, misses } = jammed(numerology(subbands), width, 15);
    assert.equal(received, trials, `${width} of ${subbands} subbands`);
    // Before the spectrum is flattened such noise looks like preambles now and then.
    assert.ok(misses <= 8 * trials, `${misses} misses`);
  }
});

test('records under carriers and interference do not depend on how the stream is cut into blocks', () => {
  const n = numerology(6);
  const air = new ThreeBursts(n, 2);
  air.tone(0.13, 30, air.at(0.4), air.at(1.3)).tone(-0.21, 20, air.at(0.8));
  const options = { kind: 'subband', powerDb: 12, centreHz: 400e3, widthHz: 180e3, startS: 0.004 } as const;
  const stage = new JammerStage(options, TRANSMIT_RMS ** 2, n.sampleRateHz, new RandomStream('cut'));
  const samples = stage.process(air.samples).slice();
  const receive = (sizes: readonly number[]) => {
    const receiver = new BurstReceiver(n);
    const records = [];
    for (let at = 0, k = 0; at < samples.length; k++) {
      const size = 2 * sizes[k % sizes.length];
      records.push(...receiver.push(samples.subarray(at, at + size)));
      at += size;
    }
    return [...records, ...receiver.flush()];
  };
  const whole = receive([samples.length / 2]);
  assert.ok(whole.length > 1);
  for (const sizes of [[1], [137], [4096, 1, 50], [3000]]) {
    assert.deepEqual(receive(sizes), whole, `blocks of ${sizes}`);
  }
});
