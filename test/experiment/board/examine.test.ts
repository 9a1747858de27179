// Examinations of emulated HackRFs of which everything is known: clock, level, rates; and what follows from findings.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import type { HackrfOptions } from '../../../hardware/emulated/hackrf/hackrf-board.ts';
import { advise } from '../../../src/experiment/board/advice.ts';
import { doctorDocument, doctorText } from '../../../src/experiment/board/doctor-report.ts';
import {
  type Examined,
  type ExamineOptions,
  examine,
  examineBoard,
} from '../../../src/experiment/board/examine-board.ts';
import { converterNoiseDbfs } from '../../../src/experiment/board/image.ts';
import { buildChannel } from '../../../src/phy/channel/scenario.ts';
import type { BoardCalibration } from '../../../src/radio/calibration.ts';
import type { HackrfRadioOptions } from '../../../src/radio/hackrf/hackrf-radio.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import { TransmitRefused } from '../../../src/radio/safety/transmit-permission.ts';
import { bench, passTime, SERIAL } from '../../radio/hackrf/emulated.ts';
import { ToneAir } from './tone-air.ts';

const REFERENCE_HZ = 868.3e6;
const OPTIONS: ExamineOptions = {
  wish: {},
  durationS: 0.02,
  referenceHz: REFERENCE_HZ,
  save: false,
  rates: false,
  turns: 0,
  rules: { cabledDb: null, allowedBands: [], receiver: null },
  book: { store: async () => undefined, level: async () => null },
  note: () => {},
};

interface Case {
  readonly dbm: number;
  readonly gainDb: number;
  readonly clockErrorPpm?: number;
  /** As the URI says. */
  readonly ppm?: number;
  readonly more?: Partial<ExamineOptions>;
  readonly board?: Partial<HackrfOptions>;
  readonly radio?: Partial<HackrfRadioOptions>;
}

async function examined({ dbm, gainDb, clockErrorPpm = 0, ppm, more, board, radio: wanted }: Case): Promise<Examined> {
  const clock = new ManualAirClock();
  const air = new ToneAir(clock, REFERENCE_HZ, dbm);
  const nowNs = () => BigInt(Math.round(clock.nowS() * 1e9));
  const { open } = bench({ air, ppm: clockErrorPpm, ...board }, { clock, nowNs });
  const work = async () => {
    const radio = await open({ patienceMs: 60_000, ...wanted, ...(ppm === undefined ? {} : { ppm }) });
    try {
      const wish = { frequencyHz: REFERENCE_HZ - 200e3, rateHz: 4e6, gainDb };
      return await examine(radio, wish, { ...OPTIONS, ...more }, loadProfile('hackrf'));
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
    const clock = found.clock!;
    const offPpm = clock.ppm - clockErrorPpm;
    assert.ok(Math.abs(offPpm) < clock.errorPpm, `${clock.ppm} +- ${clock.errorPpm}, wanted ${clockErrorPpm}`);
    assert.ok(clock.errorPpm < 0.01, 'a fiftieth of 61 Hz bins is 0.0014 ppm, and the noise');
    assert.ok(Math.abs(clock.loOffsetHz - clockErrorPpm * 868.1) < 10, 'Hz, by which the LO is off');
    assert.equal(clock.appliedPpm, ppm ?? 0);
    assert.deepEqual(found.correction, ppm === undefined ? null : { ppm, from: 'uri' });
    assert.equal(
      found.advice.some(({ about }) => about === 'clock'),
      Math.abs(clockErrorPpm - (ppm ?? 0)) > 1,
    );
  }
});

test('DC, image and level are those that were put in', async () => {
  for (const [iqDb, iqDeg, dcDbfs, dbm] of [
    [0.5, 3, -20, -60],
    [-0.8, -1, -35, -62],
    [0.3, 0, -60, -70],
  ] as const) {
    const rxFaults = (rateHz: number) => buildChannel({ rateHz, seed: 1, iqDb, iqDeg, dcDbfs });
    const found = await examined({ dbm, gainDb: 62, board: { rxFaults } });
    const { image, dcIq } = found.heard;
    assert.ok(Math.abs(dcIq!.dcDbfs - dcDbfs) < (dcDbfs > -50 ? 0.2 : 3), `${dcIq!.dcDbfs} for ${dcDbfs} dBFS`);
    assert.ok(Math.abs(image!.gainDb - iqDb) < 0.05, `${image!.gainDb} for ${iqDb} dB`);
    assert.ok(Math.abs(image!.phaseDeg - iqDeg) < 0.3, `${image!.phaseDeg} for ${iqDeg} degrees`);
    // The emulated board has the level of its profile: what is assumed of a real one is not tested here, the arithmetic is.
    const tone = 10 * Math.log10(found.heard.tone!.power) + found.fullScale!.dbm;
    assert.ok(Math.abs(tone - dbm) < 0.3, `${tone} for ${dbm} dBm`);
    assert.equal(found.fullScale!.errorDb, 10);
  }
});

test('an image that the converter hides is not given a figure', async () => {
  const rxFaults = (rateHz: number) => buildChannel({ rateHz, seed: 1, iqDb: 0.5, iqDeg: 3 });
  const found = await examined({ dbm: -60, gainDb: 26, board: { rxFaults } });
  assert.equal(found.heard.image!.tooWeak, true);
  assert.match(doctorText('hackrf', found), /^image +not known: what is heard/m);
});

test('a stored clock error is taken out, and said; not where another clock comes in', async () => {
  const stored = async () => ({ ppm: 12, from: 'stored', measuredAt: '2026-11-22T15:00:00.000Z' }) as const;
  const found = await examined({ dbm: -60, gainDb: 62, clockErrorPpm: 12, radio: { stored } });
  assert.ok(Math.abs(found.clock!.ppm - 12) < found.clock!.errorPpm);
  assert.equal(found.clock!.appliedPpm, 12);
  assert.match(
    doctorText('hackrf', found),
    /^calibration +12 ppm are taken out, stored for this serial, measured 2026/m,
  );
  assert.equal(JSON.parse(JSON.stringify(doctorDocument('hackrf', found))).clockCorrection.from, 'stored');
  const external = await examined({
    dbm: -60,
    gainDb: 62,
    clockErrorPpm: 12,
    radio: { stored },
    board: { clkinPpm: 0 },
  });
  assert.equal(external.correction, null);
});

test('a reference of known power calibrates the level, and it is stored; not the clock at CLKIN as its own', async () => {
  // The board's full scale is 7 dB off the profile's: what is assumed is found to be wrong.
  const profile = loadProfile('hackrf');
  const figure = { ...profile.frontEnd.rxFullScaleDbm, value: profile.frontEnd.rxFullScaleDbm.value! + 7 };
  const board = { profile: { ...profile, frontEnd: { ...profile.frontEnd, rxFullScaleDbm: figure } } };
  const stored: Record<string, BoardCalibration> = {};
  const book = {
    store: async (serial: string, found: BoardCalibration) => void (stored[serial] = found),
    level: async (serial: string | null) => stored[serial ?? '']?.level ?? null,
  };
  const before = await examined({ dbm: -60, gainDb: 62, board, more: { book } });
  const toneDbm = ({ heard, fullScale }: Examined) => 10 * Math.log10(heard.tone!.power) + fullScale!.dbm;
  assert.ok(Math.abs(toneDbm(before) + 67) < 0.3, 'by the profile alone it is off, within the 10 dB that are said');
  await examined({ dbm: -60, gainDb: 62, board, more: { book, save: true, referenceDbm: -60 } });
  assert.deepEqual(Object.keys(stored), [SERIAL]);
  // Other gains, another level: by the calibration it is right.
  const after = await examined({ dbm: -72, gainDb: 70, board, more: { book } });
  assert.ok(Math.abs(toneDbm(after) + 72) < 0.3, `${toneDbm(after)}`);
  assert.deepEqual([after.fullScale!.basis, after.fullScale!.errorDb], ['calibrated', 3]);
  await assert.rejects(
    examined({ dbm: -60, gainDb: 62, board: { clkinPpm: 0 }, more: { book, save: true } }),
    /the clock at CLKIN, not on its own/,
  );
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
  await assert.rejects(examineBoard('file:x', { ...OPTIONS, save: true }), /only a board has a clock/);
});
