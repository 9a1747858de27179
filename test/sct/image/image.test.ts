import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { UsageError } from '../../../src/common/errors.ts';
import { DEMO_CREDIT, demoPhotoPath, loadDemoPhoto } from '../../../src/sct/image/demo.ts';
import { listImages } from '../../../src/sct/image/list.ts';
import { decodeImage, loadImage } from '../../../src/sct/image/load.ts';
import { differenceImage, flatImage, type RgbImage, rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { cropImage, encodeJpeg, encodePng, resizeImage, savePng, toDataUri } from '../../../src/sct/image/save.ts';
import { psnrDb } from '../../../src/sct/quality/psnr.ts';
import { fill } from '../quality/synthetic.ts';

const dir = mkdtempSync(join(tmpdir(), 'sct-image-'));
after(() => rmSync(dir, { recursive: true }));

/** Smooth colours that every lossy format keeps well. */
const photo: RgbImage = fill(48, 32, (x, y, c) => (c === 0 ? 5 * x : c === 1 ? 7 * y : 200 - 3 * x));
const input = () => sharp(photo.data, { raw: { width: 48, height: 32, channels: 3 } });

async function write(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
}

test('PNG written and read again is bit-exact; also as a data URI', async () => {
  const path = join(dir, 'a.png');
  await savePng(path, photo);
  assert.deepEqual(await loadImage(path), photo);
  const uri = await toDataUri(photo);
  assert.match(uri, /^data:image\/png;base64,/);
  assert.deepEqual(await decodeImage(Buffer.from(uri.split(',')[1], 'base64'), 'uri'), photo);
  assert.match(await toDataUri(photo, 'jpeg'), /^data:image\/jpeg;base64,\/9j/);
});

test('JPEG, WebP, AVIF, TIFF and GIF are read', async () => {
  const files: [string, Uint8Array, number][] = [
    ['a.jpg', await encodeJpeg(photo, 95), 35],
    ['a.webp', await input().webp({ lossless: true }).toBuffer(), 100],
    ['a.avif', await input().avif({ quality: 90, chromaSubsampling: '4:4:4' }).toBuffer(), 35],
    ['a.tiff', await input().tiff({ compression: 'lzw' }).toBuffer(), 100],
    ['a.gif', await input().gif().toBuffer(), 20],
  ];
  for (const [name, bytes, least] of files) {
    const image = await loadImage(await write(name, bytes));
    assert.ok(psnrDb(image, photo) >= least, `${name}: ${psnrDb(image, photo)} dB`);
  }
});

test('16 bit is scaled to 8, grey repeated, alpha flattened on white', async () => {
  const wide = Uint16Array.from({ length: 3 * 64 }, (_, i) => Math.min(65535, i * 341));
  const png16 = await sharp(wide, { raw: { width: 64, height: 1, channels: 3, depth: 'ushort' } as never })
    .toColourspace('rgb16')
    .png()
    .toBuffer();
  const eight = await decodeImage(png16, 'png16');
  for (let i = 0; i < wide.length; i++) {
    assert.ok(Math.abs(eight.data[i] - wide[i] / 257) <= 1, `sample ${i}: ${eight.data[i]} for ${wide[i]}`);
  }
  const grey = await sharp(Uint8Array.of(0, 77, 128, 255), { raw: { width: 2, height: 2, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
  assert.deepEqual([...(await decodeImage(grey, 'grey')).data], [0, 0, 0, 77, 77, 77, 128, 128, 128, 255, 255, 255]);
  const rgba = Uint8Array.of(200, 0, 0, 255, 200, 0, 0, 0);
  const alpha = await sharp(rgba, { raw: { width: 2, height: 1, channels: 4 } })
    .png()
    .toBuffer();
  assert.deepEqual([...(await decodeImage(alpha, 'alpha')).data], [200, 0, 0, 255, 255, 255]);
});

test('EXIF orientation 6 turns the picture clockwise', async () => {
  const tall = await decodeImage(await input().withMetadata({ orientation: 6 }).png().toBuffer(), 'exif');
  assert.deepEqual([tall.width, tall.height], [32, 48]);
  const turned = fill(32, 48, (x, y, c) => photo.data[((31 - x) * 48 + y) * 3 + c]);
  assert.deepEqual(tall.data, turned.data);
});

test('CMYK becomes sRGB', async () => {
  const cmyk = await sharp({ create: { width: 16, height: 16, channels: 3, background: { r: 255, g: 0, b: 0 } } })
    .toColourspace('cmyk')
    .jpeg({ quality: 100 })
    .toBuffer();
  assert.equal((await sharp(cmyk).metadata()).space, 'cmyk');
  const { data } = await decodeImage(cmyk, 'cmyk');
  assert.ok(data[0] > 180 && data[1] < 90 && data[2] < 90, `red stays red: ${data.subarray(0, 3)}`);
});

test('smallest and largest sizes', async () => {
  const one = rgbImage(1, 1, Uint8Array.of(1, 2, 3));
  assert.deepEqual(await decodeImage(await encodePng(one), 'one'), one);
  const line = flatImage(8192, 2, 9);
  assert.deepEqual(await decodeImage(await encodePng(line), 'line'), line);
  const tooWide = await sharp({ create: { width: 8193, height: 1, channels: 3, background: '#000' } })
    .png()
    .toBuffer();
  await assert.rejects(decodeImage(tooWide, 'wide.png'), /wide\.png.*8193x1.*1x1 to 8192x8192/);
});

/** A PNG of any announced size with a few bytes of data. */
function bomb(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), body.length + 4);
    return out;
  };
  const ihdr = Buffer.alloc(13);
  ihdr.writeUInt32BE(width, 0);
  ihdr.writeUInt32BE(height, 4);
  ihdr.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  return Buffer.concat([
    signature,
    chunk('IHDR', ihdr),
    chunk('IDAT', deflateSync(Buffer.alloc(1000))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const b of bytes) {
    c ^= b;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return ~c >>> 0;
}

test('bad files: a UsageError that names the file, and no allocation for what a header claims', async () => {
  const png = await encodePng(photo);
  const jpeg = await encodeJpeg(photo);
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  const bad: [string, Uint8Array][] = [
    ['empty.png', new Uint8Array(0)],
    ['text.jpg', Buffer.from('this is not a picture')],
    ['short.png', png.subarray(0, 30)],
    ['half.png', png.subarray(0, png.length / 2)],
    ['half.jpg', jpeg.subarray(0, jpeg.length / 2)],
    ['half.avif', (await input().avif().toBuffer()).subarray(0, 300)],
    ['bomb.png', bomb(100_000, 100_000)],
    ['tall.png', bomb(1, 8193)],
    ['missing-data.png', bomb(4000, 4000)],
    ['vector.svg', svg],
  ];
  const before = process.memoryUsage().rss;
  for (const [name, bytes] of bad) {
    const path = await write(name, bytes);
    await assert.rejects(loadImage(path), (e: Error) => {
      assert.ok(e instanceof UsageError, `${name}: ${e.stack}`);
      assert.ok(e.message.includes(path), e.message);
      return true;
    });
  }
  // 100 000 x 100 000 x 3 would be 30 GB
  assert.ok(process.memoryUsage().rss - before < 400e6);
  await assert.rejects(loadImage(dir), /is a folder/);
  await assert.rejects(loadImage(join(dir, 'none.png')), /no such file/);
});

test('a folder lists its pictures sorted, a file itself', async () => {
  const folder = join(dir, 'list');
  mkdirSync(folder);
  for (const name of ['b.PNG', 'a.jpg', 'notes.txt', '.hidden.png', 'B.webp']) writeFileSync(join(folder, name), 'x');
  mkdirSync(join(folder, 'sub.png'));
  assert.deepEqual(
    await listImages(folder),
    ['B.webp', 'a.jpg', 'b.PNG'].map((n) => join(folder, n)),
  );
  assert.deepEqual(await listImages(join(folder, 'a.jpg')), [join(folder, 'a.jpg')]);
  await assert.rejects(listImages(join(dir, 'nowhere')), /no such file or folder/);
  const empty = join(dir, 'empty');
  mkdirSync(empty);
  await assert.rejects(listImages(empty), /holds no picture/);
});

test('the demo photo is 768x512: the middle of the original, reduced', async () => {
  const demo = await loadDemoPhoto();
  assert.deepEqual([demo.width, demo.height], [768, 512]);
  const { data } = await sharp(demoPhotoPath())
    .extract({ left: 0, top: 17, width: 1024, height: 683 })
    .resize(768, 512, { fit: 'fill', kernel: 'linear' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  // another reduction kernel differs a little in fine texture; a wrong cut or scale falls below 25 dB
  const db = psnrDb(demo, rgbImage(768, 512, new Uint8Array(data)));
  assert.ok(db > 32, `${db} dB`);
  assert.match(DEMO_CREDIT, /CC0/);
});

test('crop, resize and difference', async () => {
  const part = cropImage(photo, 5, 6, 7, 8);
  assert.deepEqual([...part.data.subarray(0, 3)], [...photo.data.subarray((6 * 48 + 5) * 3, (6 * 48 + 5) * 3 + 3)]);
  assert.throws(() => cropImage(photo, 42, 0, 7, 8), /0 to 41/);
  const half = await resizeImage(photo, 24, 16);
  assert.ok(psnrDb(await resizeImage(half, 48, 32), photo) > 35, 'a smooth picture survives halving');
  await assert.rejects(resizeImage(photo, 0, 5), /1 to 8192/);
  assert.deepEqual(differenceImage(flatImage(2, 1, 10), flatImage(2, 1, 13), 4), flatImage(2, 1, 12));
  assert.throws(() => rgbImage(2, 2, new Uint8Array(11)), /needs 12 bytes/);
  assert.throws(() => rgbImage(0, 2, new Uint8Array(0)), /1x1 to 8192x8192/);
});
