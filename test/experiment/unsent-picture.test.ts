import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from '../../src/common/errors.ts';
import { resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { runLoopback } from '../../src/experiment/loopback/loopback-run.ts';
import { parseTransmitFacts } from '../../src/experiment/metrics/transmit-facts.ts';
import type { FolderResult } from '../../src/experiment/run/run-io.ts';
import { loadImage } from '../../src/sct/image/load.ts';
import { flatImage } from '../../src/sct/image/rgb-image.ts';
import { psnrDb } from '../../src/sct/quality/psnr.ts';
import { io, loopback, photo, replay, scratch } from './link-helpers.ts';

/** Over this channel 96 x 64 pixels get less than 200 bytes, fewer than any JPEG takes. */
const POOR = { codec: 'classical', format: 'jpeg', numerology: 6, cbr: 1 / 8, snrDb: 3, seed: 3 } as const;

const json = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

test('a picture that its channel cannot carry in the budget is lost, with its reason, and replays as that', async (t) => {
  const at = await scratch(t);
  const path = await photo(join(at, 'a.png'), 96, 64);
  const source = await loadImage(path);
  const grey = psnrDb(source, flatImage(96, 64));
  for (const feedback of ['same', 'none'] as const) {
    const folder = join(at, feedback);
    const { metrics, exitCode } = await loopback(path, folder, { ...POOR, feedback });
    assert.equal(exitCode, 5);
    assert.deepEqual([metrics.ok, metrics.outage, metrics.unsent], [false, 1, 'budget']);
    assert.ok(Math.abs(metrics.psnrDb! - grey) < 1e-9, 'scored as flat grey, as what is lost on the way');
    assert.deepEqual([metrics.symbolsPerPixel, metrics.cbr, metrics.bler, metrics.retransmissions], [0, 0, null, 0]);
    assert.equal(metrics.soundingSymbols! > 0, feedback === 'same');
    const { exit } = await json(join(folder, 'run.json'));
    assert.equal(exit.code, 5);
    assert.match(exit.message, /^not sent: .*does not fit into \d+ bytes.*raise --cbr or --snr/);
    assert.match(
      await readFile(join(folder, 'report.html'), 'utf8'),
      /Not sent: no coding of the picture fits its budget/,
    );
    const facts = parseTransmitFacts(await json(join(folder, 'allocation.json')));
    assert.equal(facts.unsent?.reason, 'budget');
    const again = await replay(folder, join(at, `${feedback}-again`), true);
    assert.deepEqual([again.exitCode, again.metrics.unsent, again.metrics.outage], [0, 'budget', 1]);
  }
});

test('of a folder one such picture is counted and the others are sent', async (t) => {
  const at = await scratch(t);
  const photos = join(at, 'photos');
  await mkdir(photos);
  // The larger one has a larger budget at the same CBR.
  const files = [await photo(join(photos, 'a.png'), 96, 64), await photo(join(photos, 'b.png'), 320, 240)];
  const config = { ...resolveLinkConfig(POOR), photo: { kind: 'folder' as const, path: photos, files } };
  const { images, means, exitCode } = (await runLoopback(config, io(join(at, 'runs')))) as FolderResult;
  assert.deepEqual(
    images.map(({ outage, unsent }) => [outage, unsent]),
    [
      [1, 'budget'],
      [0, null],
    ],
  );
  assert.equal(means.outage, 0.5);
  assert.equal(exitCode, 5);
});

test('what fits over no channel is refused as wrong input', async (t) => {
  const at = await scratch(t);
  const path = await photo(join(at, 'a.png'), 96, 64);
  await assert.rejects(
    loopback(path, join(at, 'run'), { ...POOR, cbr: 1 / 30 }),
    (e: unknown) => e instanceof UsageError && e.exitCode === 2,
  );
  assert.equal((await json(join(at, 'run', 'run.json'))).exit.code, 2);
});

test('an allocation.json that names another reason is refused', async (t) => {
  const at = await scratch(t);
  await loopback(await photo(join(at, 'a.png'), 96, 64), join(at, 'run'), POOR);
  const facts = await json(join(at, 'run', 'allocation.json'));
  assert.equal(parseTransmitFacts({ ...facts, unsent: undefined }).unsent, null, 'of an older run');
  for (const unsent of ['budget', {}, { reason: 'mood', why: 'x' }, { reason: 'budget', why: 7 }]) {
    assert.throws(() => parseTransmitFacts({ ...facts, unsent }), /unsent/);
  }
});
