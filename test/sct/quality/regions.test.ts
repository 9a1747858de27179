import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import sharp from 'sharp';
import { UsageError } from '../../../src/common/errors.ts';
import { flatImage } from '../../../src/sct/image/rgb-image.ts';
import { savePng } from '../../../src/sct/image/save.ts';
import { borderGradientRatio, gradientEnergyRatio } from '../../../src/sct/quality/gradient.ts';
import { loadLabelImage, loadStreetLabels, roiMask } from '../../../src/sct/quality/label-image.ts';
import { roiPsnrDb } from '../../../src/sct/quality/psnr.ts';
import { cellsToPixels, regionPsnrDb } from '../../../src/sct/quality/regions.ts';
import { luma } from '../../../src/sct/quality/ssim.ts';
import { distort, fill, syntheticSource } from './synthetic.ts';

test('PSNR of each region equals the PSNR under its mask', () => {
  const a = syntheticSource(40, 24);
  const b = distort(a, 'noise60');
  const regions = Uint8Array.from({ length: 960 }, (_, p) => (p * 7) % 5);
  const found = regionPsnrDb(a, b, regions, 4); // region 4 belongs to none
  assert.equal(found.length, 4);
  found.forEach(({ psnrDb, pixels }, r) => {
    const mask = regions.map((v) => (v === r ? 1 : 0));
    assert.ok(Math.abs(psnrDb! - roiPsnrDb(a, b, mask)!) < 1e-12);
    assert.equal(
      pixels,
      mask.reduce((s, v) => s + v, 0),
    );
  });
  assert.deepEqual(regionPsnrDb(a, b, new Uint8Array(960), 2)[1], { pixels: 0, psnrDb: null });
  assert.equal(regionPsnrDb(a, a, regions, 1)[0].psnrDb, Number.POSITIVE_INFINITY);
  assert.throws(() => regionPsnrDb(a, b, regions.subarray(1), 4), UsageError);
  assert.throws(() => regionPsnrDb(a, b, regions, 256), /allowed 0 to 255/);
});

test('cells as pixels, with a cut last row and column', () => {
  const map = cellsToPixels(Uint8Array.of(1, 2, 3, 4), 20, 17);
  assert.deepEqual([map[0], map[15], map[16], map[19], map[16 * 20], map[16 * 20 + 19]], [1, 1, 2, 2, 3, 4]);
  assert.throws(() => cellsToPixels(Uint8Array.of(1, 2), 20, 17), /do not cover/);
});

/** Neighbours found by looping over all pairs of pixels: slow and plain. */
function bruteGradient(image: Parameters<typeof luma>[0], mask: Uint8Array) {
  const y = luma(image);
  const inside: number[] = [];
  const border: number[] = [];
  for (let p = 0; p < y.length; p++) {
    for (let q = p + 1; q < y.length; q++) {
      const [px, py, qx, qy] = [
        p % image.width,
        Math.floor(p / image.width),
        q % image.width,
        Math.floor(q / image.width),
      ];
      if (Math.abs(px - qx) + Math.abs(py - qy) !== 1) continue;
      if (mask[p] && mask[q]) inside.push(Math.abs(y[p] - y[q]));
      else if (mask[p] || mask[q]) border.push(Math.abs(y[p] - y[q]));
    }
  }
  const rms = (v: number[]) => Math.sqrt(v.reduce((s, x) => s + x * x, 0) / v.length);
  return { energy: inside.reduce((s, x) => s + x * x, 0), ratio: rms(border) / rms(inside) };
}

test('gradient energy and border ratio equal a search over all pairs of pixels', () => {
  const a = syntheticSource(17, 13);
  const b = distort(a, 'noise60');
  const mask = Uint8Array.from({ length: 17 * 13 }, (_, p) => (p % 17 > 4 && p % 17 < 11 && p > 40 ? 1 : 0));
  const [x, y] = [bruteGradient(a, mask), bruteGradient(b, mask)];
  assert.ok(Math.abs(gradientEnergyRatio(a, b, mask)! - y.energy / x.energy) < 1e-9);
  assert.ok(Math.abs(borderGradientRatio(b, mask)! - y.ratio) < 1e-9);
});

test('gradient figures: closed forms', () => {
  const ramp = fill(8, 8, (x) => 10 * x);
  const half = fill(8, 8, (x) => 5 * x);
  const all = new Uint8Array(64).fill(1);
  assert.ok(Math.abs(gradientEnergyRatio(ramp, half, all)! - 0.25) < 1e-6);
  assert.equal(gradientEnergyRatio(ramp, flatImage(8, 8, 90), all), 0);
  assert.equal(gradientEnergyRatio(flatImage(8, 8, 1), ramp, all), null);
  assert.equal(borderGradientRatio(ramp, all), null); // no border
  const right = Uint8Array.from({ length: 64 }, (_, p) => (p % 8 >= 4 ? 1 : 0));
  // inside: 3 x 8 horizontal pairs with 10 and 7 x 4 vertical pairs with 0; border: 8 pairs with 10
  assert.ok(Math.abs(borderGradientRatio(ramp, right)! - Math.sqrt(52 / 24)) < 1e-6);
  assert.throws(() => borderGradientRatio(ramp, new Uint8Array(3)), UsageError);
});

test('label pictures: numbers, not colours; anything else is refused by name', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sct-labels-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const write = async (name: string, data: number[], colours?: number) => {
    const raw = { width: data.length, height: 1, channels: 1 as const };
    const out = sharp(Uint8Array.from(data), { raw }).toColourspace('b-w');
    await out.png(colours ? { palette: true, colours } : {}).toFile(join(folder, name));
    return join(folder, name);
  };
  const labels = await loadStreetLabels(await write('a.png', [0, 6, 7, 8, 9, 10, 11, 255]));
  assert.deepEqual([labels.width, labels.height], [8, 1]);
  assert.deepEqual([...labels.data], [0, 6, 7, 8, 9, 10, 11, 11]);
  assert.deepEqual([...roiMask(labels.data)], [0, 1, 0, 1, 1, 1, 0, 0]);
  assert.deepEqual([...(await loadLabelImage(await write('m.png', [0, 255, 128]))).data], [0, 255, 128]);
  await assert.rejects(loadStreetLabels(await write('b.png', [0, 12])), /label 12: allowed 0 to 10/);
  await savePng(join(folder, 'c.png'), flatImage(4, 4, 3));
  await assert.rejects(loadLabelImage(join(folder, 'c.png')), /no map of labels/);
  await assert.rejects(loadLabelImage(join(folder, 'missing.png')), UsageError);
  execFileSync('mkfifo', [join(folder, 'pipe.png')]);
  await assert.rejects(loadLabelImage(join(folder, 'pipe.png')), /not a regular file/);
});
