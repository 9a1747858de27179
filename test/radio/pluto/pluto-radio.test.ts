import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plutoFirmware } from '../../../hardware/emulated/pluto/firmware.ts';
import { DeviceError, UsageError } from '../../../src/common/errors.ts';
import type { PlutoRx } from '../../../src/radio/pluto/pluto-rx.ts';
import { blockLength, type LossRecord, type SampleBlock } from '../../../src/radio/radio.ts';
import { counter, isSilent, numberOf, SERIAL, tcpRig } from './rig.ts';

async function receive(rx: PlutoRx, samples: number, onBlock: (block: SampleBlock) => void): Promise<void> {
  let count = 0;
  for await (const block of rx) {
    onBlock(block);
    count += blockLength(block);
    if (count >= samples) break;
  }
}

test('a board tells what it is and can do, and is silent as soon as it is open', async (t) => {
  const { open, board } = await tcpRig(t);
  const radio = await open();
  assert.deepEqual(radio.identity, {
    model: 'Analog Devices PlutoSDR Rev.C (Z7010-AD9363A)',
    serial: SERIAL,
    firmware: 'v0.35',
  });
  const { capabilities } = radio;
  assert.deepEqual(capabilities.frequencyHz, { min: 325e6, max: 3.8e9, step: 1 });
  assert.deepEqual(capabilities.rateHz, { min: 260_417, max: 61.44e6, step: 1 });
  assert.equal(capabilities.duplex, 'full');
  assert.ok(isSilent(board));
  await radio.close();
  await assert.rejects(radio.openRx(), /closed/);
});

test('the chip tells its temperature, while receiving too, but is not asked while the transmitter is open', async (t) => {
  const { open } = await tcpRig(t);
  const radio = await open();
  assert.equal(await radio.temperatureC(), 36.842);
  const rx = await radio.openRx();
  assert.equal(await radio.temperatureC(), 36.842);
  await rx.close();
  const tx = await radio.openTx({ frequencyHz: 2.4e9 });
  assert.equal(await radio.temperatureC(), null);
  await tx.close();
  await radio.close();
  await assert.rejects(radio.temperatureC(), /closed/);
});

test('a stored clock error is taken out of frequency and rate', async (t) => {
  const { open, board } = await tcpRig(t);
  const radio = await open({ stored: async (serial) => (serial === SERIAL ? { ppm: 12, from: 'stored' } : null) });
  assert.deepEqual(radio.clock, { ppm: 12, from: 'stored' });
  const rx = await radio.openRx({ frequencyHz: 915e6, rateHz: 2.5e6 });
  // A clock that is 12 ppm fast is asked for 915 MHz / 1.000012.
  const phy = board.context.devices.find(({ name }) => name === 'ad9361-phy')!;
  const lo = phy.channels.find(({ name }) => name === 'RX_LO')!.attributes.find(({ name }) => name === 'frequency')!;
  assert.ok(Math.abs(Number(lo.read()) - (915e6 - 10_980)) <= 50, String(lo.read()));
  assert.ok(Math.abs(rx.settings.frequencyHz - 915e6) <= 50);
  assert.ok(Math.abs(rx.settings.rateHz - 2.5e6) < 1);
  await radio.close();
});

test('settings are what the board says afterwards; out of range is refused with the range', async (t) => {
  const { open } = await tcpRig(t);
  const radio = await open();
  const request = { frequencyHz: 915e6, rateHz: 1_920_000, bandwidthHz: 1.5e6, gainsDb: { rx: 33 } };
  const rx = await radio.openRx(request);
  assert.equal(rx.settings.rateHz, 1_920_000);
  assert.ok(Math.abs(rx.settings.frequencyHz - 915e6) <= 50);
  assert.deepEqual(rx.settings.gainsDb, { rx: 33 });
  assert.equal(rx.settings.fullScale, 2048);
  await assert.rejects(radio.openRx(request), /open already/);
  // 15.36 Msps on the chip: the same, or an eighth of it.
  await assert.rejects(radio.openTx({ rateHz: 3.84e6 }), /share one clock/);
  const tx = await radio.openTx({ rateHz: 1_920_000, frequencyHz: 2.4e9, gainsDb: { tx: -30.25 } });
  assert.deepEqual(tx.settings.gainsDb, { tx: -30.25 });
  assert.equal(tx.settings.fullScale, 32_768);
  assert.deepEqual(await rx.setGains({ rx: 20 }), { rx: 20 });
  assert.deepEqual(await rx.setGains({}), { rx: 20 });
  await assert.rejects(rx.setGains({ rx: 200 }), /allowed -1 to 73/);
  await assert.rejects(rx.setGains({ tx: -10 }), /it has: rx/);
  assert.deepEqual(await tx.setGains({ tx: -50.5 }), { tx: -50.5 });
  await assert.rejects(tx.setGains({ tx: 1 }), UsageError);
  assert.equal((await tx.write(new Float32Array(64))).samples, 32, 'a refused gain does not end the stream');
  await tx.close();
  await rx.close();
  for (const [wrong, message] of [
    [{ rateHz: 260_416 }, /260417/],
    [{ rateHz: 62e6 }, /61440000/],
    [{ rateHz: 3_000_000.5 }, /steps of 1|whole hertz/],
    [{ frequencyHz: 100e6 }, /325000000/],
    [{ bandwidthHz: 100_000 }, /200000/],
    [{ gainsDb: { rx: 72 } }, /-3 to 71/],
    [{ gainsDb: { rx: 1.5 } }, /steps of 1/],
    [{ gainsDb: { lna: 1 } }, /it has: rx/],
  ] as const) {
    await assert.rejects(radio.openRx({ frequencyHz: 2.4e9, ...wrong }), (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  // The range of the gain follows the frequency.
  const low = await radio.openRx({ frequencyHz: 915e6, rateHz: 3e6 });
  assert.deepEqual(low.settings.gainsDb, { rx: -1 });
});

test('samples follow each other, and what the board lost is said: bounds, span, index', async (t) => {
  const { open, board } = await tcpRig(t, { source: counter, clockErrorPpm: 20 }, 0.6);
  const radio = await open();
  const rx = await radio.openRx({ frequencyHz: 915e6, rateHz: 500_000 });
  let index = 0;
  let previous = -1;
  let stalled = false;
  /** True losses: the index that the stream gave the first sample behind each, and how many. */
  const truth: { index: number; lost: number }[] = [];
  const said: LossRecord[] = [];
  let timestampNs = 0n;
  await receive(rx, 1_200_000, (block) => {
    const { lostBefore } = block;
    if (lostBefore) {
      said.push(lostBefore);
      assert.equal(lostBefore.to, block.index);
    }
    assert.equal(block.index, index + (lostBefore?.min ?? 0));
    index = block.index + blockLength(block);
    assert.ok(block.timestampNs !== null && block.timestampNs > timestampNs);
    timestampNs = block.timestampNs;
    for (let i = 0; i < blockLength(block); i++) {
      const number = numberOf(block.data, i);
      const lost = previous < 0 ? 0 : (number - previous - 1) & 0x3fffff;
      if (lost) truth.push({ index: block.index + i, lost });
      previous = number;
    }
    // A host that does nothing for 2 s: 1.2 s of the board, 24 buffers of which it holds four.
    if (!stalled && rx.counters.samples > 300_000) {
      stalled = true;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
    }
  });
  assert.ok(board.statistics().rx.gaps.length > 0, 'the stall must have cost something');
  assert.ok(truth.length > 0);
  for (const { min, max, from, to } of said) {
    const inside = truth.filter((one) => one.index >= from && one.index <= to).reduce((sum, one) => sum + one.lost, 0);
    assert.ok(inside >= min && inside <= max, `${inside} lost in ${from} to ${to}, said: ${min} to ${max}`);
  }
  // What the last buffers carried is in the counters, where no block came any more to carry the record.
  const total = truth.reduce((sum, one) => sum + one.lost, 0);
  assert.ok(total >= rx.counters.lostMin && total <= rx.counters.lostMax, `${total} of ${JSON.stringify(rx.counters)}`);
});

test('above the rate that streams: buffers of their own, and the gaps between them are said', async (t) => {
  const { open } = await tcpRig(t, { source: counter }, 0.05);
  const radio = await open();
  const rx = await radio.openRx({ frequencyHz: 915e6, rateHz: 7_680_000 });
  let previous = -1;
  let gaps = 0;
  await receive(rx, 3 * 384_000, (block) => {
    const start = numberOf(block.data, 0);
    if (block.lostBefore) {
      gaps++;
      const lost = (start - previous - 1) & 0x3fffff;
      // The counter goes round every 2^22 samples; the true loss is one of these.
      const { min, max } = block.lostBefore;
      const turns = Math.ceil((min - lost) / 2 ** 22);
      const candidate = lost + Math.max(0, turns) * 2 ** 22;
      assert.ok(candidate >= min && candidate <= max, `${candidate} in ${min} to ${max}`);
    }
    for (let i = 1; i < blockLength(block); i++) {
      assert.equal(numberOf(block.data, i), (numberOf(block.data, i - 1) + 1) & 0x3fffff);
    }
    previous = numberOf(block.data, blockLength(block) - 1);
  });
  assert.equal(gaps, 2);
});

test('a burst is heard whole and once; before and after it the board is silent', async (t) => {
  const { open, air, board } = await tcpRig(t);
  const radio = await open();
  const tx = await radio.openTx({ frequencyHz: 2.4e9, rateHz: 3e6, gainsDb: { tx: -10 } });
  const burst = Float32Array.from({ length: 4000 }, (_, i) => 0.5 * Math.cos(i * 0.1));
  const first = await tx.write(burst);
  const second = await tx.write(burst);
  assert.equal(first.samples, 2000);
  assert.ok(second.index >= first.index + 2000, 'bursts do not overlap');
  await tx.drain();
  assert.deepEqual([tx.counters.bursts, tx.counters.underruns, tx.counters.clippedSamples], [2, 0, 0]);
  await assert.rejects(tx.write(burst, 0), /too late/);
  await assert.rejects(tx.write(new Float32Array(2 ** 24)), /at most/);
  await tx.close();
  assert.ok(isSilent(board));
  assert.equal(board.statistics().tx.cutSamples, 0, 'nothing was cut off');
  const powers = air.emissions.flatMap(({ reIm }) => {
    const out = [];
    for (let i = 0; i < reIm.length; i += 2) out.push(reIm[i] ** 2 + reIm[i + 1] ** 2);
    return out;
  });
  const peak = powers.reduce((a, b) => Math.max(a, b), 0);
  const loud = powers.filter((power) => power > peak / 1000).length;
  assert.ok(loud > 3600 && loud <= 4000, `${loud} loud samples`);
  await assert.rejects(tx.write(burst), /closed/);
});

test('an underflow bit that is stuck, as in firmware v0.39, counts nothing and says so', async (t) => {
  const rig = await tcpRig(t, { firmware: plutoFirmware('v0.39') });
  const radio = await rig.open();
  const tx = await radio.openTx({ frequencyHz: 915e6, rateHz: 1e6 });
  assert.equal(tx.warning, null);
  for (let i = 0; i < 2; i++) await tx.write(new Float32Array(2 * 150_000).fill(0.1));
  await tx.drain();
  assert.equal(tx.counters.underruns, 0);
  assert.match(tx.warning ?? '', /underflow bit is stuck/);
  await tx.close();
});

test('an underrun is counted only where the bit is set inside a burst, not at its end', async (t) => {
  const { open, board } = await tcpRig(t);
  const radio = await open();
  const tx = await radio.openTx({ frequencyHz: 2.4e9, rateHz: 300_000 });
  // 120 ms of the board: long enough to be looked at.
  await tx.write(new Float32Array(2 * 36_000).fill(0.1));
  await tx.drain();
  assert.ok(board.statistics().tx.underruns > 0, 'the board ran dry at the end, as it must');
  assert.equal(tx.counters.underruns, 0);
});

test('a repeated buffer goes on until it is ended, and a lost host ends it', async (t) => {
  const { open, board, stopServer } = await tcpRig(t);
  const radio = await open();
  const tx = await radio.openTx({ frequencyHz: 2.4e9, rateHz: 3e6, gainsDb: { tx: -10 } });
  await tx.repeat(new Float32Array(2048).fill(0.3));
  await assert.rejects(tx.write(new Float32Array(8)), /repeats/);
  await assert.rejects(tx.repeat(new Float32Array(8)), /already/);
  assert.ok(board.tx.isOpen);
  await tx.endRepeat();
  assert.ok(!board.tx.isOpen);
  await assert.rejects(tx.repeat(new Float32Array(6)), UsageError);
  await tx.repeat(new Float32Array(2048).fill(0.3));
  assert.ok(!isSilent(board));
  await tx.cut();
  assert.ok(isSilent(board), 'cut off: silent at once');
  await stopServer();
  await assert.rejects(radio.openTx({}), DeviceError);
});
