import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AirModel } from '../../../hardware/emulated/air-model.ts';
import type { MakeFaults } from '../../../hardware/emulated/analogue-faults.ts';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import { tone } from '../air/tones.ts';
import { openBoard } from './helpers.ts';

/** Mean square of received bytes, full scale (128) = 0 dB, without their mean. */
function levelDb(bytes: Uint8Array): number {
  const values = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const mean = [0, 0];
  values.forEach((v, i) => {
    mean[i % 2] += (2 * v) / values.length;
  });
  let sum = 0;
  values.forEach((v, i) => {
    sum += (v - mean[i % 2]) ** 2;
  });
  return 10 * Math.log10((2 * sum) / values.length / 128 ** 2);
}

/** Received samples of some duration, as bytes. */
async function receive(opened: Awaited<ReturnType<typeof openBoard>>, bytes: number, rateHz: number) {
  const into = new Uint8Array(bytes);
  const read = opened.usb.bulkIn(0x81, into, 0);
  await opened.clock.advance(bytes / 2 / rateHz + 2e-3);
  await read;
  return into;
}

test('noise stands where the noise figure says, with and without amplifier', async () => {
  for (const [amp, figureDb] of [
    [0, 22],
    [1, 10.8],
  ]) {
    const opened = await openBoard({ seed: 5 });
    await opened.setRate(8e6);
    await opened.out(17, amp);
    await opened.ask(19, 1, 0, 40);
    await opened.ask(20, 1, 0, 30);
    await opened.setMode(1);
    const level = levelDb(await receive(opened, 1 << 18, 8e6));
    const wanted = -173.98 + figureDb + 10 * Math.log10(8e6) - (15 - 40 - 30 - 14 * amp);
    // 2 x 131 072 values: standard deviation 0.01 dB; quantisation adds 1/12 step each, below 0.03 dB here.
    assert.ok(Math.abs(level - wanted) < 0.1, `${level} dBFS, not ${wanted}`);
  }
});

test('from one board to another: level, offset of the carrier, and half duplex', async () => {
  const clock = new ManualAirClock();
  const air = new AirModel(clock, { defaultLossDb: 40 });
  const tx = await openBoard({ clock, air, name: 'tx', ppm: 10 });
  const rx = await openBoard({ clock, air, name: 'rx', ppm: -25, seed: 2 });
  for (const board of [tx, rx]) {
    await board.setRate(8e6);
    await board.setFrequency(915e6);
  }
  await tx.ask(21, 1, 0, 40);
  await rx.ask(19, 1, 0, 32);
  await rx.ask(20, 1, 0, 4);
  await tx.setMode(2);
  await rx.setMode(1);
  const sent = Uint8Array.from(tone(8e6, 1e6, 0, 1 << 17), (v) => Math.round(100 * v) & 0xff);
  void tx.usb.bulkOut(2, sent, 0);
  const bytes = await receive(rx, 1 << 17, 8e6);
  // -14 for the amplifier that is off, -7 for the TX VGA, 100 of 128; full scale of the receiver is 15 - 36 dBm.
  const wanted = 15 - 14 - 7 + 20 * Math.log10(100 / 128) - 40 - (15 - 36);
  const values = new Int8Array(bytes.buffer);
  const part = new Uint8Array(bytes.buffer, 1 << 16, 1 << 15);
  assert.ok(Math.abs(levelDb(part) - wanted) < 0.2, `${levelDb(part)} dBFS, not ${wanted}`);
  // The phase turns by 1 MHz of the sender's clock and 35 ppm of 915 MHz. Over 4000 samples the noise leaves 0.1 Hz,
  // and 2 kHz are ambiguous.
  const lag = 4000;
  const rate = 8e6 * (1 - 25e-6);
  const hz = 1e6 * (1 + 10e-6) + 35e-6 * 915e6;
  let re = 0;
  let im = 0;
  for (let i = 1 << 16; i < (1 << 16) + (1 << 15); i += 2) {
    const k = i - 2 * lag;
    re += values[i] * values[k] + values[i + 1] * values[k + 1];
    im += values[i + 1] * values[k] - values[i] * values[k + 1];
  }
  const turns = Math.atan2(im, re) / (2 * Math.PI) - (hz * lag) / rate;
  const offHz = ((turns - Math.round(turns)) * rate) / lag;
  assert.ok(Math.abs(offHz) < 1, `${offHz} Hz off`);
  assert.ok(Math.abs(rx.board.inspect().loudestInputDbm - (wanted + 15 - 36)) < 0.2);
  // Half duplex: mode RX ends transmission.
  assert.equal(tx.board.inspect().mode, 'tx');
  await tx.setMode(1);
  assert.equal(tx.board.inspect().mode, 'rx');
  const { lastEmissionS, transmittingS } = tx.board.inspect();
  await clock.advance(0.1);
  assert.deepEqual(
    [tx.board.inspect().lastEmissionS, tx.board.inspect().transmittingS],
    [lastEmissionS, transmittingS],
  );
});

test('too much input is limited and counted; faults of the front end are applied in full scale', async () => {
  const rates: number[] = [];
  const offset: MakeFaults = (rateHz) => {
    rates.push(rateHz);
    return { process: (x) => x.map((v, i) => (i % 2 ? v : v + 0.25)), describe: () => 'DC' };
  };
  const quiet = await openBoard({ rxFaults: offset });
  await quiet.setRate(8e6);
  await quiet.setMode(1);
  const bytes = new Int8Array((await receive(quiet, 0x4000, 8e6)).buffer);
  const mean = bytes.reduce((sum, v, i) => sum + (i % 2 ? 0 : v), 0) / 0x2000;
  assert.ok(Math.abs(mean - 32) < 0.1, `${mean}`);
  assert.equal(quiet.board.inspect().clippedSamples, 0);
  await quiet.setRate(4e6);
  await receive(quiet, 0x4000, 4e6);
  assert.deepEqual(rates, [8e6, 4e6], 'made anew for each rate');
  const loud = await openBoard({ seed: 3 });
  await loud.setRate(8e6);
  await loud.ask(19, 1, 0, 40);
  await loud.ask(20, 1, 0, 62);
  await loud.out(17, 1);
  await loud.setMode(1);
  const limited = new Int8Array((await receive(loud, 0x4000, 8e6)).buffer);
  assert.deepEqual([Math.min(...limited), Math.max(...limited)], [-128, 127]);
  assert.ok(loud.board.inspect().clippedSamples > 0x1000);
});
