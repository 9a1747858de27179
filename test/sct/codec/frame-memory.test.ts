import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { grantsByImportance, overAir } from '../../../bench/integrated/air.ts';
import { RandomStream } from '../../../src/common/random.ts';
import type { EncodedSource, ReceivedSource } from '../../../src/sct/codec/codec.ts';
import { IntegratedCodec } from '../../../src/sct/codec/integrated.ts';
import { FrameMemory } from '../../../src/sct/correction/frame-memory.ts';
import { loadDemoPhoto } from '../../../src/sct/image/demo.ts';
import { type RgbImage, rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { roiPsnrDb } from '../../../src/sct/quality/psnr.ts';
import { cellsToPixels } from '../../../src/sct/quality/regions.ts';
import type { FeatureMap } from '../../../src/sct/semantics/feature-map.ts';
import { loadModels, type SemanticModels } from '../../../src/sct/semantics/models.ts';

const [WIDTH, HEIGHT, SNR_DB] = [256, 128, 10];
let models: SemanticModels;
let photo: RgbImage;

before(async () => {
  models = await loadModels({ size: 'live' });
  photo = await loadDemoPhoto();
});
after(() => models.close());

function frameAt(x: number, y: number): RgbImage {
  const data = new Uint8Array(3 * WIDTH * HEIGHT);
  for (let row = 0; row < HEIGHT; row++) {
    const from = 3 * ((y + row) * photo.width + x);
    data.set(photo.data.subarray(from, from + 3 * WIDTH), 3 * WIDTH * row);
  }
  return rgbImage(WIDTH, HEIGHT, data);
}

async function coded(image: RgbImage): Promise<EncodedSource> {
  const plan = await new IntegratedCodec(models).analyse(image, { symbols: WIDTH * HEIGHT * 0.5 });
  const scores = Uint8Array.from(plan.streams, (s) => s.score);
  return plan.encode(grantsByImportance(scores, WIDTH * HEIGHT * 0.48, SNR_DB));
}

function received(source: EncodedSource, name: string, isLost: (id: number) => boolean = () => false): ReceivedSource {
  const random = new RandomStream(name);
  const snr = (id: number) => (isLost(id) ? Number.NEGATIVE_INFINITY : SNR_DB);
  const streams = source.streams.map((s) => overAir(s, () => snr(s.id), random.fork(`${s.id}`)));
  return { sideInfo: source.sideInfo, streams };
}

/** The codec, and the features that g_s was last given. */
function watched() {
  const seen: { shown: FeatureMap | undefined } = { shown: undefined };
  const watch: SemanticModels = Object.create(models);
  watch.synthesise = (y, ...rest) => {
    seen.shown = y;
    return models.synthesise(y, ...rest);
  };
  return { codec: new IntegratedCodec(watch), seen };
}

/** PSNR of what was lost, of a frame that follows `first` and misses every third SFV, without and with the memory. */
async function secondFrame(first: RgbImage, second: RgbImage) {
  const { codec, seen } = watched();
  const memory = new FrameMemory();
  const before = await codec.decode(received(await coded(first), 'first'), { memory });
  assert.equal(before.fromMemory, undefined, 'nothing was damaged');
  const source = received(await coded(second), 'second', (id) => id % 3 === 1);
  const plain = await codec.decode(source);
  const plainFeatures = seen.shown!;
  const helped = await codec.decode(source, { memory });
  const { damage } = helped.mask!;
  const area = damage.length;
  assert.ok(damage.includes(1) && damage.includes(0));
  seen.shown!.data.forEach((v, i) => {
    if (damage[i % area] === 0) assert.equal(v, plainFeatures.data[i], 'an undamaged cell has changed');
  });
  const mask = cellsToPixels(Uint8Array.from(damage), WIDTH, HEIGHT);
  const psnr = (image: RgbImage | undefined) => roiPsnrDb(second, image!, mask)!;
  return { plain: psnr(plain.image), helped: psnr(helped.image), fromMemory: helped.fromMemory };
}

test('what stands still is restored from the frame before, undamaged cells stay bit by bit', async () => {
  const { plain, helped, fromMemory } = await secondFrame(frameAt(200, 200), frameAt(200, 200));
  assert.equal(fromMemory, 1);
  assert.ok(helped > plain + 4, `${plain} -> ${helped} dB`);
});

test('a move of two pixels still helps, another scene does no harm', async () => {
  const moved = await secondFrame(frameAt(200, 200), frameAt(202, 201));
  assert.ok(moved.helped > moved.plain, `${moved.plain} -> ${moved.helped} dB`);
  const cut = await secondFrame(frameAt(0, 0), frameAt(500, 250));
  assert.ok(cut.helped > cut.plain - 0.1, `${cut.plain} -> ${cut.helped} dB`);
});

test('an outage, and side information without a symbol, leave the memory as it was', async () => {
  const codec = new IntegratedCodec(models);
  const memory = new FrameMemory();
  const source = await coded(frameAt(200, 200));
  await codec.decode(received(source, 'first'), { memory });
  const kept = memory.recall(models.set.id, (await models.analyse(frameAt(200, 200))) as FeatureMap);
  assert.ok(kept);
  await codec.decode({ sideInfo: undefined, streams: [] }, { memory });
  const nothing = await codec.decode({ sideInfo: source.sideInfo, streams: [] }, { memory });
  assert.equal(nothing.fromMemory, 0);
  assert.equal(memory.recall(models.set.id, kept.yHat), kept);
});
