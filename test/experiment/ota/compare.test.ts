import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { comparedMappings } from '../../../src/experiment/ota/compare-run.ts';
import { runLinkCompare } from '../../../src/experiment/ota/link-run.ts';
import { io, photo, replay, scratch } from '../link-helpers.ts';

test('mappings against one another: all of a trial on one report, orders drawn, differences paired', async (t) => {
  const at = await scratch(t);
  const path = await photo(join(at, 'photo.png'), 96, 64);
  const config = {
    ...resolveLinkConfig({
      codec: 'classical',
      format: 'jpeg',
      cbr: 1 / 2,
      numerology: 6,
      channel: 'epa',
      snrDb: 20,
      seed: 5,
    }),
    photo: { kind: 'file' as const, path },
    tx: 'loopback',
    rx: 'loopback',
  };
  const result = await runLinkCompare(config, ['matched', 'uniform'], 6, io(join(at, 'run')));
  assert.equal(result.exitCode, 0);
  assert.equal(result.trials.length, 6);
  for (const trial of result.trials) {
    assert.deepEqual(trial.map((p) => p.mapping).sort(), ['matched', 'uniform']);
    const [first, second] = trial;
    assert.ok(first.csiNumber > 0);
    assert.equal(first.csiNumber, second.csiNumber, 'one report');
    assert.ok(second.csiAgeMs! > first.csiAgeMs!, 'the later one`s is older');
  }
  const firsts = new Set(result.trials.map((trial) => trial[0].mapping));
  assert.equal(firsts.size, 2, 'the order changes');
  const [{ of, minus, figures }] = result.differences;
  assert.deepEqual([of, minus], ['matched', 'uniform']);
  const { psnrDb } = figures;
  const mean = (m: string) =>
    result.trials.reduce((sum, trial) => sum + trial.find((p) => p.mapping === m)!.quality.psnrDb! / 6, 0);
  assert.ok(Math.abs(psnrDb!.value - (mean('matched') - mean('uniform'))) < 1e-9);
  assert.ok(psnrDb!.low <= psnrDb!.value && psnrDb!.value <= psnrDb!.high && psnrDb!.n === 6);
  const written = JSON.parse(await readFile(join(at, 'run', 'compare.json'), 'utf8'));
  assert.deepEqual(written.differences, JSON.parse(JSON.stringify(result.differences)));
  const page = await readFile(join(at, 'run', 'report.html'), 'utf8');
  assert.match(page, /matched - uniform/);
  assert.doesNotMatch(page, /<script/);
  assert.match(page, /<img src="data:image\/jpeg[^>]*alt="matched, the last one"/);
  assert.match(page, /power: fixed/);
  const metrics = JSON.parse(await readFile(join(at, 'run', 'metrics.json'), 'utf8'));
  assert.deepEqual(
    metrics.images.map((m: { psnrDb: number }) => m.psnrDb.toFixed(9)),
    result.trials.flatMap((trial) => trial.map((p) => p.quality.psnrDb!.toFixed(9))),
    'the recording holds the same pictures',
  );
  const again = await replay(join(at, 'run'), join(at, 'again'), true);
  assert.deepEqual([again.exitCode, again.differences], [0, []]);
});

test('what cannot be compared is refused', async () => {
  assert.deepEqual(comparedMappings('matched,worst,random'), ['matched', 'worst', 'random']);
  for (const wrong of ['matched', 'matched,matched', 'matched,best', '']) assert.throws(() => comparedMappings(wrong));
  const config = {
    ...resolveLinkConfig({ feedback: 'none' }),
    photo: { kind: 'demo' as const },
    tx: 'loopback',
    rx: 'loopback',
  };
  await assert.rejects(runLinkCompare(config, ['matched', 'uniform'], 2, io('/nowhere')), /needs a CSI report/);
});

test('with a codec of SFVs and ground truth the comparison has importance-weighted and ROI figures', async (t) => {
  const at = await scratch(t);
  const path = await photo(join(at, 'photo.png'), 96, 64);
  const truth = join(at, 'truth.png');
  const grey = new Uint8Array(96 * 64).map((_, i) => (i % 96 < 48 ? 8 : 0));
  const raw = { raw: { width: 96, height: 64, channels: 1 as const } };
  await writeFile(truth, await sharp(grey, raw).toColourspace('b-w').png({ palette: false }).toBuffer());
  const config = {
    ...resolveLinkConfig({ codec: 'integrated', size: 'live', cbr: 1 / 3, numerology: 6, snrDb: 15, truth }),
    photo: { kind: 'file' as const, path },
    tx: 'loopback',
    rx: 'loopback',
  };
  const { trials, differences } = await runLinkCompare(config, ['matched', 'uniform'], 2, io(join(at, 'run')));
  for (const { quality, snrDb } of trials.flat()) {
    for (const key of ['psnrDb', 'importanceWeightedPsnrDb', 'roiPsnrDb'] as const) {
      assert.ok(quality[key]! > 10 && quality[key]! < 100, `${key} ${quality[key]}`);
    }
    assert.ok(Math.abs(snrDb! - 15) < 1.5, `${snrDb} dB`);
  }
  assert.equal(differences[0].figures.importanceWeightedPsnrDb!.n, 2);
  assert.deepEqual((await replay(join(at, 'run'), join(at, 'again'), true)).differences, []);
});
