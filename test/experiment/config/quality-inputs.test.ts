import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { runLoopback } from '../../../src/experiment/loopback/loopback-run.ts';
import type { FolderResult } from '../../../src/experiment/run/run-io.ts';
import { loadImage } from '../../../src/sct/image/load.ts';
import { flatImage } from '../../../src/sct/image/rgb-image.ts';
import { roiPsnrDb } from '../../../src/sct/quality/psnr.ts';
import { StreetJudge } from '../../../src/sct/quality/street-judge.ts';
import { io, loopback, photo, receive, replay, scratch } from '../link-helpers.ts';

const QUICK = { codec: 'classical', format: 'jpeg', cbr: 1 / 4, ideal: true, numerology: 15 } as const;
const TOY = fileURLToPath(new URL('../../vectors/quality/lpips-toy.onnx', import.meta.url));
const LPIPS = `${TOY}:${createHash('sha256').update(readFileSync(TOY)).digest('hex')}`;

const JUDGE_FILE = fileURLToPath(new URL('../../vectors/quality/judge-toy.onnx', import.meta.url));
const JUDGE = `${JUDGE_FILE}:${createHash('sha256').update(readFileSync(JUDGE_FILE)).digest('hex')}`;

/** A car (8) in the left third, void at the right edge, road elsewhere. */
async function labels(path: string, width: number, height: number): Promise<string> {
  const data = Uint8Array.from({ length: width * height }, (_, p) => {
    const x = p % width;
    return x < width / 3 ? 8 : x === width - 1 ? 11 : 3;
  });
  await sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toFile(path);
  return path;
}

test('--truth and --lpips: loopback measures, replay --check measures the same, receive needs a reference', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 192, 128);
  const truth = await labels(join(at, 'labels.png'), 192, 128);
  const run = await loopback(source, join(at, 'run'), { ...QUICK, truth, lpips: LPIPS });
  const received = await loadImage(join(at, 'run', 'received.png'));
  const original = await loadImage(source);
  const car = Uint8Array.from({ length: 192 * 128 }, (_, p) => (p % 192 < 64 ? 1 : 0));
  assert.equal(run.metrics.roiPsnrDb, roiPsnrDb(original, received, car));
  const distance =
    original.data.reduce((s, v, i) => s + Math.abs(v - received.data[i]), 0) / 127.5 / received.data.length;
  assert.ok(Math.abs(run.metrics.lpips! - distance) < 1e-5);
  assert.equal(run.metrics.mIoU, null);
  const again = await replay(join(at, 'run'), join(at, 'again'), true);
  assert.deepEqual(again.differences, []);
  assert.equal(again.metrics.roiPsnrDb, run.metrics.roiPsnrDb);
  const heard = { numerology: 15, truth, lpips: LPIPS };
  const alone = await receive(`file:${join(at, 'run', 'rx')}`, join(at, 'alone'), heard);
  assert.deepEqual([alone.metrics.roiPsnrDb, alone.metrics.lpips], [null, null]);
  await rename(truth, join(at, 'moved.png'));
  const without = await replay(join(at, 'run'), join(at, 'without'), false);
  assert.equal(without.metrics.roiPsnrDb, null);
  assert.equal(without.metrics.lpips, run.metrics.lpips);
});

test('a folder of photos takes a folder of label maps', async (t) => {
  const at = await scratch(t);
  await mkdir(join(at, 'photos'));
  await mkdir(join(at, 'truth'));
  const files = [];
  for (const name of ['a', 'b']) {
    files.push(await photo(join(at, 'photos', `${name}.png`), 96, 64));
    await labels(join(at, 'truth', `${name}.png`), 96, 64);
  }
  const config = {
    ...resolveLinkConfig({ ...QUICK, truth: join(at, 'truth') }),
    photo: { kind: 'folder' as const, path: join(at, 'photos'), files },
  };
  const result = (await runLoopback(config, io(join(at, 'runs')))) as FolderResult;
  for (const image of result.images) assert.ok(image.roiPsnrDb! > 20, JSON.stringify(image.roiPsnrDb));
});

test('wrong metric inputs are refused before anything is sent', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 96, 64);
  const small = await labels(join(at, 'small.png'), 64, 64);
  await assert.rejects(loopback(source, join(at, 'x'), { ...QUICK, truth: small }), /is 64x64, the photo 96x64/);
  await assert.rejects(loopback(source, join(at, 'x'), { ...QUICK, truth: source }), /no map of labels/);
  const lpips = `${TOY}:${'1'.repeat(64)}`;
  await assert.rejects(loopback(source, join(at, 'x'), { ...QUICK, lpips }), /is not the file that was named/);
  assert.throws(() => resolveLinkConfig({ lpips: TOY }), /--lpips: is not FILE:SHA256/);
});

test('--judge looks at the received picture whatever codec it came by, and at grey where none came', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 192, 128);
  const judge = await StreetJudge.open(JUDGE_FILE, JUDGE.slice(-64));
  const truth = join(at, 'labels.png');
  const seen = await judge.labels(await loadImage(source));
  await sharp(seen, { raw: { width: 192, height: 128, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toFile(truth);
  const run = await loopback(source, join(at, 'run'), { ...QUICK, truth, judge: JUDGE });
  const received = await loadImage(join(at, 'run', 'received.png'));
  assert.equal(run.metrics.judgeMIoU, (await judge.judge(received, seen)).mIoU);
  assert.ok(run.metrics.judgeMIoU! > 0.2 && run.metrics.judgeMIoU! < 1);
  assert.equal(run.metrics.judgeCleanMIoU, 1);
  assert.match(
    await readFile(join(at, 'run', 'report.html'), 'utf8'),
    /mIoU by the judge<\/dt><dd>0\.\d{3} \(original 1\.000\)/,
  );
  assert.deepEqual((await replay(join(at, 'run'), join(at, 'again'), true)).differences, []);
  const lost = await loopback(source, join(at, 'lost'), { ...QUICK, truth, judge: JUDGE, snrDb: -20, ideal: false });
  assert.equal(lost.metrics.outage, 1);
  assert.equal(lost.metrics.judgeMIoU, (await judge.judge(flatImage(192, 128), seen)).mIoU);
  await judge.close();
  await assert.rejects(loopback(source, join(at, 'none'), { ...QUICK, judge: JUDGE }), /--judge needs --truth/);
});
