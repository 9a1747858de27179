import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { ssim as referenceSsim } from 'ssim.js';
import { UsageError } from '../../../src/common/errors.ts';
import { flatImage, type RgbImage } from '../../../src/sct/image/rgb-image.ts';
import { msSsim, msSsimDb } from '../../../src/sct/quality/ms-ssim.ts';
import { mseToPsnrDb, psnrDb, roiPsnrDb, weightedPsnrDb } from '../../../src/sct/quality/psnr.ts';
import { measureQuality } from '../../../src/sct/quality/report.ts';
import { ssim } from '../../../src/sct/quality/ssim.ts';
import { distort, fill, syntheticSource } from './synthetic.ts';

interface Case {
  width: number;
  height: number;
  distortion: string;
  sourceSum: number;
  receivedSum: number;
  psnrDb: number;
  ssim: number;
  msSsim: number;
}
const { cases } = JSON.parse(readFileSync(new URL('../../vectors/quality/ms-ssim.json', import.meta.url), 'utf8')) as {
  cases: Case[];
};

const near = (actual: number | null, expected: number, tolerance: number, what: string) =>
  assert.ok(actual !== null && Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, expected ${expected}`);

test('PSNR, SSIM and MS-SSIM equal the independent numpy implementation', () => {
  assert.equal(cases.length, 12);
  for (const c of cases) {
    const what = `${c.width}x${c.height} ${c.distortion}`;
    const a = syntheticSource(c.width, c.height);
    const b = distort(a, c.distortion);
    const sum = (d: Uint8Array) => d.reduce((s, v) => s + v, 0);
    assert.deepEqual([sum(a.data), sum(b.data)], [c.sourceSum, c.receivedSum], `${what}: same pictures`);
    near(psnrDb(a, b), c.psnrDb, 1e-9, what);
    // planes are Float32 (2^-24 relative), filters Float64
    near(ssim(a, b), c.ssim, 1e-6, what);
    near(msSsim(a, b), c.msSsim, 1e-6, what);
  }
});

function rgba(image: RgbImage) {
  const data = new Uint8ClampedArray(image.width * image.height * 4).fill(255);
  for (let p = 0; p < image.width * image.height; p++) data.set(image.data.subarray(3 * p, 3 * p + 3), 4 * p);
  return { width: image.width, height: image.height, data };
}

test('SSIM equals ssim.js', () => {
  const options = { ssim: 'original', downsample: false, rgb2grayVersion: 'original' } as const;
  const colour = syntheticSource(96, 64);
  const grey = fill(96, 64, (x, y) => colour.data[(y * 96 + x) * 3]);
  for (const kind of ['noise8', 'noise60', 'coarse', 'inverted']) {
    const damagedColour = distort(colour, kind);
    const damagedGrey = fill(96, 64, (x, y) => damagedColour.data[(y * 96 + x) * 3]);
    const exact = referenceSsim(rgba(grey), rgba(damagedGrey), options).mssim;
    near(ssim(grey, damagedGrey), exact, 1e-6, `grey ${kind}`);
    // ssim.js rounds the luma to integers
    const rounded = referenceSsim(rgba(colour), rgba(damagedColour), options).mssim;
    near(ssim(colour, damagedColour), rounded, 5e-3, `colour ${kind}`);
  }
});

test('closed forms of PSNR', () => {
  const a = flatImage(5, 7, 100);
  assert.equal(psnrDb(a, a), Number.POSITIVE_INFINITY);
  near(psnrDb(a, flatImage(5, 7, 110)), 10 * Math.log10(65025 / 100), 1e-12, 'error of 10 everywhere');
  near(psnrDb(flatImage(3, 3, 0), flatImage(3, 3, 255)), 0, 1e-12, 'black and white');
  near(mseToPsnrDb(65.025), 30, 1e-12, 'mse');
  near(psnrDb(a, flatImage(5, 7, 100, 100, 103)), 10 * Math.log10(65025 / 3), 1e-12, 'mean over the channels');
});

test('ROI-PSNR and weighted PSNR look only where they should', () => {
  const a = flatImage(4, 2, 50);
  const b = fill(4, 2, (x) => (x < 2 ? 52 : 90));
  const left = Uint8Array.from({ length: 8 }, (_, p) => (p % 4 < 2 ? 1 : 0));
  near(roiPsnrDb(a, b, left), 10 * Math.log10(65025 / 4), 1e-12, 'left half');
  near(weightedPsnrDb(a, b, Float32Array.from(left)), 10 * Math.log10(65025 / 4), 1e-12, 'weights 0 and 1');
  near(weightedPsnrDb(a, b, new Float32Array(8).fill(0.25)), psnrDb(a, b), 1e-12, 'equal weights');
  assert.equal(roiPsnrDb(a, b, new Uint8Array(8)), null);
  assert.equal(weightedPsnrDb(a, b, new Float32Array(8)), null);
  assert.throws(() => roiPsnrDb(a, b, new Uint8Array(7)), UsageError);
  assert.throws(() => weightedPsnrDb(a, b, new Float32Array(8).fill(Number.NaN)), /allowed 0 and up/);
  assert.throws(() => psnrDb(a, flatImage(2, 4)), /4x2 and 2x4/);
});

test('small pictures: SSIM null below 11, MS-SSIM null below 161', () => {
  assert.equal(ssim(flatImage(10, 40), flatImage(10, 40)), null);
  near(ssim(flatImage(11, 11), flatImage(11, 11)), 1, 1e-9, 'SSIM of identical pictures');
  assert.equal(msSsim(flatImage(160, 300), flatImage(160, 300)), null);
  near(msSsim(flatImage(161, 161, 0), flatImage(161, 161, 0)), 1, 1e-9, 'black, the darkest odd case');
  near(msSsimDb(0.9), 10, 1e-9, 'MS-SSIM dB');
  assert.equal(msSsimDb(1), Number.POSITIVE_INFINITY);
});

test('report: an undecodable picture is mid-grey, what is not measured is null, JSON stays finite', () => {
  const a = syntheticSource(170, 165);
  const lost = measureQuality({ reference: a, received: undefined, roiMask: new Uint8Array(170 * 165).fill(1) });
  assert.equal(lost.psnrDb, psnrDb(a, flatImage(170, 165, 128)));
  assert.equal(lost.roiPsnrDb, lost.psnrDb);
  assert.deepEqual([lost.lpips, lost.mIoU, lost.importanceWeightedPsnrDb], [null, null, null]);
  const same = measureQuality({ reference: a, received: a });
  assert.deepEqual([same.psnrDb, same.roiPsnrDb], [100, null]);
  assert.ok(same.msSsim! > 1 - 1e-9 && same.ssim! > 1 - 1e-9);
  const remote = measureQuality({ reference: undefined, received: a });
  assert.ok(Object.values(remote).every((v) => v === null));
});
