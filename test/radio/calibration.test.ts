import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FormatError } from '../../src/common/errors.ts';
import {
  calibrationPath,
  readCalibrations,
  storeCalibration,
  storedClock,
  storedLevel,
} from '../../src/radio/calibration.ts';

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
  assert.equal(boards['00aa'].ppm, -7.25);
  assert.deepEqual(await readdir(join(path, '..')), ['calibration.json'], 'nothing is left beside it');
});

test('what a board is told of its clock: that of its whole serial', async (t) => {
  const path = await file(t);
  assert.equal(await storedClock('00aa', path), null);
  await storeCalibration('00aa', { ...BOARD, ppm: 1.23456789 }, path);
  assert.deepEqual(await storedClock('00AA', path), { ppm: 1.2346, from: 'stored', measuredAt: BOARD.measuredAt });
  assert.equal(await storedClock('aa', path), null, 'an end of a serial is nobody');
  assert.equal(await storedClock('constructor', path), null);
});

test('a level stays until another one is measured', async (t) => {
  const path = await file(t);
  const level = { fullScaleDbm: 12.5, atHz: 868e6 };
  assert.equal(await storedLevel('00aa', path), null);
  await storeCalibration('00aa', { ...BOARD, level }, path);
  await storeCalibration('00aa', { ...BOARD, ppm: 1 }, path);
  assert.deepEqual(await storedLevel('00AA', path), level);
  assert.equal((await storedClock('00aa', path))?.ppm, 1);
  assert.equal(await storedLevel(null, path), null);
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
    JSON.stringify({ ...good, boards: { 'z z': BOARD } }),
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
