import assert from 'node:assert/strict';
import type { Profiler } from 'node:inspector';
import { test } from 'node:test';
import { OurProcess } from '../../../../src/experiment/bench/speed/modem-speed-child.ts';
import { OurModem } from '../../../../src/experiment/bench/speed/modem-speed-ours.ts';
import { LiquidPeer } from '../../../../src/experiment/bench/speed/modem-speed-peer.ts';
import { stageTimes } from '../../../../src/experiment/bench/speed/modem-speed-stages.ts';
import { numerology } from '../../../../src/phy/numerology.ts';

const shape = { subbands: 4, slots: 2, bursts: 2, snrDb: 20, cfoRadPerSample: 0.0005 };

test('our modem is measured on bursts that it receives, in a process of its own', async () => {
  const ours = new OurProcess();
  try {
    await assert.rejects(ours.measure(), /no shape is open/);
    const n = numerology(4);
    assert.equal(await ours.open(shape), n.preambleLength + (n.headerSymbols + 2 * 14) * n.symbolLength);
    const speeds = await ours.measure();
    for (const rate of [speeds.generate, speeds.receive, speeds.idle]) assert.ok(rate > 0 && Number.isFinite(rate));
    const stages = await ours.stages(2, 100);
    assert.ok(Math.abs(stages.reduce((sum, s) => sum + s.share, 0) - 1) < 1e-9);
    assert.ok(Math.abs(stages.reduce((sum, s) => sum + s.nsPerSample, 0) - 100) < 1e-6);
  } finally {
    ours.close();
  }
});

test('a burst that does not come through is no measurement', () => {
  const drowned = new OurModem({ ...shape, numerology: numerology(4), snrDb: -20 });
  assert.throws(() => drowned.receiveAll(), /received 0 of 2 bursts/);
});

test('liquid-dsp is measured on bursts of about the same length; without a compiler there is a reason instead', async (t) => {
  assert.match((await LiquidPeer.open(['no-such-compiler'])) as string, /no C compiler/);
  const peer = await LiquidPeer.open();
  if (typeof peer === 'string') {
    t.skip(peer);
    return;
  }
  try {
    const speeds = await peer.measure(shape, 4000);
    assert.equal(speeds.right, 2);
    assert.ok(speeds.burstSamples <= 4000 && speeds.burstSamples > 4000 - 160, `${speeds.burstSamples}`);
    for (const rate of [speeds.generate, speeds.receive, speeds.idle]) assert.ok(rate > 0 && Number.isFinite(rate));
  } finally {
    await peer.close();
  }
});

test('a sample of the profile belongs to the innermost stage on its stack', () => {
  const node = (id: number, functionName: string, url: string, children: number[] = []) => ({
    id,
    callFrame: { functionName, url: `file:///somewhere/src/${url}`, scriptId: '', lineNumber: 0, columnNumber: 0 },
    children,
  });
  const profile: Profiler.Profile = {
    nodes: [
      node(1, '(root)', '', [2, 7, 8]),
      node(2, 'push', 'phy/burst/burst-receiver.ts', [3, 5]),
      node(3, 'acquire', 'phy/sync/acquire.js', [4]),
      node(4, 'forward', 'phy/kernels/fft/fft.ts'),
      node(5, 'finishSlot', 'phy/burst/symbol-tracker.ts', [6]),
      node(6, 'demodulate', 'phy/ofdm/demodulate.ts'),
      node(7, '(idle)', ''),
      node(8, '(garbage collector)', ''),
    ],
    samples: [2, 3, 4, 5, 6, 7, 8],
    timeDeltas: [1, 2, 4, 8, 16, 32, 64],
    startTime: 0,
    endTime: 127,
  };
  assert.deepEqual(Object.fromEntries(stageTimes(profile)), {
    rest: 1,
    acquisition: 6,
    tracking: 8,
    demodulation: 16,
    memory: 64,
  });
});
