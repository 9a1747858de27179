import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DeviceError, UsageError } from '../../../src/common/errors.ts';
import type { WaitClock } from '../../../src/common/wait-clock.ts';
import { FileRadio } from '../../../src/radio/file/file-radio.ts';
import { fromFloat } from '../../../src/radio/format/convert.ts';
import { exactLoss } from '../../../src/radio/radio.ts';
import { captureInfo, validateCapture } from '../../../src/radio/sigmf/capture-info.ts';
import { CaptureWriter } from '../../../src/radio/sigmf/capture-writer.ts';
import { noise, noiseBlock, temporaryFolder } from '../helpers.ts';

const CHILD = fileURLToPath(new URL('./file-sender.child.ts', import.meta.url));

/** Time that passes only in sleep(), so that time-outs need no waiting; yields to the event loop each time. */
function fakeClock(onSleep: () => Promise<void> = async () => {}): WaitClock & { now: number } {
  const clock = {
    now: 0,
    nowMs: () => clock.now,
    sleep: async (ms: number) => {
      clock.now += ms;
      await onSleep();
    },
  };
  return clock;
}

for (const end of ['close', 'die'] as const) {
  test(`two processes: one sends into the file while the other receives (sender ends by ${end})`, async (t) => {
    const path = join(await temporaryFolder(t), 'link');
    // Opened before the sender exists. The time-out is generous: it only has to outlast a slow start.
    const opening = new FileRadio(path, { idleTimeoutMs: end === 'die' ? 8000 : 30_000, pollMs: 5 }).openRx({
      rateHz: 8e6,
    });
    const child = spawn(process.execPath, ['--import', 'tsx', CHILD, path, '6', end], { stdio: 'inherit' });
    t.after(() => child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    const rx = await opening;
    assert.equal(rx.settings.frequencyHz, 915e6);
    const received = new Int8Array(2 * 170_000);
    let samples = 0;
    let whileSending = 0;
    for await (const block of rx) {
      assert.equal(block.index, samples);
      received.set(block.data as Int8Array, 2 * samples);
      samples += block.data.length / 2;
      if (child.exitCode === null && child.signalCode === null) whileSending++;
      if (end === 'die' && samples === 170_000) break;
    }
    await exited;
    assert.equal(samples, 170_000);
    assert.ok(whileSending > 0, 'nothing was received before the sender ended');
    for (let i = 0; i < 6; i++) {
      const burst = fromFloat(noise(i, 20_000, 0.2), 'ci8', 128).data;
      assert.deepEqual(received.subarray(60_000 * i, 60_000 * i + 40_000), burst);
      const silence = received.subarray(60_000 * i + 40_000, Math.min(60_000 * (i + 1), 340_000));
      assert.ok(silence.every((v) => v === 0));
    }
    if (end === 'close') assert.equal(rx.ended, 'source-ended');
    const check = await validateCapture(path);
    assert.deepEqual(check.problems, []);
    assert.equal(check.info?.complete, end === 'close');
  });
}

test('a writer that stops without closing is noticed by the time-out and reported', async (t) => {
  const path = join(await temporaryFolder(t), 'x');
  const tx = await new FileRadio(path).openTx({ rateHz: 1e6 });
  await tx.write(noise(1, 1000));
  const clock = fakeClock();
  const rx = await new FileRadio(path, { clock, idleTimeoutMs: 5000, pollMs: 100 }).openRx();
  let samples = 0;
  for await (const block of rx) samples += block.data.length / 2;
  assert.equal(samples, 1000);
  assert.equal(rx.ended, 'source-silent');
  assert.equal(clock.now, 5000);
  await tx.close();
});

test('samples and gaps that appear while waiting are delivered, with the gap', async (t) => {
  const path = join(await temporaryFolder(t), 'x');
  const writer = await CaptureWriter.create(path, { format: 'ci16_le', rateHz: 1e6, startTime: null });
  const steps = [
    () => writer.write(noiseBlock('ci16_le', 0, 100)),
    () => writer.write(noiseBlock('ci16_le', 150, 100)).then(() => writer.flush()),
    () => writer.close().then(() => {}),
  ];
  const clock = fakeClock(async () => {
    await steps.shift()?.();
    if (steps.length === 2) await writer.flush();
  });
  const rx = await new FileRadio(path, { clock, pollMs: 100 }).openRx();
  const blocks = [];
  for await (const block of rx) blocks.push(block);
  assert.deepEqual(
    blocks.map((b) => [b.index, b.data.length / 2, b.lostBefore]),
    [
      [0, 100, null],
      [150, 100, exactLoss(100, 150)],
    ],
  );
  assert.equal(rx.ended, 'source-ended');
  assert.deepEqual([rx.counters.samples, rx.counters.lostMin, rx.counters.gaps], [200, 50, 1]);
});

test('silence after the last burst is written, but is no burst', async (t) => {
  const path = join(await temporaryFolder(t), 'x');
  const tx = await new FileRadio(path).openTx({ rateHz: 1e6 });
  await tx.write(noise(1, 1000), 200);
  assert.deepEqual(await tx.write(new Float32Array(2 * 500), 1500), { index: 1500, samples: 500 });
  await tx.close();
  const info = await captureInfo(path);
  assert.equal(info.samples, 2000);
  assert.deepEqual(
    info.bursts.map((b) => [b.fileSample, b.samples]),
    [[200, 1000]],
  );
  assert.equal(tx.counters.bursts, 1);
});

test('what cannot be is refused: no file, wrong rate, no rate, archive, late burst, endless silence, both ways', async (t) => {
  const path = join(await temporaryFolder(t), 'x');
  const radio = new FileRadio(path, { clock: fakeClock(), maxSilenceS: 1 });
  await assert.rejects(radio.openRx(), (e) => e instanceof DeviceError && /within 10 s/.test(e.hint ?? ''));
  await assert.rejects(radio.openTx({}), UsageError);
  await assert.rejects(new FileRadio(`${path}.sigmf`).openTx({ rateHz: 1e6 }), UsageError);
  const tx = await radio.openTx({ rateHz: 1000 });
  await assert.rejects(radio.openRx(), DeviceError);
  assert.deepEqual(await tx.write(new Float32Array(20), 100), { index: 100, samples: 10 });
  await assert.rejects(tx.write(new Float32Array(2), 109), DeviceError);
  await assert.rejects(tx.write(new Float32Array(2), 1111), UsageError);
  await tx.close();
  await assert.rejects(tx.write(new Float32Array(2)), DeviceError);
  assert.equal(tx.counters.samples, 110);
  await assert.rejects(radio.openRx({ rateHz: 2000 }), /has 1000 samples a second, not 2000/);
  await assert.rejects(radio.openTx({ rateHz: 1000 }), /exists already/);
  const rx = await radio.openRx();
  await rx.close();
  await rx.close();
  assert.equal(rx.ended, 'closed');
  await radio.close();
});
