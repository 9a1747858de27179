import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { RandomStream } from '../../src/common/random.ts';
import { METRIC_KEYS } from '../../src/experiment/metrics/metrics.ts';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';
import { encodePng } from '../../src/sct/image/save.ts';
import { scratch, sct, startSct } from '../cli/helpers.ts';

const [WIDTH, HEIGHT] = [192, 160];
/** Small and quick: few subbands, JPEG, a budget that holds several code blocks. */
const SMALL = ['--codec', 'classical', '--numerology', '6', '--format', 'jpeg', '--cbr', '1/4'];

/** A picture with smooth parts and edges, the same every time. */
async function photo(path: string): Promise<void> {
  const random = new RandomStream(7);
  const data = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const edge = (x - 90) ** 2 + (y - 70) ** 2 < 1600 ? 90 : 0;
      for (let c = 0; c < 3; c++)
        data[3 * (y * WIDTH + x) + c] = 60 + edge + 40 * Math.sin(x / 17 + c) + 4 * random.uniform();
    }
  }
  await writeFile(path, await encodePng(rgbImage(WIDTH, HEIGHT, data)));
}

const CONTRACT_KEYS =
  'schema ok codec mode mapping channel snrDb seed psnrDb msSsim lpips roiPsnrDb ssim importanceWeightedPsnrDb mIoU judgeMIoU task ' +
  'symbolsPerPixel cbr sideInfoBytes sideInfoSymbols controlSymbols padSymbols pilotSymbols preambleSymbols soundingSymbols ' +
  'reverseSymbols retransmissions bler outage rbSnrDb evmDb csiAgeMs numerology cfoHz samples lostSamples clippedSamples ' +
  'modelSet timings files sfvs';

test('one photo: loopback, its files, replay --check, monitor, export, settings file', {
  timeout: 120_000,
}, async (t) => {
  const cwd = await scratch(t);
  await photo(join(cwd, 'photo.png'));
  const words = ['loopback', 'photo.png', ...SMALL, '--channel', 'epa', '--snr', '20', '--seed', '3', '-o', 'run'];
  const ended = await sct([...words, '--json'], cwd);
  assert.equal(ended.code, 0, ended.stderr);
  const metrics = JSON.parse(ended.stdout);

  await t.test('--json prints every key of the contract, in a plausible state', () => {
    for (const key of CONTRACT_KEYS.split(' ')) assert.ok(key in metrics, key);
    assert.deepEqual(Object.keys(metrics), [...METRIC_KEYS]);
    assert.equal(metrics.ok, true);
    assert.equal(metrics.codec, 'classical');
    assert.equal(metrics.outage, 0);
    assert.equal(metrics.rbSnrDb.length, 6);
    assert.ok(metrics.psnrDb > 25);
    assert.ok(metrics.cbr > 0 && metrics.cbr <= 0.25, `${metrics.cbr} is within the budget`);
    assert.ok(Math.abs(metrics.symbolsPerPixel - 3 * metrics.cbr) < 1e-9);
    assert.equal(metrics.lpips, null);
  });

  await t.test('the run directory holds what the contract names', async () => {
    for (const name of [
      'run.json',
      'metrics.json',
      'report.html',
      'config.resolved.yaml',
      'frames.jsonl',
      'source.png',
    ]) {
      assert.ok(existsSync(join(cwd, 'run', name)), name);
    }
    for (const name of ['tx', 'rx']) {
      const check = await sct(['capture', 'validate', join('run', name)], cwd);
      assert.equal(check.code, 0, check.stdout);
    }
    const run = JSON.parse(await readFile(join(cwd, 'run', 'run.json'), 'utf8'));
    assert.deepEqual(run.argv, ['sct', ...words, '--json']);
    assert.equal(run.exit.code, 0);
    assert.match(await readFile(join(cwd, 'run', 'report.html'), 'utf8'), /^<!doctype html>/);
  });

  await t.test('replay --check reproduces it, and differs (7) when a metric was changed', async () => {
    const same = await sct(['replay', 'run', '--check', '-o', 'again'], cwd);
    assert.equal(same.code, 0, same.stderr);
    const path = join(cwd, 'run', 'metrics.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, JSON.stringify({ ...JSON.parse(text), psnrDb: 12.5 }));
    const differs = await sct(['replay', 'run/run.json', '--check', '-o', 'again'], cwd);
    await writeFile(path, text);
    assert.equal(differs.code, 7);
    assert.match(differs.stderr, /psnrDb: 12\.5 in the run/);
  });

  await t.test('monitor: one JSON line a burst with the SNR of every RB', async () => {
    const { code, stdout } = await sct(['monitor', 'run'], cwd);
    assert.equal(code, 0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(lines[0].use, 'sounding');
    assert.ok(lines.some((l) => l.use === 'data'));
    for (const l of lines) assert.equal(l.rbSnrDb.length, l.slots * l.subbands);
    const closed = await sct(['monitor', 'run', '--numerology', '4'], cwd);
    assert.equal(closed.code, 4, 'nothing is found with the wrong numerology');
  });

  await t.test('export: the same rows in every format', async () => {
    const rows = [];
    for (const format of ['npz', 'mat', 'csv']) {
      const { code, stdout } = await sct(['export', 'run', '--to', format, '-o', `e.${format}`, '--json'], cwd);
      assert.equal(code, 0);
      rows.push(JSON.parse(stdout).rows);
    }
    assert.deepEqual(rows[1], rows[0]);
    assert.deepEqual(rows[2], rows[0]);
    const rb = (await readFile(join(cwd, 'e.csv', 'rb.csv'), 'utf8')).trim().split('\n');
    assert.equal(rb.length, rows[0].rb + 1);
  });

  await t.test('-c config.resolved.yaml gives the same run again', async () => {
    const again = await sct(['loopback', 'photo.png', '-c', 'run/config.resolved.yaml', '-o', 'run2', '--json'], cwd);
    assert.equal(again.code, 0, again.stderr);
    const { timings: _, files: __, ...rest } = JSON.parse(again.stdout);
    const { timings: ___, files: ____, ...first } = metrics;
    assert.deepEqual(rest, first);
  });

  await t.test(
    'a capture that was cut in the middle of a burst is decoded as far as it goes, and says so',
    async () => {
      const copy = await sct(['record', '--from', 'file:run/rx', '-o', 'cut'], cwd);
      assert.equal(copy.code, 0, copy.stderr);
      const frames = (await readFile(join(cwd, 'run', 'frames.jsonl'), 'utf8')).trim().split('\n');
      const data = frames.map((line) => JSON.parse(line)).find((frame) => frame.use === 'data');
      await truncate(join(cwd, 'cut.sigmf-data'), Math.round(data.startSample + data.lengthSamples / 2) * 8);
      const check = await sct(['capture', 'validate', 'cut'], cwd);
      assert.equal(check.code, 8);
      const replay = await sct(['replay', 'cut', '-o', 'cut-run', '--json'], cwd);
      assert.ok(replay.code === 4 || replay.code === 5, `exit ${replay.code}: ${replay.stderr}`);
      assert.equal(JSON.parse(replay.stdout).ok, false);
    },
  );
});

test('without --codec a photo is coded semantically', { timeout: 120_000 }, async (t) => {
  const cwd = await scratch(t);
  await photo(join(cwd, 'photo.png'));
  const words = [
    'loopback',
    'photo.png',
    '--size',
    'live',
    '--numerology',
    '6',
    '--cbr',
    '1/4',
    '-o',
    'run',
    '--json',
    '-q',
  ];
  const ended = await sct(words, cwd);
  assert.equal(ended.code, 0, ended.stderr);
  const metrics = JSON.parse(ended.stdout);
  assert.equal(metrics.codec, 'integrated');
  assert.ok(metrics.sfvs.length > 0 && metrics.psnrDb > 20, `${metrics.sfvs.length} SFVs, ${metrics.psnrDb} dB`);
});

test('a quality limit that is missed: exit 5, and ok is false', { timeout: 300_000 }, async (t) => {
  const cwd = await scratch(t);
  await photo(join(cwd, 'photo.png'));
  const ended = await sct(['loopback', 'photo.png', ...SMALL, '--min-psnr', '90', '--json', '-q'], cwd);
  assert.equal(ended.code, 5);
  assert.equal(JSON.parse(ended.stdout).ok, false);
  assert.equal(
    ended.stderr,
    'sct: the picture did not arrive well enough: damaged, only made up, or below --min-psnr\n',
  );
});

test('too noisy to find anything: exit 4', { timeout: 300_000 }, async (t) => {
  const cwd = await scratch(t);
  await photo(join(cwd, 'photo.png'));
  const ended = await sct(['loopback', 'photo.png', ...SMALL, '--snr', '-40', '--json', '-q', '-o', 'run'], cwd);
  assert.equal(ended.code, 4, ended.stderr);
  assert.equal(JSON.parse(ended.stdout).ok, false);
  assert.equal((await sct(['capture', 'validate', 'run/rx'], cwd)).code, 0, 'what was recorded is kept and valid');
});

test('two processes over a growing file: the receiver knows only the capture', { timeout: 120_000 }, async (t) => {
  const cwd = await scratch(t);
  await photo(join(cwd, 'photo.png'));
  const from = ['receive', '--from', 'file:air', '--numerology', '6', '--reference', 'photo.png', '-o', 'rx', '--json'];
  const receiver = startSct(from, cwd);
  const sent = await sct(['send', 'photo.png', '--to', 'file:air', ...SMALL, '-o', 'tx', '--json'], cwd);
  assert.equal(sent.code, 0, sent.stderr);
  const received = await receiver.ended;
  assert.equal(received.code, 0, received.stderr);
  const metrics = JSON.parse(received.stdout);
  assert.equal(metrics.ok, true);
  assert.ok(metrics.psnrDb > 25);
  assert.ok(!existsSync(join(cwd, 'rx', 'tx.sigmf-meta')), 'a receiver has sent nothing');
});

test('a folder: one object with every picture and the means', { timeout: 120_000 }, async (t) => {
  const cwd = await scratch(t);
  await mkdir(join(cwd, 'photos'));
  for (const name of ['a.png', 'b.png']) await photo(join(cwd, 'photos', name));
  const ended = await sct(['loopback', 'photos', ...SMALL, '--ideal', '-o', 'runs', '--json', '-q'], cwd);
  assert.equal(ended.code, 0, ended.stderr);
  const { images, means, ok } = JSON.parse(ended.stdout);
  assert.equal(ok, true);
  assert.equal(images.length, 2);
  assert.ok(Math.abs(means.psnrDb - (images[0].psnrDb + images[1].psnrDb) / 2) < 1e-9);
});
