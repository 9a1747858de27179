// The built program from end to end: emulated boards in one process, `sct link` over them in another.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { scratch, sct, startSct } from '../cli/helpers.ts';
import { smallPhoto } from './small-photo.ts';

const [WIDTH, HEIGHT] = [128, 96];
const CARRIER_HZ = 868.3e6;
const SERIAL = '0000000000000000e5c700000000000';
const HACKRF_1 = `hackrf:${SERIAL}1?usbip=unix:./boards`;
const HACKRF_2 = `hackrf:${SERIAL}2?usbip=unix:./boards`;
const PLUTO = `pluto:usb?serial=${SERIAL}3&usbip=unix:./boards`;
/** Clock errors of the three boards, ppm. */
const PPM = [20, -15, 5];
/** Emulated seconds in a second: one that most machines hold, and one for a machine that is very busy. */
const SPEEDS = [0.1, 0.01];

interface Metrics {
  readonly ok: boolean;
  readonly psnrDb: number;
  readonly cfoHz: number;
  readonly lostSamples: number;
  readonly samples: number;
  readonly csiAgeMs: number;
}

/** Boards at one speed, one link over them. */
async function link(t: TestContext, cwd: string, words: readonly string[], speed: number) {
  const boards = startSct(
    ['emulate', 'hackrf', 'hackrf', 'pluto', '--iiod', 'no', '--usbip', './boards', '--own-loss', '60'].concat([
      '--ppm',
      PPM.join(),
      '--speed',
      String(speed),
    ]),
    cwd,
  );
  t.after(() => boards.kill('SIGKILL'));
  await boards.stderrMatches(/3 boards/);
  // The age of a report counts the time of the wall clock that coding takes: no matter here.
  const small = '--codec classical --format jpeg --cbr 1/4 --numerology 6 --max-csi-age 60000 --cabled 60'.split(' ');
  const ended = await sct(['link', 'photo.png', ...words, '-f', String(CARRIER_HZ), ...small, '--json'], cwd);
  boards.kill('SIGINT');
  assert.equal((await boards.ended).code, 130);
  return ended;
}

const CASES = [
  { name: 'HackRF to HackRF', tx: HACKRF_1, rx: HACKRF_2, ppm: PPM[0] - PPM[1], more: ['--tx-gain', '40'] },
  { name: 'HackRF to Pluto', tx: HACKRF_1, rx: PLUTO, ppm: PPM[0] - PPM[2], more: ['--tx-gain', '40'] },
  { name: 'Pluto to itself', tx: PLUTO, rx: PLUTO, ppm: 0, more: [] },
];

for (const { name, tx, rx, ppm, more } of CASES) {
  test(`a picture from ${name}`, { timeout: 400_000 }, async (t) => {
    const cwd = await scratch(t);
    await smallPhoto(join(cwd, 'photo.png'), WIDTH, HEIGHT);
    let metrics: Metrics | undefined;
    let run = '';
    for (const speed of SPEEDS) {
      run = `run-${speed}`;
      const ended = await link(t, cwd, ['--tx', tx, '--rx', rx, ...more, '-o', run], speed);
      const said = JSON.parse(ended.stdout || '{}') as Partial<Metrics>;
      // A machine that is too slow loses samples, and says so: only then more time is given.
      if ((said.lostSamples ?? 0) > 0 && speed !== SPEEDS.at(-1)) continue;
      assert.equal(ended.code, 0, ended.stderr);
      metrics = said as Metrics;
      break;
    }
    assert.ok(metrics, 'no link without losses');
    assert.equal(metrics.ok, true);
    assert.equal(metrics.lostSamples, 0);
    assert.ok(metrics.samples > 100_000, `${metrics.samples} samples`);
    assert.ok(metrics.psnrDb > 30, `${metrics.psnrDb} dB`);
    assert.ok(metrics.csiAgeMs > 0, `a report of ${metrics.csiAgeMs} ms was used`);
    const expectedHz = CARRIER_HZ * ppm * 1e-6;
    assert.ok(Math.abs(metrics.cfoHz - expectedHz) < 100, `CFO ${metrics.cfoHz} Hz, the clocks say ${expectedHz} Hz`);

    for (const file of ['run.json', 'metrics.json', 'report.html', 'config.resolved.yaml', 'frames.jsonl']) {
      assert.ok(existsSync(join(cwd, run, file)), file);
    }
    assert.deepEqual(JSON.parse(await readFile(join(cwd, run, 'metrics.json'), 'utf8')).psnrDb, metrics.psnrDb);
    const { device } = JSON.parse(await readFile(join(cwd, run, 'run.json'), 'utf8'));
    for (const [end, uri] of Object.entries({ tx, rx })) {
      const { board, serial, emulated } = device[end].board;
      const kind = uri === PLUTO ? /ADALM-PLUTO|pluto/i : /hackrf/i;
      assert.match(board, kind, `run.json names the board at ${end}`);
      assert.ok(uri.includes(serial), serial);
      assert.ok(emulated.speed > 0 && emulated.speed < 1, 'and says that it is an emulated one');
    }
    for (const capture of ['tx', 'rx']) {
      const check = await sct(['capture', 'validate', join(run, capture)], cwd);
      assert.equal(check.code, 0, check.stdout + check.stderr);
    }
  });
}
