import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { benchModels, type ModelsReport, withEarlierParts } from '../../../../src/experiment/bench/models/models.ts';
import { modelsTable } from '../../../../src/experiment/bench/models/models-text.ts';
import { encodeJpeg, encodePng } from '../../../../src/sct/image/save.ts';
import { shippedModelsDir } from '../../../../src/sct/semantics/model-files.ts';
import { distort, syntheticSource } from '../../../sct/quality/synthetic.ts';

/** A data folder of the right layout with one made-up picture in each part. */
async function dataFolder(t: { after(fn: () => void): void }): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sct-bench-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [width, height] = [176, 162];
  const image = distort(syntheticSource(width, height), 'noise8');
  const maps = {
    'camvid/test': (p: number) => (p % width < 60 ? 8 : p % 50 === 0 ? 11 : 3),
    'saliency/test': (p: number) => (p % width < 60 ? 255 : 0),
  };
  mkdirSync(join(folder, 'kodak'));
  writeFileSync(join(folder, 'kodak', '01.png'), await encodePng(image));
  for (const [name, label] of Object.entries(maps)) {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'a.jpg'), await encodeJpeg(image));
    const data = Uint8Array.from({ length: width * height }, (_, p) => label(p));
    await sharp(data, { raw: { width, height, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toFile(join(folder, name, 'a.png'));
  }
  return folder;
}

const shipped = existsSync(join(shippedModelsDir(), 'models.json'));
const skip = shipped ? false : 'SKIPPED: no models in this checkout';

test('bench models measures every part on the shipped sets, writes its files and merges parts', { skip }, async (t) => {
  const data = await dataFolder(t);
  const out = join(data, 'out');
  const options = { data, out, quick: true, command: 'sct bench models' };
  const parts = ['entropy', 'kodak', 'labels', 'saliency', 'faithfulness'] as const;
  const report = await benchModels({ ...options, only: parts });
  const counts = (what: RegExp) => report.rows.filter((r) => what.test(r.what));
  for (const row of [
    ...counts(/over their budget/),
    ...counts(/decoded integers differ/),
    ...counts(/got better with less SNR/),
  ]) {
    assert.equal(row.met, true, row.what);
  }
  // one small picture at CBR 1/48 is 594 symbols: 0.18 dB a sigma and size, so only the order of magnitude here
  for (const row of counts(/Es\/N0/)) assert.ok(row.value! < 0.6, `${row.what} ${row.value}`);
  for (const curve of report.kodak!.curves) {
    assert.ok(curve.largestCbr! <= curve.cbr * (1 + 1e-9));
    assert.ok(curve.psnrDb.every((v) => v! > 8 && v! < 60));
  }
  assert.equal(report.labels![0].pictures, 1);
  assert.ok(report.labels![0].oracleMIoU! > 0.9);
  assert.equal(counts(/mean IoU, CamVid/)[0].met, null); // a quick run does not judge whole sets
  for (const name of ['whole', 'grad-cam', 'random-3']) assert.ok(existsSync(join(out, 'faithfulness', name, 'a.png')));
  assert.deepEqual(JSON.parse(readFileSync(join(out, 'models.json'), 'utf8')), JSON.parse(JSON.stringify(report)));
  assert.match(modelsTable(report), /limits: \d+ met/);

  const repair = await benchModels({ ...options, only: ['repair'], command: 'second' });
  assert.deepEqual(repair.commands, ['sct bench models', 'second']);
  assert.deepEqual(repair.kodak, JSON.parse(JSON.stringify(report.kodak)));
  assert.ok(repair.rows.some((r) => r.part === 'kodak') && repair.rows.some((r) => r.part === 'repair'));
  const changed = repair.rows.filter((r) => /changed in any bit/.test(r.what));
  assert.ok(changed.length > 0 && changed.every((r) => r.value === 0));
  const other = { ...report, sets: [] } as ModelsReport;
  assert.equal(withEarlierParts(other, ['kodak'], join(out, 'models.json')), other); // of other models: not merged
});

test('missing data and unknown folders are said', async () => {
  const options = { data: '/nowhere', only: ['kodak'] as const, command: '' };
  await assert.rejects(benchModels(options), /nowhere\/kodak is not there/);
  // before the first part is measured, not when its turn comes
  await assert.rejects(benchModels({ ...options, only: ['latency', 'repair'] }), /nowhere\/kodak is not there/);
  await assert.rejects(benchModels({ ...options, only: ['latency'], models: '/nowhere' }), /models\.json/);
});
