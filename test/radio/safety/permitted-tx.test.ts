import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadProfile } from '../../../src/radio/profile.ts';
import { newTxCounters, type TxStream } from '../../../src/radio/radio.ts';
import { parseAllowedBands } from '../../../src/radio/safety/bands.ts';
import { PermittedTx } from '../../../src/radio/safety/permitted-tx.ts';
import { TransmitRefused } from '../../../src/radio/safety/transmit-permission.ts';

const RATE_HZ = 2e6;

/** A transmitter that notes what is asked of it. */
function recorder(withGains = true) {
  const said: unknown[] = [];
  let gainsDb: Readonly<Record<string, number>> = { txvga: 10, txamp: 0 };
  const tx: TxStream = {
    get settings() {
      return {
        frequencyHz: 866.5e6,
        rateHz: RATE_HZ,
        bandwidthHz: null,
        gainsDb,
        format: 'ci8',
        fullScale: 128,
      } as const;
    },
    counters: newTxCounters(),
    write: async (reIm, atIndex) => {
      said.push(['write', reIm.length / 2, atIndex]);
      return { index: 0, samples: reIm.length / 2 };
    },
    drain: async () => void said.push('drain'),
    close: async () => void said.push('close'),
    describe: () => 'recorder',
    ...(withGains
      ? {
          setGains: async (wanted: Readonly<Record<string, number>>) => {
            gainsDb = { ...gainsDb, ...wanted };
            said.push(['gains', gainsDb]);
            return gainsDb;
          },
        }
      : {}),
  };
  return { tx, said };
}

const transmission = {
  profile: loadProfile('hackrf'),
  loHz: 866.5e6,
  offsetHz: 0,
  occupiedHz: 1.08e6,
  gainsDb: { txvga: 10 },
};
const cabled = (cabledDb: number) => ({ cabledDb, allowedBands: [], receiver: null });
const inBands = (...names: string[]) => ({ cabledDb: null, allowedBands: parseAllowedBands(names), receiver: null });

test('without permission there is no transmitter', () => {
  assert.throws(() => new PermittedTx(recorder().tx, { transmission, rules: inBands() }), TransmitRefused);
});

test('gains are checked before they are set', async () => {
  const { tx, said } = recorder();
  const permitted = new PermittedTx(tx, { transmission, rules: cabled(20) });
  assert.deepEqual(await permitted.setGains!({ txvga: 30 }), { txvga: 30, txamp: 0 });
  // 15 - 3 + 3 = 15 dBm with the amplifier and 44 dB: 15 - 20 = -5 dBm.
  await assert.rejects(permitted.setGains!({ txvga: 44, txamp: 14 }), TransmitRefused);
  // What was set before counts with what is asked now.
  await assert.rejects(permitted.setGains!({ txvga: 48 }), /allowed 0 to 47/);
  assert.deepEqual(said, [['gains', { txvga: 30, txamp: 0 }]]);
  assert.equal(new PermittedTx(recorder(false).tx, { transmission, rules: cabled(20) }).setGains, undefined);
});

test('a duty cycle is kept: queued bursts follow each other, the hour forgets', async () => {
  const { tx, said } = recorder();
  let nowS = 100;
  // 1 % of an hour: 36 s.
  const permitted = new PermittedTx(tx, { transmission, rules: inBands('eu:865'), nowS: () => nowS });
  const tenSeconds = new Float32Array(2 * 10 * RATE_HZ);
  for (let i = 0; i < 3; i++) await permitted.write(tenSeconds);
  await assert.rejects(permitted.write(tenSeconds), { message: /duty cycle of 1 % is used up/, hint: /wait / });
  await permitted.write(new Float32Array(2 * 6 * RATE_HZ), 7);
  assert.equal(said.length, 4);
  assert.deepEqual(said[3], ['write', 6 * RATE_HZ, 7]);
  await assert.rejects(permitted.write(new Float32Array(2)), /used up/);
  const waitS = permitted.waitS(10);
  nowS += waitS + 1e-6;
  await permitted.write(tenSeconds);
  // The first burst, 100 to 110 s, has left the hour that ends with a burst of 3700 to 3710 s.
  assert.ok(Math.abs(waitS - 3600) < 1e-6, `${waitS}`);
});

test('on a cable, and in bands without one, there is no duty cycle; the rest is passed on', async () => {
  const { tx, said } = recorder();
  const permitted = new PermittedTx(tx, { transmission, rules: cabled(40), nowS: () => 0 });
  const second = new Float32Array(2 * RATE_HZ);
  for (let i = 0; i < 50; i++) await permitted.write(second);
  assert.equal(permitted.waitS(1000), 0);
  await permitted.drain();
  await permitted.close();
  assert.deepEqual(said.slice(50), ['drain', 'close']);
  assert.equal(permitted.settings.rateHz, RATE_HZ);
  assert.equal(permitted.describe(), 'recorder');
  assert.equal(permitted.permission.kind, 'cabled');
});
