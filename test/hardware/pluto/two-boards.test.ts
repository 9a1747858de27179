import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AirModel } from '../../../hardware/emulated/air-model.ts';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import { Iiod } from '../../../hardware/emulated/pluto/iiod/iiod.ts';
import { numberedSamples } from '../../../hardware/emulated/pluto/numbered-samples.ts';
import { PlutoBoard } from '../../../hardware/emulated/pluto/pluto-board.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import { Host, rig } from './helpers.ts';

const RATE_HZ = 3_840_000;
const SAMPLES = 16_384;

/** The strongest of some frequencies in samples, and its level in dB of full scale. */
function peak(iq: Int16Array, frequenciesHz: readonly number[]): { hz: number; dbfs: number } {
  const levels = frequenciesHz.map((hz) => {
    let re = 0;
    let im = 0;
    for (let i = 0; i < iq.length / 2; i++) {
      const angle = (-2 * Math.PI * hz * i) / RATE_HZ;
      re += iq[2 * i] * Math.cos(angle) - iq[2 * i + 1] * Math.sin(angle);
      im += iq[2 * i] * Math.sin(angle) + iq[2 * i + 1] * Math.cos(angle);
    }
    return 20 * Math.log10(Math.hypot(re, im) / (iq.length / 2) / 2048);
  });
  const dbfs = Math.max(...levels);
  return { hz: frequenciesHz[levels.indexOf(dbfs)], dbfs };
}

// 20 ppm at 2.4 GHz: 48 kHz beside the 100 kHz of the tone (itself 2 Hz more). 0 dBm: 7 - 7 dB; 50 dB on the way; full scale 5.9 - 20 dB at a gain of 20.
test('one board hears the other through the air: level, and the difference of their clocks', async () => {
  const clock = new ManualAirClock();
  const air = new AirModel(clock, { defaultLossDb: 50 });
  const profile = loadProfile('pluto');
  const [sender, listener] = [10, -10].map((clockErrorPpm, i) => {
    const board = new PlutoBoard({ name: `p${i}`, serial: `p${i}`, air, profile, clockErrorPpm });
    return new Host(new Iiod(board));
  });
  for (const host of [sender, listener]) {
    await host.set('ad9361-phy INPUT voltage0 sampling_frequency', String(RATE_HZ));
    await host.set('ad9361-phy OUTPUT altvoltage0 frequency', '2400000000');
    await host.set('ad9361-phy OUTPUT altvoltage1 frequency', '2400000000');
    await host.set('ad9361-phy INPUT voltage0 gain_control_mode', 'manual');
    await host.set('ad9361-phy INPUT voltage0 hardwaregain', '20');
  }
  await sender.set('ad9361-phy OUTPUT voltage0 hardwaregain', '-7');
  // 5 turns in 192 samples: 100 kHz.
  const tone = Int16Array.from(
    { length: 384 },
    (_, i) => 32_000 * Math.cos((2 * Math.PI * 5 * (i >> 1)) / 192 - (i & 1 ? Math.PI / 2 : 0)),
  );
  await sender.ask('OPEN iio:device2 192 00000003 CYCLIC\r\n');
  await sender.ask('WRITEBUF iio:device2 768\r\n');
  await sender.ask(new Uint8Array(tone.buffer));
  await listener.ask(`OPEN iio:device3 ${SAMPLES} 00000003\r\nREADBUF iio:device3 ${8 * SAMPLES}\r\n`);
  await clock.advance((2 * SAMPLES + 100) / RATE_HZ);
  const reply = listener.pipe.take();
  const iq = new Int16Array(Uint8Array.from(reply.subarray(-4 * SAMPLES)).buffer);
  const { hz, dbfs } = peak(
    iq,
    Array.from({ length: 41 }, (_, i) => 148_000 + 50 * (i - 20)),
  );
  assert.ok(Math.abs(hz - 148_000) <= 50, `${hz} Hz`);
  const expected = 20 * Math.log10(32_000 / 32_768) + 0 - 50 - (5.9 - 20);
  assert.ok(Math.abs(dbfs - expected) < 0.3, `${dbfs} dBFS, not ${expected}`);
});

test('through a cable of 28 MB/s 3.84 Msps go without loss, 15.36 Msps do not: the losses are those of the cable', async () => {
  for (const [rateHz, passes] of [
    [3_840_000, true],
    [15_360_000, false],
  ] as const) {
    const { clock, iiod, board } = rig({ source: numberedSamples, linkBytesPerS: 28e6 });
    const host = new Host(iiod);
    await host.set('ad9361-phy INPUT voltage0 sampling_frequency', String(rateHz));
    await host.ask('OPEN iio:device3 16384 00000003\r\n');
    host.pipe.say('READBUF iio:device3 65536000\r\n');
    await clock.advance(1);
    const { capturedSamples, lostSamples } = board.statistics().rx;
    host.pipe.hangUp();
    await host.done;
    const { rx } = board.statistics();
    if (passes) assert.deepEqual([lostSamples, rx.overruns], [0, 0]);
    // A second of the cable, and the four blocks that the board holds.
    else
      assert.ok(Math.abs(capturedSamples - 7e6) <= 5 * 16_384, `${capturedSamples} captured, ${rx.lostSamples} lost`);
    assert.ok(Math.abs(rx.capturedSamples + rx.lostSamples - rateHz) <= 1, 'every sample is accounted for');
  }
});
