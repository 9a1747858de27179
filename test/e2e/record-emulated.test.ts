// The built program from end to end: an emulated HackRF in one process, its recording in another, through the worker thread of the board.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { scratch, sct, startSct } from '../cli/helpers.ts';

const SAMPLES = 200_000;

test('an emulated HackRF is recorded; samples count on, except where the recording says that some are missing', {
  timeout: 240_000,
}, async (t) => {
  const cwd = await scratch(t);
  const boards = startSct(['emulate', 'hackrf', '--usbip', './boards', '--counter', '--speed', '0.02'], cwd);
  t.after(() => boards.kill('SIGKILL'));
  await boards.stderrMatches(/between them/);
  const from = 'hackrf?usbip=unix:./boards';
  const recorded = await sct(
    ['record', '--from', from, '-f', '868.3M', '-o', 'air', '--samples', String(SAMPLES), '--json'],
    cwd,
  );
  assert.equal(recorded.code, 0, recorded.stderr);
  const facts = JSON.parse(recorded.stdout) as { samples: number; gaps: number; lostSamples: { max: number } };
  assert.equal(facts.samples, SAMPLES);
  const meta = JSON.parse(await readFile(join(cwd, 'air.sigmf-meta'), 'utf8')) as { global: Record<string, unknown> };
  assert.match(String(meta.global['core:hw']), /HackRF One.*serial.*emulated/, 'which board it was');
  const data = await readFile(join(cwd, 'air.sigmf-data'));
  assert.equal(data.length, 2 * SAMPLES);
  let jumps = 0;
  for (let n = 1; n < SAMPLES; n++) {
    if (((data.readUInt16LE(2 * n) - data.readUInt16LE(2 * n - 2)) & 0xffff) !== 1) jumps++;
  }
  assert.ok(jumps <= facts.gaps, `${jumps} jumps, ${facts.gaps} gaps reported`);
  assert.ok(jumps === 0 || facts.lostSamples.max > 0, 'and how many');

  const other = await sct(['record', '--from', 'hackrf:ffff?usbip=unix:./boards', '-f', '868.3M', '-o', 'none'], cwd);
  assert.equal(other.code, 3);
  assert.match(other.stderr, /no HackRF with serial ffff.*there: [0-9a-f]{32}/i);
  boards.kill('SIGINT');
  await boards.ended;
  const gone = await sct(['record', '--from', from, '-f', '868.3M', '-o', 'none'], cwd);
  assert.equal(gone.code, 3);
  assert.match(gone.stderr, /cannot be reached.*hint:.*sct emulate/s);
});
