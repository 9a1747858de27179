import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { grantsByImportance, overAir } from '../../../bench/integrated/air.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { sideInformationSymbols } from '../../../src/experiment/bench/models/models-awgn.ts';
import type { DecodedImage, EncodedSource } from '../../../src/sct/codec/codec.ts';
import { IntegratedCodec, type IntegratedPlan } from '../../../src/sct/codec/integrated.ts';
import { loadDemoPhoto } from '../../../src/sct/image/demo.ts';
import { type RgbImage, rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { roiPsnrDb } from '../../../src/sct/quality/psnr.ts';
import { cellsToPixels } from '../../../src/sct/quality/regions.ts';
import { loadModels, type SemanticModels } from '../../../src/sct/semantics/models.ts';

const SIDE_PX = 256;
const GOOD_DB = 5;
const LOST = Number.NEGATIVE_INFINITY;

let models: SemanticModels;
let image: RgbImage;
let plan: IntegratedPlan;
let coded: EncodedSource;

before(async () => {
  models = await loadModels({ size: 'live' });
  const photo = await loadDemoPhoto();
  const rows = Array.from({ length: SIDE_PX }, (_, y) => {
    const from = 3 * (photo.width * (128 + y) + 256);
    return photo.data.subarray(from, from + 3 * SIDE_PX);
  });
  image = rgbImage(SIDE_PX, SIDE_PX, Uint8Array.from(rows.flatMap((row) => [...row])));
  const symbols = Math.floor((3 * SIDE_PX * SIDE_PX) / 16);
  plan = await new IntegratedCodec(models).analyse(image, { symbols });
  const left = symbols - sideInformationSymbols(plan.parts.split.total);
  coded = await plan.encode(grantsByImportance(plan.parts.scores, left, GOOD_DB));
});
after(() => models.close());

/** Every SFV at 5 dB but one, whose places have their own SNR. */
function decode(hurt: number, snrDb: (random: RandomStream) => number): Promise<DecodedImage> {
  const random = new RandomStream('correction-gain');
  const streams = coded.streams.map((s) => ({
    ...overAir(s, () => (s.id === hurt ? snrDb(random) : GOOD_DB), random),
    score: plan.streams[s.id].score,
  }));
  return new IntegratedCodec(models).decode({ sideInfo: coded.sideInfo, streams }, { uncorrected: true });
}

/** PSNR over the pixels of an SFV, without and with correction, dB. */
function psnrOfSfv(id: number, { image: shown, uncorrected }: DecodedImage): [number, number] {
  const { sfvOf } = plan.parts.partition;
  const own = Uint8Array.from(sfvOf as ArrayLike<number>, (sfv) => (sfv === id ? 1 : 0));
  const mask = cellsToPixels(own, SIDE_PX, SIDE_PX, 16);
  return [roiPsnrDb(image, uncorrected!, mask)!, roiPsnrDb(image, shown!, mask)!];
}

const sent = () => coded.streams.map((s) => s.id).filter((id) => plan.streams[id].cells! <= 100);

test('noise is no damage: an SFV at -9 dB is shown as f_d made it', async () => {
  assert.ok(sent().length > 3);
  for (const id of sent().slice(0, 3)) {
    const got = await decode(id, () => -9);
    assert.ok(got.complete && got.uncorrected === undefined && got.mask!.damage.every((d) => d === 0));
    assert.equal(got.sfvs![id].state, 'received');
  }
});

test('a lost SFV looks more like the source with correction than without', async () => {
  const gains: number[] = [];
  for (const id of sent()) {
    const got = await decode(id, () => LOST);
    assert.equal(got.sfvs![id].state, 'synthesised');
    const [plain, corrected] = psnrOfSfv(id, got);
    gains.push(corrected - plain);
  }
  const mean = gains.reduce((a, b) => a + b, 0) / gains.length;
  assert.ok(mean > 1, `${gains.map((g) => g.toFixed(2))} dB`);
});

test('of which most came the correction takes nothing away', async () => {
  for (const share of [0.1, 0.5]) {
    const gains: number[] = [];
    for (const id of sent()) {
      const got = await decode(id, (random) => (random.uniform() < share ? LOST : 3));
      assert.equal(got.sfvs![id].state, 'repaired');
      const [plain, corrected] = psnrOfSfv(id, got);
      gains.push(corrected - plain);
    }
    const mean = gains.reduce((a, b) => a + b, 0) / gains.length;
    assert.ok(mean > -0.02, `${share}: ${gains.map((g) => g.toFixed(2))} dB`);
  }
});
