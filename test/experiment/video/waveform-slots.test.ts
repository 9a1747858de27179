import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { freeWaveform, transferOf, WaveformSlots } from '../../../src/experiment/video/waveform-slots.ts';

test('a slot is lent until it is freed; where none is left a waveform has memory of its own', () => {
  const slots = new WaveformSlots();
  const taken = Array.from({ length: 6 }, () => slots.take(1000));
  assert.equal(new Set(taken.map((w) => w.buffer)).size, 6);
  const own = slots.take(1000);
  assert.ok(own.buffer instanceof ArrayBuffer);
  assert.deepEqual(transferOf(own), [own.buffer]);
  freeWaveform(own);
  freeWaveform(taken[3].subarray(0, 10));
  const again = slots.take(1000);
  assert.equal(again.buffer, taken[3].buffer);
  assert.ok(slots.take(1000).buffer instanceof ArrayBuffer);
  // A longer one takes the place of a shorter one.
  freeWaveform(taken[0]);
  assert.equal(slots.take(5000).length, 5000);
});

test('what one thread frees the other can take, and the samples are not copied', async () => {
  const slots = new WaveformSlots();
  const sent = slots.take(4);
  sent.set([1, 2, 3, 4]);
  const { port1, port2 } = new MessageChannel();
  const came = new Promise<Float32Array>((resolve) => port2.once('message', resolve));
  port1.postMessage(sent, transferOf(sent));
  const there = await came;
  assert.deepEqual([...there], [1, 2, 3, 4]);
  sent[0] = 7;
  assert.equal(there[0], 7);
  freeWaveform(there);
  assert.equal(slots.take(4).buffer, sent.buffer);
  port1.close();
});
