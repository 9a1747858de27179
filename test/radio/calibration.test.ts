import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FormatError } from '../../src/common/errors.ts';
import {
  calibrationOf,
  calibrationPath,
  readCalibrations,
  storeCalibration,
  withCalibration,
} from '../../src/radio/calibration.ts';
import { formatRadioUri, parseRadioUri } from '../../src/radio/uri.ts';

const BOARD = { ppm: -7.25, referenceHz: 868.3e6, measuredAt: '2026-11-22T15:00:00.000Z' };

async function file(t: { after(fn: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sct-calibration-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'new', 'calibration.json');
}

test('what is stored is found again, by serial; other boards stay', async (t) => {
  const path = await file(t);
  assert.deepEqual(await readCalibrations(path), {});
  await storeCalibration('00AA', BOARD, path);
  await storeCalibration('00bb', { ...BOARD, ppm: 3 }, path);
  const boards = await readCalibrations(path);
  assert.deepEqual(Object.keys(boards), ['00aa', '00bb']);
  assert.equal(calibrationOf(boards, 'AA')?.ppm, -7.25);
  assert.equal(calibrationOf(boards, 'cc'), null);
  await storeCalibration('11aa', BOARD, path);
  assert.equal(calibrationOf(await readCalibrations(path), 'aa'), null, 'two boards end so');
  assert.deepEqual(await readdir(join(path, '..')), ['calibration.json'], 'nothing is left beside it');
});

test('a URI gets the clock error of its serial unless it names one', async (t) => {
  const path = await file(t);
  await storeCalibration('00aa', BOARD, path);
  await storeCalibration('00cc', { ...BOARD, ppm: 1.234e-8 }, path);
  for (const [uri, ppm] of [
    ['hackrf:aa', -7.25],
    ['hackrf:cc', 0],
    ['hackrf:aa?ppm=2', 2],
    ['hackrf:bb', undefined],
    ['hackrf', undefined],
  ] as const) {
    const got = await withCalibration(parseRadioUri(uri), path);
    assert.ok(got.kind === 'hackrf');
    assert.equal(got.options.ppm, ppm, uri);
    assert.deepEqual(parseRadioUri(formatRadioUri(got)), got, 'it can be written and read again');
  }
  assert.deepEqual(await withCalibration(parseRadioUri('pluto:usb'), path), { kind: 'pluto-usb' });
});

test('a file that is something else is refused and stays as it is', async (t) => {
  const path = await file(t);
  await storeCalibration('00aa', BOARD, path);
  const good = JSON.parse(await readFile(path, 'utf8'));
  for (const bad of [
    '{',
    '[]',
    JSON.stringify({ ...good, schema: 'x' }),
    JSON.stringify({ ...good, boards: { '00aa': { ...BOARD, ppm: 101 } } }),
    JSON.stringify({ ...good, boards: { zz: BOARD } }),
  ]) {
    await writeFile(path, bad);
    await assert.rejects(readCalibrations(path), FormatError, bad);
    await assert.rejects(storeCalibration('00bb', BOARD, path), FormatError);
    assert.equal(await readFile(path, 'utf8'), bad);
  }
});

test('where it stands: XDG_CONFIG_HOME if absolute, else ~/.config', () => {
  assert.equal(calibrationPath({ XDG_CONFIG_HOME: '/x' }), '/x/sct/calibration.json');
  assert.match(calibrationPath({ XDG_CONFIG_HOME: 'x' }), /\.config\/sct\/calibration\.json$/);
  assert.match(calibrationPath({}), /\.config\/sct\/calibration\.json$/);
});
