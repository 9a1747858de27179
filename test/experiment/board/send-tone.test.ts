// Tones of emulated boards: what is on the air, and that nothing is afterwards.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Emission } from '../../../hardware/emulated/air.ts';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import { strongestTone, usableBins } from '../../../src/experiment/board/occupancy.ts';
import { PowerSpectrum } from '../../../src/experiment/board/power-spectrum.ts';
import { sendTone, type ToneOptions } from '../../../src/experiment/board/send-tone.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import { TransmitRefused } from '../../../src/radio/safety/transmit-permission.ts';
import { bench, passTime } from '../../radio/hackrf/emulated.ts';
import { isSilent, tcpRig } from '../../radio/pluto/rig.ts';
import { ToneAir } from './tone-air.ts';

const LO_HZ = 868.2e6;
const CABLED = { cabledDb: 60, allowedBands: [], receiver: null };

function optionsFor(name: 'hackrf' | 'pluto', more: Partial<ToneOptions> = {}): ToneOptions {
  const transmission = { profile: loadProfile(name), loHz: LO_HZ, offsetHz: 100e3, occupiedHz: 0, gainsDb: {} };
  return {
    offsetHz: 100e3,
    levelDbfs: -6,
    durationS: 0.02,
    request: { frequencyHz: LO_HZ, rateHz: 4e6 },
    permission: { transmission, rules: CABLED },
    ...more,
  };
}

/** Frequency on the air, and the level against the strongest sample of a full-scale tone. */
function toneOf(emissions: readonly Emission[]): { frequencyHz: number; dbm: number } {
  const spectrum = new PowerSpectrum(1024);
  for (const { reIm } of emissions) spectrum.add(reIm, false);
  assert.ok(spectrum.windows > 0, `nothing in ${emissions.length} emissions`);
  const { rateHz, frequencyHz } = emissions[0];
  const found = strongestTone(spectrum.mean(), usableBins(1024, rateHz, rateHz), 1e-12, rateHz);
  assert.ok(found);
  return { frequencyHz: frequencyHz + found.offsetHz, dbm: 10 * Math.log10(found.power) };
}

function hackrf() {
  const clock = new ManualAirClock();
  const air = new ToneAir(clock, 0, -300);
  return { clock, air, ...bench({ air }, { clock, nowNs: () => BigInt(Math.round(clock.nowS() * 1e9)) }) };
}

test('a HackRF sends the tone that was asked for, as long as asked, and is silent', async () => {
  const { clock, air, open, emulated } = hackrf();
  const work = async () => {
    const radio = await open({ patienceMs: 60_000 });
    try {
      return await sendTone(radio, optionsFor('hackrf'));
    } finally {
      await radio.close();
    }
  };
  const sent = await passTime(clock, work());
  assert.equal(sent.interrupted, false);
  assert.equal(sent.underruns, 0);
  assert.equal(sent.durationS, 0.02);
  assert.equal(sent.permission?.kind, 'cabled');
  // Whole windows of the stretches: the first and the last of them may be cut.
  const loud = air.emissions.filter(({ reIm }) => reIm.length >= 4096);
  const { frequencyHz } = toneOf(loud);
  assert.ok(Math.abs(frequencyHz - 868.3e6) < 50, String(frequencyHz));
  const onAir = air.emissions.reduce((sum, { reIm }) => sum + reIm.length / 2, 0);
  assert.ok(onAir >= 80_000 && onAir < 80_000 + 65_536, `${onAir} samples`);
  assert.equal(emulated.inspect().m0.activeMode, 0);
});

test('an abort ends it at once', async () => {
  const { clock, air, open, emulated } = hackrf();
  const controller = new AbortController();
  const work = async () => {
    const radio = await open({ patienceMs: 60_000 });
    try {
      const options = optionsFor('hackrf', { durationS: 30, signal: controller.signal });
      const sending = sendTone(radio, options);
      while (air.emissions.length < 20) await clock.at(clock.nowS() + 0.001);
      controller.abort();
      return await sending;
    } finally {
      await radio.close();
    }
  };
  const sent = await passTime(clock, work());
  assert.equal(sent.interrupted, true);
  assert.ok(sent.durationS < 25, `${sent.durationS} s`);
  assert.equal(emulated.inspect().m0.activeMode, 0);
});

test('without permission nothing is sent; bounds are refused', async () => {
  const { clock, air, open } = hackrf();
  const work = async () => {
    const radio = await open({ patienceMs: 60_000 });
    try {
      const { transmission } = optionsFor('hackrf').permission!;
      const rules = { ...CABLED, cabledDb: null };
      await assert.rejects(
        sendTone(radio, optionsFor('hackrf', { permission: { transmission, rules } })),
        TransmitRefused,
      );
      // Full gain into 10 dB: the gains that the board has count.
      const request = { ...optionsFor('hackrf').request, gainsDb: { txvga: 47, txamp: 14 } };
      const near = { transmission, rules: { ...CABLED, cabledDb: 10 } };
      await assert.rejects(sendTone(radio, optionsFor('hackrf', { request, permission: near })), TransmitRefused);
      await assert.rejects(sendTone(radio, optionsFor('hackrf', { durationS: 61 })), /0.001 to 60 s/);
      await assert.rejects(sendTone(radio, optionsFor('hackrf', { offsetHz: 2e6 })), /0 to 1800000 Hz/);
      await assert.rejects(sendTone(radio, optionsFor('hackrf', { levelDbfs: 1 })), /-100 to 0 dBFS/);
      // The radio is free again after each.
      await (await radio.openTx()).close();
    } finally {
      await radio.close();
    }
  };
  await passTime(clock, work());
  assert.equal(air.emissions.length, 0);
});

test('a Pluto repeats whole periods, then is silent', async (t) => {
  const { open, air, board } = await tcpRig(t);
  const radio = await open();
  const sent = await sendTone(radio, optionsFor('pluto', { durationS: 0.3 }));
  assert.ok(sent.durationS >= 0.29);
  assert.ok(isSilent(board));
  // Someone has to listen for the emulation to play what was sent.
  const rx = await radio.openRx({ frequencyHz: LO_HZ, rateHz: 4e6 });
  for await (const _ of rx) break;
  const { frequencyHz } = toneOf(air.emissions.filter(({ reIm }) => reIm.length >= 4096));
  assert.ok(Math.abs(frequencyHz - 868.3e6) < 50, String(frequencyHz));
  await assert.rejects(
    sendTone(radio, optionsFor('pluto', { offsetHz: 100_001 })),
    /repeats only after 8000000 samples/,
  );
  await radio.close();
});
