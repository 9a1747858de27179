// A cabled sweep from end to end: emulated boards and an emulated attenuator between them in one process, `sct link --attenuator --snr` in another.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';
import { encodePng } from '../../src/sct/image/save.ts';
import { scratch, sct, startSct } from '../cli/helpers.ts';

const SERIAL = '0000000000000000e5c700000000000';
const WANTED_DB = [6, 14];
/** Emulated seconds in a second: one that most machines hold, and one for a machine that is very busy. */
const SPEEDS = [0.1, 0.01];

test('an attenuator sets the SNR of a cabled sweep', { timeout: 600_000 }, async (t) => {
  const cwd = await scratch(t);
  const data = Uint8Array.from({ length: 96 * 64 * 3 }, (_, i) => 128 + 60 * Math.sin(i / 300) + 30 * Math.cos(i / 7));
  await writeFile(join(cwd, 'photo.png'), await encodePng(rgbImage(96, 64, data)));
  for (const speed of SPEEDS) {
    const path = `--usbip ./boards --instruments ./att --path-loss 30 --ppm 10,-10 --speed ${speed} --json`;
    const boards = startSct(['emulate', 'hackrf', 'hackrf', 'attenuator', ...path.split(' ')], cwd);
    t.after(() => boards.kill('SIGKILL'));
    await boards.stderrMatches(/2 boards, 1 instrument/);
    const cable =
      '-f 868.3M --cabled 30 --tx-gain 23 --attenuator att:unix:./att --codec classical --format jpeg --numerology 6';
    const ended = await sct(
      [
        ...['link', 'photo.png', '--tx', `hackrf:${SERIAL}1?usbip=unix:./boards`],
        ...['--rx', `hackrf:${SERIAL}2?usbip=unix:./boards`, ...cable.split(' ')],
        ...['--max-csi-age', '60000', '--cbr', '1/4', '--snr', WANTED_DB.join(), '-o', `sweep-${speed}`, '--json'],
      ],
      cwd,
    );
    boards.kill('SIGINT');
    const last = JSON.parse((await boards.ended).stdout.trim().split('\n').at(-1)!);
    assert.deepEqual(
      last.instruments,
      [{ kind: 'attenuator', model: 'DC-6GHZ-90DB-V3', attenuationDb: 95.25 }],
      'left at its maximum',
    );
    const said = JSON.parse(ended.stdout || '{}');
    const points: { attenuationDb: number; measuredSnrDb: number; run: { lostSamples: number } }[] = said.points ?? [];
    // A machine that is too slow loses samples, and says so: only then more time is given.
    if (speed !== SPEEDS.at(-1) && points.some(({ run }) => run.lostSamples > 0)) continue;
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(said.schema, 'sct.sweep/1');
    for (const [i, { measuredSnrDb }] of points.entries()) {
      // Half a step of 0.25 dB, and what three soundings of six subbands are off by.
      assert.ok(Math.abs(measuredSnrDb - WANTED_DB[i]) < 0.6, `${measuredSnrDb} dB for ${WANTED_DB[i]} dB`);
    }
    // The cable's own word: a decibel of attenuation is one of SNR, as power and noise are the same in both runs.
    const apart = points[0].attenuationDb - points[1].attenuationDb;
    assert.ok(Math.abs(apart - (WANTED_DB[1] - WANTED_DB[0])) < 1.3, `${apart} dB of attenuation apart`);
    const run = JSON.parse(await readFile(join(cwd, `sweep-${speed}`, 'snr6', 'run.json'), 'utf8'));
    assert.equal(run.device.attenuator.wantedSnrDb, 6);
    assert.equal(run.device.attenuator.attenuationDb, points[0].attenuationDb);
    return;
  }
});
