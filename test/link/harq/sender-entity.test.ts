import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { ackTimeoutS, HarqSender, type SendProcess } from '../../../src/link/harq/sender-entity.ts';

/** The answer to a burst of a process. */
function ack(process: SendProcess, burst: number, blocks: boolean[]) {
  return { session: 1, burst, extensionOk: true, process: process.id, newData: process.newData, blocks };
}

function sent(harq: HarqSender, blocks: number, burst: number, endS = 0): SendProcess {
  const process = harq.begin(blocks);
  harq.made(process, burst, [...process.pending]);
  harq.onAir(burst, endS);
  return process;
}

test('an answered burst is repeated at once, an unanswered one after the timeout, neither beyond the rounds', () => {
  const harq = new HarqSender(2, ackTimeoutS(0.02));
  assert.equal(ackTimeoutS(0.02), 0.06);
  const process = sent(harq, 3, 0, 1);
  assert.deepEqual(harq.due(1.059), []);
  assert.equal(harq.nextDueS, 1.06);
  assert.equal(harq.takeAck(ack(process, 0, [true, false, true])), 'taken');
  assert.equal(harq.nextDueS, null);
  assert.deepEqual(harq.due(1.02), [process]);
  assert.deepEqual([...process.pending], [1]);
  harq.made(process, 1, [1]);
  harq.onAir(1, 2);
  assert.deepEqual(harq.due(2.05), []);
  assert.deepEqual(harq.due(2.06), [process], 'nobody answered');
  harq.made(process, 2, [1]);
  harq.onAir(2, 3);
  assert.deepEqual(harq.due(9), [], 'two repetitions were allowed');
  assert.equal(process.state, 'lost');
  assert.equal(harq.open, 0);
  assert.deepEqual(
    { ...harq.counters, acks: harq.counters.acks.taken },
    { acks: 1, corrupt: 0, timeouts: 2, unacknowledged: 1 },
  );
});

test('late, duplicate and foreign acknowledgements: what arrived counts once, nothing is repeated for them', () => {
  const harq = new HarqSender(3, 0.1);
  const process = sent(harq, 4, 7);
  assert.deepEqual(harq.due(0.2), [process]);
  harq.made(process, 8, [0, 1, 2, 3]);
  harq.onAir(8, 0.3);
  // The first burst's answer comes after its repetition: two blocks are there, but the answer to burst 8 is waited for.
  assert.equal(harq.takeAck(ack(process, 7, [true, true, false, false])), 'late');
  assert.deepEqual([...process.pending], [2, 3]);
  assert.deepEqual(harq.due(0.3), []);
  assert.equal(harq.takeAck(ack(process, 7, [true, true, false, false])), 'duplicate');
  assert.equal(harq.takeAck(ack(process, 8, [true, true, true])), 'contradictory');
  assert.equal(harq.takeAck({ ...ack(process, 8, [true, true, true, true]), newData: 0 }), 'contradictory');
  assert.equal(harq.takeAck(ack(process, 9, [true])), 'unknown');
  assert.deepEqual([...process.pending], [2, 3]);
  // A burst whose control block was not understood is answered too: repeat it now.
  assert.equal(harq.takeAck({ session: 1, burst: 8, extensionOk: false, process: 0, newData: 0, blocks: [] }), 'taken');
  assert.deepEqual(harq.due(0.3), [process]);
  harq.made(process, 9, [2, 3]);
  harq.onAir(9, 0.4);
  assert.equal(harq.takeAck(ack(process, 9, [true, true])), 'taken');
  assert.equal(process.state, 'done');
  assert.equal(harq.takeAck(ack(process, 8, [true, true, true, true])), 'duplicate');
  assert.equal(harq.nextDueS, null);
  assert.deepEqual(harq.due(99), []);
});

test('new data ends what its process carried before; its late answers are of nobody', () => {
  const harq = new HarqSender(3, 0.1);
  const old = sent(harq, 2, 0);
  for (let i = 1; i < 16; i++) sent(harq, 1, i);
  const next = harq.begin(1);
  assert.equal(next.id, old.id);
  assert.notEqual(next.newData, old.newData);
  assert.equal(old.state, 'waiting', 'made, but not on the air yet');
  harq.made(next, 16, [0]);
  harq.onAir(16, 0);
  assert.equal(old.state, 'lost');
  assert.equal(harq.takeAck(ack(old, 0, [true, true])), 'unknown');
  assert.equal(harq.counters.unacknowledged, 2);
  // Burst numbers come round after 1024: number 0 is the new process's now.
  harq.takeAck(ack(next, 16, [false]));
  harq.made(next, 0, [0]);
  harq.onAir(0, 0);
  assert.equal(harq.takeAck(ack(old, 0, [true, true])), 'contradictory', 'its new-data bit is the old one');
  assert.equal(harq.takeAck(ack(next, 0, [true])), 'taken');
});

test('messages that are none are counted, whatever they are', () => {
  const harq = new HarqSender(3, 0.1);
  const random = new RandomStream('no message');
  for (let i = 0; i < 2000; i++) assert.equal(harq.read(random.bytes(random.integer(80))), null);
  assert.equal(harq.counters.corrupt, 2000);
});
