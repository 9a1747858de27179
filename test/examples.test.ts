import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { numerology, Receiver, type RgbImage, rgbImage, savePng, UsageError } from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const width = 320;
const height = 192;

/** Smooth colour waves and a disc with an edge: easy enough for a small budget, not flat. */
function picture(): RgbImage {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = (x - 200) ** 2 + (y - 90) ** 2 < 50 ** 2;
      data[i++] = inside ? 220 : 110 + 80 * Math.sin(x / 31);
      data[i++] = 120 + 70 * Math.sin((x + 2 * y) / 43);
      data[i++] = inside ? 40 : 130 + 60 * Math.cos(y / 23);
    }
  }
  return rgbImage(width, height, data);
}

let folder: string;
let photo: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sct-example-'));
  photo = join(folder, 'photo.png');
  await savePng(photo, picture());
});
after(() => rm(folder, { recursive: true, force: true }));

async function loopback(snrDb: number): Promise<string> {
  const args = ['--import', 'tsx', 'examples/loopback.ts', photo, String(snrDb)];
  return (await promisify(execFile)(process.execPath, args, { cwd: root })).stdout.trim();
}

test('examples/loopback.ts sends a picture within its budget', async () => {
  const line = await loopback(15);
  const match = /^320x192, 15 dB AWGN, CBR (0\.\d+): whole, PSNR (\d+\.\d+) dB$/.exec(line);
  assert.ok(match, line);
  // CBR 1/16 is asked for; at least half of it is used, though whole slots are large beside so small a picture.
  assert.ok(Number(match[1]) <= 1 / 16 && Number(match[1]) > 1 / 32, line);
  // Some 2 kbyte for 61 k smooth pixels: far above what a broken or grey picture has (about 13 dB).
  assert.ok(Number(match[2]) > 30, line);
});

const models = fileURLToPath(new URL('../models/models.json', import.meta.url));
const skip = existsSync(models) ? false : 'SKIPPED: no models in this checkout';

test('examples/analyze.ts lists what matters and brings the picture back', { skip }, async () => {
  const args = ['--import', 'tsx', 'examples/analyze.ts', photo];
  const lines = (await promisify(execFile)(process.execPath, args, { cwd: root })).stdout.trim().split('\n');
  assert.match(lines[0], /^20x12 cells, \d+ objects$/);
  const sent = lines.slice(1, -1).map((line) => /: (\d+) cells, (\d+\.\d) % of the importance, score \d+$/.exec(line));
  assert.ok(sent.length > 0 && sent.every((m) => Number(m![1]) <= 240 && Number(m![2]) <= 100), lines.join('\n'));
  assert.ok(Number(/PSNR (\d+\.\d+) dB$/.exec(lines.at(-1)!)![1]) > 25, lines.join('\n'));
});

test('examples/loopback.ts says so when nothing can be heard, and scores flat grey', async () => {
  const { data } = picture();
  const mse = data.reduce((sum, v) => sum + (v - 128) ** 2, 0) / data.length;
  const grey = (10 * Math.log10(255 ** 2 / mse)).toFixed(2);
  assert.match(await loopback(-15), new RegExp(`: not found, PSNR ${grey.replace('.', '\\.')} dB$`));
});

test('the library gives errors that say what would be right', () => {
  const n = numerology(6);
  assert.throws(
    () => numerology(7),
    (e) => e instanceof UsageError && /6 .*15 .*25 .*50/.test(e.hint ?? ''),
  );
  const receiver = new Receiver({ numerology: n, codecs: [] });
  assert.deepEqual(receiver.push(new Float32Array(2000)), []);
  assert.match(receiver.describe(), /receiver: 6 subbands/);
});
