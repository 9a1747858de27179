import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { senderCodec } from '../../../src/experiment/config/link-codecs.ts';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { runPicture } from '../../../src/experiment/loopback/picture-run.ts';
import { linkCaptures } from '../../../src/experiment/ota/link-run.ts';
import { type PowerKeeper, powerOf, WANTED_SNR_DB } from '../../../src/experiment/ota/power-keeper.ts';
import { type RadioEnd, radioEnd } from '../../../src/experiment/ota/radio-end.ts';
import { RadioExchange } from '../../../src/experiment/ota/radio-exchange.ts';
import { TRANSMIT_RMS } from '../../../src/phy/burst/transmit.ts';
import { noiseVarianceFor } from '../../../src/phy/channel/snr.ts';
import type { ChannelFn } from '../../../src/radio/loopback/loopback-path.ts';
import { LoopbackRadio } from '../../../src/radio/loopback/loopback-radio.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import type { Radio, TxStream } from '../../../src/radio/radio.ts';
import { RISE_STEP_DB } from '../../../src/radio/safety/power-rise.ts';
import { runByItself } from '../../link/session/helpers.ts';
import { io, photo, scratch } from '../link-helpers.ts';

const CABLED = {
  codec: 'classical',
  format: 'jpeg',
  numerology: 6,
  frequencyHz: 868.3e6,
  cabledDb: 60,
} as const;

function powerFor(more: object = {}): PowerKeeper | null {
  const config = resolveLinkConfig({ ...CABLED, ...more });
  return powerOf(radioEnd(config, 'hackrf:1', 'tx', null), loadProfile('hackrf'));
}

/** White noise at an SNR over the band of an end's numerology. */
function noise(snrDb: number, { numerology: n, frontend }: RadioEnd['setup']): ChannelFn {
  const random = new RandomStream('noise');
  const variance = noiseVarianceFor({
    snrDb,
    signalPower: TRANSMIT_RMS ** 2,
    fftSize: n.fftSize,
    occupiedCarriers: n.nCarriers,
    modemRateHz: frontend.modemRateHz,
    deviceRateHz: frontend.deviceRateHz,
  });
  return {
    process: (samples) => {
      const out = samples.slice();
      random.addComplexNoise(out, variance);
      return out;
    },
    describe: () => `noise ${snrDb} dB`,
  };
}

/** A loopback radio in real time whose transmitter has the HackRF's gain: 47 dB send what is written. */
function levelled(radio: LoopbackRadio, firstDb: number, set: number[]): Radio {
  return {
    uri: 'test',
    capabilities: { ...radio.capabilities, realtime: true },
    openRx: (request) => radio.openRx(request),
    openTx: async (request) => {
      const { gainsDb: _, ...rest } = request;
      const tx = await radio.openTx(rest);
      let gainDb = firstDb;
      const out: TxStream = {
        settings: tx.settings,
        counters: tx.counters,
        write: (reIm, at) => tx.write(reIm.map((v) => v * 10 ** ((gainDb - 47) / 20)) as Float32Array, at),
        drain: () => tx.drain(),
        close: () => tx.close(),
        describe: () => tx.describe(),
        setGains: async (gains) => {
          gainDb = gains.txvga;
          set.push(gainDb);
          return gains;
        },
      };
      return out;
    },
    close: () => radio.close(),
    describe: () => radio.describe(),
  };
}

async function link(at: string, snrAtTopDb: number) {
  const path = await photo(join(at, 'photo.png'), 96, 64);
  const config = resolveLinkConfig({
    codec: 'classical',
    format: 'jpeg',
    cbr: 1,
    numerology: 6,
    soundings: 2,
    maxCsiAgeMs: 60_000,
  });
  const coding = await senderCodec(config);
  const ends = { tx: radioEnd(config, 'file:there', 'tx', coding), rx: radioEnd(config, 'file:here', 'rx', coding) };
  const [near, far] = LoopbackRadio.pair(
    { channel: noise(snrAtTopDb, ends.rx.setup), rateHz: config.rateHz, blockSamples: 4096 },
    noise(25, ends.rx.setup),
  );
  // Not faster than real time, so that no burst is torn where the host is slow.
  const clock = runByItself(near, 1920);
  const signal = new AbortController().signal;
  const files = {};
  const power = powerFor()!;
  const set: number[] = [];
  const radios = { tx: levelled(near, power.gainsDb.txvga, set), rx: levelled(far, 47, []) };
  const directory = join(at, 'run');
  const run = await runPicture(
    {
      config,
      settings: config,
      photo: { kind: 'file', path },
      coding,
      modelled: false,
      channel: 'link',
      numerology: ends.rx.setup.numerology,
      directory,
      loOffsetHz: 0,
      open: async (run, name) => {
        const exchange = new RadioExchange({
          ...ends,
          permission: null,
          signal,
          radios,
          power,
          captures: async (tx, rx) => Object.assign(files, await linkCaptures(run, name, ends, tx, rx)),
        });
        return { exchange, captures: files, frequencyHz: undefined };
      },
    },
    io(directory),
  ).finally(() => clock.stop());
  const { device } = JSON.parse(await readFile(join(directory, 'run.json'), 'utf8'));
  return { run, device, set };
}

test('the power rises from its low start by at most 6 dB a sounding until the SNR is there, and no further', async (t) => {
  const { run, device, set } = await link(await scratch(t), 35);
  const { startGainDb, finalGainDb, ceilingGainDb, why } = device.power;
  assert.deepEqual([startGainDb, ceilingGainDb], [23, 47]);
  assert.equal(finalGainDb, set.at(-1));
  // 35 dB at 47 dB of gain: 20 dB at 32 dB; the estimate of the SNR may miss by some decibels.
  assert.ok(finalGainDb! >= 29 && finalGainDb! <= 38, `${finalGainDb} dB`);
  assert.match(why, /^SNR 2\d\.\d dB, wanted 20 dB$/);
  for (const [i, gainDb] of set.entries()) {
    const step = gainDb - (set[i - 1] ?? startGainDb);
    assert.ok(step > 0 && step <= RISE_STEP_DB, `${step} dB at once`);
  }
  assert.ok(device.soundingsForGains >= 1);
  assert.ok(run.report.notes!.some((w) => /transmit gain 23 dB, raised to \d+ dB \(at most 47 dB\): SNR/.test(w)));
  assert.ok(
    run.metrics.psnrDb! > 20,
    `and the picture comes: ${run.metrics.psnrDb} dB, ${run.report.warnings.join('; ')}`,
  );
});

test('a link too weak at the start is found: soundings that are not heard raise the power, up to the ceiling', async (t) => {
  const { run, device, set } = await link(await scratch(t), 12);
  assert.deepEqual(set, [29, 35, 41, 47]);
  assert.match(device.power.why, /^the strongest gain that is permitted \(SNR 1\d\.\d dB\)$/);
  assert.ok(
    run.metrics.rbSnrDb!.every((snrDb) => snrDb! > 9),
    'the soundings before do not count',
  );
});

test('the ceiling is what the cable permits; --tx-gain fixes the gain', () => {
  assert.equal(powerFor()!.facts().ceilingGainDb, 47);
  // 15 dBm at 61 dB of gain, 3 dB for compression: 4 dBm at 47 dB, behind 10 dB 4 dB more than a receiver may get.
  assert.equal(powerFor({ cabledDb: 10 })!.facts().ceilingGainDb, 43);
  assert.equal(powerFor({ txGainDb: 30 }), null);
});

test('a full converter lowers the power and ends it; power that brings nothing is not added', async () => {
  const set: number[] = [];
  const tx = {
    setGains: async (gains: Readonly<Record<string, number>>) => {
      set.push(gains.txvga);
      return gains;
    },
  };
  const full = powerFor()!;
  assert.equal(await full.settle(tx, { snrDb: 30, clipped: true, receivedDbm: null }), true);
  assert.equal(await full.settle(tx, { snrDb: 10, clipped: false, receivedDbm: null }), false);
  assert.deepEqual(set, [17]);
  assert.match(full.facts().why, /at its limit/);
  const useless = powerFor()!;
  let moves = 0;
  while (await useless.settle(tx, { snrDb: WANTED_SNR_DB - 8, clipped: false, receivedDbm: null })) moves++;
  assert.equal(moves, 2);
  assert.match(useless.facts().why, /brings no more SNR than 12\.0 dB/);
  const fixed = powerFor()!;
  assert.equal(await fixed.settle({}, null), false);
  assert.match(fixed.facts().why, /cannot change its gain/);
});

test('much more at the receiver than the cable lets through ends a session: the attenuator is not there', async () => {
  const tx = { setGains: async (gains: Readonly<Record<string, number>>) => gains };
  // -20 dBm at most, behind 60 dB; doubted from 15 dB above that.
  const near = { snrDb: 30, clipped: false, receivedDbm: -64 };
  await assert.rejects(
    powerFor()!.settle(tx, near),
    /-64\.0 dBm arrive where at most -80\.0 dBm were predicted behind 60 dB/,
  );
  assert.equal(await powerFor()!.settle(tx, { ...near, receivedDbm: -66 }), false);
});
