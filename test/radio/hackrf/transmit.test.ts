import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import { DeviceError, UsageError } from '../../../src/common/errors.ts';
import { measureTurnaround } from '../../../src/radio/hackrf/turnaround.ts';
import { UsbError } from '../../../src/radio/usb/usb.ts';
import type { FaultPlan } from '../../hardware/usb-faults.ts';
import { bench, passTime } from './emulated.ts';

/** A burst whose samples can be told apart: full scale 1, values -1 to 126/128. */
function burst(samples: number, first: number): Float32Array {
  return Float32Array.from({ length: 2 * samples }, (_, i) => (((first + i) % 250) - 125) / 128);
}

/** What went to the OUT endpoint, joined. */
function tap(made: ReturnType<typeof bench>): () => Int8Array {
  const chunks: Uint8Array[] = [];
  const out = made.emulated.bulkOut.bind(made.emulated);
  made.emulated.bulkOut = (endpoint, data, signal) => {
    chunks.push(data.slice());
    return out(endpoint, data, signal);
  };
  return () => new Int8Array(Buffer.concat(chunks));
}

const zeros = (samples: Int8Array): boolean => samples.every((value) => value === 0);

for (const apiVersion of [0x0107, 0x0112]) {
  test(`a run: zeros, burst, zeros, and the transmitter off (API ${apiVersion.toString(16)})`, async () => {
    const clock = new ManualAirClock();
    const made = bench({ apiVersion }, { clock });
    const sent = tap(made);
    const work = async (): Promise<void> => {
      const radio = await made.open({ patienceMs: 60_000 });
      made.requests.length = 0;
      const tx = await radio.openTx({ frequencyHz: 915e6, rateHz: 8e6, gainsDb: { txvga: 10 } });
      // hackrf_transfer -t FILE -f 915000000 -s 8000000 -x 10 -a 0 -p 0: 6, 7, 29, 16, 17, 23, 21, 1; the limit (42) is the dead-man.
      assert.deepEqual(
        made.requests.map(([request]) => request),
        [6, 7, 29, 16, 17, 23, 21, 42],
      );
      assert.equal(made.emulated.inspect().mode, 'off');
      const wave = burst(3001, 0);
      assert.deepEqual(await tx.write(wave), { index: 0, samples: 3001 });
      await tx.drain();
      const bytes = sent();
      const flush = apiVersion >= 0x0112 ? 65_536 : 32_768;
      assert.equal(bytes.length % 512, 0);
      assert.equal(bytes.length, 32_768 + flush);
      assert.ok(zeros(bytes.subarray(0, 2 * 8000)));
      assert.deepEqual(
        bytes.subarray(16_000, 16_000 + 6002),
        Int8Array.from(wave, (v) => Math.round(v * 128)),
      );
      assert.ok(zeros(bytes.subarray(16_000 + 6002)));
      const seen = made.emulated.inspect();
      assert.equal(seen.mode, 'off');
      // Every sample of the burst that is not zero was in the air before the mode went off.
      let loud = 0;
      for (let i = 0; i < 3001; i++) loud += wave[2 * i] !== 0 || wave[2 * i + 1] !== 0 ? 1 : 0;
      assert.ok(seen.emittedSamples >= loud, `${seen.emittedSamples} of ${loud}`);
      assert.deepEqual(
        { ...tx.counters },
        { samples: 16_384, bursts: 1, clippedSamples: 0, nonFinite: 0, underruns: 0 },
      );
      assert.deepEqual(
        made.requests.slice(8).map(([request, value]) => [request, value]),
        [
          [1, 2],
          [1, 0],
          [41, 0],
        ],
      );
      await radio.close();
    };
    await passTime(clock, work());
  });
}

test('bursts queued together share a run, with exact positions', async () => {
  const clock = new ManualAirClock();
  const made = bench({}, { clock });
  const sent = tap(made);
  const work = async (): Promise<void> => {
    const radio = await made.open({ patienceMs: 60_000 });
    const tx = await radio.openTx({ rateHz: 2e6 });
    const first = await tx.write(burst(1000, 0));
    const second = await tx.write(burst(777, 40), 5000);
    const third = await tx.write(burst(10, 3));
    assert.deepEqual([first.index, second.index, third.index], [0, 5000, 5777]);
    await assert.rejects(tx.write(burst(10, 0), 100), /in the past/);
    await assert.rejects(tx.write(burst(10, 0), 1e12), UsageError);
    await tx.drain();
    const bytes = sent();
    const lead = 2 * 2000;
    assert.equal(made.requests.filter(([request, value]) => request === 1 && value === 2).length, 1);
    assert.ok(zeros(bytes.subarray(0, lead)));
    assert.equal(bytes[lead], -125);
    assert.equal(bytes[lead + 2 * 5000], 40 - 125);
    assert.equal(bytes[lead + 2 * 5777], 3 - 125);
    assert.ok(zeros(bytes.subarray(lead + 2000, lead + 10_000)));
    assert.ok(zeros(bytes.subarray(lead + 2 * 5787)));
    // A later burst: a run of its own.
    await tx.write(burst(100, 0));
    await tx.close();
    assert.equal(made.requests.filter(([request, value]) => request === 1 && value === 2).length, 2);
    assert.equal(tx.counters.bursts, 4);
    assert.equal(tx.counters.underruns, 0);
    await assert.rejects(tx.write(burst(1, 0)), DeviceError);
    await radio.close();
  };
  await passTime(clock, work());
});

test('clipped and broken samples are counted, never sent', async () => {
  const clock = new ManualAirClock();
  const made = bench({}, { clock });
  const work = async (): Promise<void> => {
    const radio = await made.open({ patienceMs: 60_000 });
    const tx = await radio.openTx({ rateHz: 2e6 });
    await tx.write(Float32Array.of(1.5, 0, Number.NaN, 0.5, 0.25, Number.POSITIVE_INFINITY, 0, 0));
    await tx.drain();
    assert.equal(tx.counters.clippedSamples, 1);
    assert.equal(tx.counters.nonFinite, 2);
    await radio.close();
  };
  await passTime(clock, work());
});

test('stopped in the middle of a burst: silent, and the rest is not sent', async () => {
  const clock = new ManualAirClock();
  const made = bench({}, { clock });
  const work = async (): Promise<void> => {
    const radio = await made.open({ patienceMs: 60_000 });
    const tx = await radio.openTx({ rateHz: 2e6 });
    await tx.write(burst(2_000_000, 0));
    while (made.emulated.inspect().emittedSamples < 1000) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(made.emulated.inspect().mode, 'tx');
    await tx.abort();
    assert.equal(made.emulated.inspect().mode, 'off');
    assert.ok(made.emulated.inspect().emittedSamples < 1_000_000);
    await assert.rejects(tx.write(burst(10, 0)), DeviceError);
    // The radio is free again.
    const rx = await radio.openRx({ rateHz: 2e6 });
    await rx.close();
    await radio.close();
  };
  await passTime(clock, work());
});

test('unplugged in the middle of a burst: a typed error, nothing on the air', async () => {
  const clock = new ManualAirClock();
  const made = bench({}, { clock });
  const work = async (): Promise<void> => {
    const radio = await made.open({ patienceMs: 60_000 });
    const tx = await radio.openTx({ rateHz: 2e6 });
    await tx.write(burst(500_000, 0));
    while (made.emulated.inspect().emittedSamples < 1000) await new Promise((resolve) => setImmediate(resolve));
    made.bus.unplug(0);
    await assert.rejects(tx.drain(), (error: unknown) => error instanceof UsbError && error.kind === 'gone');
    await assert.rejects(tx.close());
    assert.equal(made.emulated.inspect().mode, 'off');
    made.bus.plug(0);
    const again = await radio.openTx({ rateHz: 2e6 });
    await again.write(burst(100, 0));
    await again.close();
    await radio.close();
  };
  await passTime(clock, work());
});

test('the process ends: the guard is told of every transmitter, and until it is closed', async () => {
  const made = bench();
  const active = new Set<string>();
  let silence: (() => Promise<void>) | null = null;
  const radio = await made.open({
    patienceMs: 60_000,
    protect: (name, transmitter) => {
      active.add(name);
      silence = transmitter.silence;
      return () => active.delete(name);
    },
  });
  const tx = await radio.openTx({});
  assert.equal(active.size, 1);
  await tx.close();
  assert.equal(active.size, 0);
  await radio.openTx({});
  await silence!();
  assert.equal(active.size, 0);
  assert.equal(made.emulated.inspect().mode, 'off');
  await radio.close();
});

test('turnaround is measured in both directions', async () => {
  const made = bench();
  const radio = await made.open({ patienceMs: 60_000 });
  const report = await measureTurnaround(radio, { count: 3, rateHz: 2e6 });
  assert.equal(report.count, 3);
  for (const { p50Ms, p99Ms } of [report.rxToTx, report.txToRx]) assert.ok(p50Ms > 0 && p50Ms <= p99Ms);
  assert.equal(made.emulated.inspect().emittedSamples, 0);
  await radio.close();
});

test('a board that does not answer in time is asked for the mode again, in both directions', async () => {
  const SET_TRANSCEIVER_MODE = 1;
  let deaf = 0;
  const faults: FaultPlan = ({ kind, target }) =>
    kind === 'controlOut' && target === SET_TRANSCEIVER_MODE && deaf-- > 0 ? { kind: 'timeout' } : null;
  const made = bench({ rxCounter: true }, { faults });
  const radio = await made.open();
  const tx = await radio.openTx({ rateHz: 2e6 });
  deaf = 2; // the mode, and the first try of off behind it
  await tx.write(burst(3001, 0));
  await tx.drain();
  assert.ok(deaf < 0);
  assert.ok(made.emulated.inspect().emittedSamples > 2900);
  const rx = await radio.turnToRx({ rateHz: 2e6 });
  await rx.close();
  deaf = 1;
  const again = await radio.openRx({ rateHz: 2e6 });
  for await (const block of again) {
    assert.ok(block.data.length > 0);
    break;
  }
  assert.ok(deaf < 0);
  await radio.close();
  assert.equal(made.emulated.inspect().mode, 'off');
});

test('after a mode that was not answered the amplifier is set again, since off took it back', async () => {
  let deaf = 0;
  const faults: FaultPlan = ({ kind, target }) =>
    kind === 'controlOut' && target === 1 && deaf-- > 0 ? { kind: 'timeout' } : null;
  const made = bench({ rxCounter: true }, { faults });
  const radio = await made.open();
  const seen = (): string[] =>
    made.requests
      .filter(([request]) => request === 17 || request === 1)
      .map(([request, value]) => `${request}:${value}`);
  const tx = await radio.openTx({ rateHz: 2e6, gainsDb: { txamp: 14 } });
  [deaf, made.requests.length] = [1, 0];
  await tx.write(burst(100, 0));
  await tx.drain();
  // What timed out did not reach the board.
  assert.deepEqual(seen(), ['1:0', '17:1', '1:2', '1:0']);
  await tx.close();
  const rx = await radio.openRx({ rateHz: 2e6, gainsDb: { amp: 14 } });
  await rx.close();
  [deaf, made.requests.length] = [1, 0];
  const again = await radio.openRx({ rateHz: 2e6, gainsDb: { amp: 14 } });
  for await (const _ of again) break;
  assert.deepEqual(seen(), ['17:1', '1:0', '17:1', '1:1', '1:0']);
  await radio.close();
});

test('a trigger that does not come is no stall of the transmitter, and it can be stopped', async () => {
  const clock = new ManualAirClock();
  const made = bench({}, { clock });
  const work = async (): Promise<void> => {
    const radio = await made.open({ patienceMs: 20 });
    const tx = await radio.openTx({ rateHz: 2e6, hardwareTrigger: true });
    await tx.write(burst(100_000, 0));
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(made.emulated.inspect().emittedSamples, 0);
    made.emulated.trigger();
    await tx.drain();
    assert.ok(made.emulated.inspect().emittedSamples > 99_000);
    await tx.write(burst(100_000, 0));
    await tx.abort();
    assert.equal(made.emulated.inspect().mode, 'off');
    await radio.close();
  };
  await passTime(clock, work());
});
