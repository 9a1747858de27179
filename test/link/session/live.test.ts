import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { LocalFeedback } from '../../../src/link/reverse/feedback.ts';
import { burstRuns } from '../../../src/link/session/burst-run.ts';
import { StreamClock } from '../../../src/link/session/stream-clock.ts';
import { Transmitter } from '../../../src/link/transmitter.ts';
import { BytesCodec, blank, SMALL } from '../helpers.ts';
import { liveLink, sameWay } from './helpers.ts';

test('the stream clock counts samples, runs on between blocks at the pace it has seen, and never goes back', () => {
  let wallS = 100;
  const clock = new StreamClock(1e6, () => wallS);
  assert.equal(clock.nowS, 0);
  clock.observe(1000);
  assert.equal(clock.nowS, 1e-3);
  wallS += 1;
  clock.observe(101_000); // a tenth of real time
  assert.ok(Math.abs(clock.pace - 0.1) < 1e-9);
  wallS += 0.5;
  assert.ok(Math.abs(clock.nowS - (0.101 + 0.05)) < 1e-9);
  clock.observe(111_000, wallS); // it had run slower than foreseen
  assert.ok(clock.nowS >= 0.151);
  clock.observe(1_101_000, wallS + 5); // a time in the future is none
  assert.ok(clock.nowS >= 1.101 && clock.nowS < 1.11);
});

test('bursts of a run stand at exact distances; soundings on whole milliseconds; long trains are cut', () => {
  const transmitter = new Transmitter({ numerology: SMALL, codec: new BytesCodec() });
  const soundings = function* (count: number) {
    for (let i = 0; i < count; i++) yield transmitter.sounding();
  };
  const rate = SMALL.sampleRateHz;
  const [train, ...none] = [...burstRuns(soundings(4), { kind: 'grid', everyS: 0.02 }, rate)];
  assert.deepEqual(none, []);
  assert.deepEqual(
    train.bursts.map((b) => b.start),
    [0, 0.02, 0.04, 0.06].map((s) => s * rate),
  );
  for (const { burst, start, length } of train.bursts) {
    assert.deepEqual(train.samples.slice(2 * start, 2 * (start + length)), burst.samples);
  }
  const runs = [...burstRuns(soundings(5), { kind: 'grid', everyS: 0.1 }, rate)];
  assert.deepEqual(
    runs.map((r) => r.bursts.length),
    [3, 2],
  );
  assert.equal(runs[0].next, 0.3 * rate, 'the next run begins on the grid as well');
  const close = [...burstRuns(soundings(3), { kind: 'close' }, rate)][0];
  const [first, second] = close.bursts;
  assert.equal(second.start - first.start - first.length, Math.ceil(0.5e-3 * rate));
});

test('two radios in real time: soundings, report, picture by the report; ages by the receiver`s samples', async () => {
  const link = await liveLink({ snrDb: 20 });
  const feedback = sameWay();
  // A busy machine lets simulated time run on before the picture goes out: the report may be old, and is taken.
  const { sender, codec, listenerCodec, receiver, events } = link.connect(feedback, { maxCsiAgeS: 60 });
  const plan = await sender.sendPicture(blank(160, 120), 12_000);
  await link.close();
  assert.notEqual(plan.map, 'robust');
  assert.ok(plan.csiNumber > 0);
  const [picture] = receiver.received;
  await receiver.picture(picture);
  assert.deepEqual(listenerCodec.arrived, codec.sent);
  const uses = events.map((e) => e.type === 'burst' && e.use);
  assert.deepEqual(uses.slice(0, 5), ['sounding', 'sounding', 'sounding', 'sounding', 'data']);
  const starts = events.flatMap((e) => (e.type === 'burst' && e.use === 'sounding' ? [e.record.startSample] : []));
  for (const [i, s] of starts.slice(1).entries()) {
    assert.ok(Math.abs(s - starts[i] - 0.02 * SMALL.sampleRateHz) <= 2, `soundings ${s - starts[i]} samples apart`);
  }
  // Planned after the last sounding and before the picture.
  const data = events.find((e) => e.type === 'burst' && e.use === 'data');
  assert.ok(data?.type === 'burst');
  const waitedS = (data.record.startSample - starts[3]) / SMALL.sampleRateHz;
  assert.ok(
    plan.csiAgeS! > 0 && plan.csiAgeS! <= waitedS,
    `age ${plan.csiAgeS}, picture ${waitedS} s after its sounding`,
  );
});

test('answers are lost in real time: the sender times out, repeats, and ends', async () => {
  const link = await liveLink({ snrDb: 20 });
  const deaf = new LocalFeedback({ loss: 1, random: new RandomStream('lost') });
  const { sender, events, transmitter } = link.connect(deaf, { ackTimeoutS: 0.02 });
  await sender.sendPicture(blank(160, 120), 40_000);
  await link.close();
  assert.ok(transmitter.harq.counters.timeouts > 0);
  assert.ok(events.some((e) => e.type === 'burst' && e.use === 'retransmission'));
});

test('a stream that ends, and an abort, end the session', async () => {
  const link = await liveLink({ snrDb: 20 });
  const { sender } = link.connect(new LocalFeedback({ loss: 1, random: new RandomStream('x') }));
  const sending = sender.measure();
  setTimeout(() => void link.far.close(), 20);
  await assert.rejects(sending, /the stream ended in the middle of a session/);
  await link.close();
  const abort = new AbortController();
  const other = await liveLink({ snrDb: 20, signal: abort.signal });
  const ends = other.connect(new LocalFeedback({ loss: 1, random: new RandomStream('x') }), {}, abort.signal);
  const measuring = ends.sender.measure();
  abort.abort();
  await assert.rejects(measuring, /interrupted/);
  await other.close();
});
