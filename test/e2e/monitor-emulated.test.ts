// `sct monitor` on a board: tuned to where somebody sends, until it is stopped.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'node:test';
import { BIN, scratch, startSct } from '../cli/helpers.ts';
import { smallPhoto } from './small-photo.ts';

const CARRIER_HZ = 868.3e6;
const board = (serial: string) => `hackrf:${serial}?usbip=unix:./boards`;

test('RB SNR of what another board sends, as it comes; Ctrl-C ends it', { timeout: 300_000 }, async (t) => {
  const cwd = await scratch(t);
  await smallPhoto(join(cwd, 'photo.png'), 96, 64);
  const emulated = 'emulate hackrf --count 2 --serial 1a,2b --ppm 20,-10 --usbip ./boards --speed 0.1'.split(' ');
  const boards = startSct(emulated, cwd);
  t.after(() => boards.kill('SIGKILL'));
  await boards.stderrMatches(/2 boards/);
  const tuned = ['-f', String(CARRIER_HZ), '--numerology', '6'];
  const monitor = spawn(process.execPath, [BIN, 'monitor', board('2b'), ...tuned], { cwd });
  t.after(() => monitor.kill('SIGKILL'));
  const [listening] = await once(monitor.stderr.setEncoding('utf8'), 'data');
  assert.match(listening, /HackRF .* rx, .* numerology 6/);
  const words = [
    'photo.png',
    '--to',
    board('1a'),
    ...tuned,
    '--tx-gain',
    '40',
    '--cabled',
    '60',
    '--codec',
    'classical',
  ];
  const sender = startSct(['send', ...words, '--cbr', '1/2', '--format', 'jpeg'], cwd);
  t.after(() => sender.kill('SIGKILL'));
  const [line] = await once(monitor.stdout.setEncoding('utf8'), 'data');
  const ended = once(monitor, 'exit');
  monitor.kill('SIGINT');
  assert.deepEqual(await ended, [130, null]);
  const { use, slots, subbands, rbSnrDb, snrDb, cfoHz } = JSON.parse(line.split('\n')[0]);
  assert.ok(['sounding', 'data'].includes(use));
  assert.equal(rbSnrDb.length, slots * subbands);
  assert.ok(snrDb > 5, `${snrDb} dB`);
  const expectedHz = CARRIER_HZ * 30e-6;
  assert.ok(Math.abs(cfoHz - expectedHz) < 200, `CFO ${cfoHz} Hz, the clocks say ${expectedHz} Hz`);
});
