// Examinations of emulated HackRFs of which everything is known: clock, level, rates; and what follows from findings.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import { advise, converterNoiseDbfs } from '../../../src/experiment/board/advice.ts';
import { doctorDocument, doctorText } from '../../../src/experiment/board/doctor-report.ts';
import {
  type Examined,
  type ExamineOptions,
  examine,
  examineBoard,
} from '../../../src/experiment/board/examine-board.ts';
import { TransmitRefused } from '../../../src/radio/safety/transmit-permission.ts';
import { parseRadioUri } from '../../../src/radio/uri.ts';
import { bench, passTime } from '../../radio/hackrf/emulated.ts';
import { ToneAir } from './tone-air.ts';

const REFERENCE_HZ = 868.3e6;
const OPTIONS: ExamineOptions = {
  ...{ wish: {}, durationS: 0.02, referenceHz: REFERENCE_HZ, save: false, rates: false, turns: 0 },
  rules: { cabledDb: null, allowedBands: [], receiver: null },
  note: () => {},
};

interface Case {
  readonly dbm: number;
  readonly gainDb: number;
  readonly clockErrorPpm?: number;
  /** As the URI says. */
  readonly ppm?: number;
  readonly more?: Partial<ExamineOptions>;
}

async function examined({ dbm, gainDb, clockErrorPpm = 0, ppm, more }: Case): Promise<Examined> {
  const clock = new ManualAirClock();
  const air = new ToneAir(clock, REFERENCE_HZ, dbm);
  const nowNs = () => BigInt(Math.round(clock.nowS() * 1e9));
  const { open } = bench({ air, ppm: clockErrorPpm }, { clock, nowNs });
  const uri = parseRadioUri(ppm === undefined ? 'hackrf' : `hackrf?ppm=${ppm}`);
  const work = async () => {
    const radio = await open({ patienceMs: 60_000, ...(ppm === undefined ? {} : { ppm }) });
    try {
      const wish = { frequencyHz: REFERENCE_HZ - 200e3, rateHz: 4e6, gainDb };
      return await examine(radio, uri, wish, { ...OPTIONS, ...more });
    } finally {
      await radio.close();
    }
  };
  return passTime(clock, work());
}

test('the clock error of a board, with and without what was taken out before', async () => {
  for (const [clockErrorPpm, ppm] of [
    [12, undefined],
    [-8, undefined],
    [12, 10],
    [12, 12],
  ] as const) {
    const found = await examined({ dbm: -70, gainDb: 62, clockErrorPpm, ...(ppm === undefined ? {} : { ppm }) });
    // 1 kHz bins at 868 MHz, a tone within 0.01 of a bin; whole hertz of the LO: 0.02 ppm.
    assert.ok(Math.abs(found.clock!.ppm - clockErrorPpm) < 0.02, `${found.clock!.ppm}, wanted ${clockErrorPpm}`);
    assert.equal(found.clock!.appliedPpm, ppm ?? 0);
    assert.equal(
      found.advice.some(({ about }) => about === 'clock'),
      Math.abs(clockErrorPpm - (ppm ?? 0)) > 1,
    );
  }
});

test('advice: too loud, too quiet, no reference, all well', async () => {
  const about = async (one: Case) => (await examined(one)).advice.map((advice) => advice.about);
  assert.deepEqual(await about({ dbm: -60, gainDb: 62 }), [], '-13 dBFS, noise above the converter');
  assert.deepEqual(await about({ dbm: -40, gainDb: 62 }), ['clipping'], '7 dB above full scale');
  assert.deepEqual(await about({ dbm: -50, gainDb: 62 }), ['level'], '-3 dBFS');
  assert.deepEqual(await about({ dbm: -50, gainDb: 30 }), ['noise'], '-35 dBFS over converter noise');
  assert.deepEqual(await about({ dbm: -300, gainDb: 62 }), ['clock'], 'no tone');
  assert.deepEqual(await about({ dbm: -300, gainDb: 0, more: { referenceHz: null } }), ['level'], 'only zeros');
});

test('sustained rate: the highest first, and that is it where nothing is lost', async () => {
  const found = await examined({ dbm: -60, gainDb: 62, more: { rates: true, durationS: 0.005 } });
  assert.equal(found.sustained?.rateHz, 20e6);
  assert.equal(found.sustained?.trials.length, 1);
  assert.ok(found.sustained!.trials[0].samples >= 100_000);
  const none = { ...found, sustained: { rateHz: null, trials: found.sustained!.trials } };
  assert.deepEqual(
    advise(none).map(({ about }) => about),
    ['rate'],
  );
});

test('the report: an object of finite numbers, and lines', async () => {
  const found = await examined({ dbm: -300, gainDb: 0, more: { referenceHz: null } });
  const text = JSON.stringify(doctorDocument('hackrf', found));
  assert.equal(JSON.parse(text).rmsDbfs, null);
  assert.match(doctorText('hackrf', found), /^level +none RMS.*\n(.*\n)*change +every sample is zero/m);
  assert.equal(converterNoiseDbfs('cf32_le', 1), null);
  // 8 bits: 6.02 * 8 + 1.76 dB below a full-scale sine of one component; here of both, against an amplitude of 1.
  assert.ok(Math.abs(converterNoiseDbfs('ci8', 128)! + (6.02 * 8 + 1.76)) < 0.05);
});

test('what may not be sent or stored is refused before the board is opened', async () => {
  const gone = 'hackrf:ff?usbip=127.0.0.1:9';
  const turns = { ...OPTIONS, turns: 5, wish: { frequencyHz: REFERENCE_HZ } };
  await assert.rejects(examineBoard(gone, turns), TransmitRefused);
  await assert.rejects(examineBoard('pluto:ip:127.0.0.1:9', turns), /only a HackRF turns around/);
  await assert.rejects(examineBoard('pluto:ip:127.0.0.1:9', { ...OPTIONS, save: true }), /only a HackRF takes/);
});
