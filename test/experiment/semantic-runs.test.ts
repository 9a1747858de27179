import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runReplay } from '../../src/experiment/replay/replay.ts';
import { loadDemoPhoto } from '../../src/sct/image/demo.ts';
import { cropImage, encodePng } from '../../src/sct/image/save.ts';
import { io, loopback, receive, scratch } from './link-helpers.ts';

/** The table of SFVs on a report's page. */
function sfvTable(page: string): string {
  const found = /<div class="sfvs">([\s\S]*?)<\/div>/.exec(page);
  assert.ok(found, 'no table of SFVs');
  return found[1];
}

test('a run with SFVs, its replay, and a receiver alone', async (t) => {
  const folder = await scratch(t);
  const photo = join(folder, 'photo.png');
  await writeFile(photo, await encodePng(cropImage(await loadDemoPhoto(), 300, 120, 192, 160)));
  const run = join(folder, 'run');
  const input = { codec: 'integrated', size: 'live', channel: 'eva', dopplerHz: 5, snrDb: 3, cbr: 1 / 8 } as const;
  const { metrics } = await loopback(photo, run, { ...input, numerology: 6 });
  const page = await readFile(join(run, 'report.html'), 'utf8');
  assert.ok(metrics.sfvs.length >= 2);
  assert.ok(
    metrics.importanceWeightedPsnrDb !== null && Math.abs(metrics.importanceWeightedPsnrDb - metrics.psnrDb!) < 6,
  );
  for (const part of ['Importance', 'Who rides where', 'SNR that each SFV rode on'])
    assert.ok(page.includes(part), part);
  assert.equal(existsSync(join(run, 'uncorrected.png')), page.includes('before correction'));

  const again = join(folder, 'again');
  const replayed = await runReplay({ source: run, check: true, given: {} }, io(again));
  assert.deepEqual(replayed.differences, []);
  const second = await readFile(join(again, 'report.html'), 'utf8');
  assert.equal(sfvTable(second), sfvTable(page));
  assert.ok(second.includes('<figcaption>Importance'));

  const alone = join(folder, 'alone');
  await receive(`file:${join(run, 'rx.sigmf-meta')}`, alone, { numerology: 6 });
  const heard = await readFile(join(alone, 'report.html'), 'utf8');
  assert.ok(heard.includes('quality not known without the source') && heard.includes('Who rides where'));
  assert.doesNotMatch(heard, /<figcaption>Importance/);
  assert.ok(!existsSync(join(alone, 'semantics.json')));
});
