import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { UsageError } from '../../src/common/errors.ts';
import { loadDemoPhoto } from '../../src/sct/image/demo.ts';
import { cropImage, encodePng } from '../../src/sct/image/save.ts';
import { loopback, receive, replay, scratch } from './link-helpers.ts';

const [WIDTH, HEIGHT] = [192, 160];
const LINK = { codec: 'integrated', size: 'live', snrDb: 10, cbr: 1 / 8, numerology: 6 } as const;

/** 8-bit grey PNG. */
function labelPng(width: number, height: number, labels: Uint8Array): Promise<Buffer> {
  return sharp(labels, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

test('three settings of one chain: a machine gets labels and no picture, the pixels no heads, both have both', async (t) => {
  const folder = await scratch(t);
  const photo = join(folder, 'photo.png');
  await writeFile(photo, await encodePng(cropImage(await loadDemoPhoto(), 300, 120, WIDTH, HEIGHT)));
  const truth = join(folder, 'truth.png');
  // A road below a building; the first row is void.
  const labels = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, p) =>
    p < WIDTH ? 11 : p < (WIDTH * HEIGHT) / 2 ? 1 : 3,
  );
  await writeFile(truth, await labelPng(WIDTH, HEIGHT, labels));
  const at = (name: string) => join(folder, name);

  const task = (await loopback(photo, at('task'), { ...LINK, truth, task: 'machine' })).metrics;
  const both = (await loopback(photo, at('both'), { ...LINK, truth, distortion: 'both' })).metrics;
  const pixel = (await loopback(photo, at('pixel'), { ...LINK, truth, distortion: 'pixel' })).metrics;

  assert.deepEqual(
    [task, both, pixel].map((m) => [m.ok, m.task, m.distortion, m.psnrDb === null, m.machine === null]),
    [
      [true, 'machine', 'task', true, false],
      [true, 'machine', 'both', false, false],
      [true, 'human', 'pixel', false, true],
    ],
  );
  // Synthesis was really left out, and the same features gave the same labels.
  assert.ok(task.timings.machineMs >= 0 && !('synthesisMs' in task.timings) && 'synthesisMs' in both.timings);
  assert.ok(!existsSync(join(at('task'), 'received.png')));
  assert.deepEqual(task.machine, both.machine);
  const { withClean, withTruth, cleanWithTruth } = task.machine!;
  assert.ok(withClean!.pixelAccuracy! > 0.3 && withClean!.pixelAccuracy! <= 1, `${withClean!.pixelAccuracy}`);
  for (const found of [withTruth, cleanWithTruth]) assert.ok(found!.mIoU! >= 0 && found!.mIoU! < 1);
  assert.equal(task.mIoU, withTruth!.mIoU);
  assert.equal(pixel.mIoU, null);

  const again = await replay(at('task'), at('again'), true);
  assert.deepEqual(again.differences, []);
  assert.ok(again.metrics.timings.machineMs >= 0 && !('synthesisMs' in again.metrics.timings));
  assert.match(await readFile(join(at('again'), 'report.html'), 'utf8'), /What the heads see/);

  // A receiver alone knows labels and latency; what they are worth with the photo and with truth.
  const from = `file:${join(at('task'), 'rx.sigmf-meta')}`;
  const alone = (await receive(from, at('alone'), { numerology: 6, task: 'machine' })).metrics;
  assert.deepEqual(alone.machine!.classes, task.machine!.classes);
  assert.deepEqual([alone.machine!.withClean, alone.machine!.withTruth, alone.mIoU], [null, null, null]);
  assert.ok(alone.timings.machineMs >= 0);
  assert.match(await readFile(join(at('alone'), 'report.html'), 'utf8'), /What the heads see/);
  const judged = (await receive(from, at('judged'), { numerology: 6, task: 'machine', truth })).metrics;
  assert.deepEqual(judged.machine!.withTruth, withTruth);
  const small = join(folder, 'small.png');
  await writeFile(small, await labelPng(8, 8, new Uint8Array(64)));
  await assert.rejects(
    () => receive(from, at('wrong'), { numerology: 6, task: 'machine', truth: small }),
    (e: unknown) => e instanceof UsageError && /label maps differ in size/.test(e.message),
  );
});
