import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../src/common/random.ts';
import { countedRe } from '../../src/link/accounting.ts';
import { type BurstEvent, isComplete, type ReceivedPicture, Receiver } from '../../src/link/receiver.ts';
import { type TransmitBurst, Transmitter } from '../../src/link/transmitter.ts';
import { TRANSMIT_RMS } from '../../src/phy/burst/transmit.ts';
import { captureTimeCode, sinceCaptureMs } from '../../src/phy/frame/capture-time.ts';
import { air, BytesCodec, blank, burstsOf, SMALL, unanswered } from './helpers.ts';

const BUDGET = 70_000;

/** Both ends, joined by hand: each burst goes through `air`, with an optional jammer over a share of its payload. */
function link(options: { session?: number; harq?: number } = {}) {
  const codec = new BytesCodec();
  const transmitter = new Transmitter({ numerology: SMALL, codec, harq: 3, ...options });
  const codes = new Uint8Array(6).fill(4 * (15 + 20));
  transmitter.takeReport({ number: 1, session: transmitter.options.session, burst: 0, codes }, 0);
  const retired: ReceivedPicture[] = [];
  const receiver = new Receiver({ numerology: SMALL, codecs: [codec], retire: (picture) => retired.push(picture) });
  let count = 0;
  const transmit = (burst: TransmitBurst, jammed?: { from: number; to: number }): BurstEvent => {
    const { samples, starts } = air(SMALL, [burst], { snrDb: 15.5, seed: `air ${count++}` });
    if (jammed) {
      const at = (share: number) => 2 * (starts[0] + Math.round(share * burst.layout.samples));
      new RandomStream('jammer').addComplexNoise(samples, 3 * TRANSMIT_RMS ** 2, at(jammed.from), at(jammed.to));
    }
    const events = burstsOf([...receiver.push(samples), ...receiver.flush()]);
    assert.equal(events.length, 1);
    return events[0];
  };
  const whole = async (): Promise<boolean> => {
    const [picture] = receiver.received;
    if (!picture || !isComplete(picture)) return false;
    await receiver.picture(picture);
    assert.deepEqual(codec.arrived, codec.sent);
    return true;
  };
  const lostOf = (event: BurstEvent) => event.ack!.blocks.filter((ok) => !ok).length;
  return { codec, transmitter, receiver, retired, transmit, whole, lostOf };
}

test('blocks lost to a jammer are repeated within the budget, and the picture arrives', async () => {
  const { transmitter, transmit, whole, lostOf } = link();
  const plan = await transmitter.send(blank(300, 300), BUDGET, 0);
  assert.equal(plan.bursts.length, 1);
  // All blocks take turns over the burst, so a short jammer harms all of them a little: here just too much.
  const first = transmit(plan.bursts[0], { from: 0.5, to: 0.59 });
  assert.ok(lostOf(first) > 0, 'the jammer did its work');
  assert.equal(await whole(), false);
  transmitter.takeAck(first.ack!);
  assert.equal(transmitter.pendingBlocks, lostOf(first));
  let rounds = 0;
  for (let repeats = transmitter.repeat(0); repeats.length > 0; repeats = transmitter.repeat(0)) {
    rounds++;
    for (const burst of repeats) {
      assert.equal(burst.use, 'retransmission');
      transmitter.takeAck(transmit(burst).ack!);
    }
  }
  assert.ok(rounds >= 1 && rounds <= 3);
  assert.ok(await whole());
  assert.equal(transmitter.pendingBlocks, 0);
  assert.ok(transmitter.budget.retransmission > 0);
  assert.ok(countedRe(transmitter.budget) <= BUDGET, `${countedRe(transmitter.budget)} RE`);
});

test('the capture time is in every burst of a picture, repetitions too, inside the budget; without one a bit says so', async () => {
  const { transmitter, transmit } = link();
  const capturedAtMs = Date.UTC(2026, 10, 22, 12) + 0.7;
  const plan = await transmitter.send(blank(300, 300), BUDGET, 0, [], { capturedAtMs });
  const repeats = unanswered(transmitter, plan.bursts);
  assert.ok(repeats.length > 0);
  for (const burst of [...plan.bursts, ...repeats]) {
    const { extension } = transmit(burst);
    assert.equal(extension?.time, captureTimeCode(capturedAtMs), burst.use);
    assert.ok(Math.abs(sinceCaptureMs(extension.time, capturedAtMs + 71.5) - 71.5) < 0.06);
  }
  assert.ok(countedRe(transmitter.budget) <= BUDGET);
  const [plain] = (await transmitter.send(blank(300, 300), BUDGET, 0)).bursts;
  assert.equal(transmit(plain).extension?.time, null);
});

test('a lost acknowledgement costs budget, not the picture', async () => {
  const { transmitter, transmit, whole, lostOf } = link();
  const plan = await transmitter.send(blank(300, 300), BUDGET, 0);
  assert.equal(lostOf(transmit(plan.bursts[0])), 0);
  assert.ok(await whole());
  // Nothing came back: all blocks count as missing and go again.
  const [repeat] = unanswered(transmitter, plan.bursts);
  assert.equal(repeat.extension!.blocks.length, transmitter.pendingBlocks);
  const again = transmit(repeat);
  assert.ok(await whole(), 'what had arrived stays');
  transmitter.takeAck(again.ack!);
  assert.equal(transmitter.pendingBlocks, 0);
  assert.deepEqual(transmitter.repeat(Number.POSITIVE_INFINITY), []);
  assert.ok(countedRe(transmitter.budget) <= BUDGET);
});

test('without repetitions nothing is held back for them, and a loss stays a loss', async () => {
  const { transmitter, transmit, whole, lostOf } = link({ harq: 0 });
  const plan = await transmitter.send(blank(300, 300), BUDGET, 0);
  assert.ok(countedRe(transmitter.budget) > BUDGET - 1000);
  const first = transmit(plan.bursts[0], { from: 0.4, to: 0.7 });
  assert.ok(lostOf(first) > 0);
  transmitter.takeAck(first.ack!);
  assert.deepEqual(transmitter.repeat(Number.POSITIVE_INFINITY), []);
  assert.equal(await whole(), false);
});

test('a data burst that never came is recovered from its repetition alone', async () => {
  const { transmitter, transmit, receiver, whole } = link();
  const plan = await transmitter.send(blank(300, 300), BUDGET, 0);
  let last = unanswered(transmitter, plan.bursts);
  const first = transmit(last[0]);
  assert.equal(first.outcome, 'recovered');
  assert.equal(first.ack!.blocks.length, transmitter.pendingBlocks);
  // The reserve holds a part of the first transmission's RE: more rounds are needed than one.
  for (let ack = first.ack!; last.length > 0; ) {
    transmitter.takeAck(ack);
    last = transmitter.repeat(0);
    if (last.length > 0) ack = transmit(last[0]).ack!;
  }
  const { counters } = receiver.harq;
  assert.equal(counters.recovered, 1);
  assert.equal(counters.new, 0);
  assert.ok(countedRe(transmitter.budget) <= BUDGET);
  assert.equal(await whole(), transmitter.pendingBlocks === 0);
});

test('a repetition that contradicts its data burst is refused by name and changes nothing', async () => {
  const { transmitter, transmit, receiver, whole } = link();
  const plan = await transmitter.send(blank(300, 300), BUDGET, 0);
  const first = transmit(plan.bursts[0], { from: 0.5, to: 0.59 });
  const before = receiver.received[0].parts[0]!.decoder!.acknowledged;
  // A transmitter of the same session whose picture is another one claims to repeat blocks of this.
  const other = link();
  const foreign = await other.transmitter.send(blank(300, 300), 0.8 * BUDGET, 0);
  const [stranger] = unanswered(other.transmitter, foreign.bursts);
  const refused = transmit(stranger);
  assert.match(refused.problem ?? '', /streams: differ/);
  assert.equal(refused.ack!.extensionOk, false);
  assert.deepEqual(receiver.received[0].parts[0]!.decoder!.acknowledged, before);
  transmitter.takeAck(first.ack!);
  for (const burst of transmitter.repeat(0)) transmit(burst);
  assert.ok(await whole(), 'its own repetition is still taken');
});

test('a burst of another session starts afresh; a sounding burst of it does not cost the picture', async () => {
  const { transmitter, transmit, receiver, whole } = link();
  const plan = await transmitter.send(blank(300, 300), BUDGET, 0);
  transmit(plan.bursts[0]);
  const stranger = link({ session: 9 });
  transmit(stranger.transmitter.sounding());
  assert.ok(await whole(), 'a header alone (CRC-16) clears nothing');
  const other = await stranger.transmitter.send(blank(100, 100), 12_000, 0);
  transmit(other.bursts[0]);
  assert.equal(receiver.received.length, 1);
  assert.equal(receiver.received[0].parts[0]!.burst, other.bursts[0].burst);
});

test('a sender that begins anew with the same session and numbers, but another picture, is heard as well', async () => {
  const { transmitter, transmit, receiver, retired } = link();
  const plan = await transmitter.send(blank(300, 300), BUDGET, 0);
  const first = transmit(plan.bursts[0]);
  assert.equal(first.picture, receiver.received[0]);
  const sender = link();
  const again = await sender.transmitter.send(blank(300, 300), 0.8 * BUDGET, 0);
  const second = transmit(again.bursts[0]);
  assert.equal(second.problem, null);
  assert.equal(second.outcome, 'new');
  assert.deepEqual(retired, [first.picture], 'the first is handed over before it is forgotten');
  assert.notEqual(second.picture, first.picture);
  assert.equal(receiver.completed, 2);
  await receiver.picture(receiver.received[0]);
  assert.deepEqual(receiver.received.length, 1);
});

test('a picture is counted as complete once, and an unknown codec is a picture that cannot be decoded', async () => {
  const { transmitter, transmit, receiver } = link();
  const plan = await transmitter.send(blank(300, 300), BUDGET, 0);
  assert.equal(receiver.completed, 0);
  transmit(plan.bursts[0]);
  assert.equal(receiver.completed, 1);
  transmit(plan.bursts[0]);
  assert.equal(receiver.completed, 1, 'heard twice');
  const [picture] = receiver.received;
  const decoded = await receiver.picture({ ...picture, codec: 'modular' });
  assert.equal(decoded.decodable, false);
  assert.match(decoded.note!, /codec modular, which this receiver lacks/);
});
