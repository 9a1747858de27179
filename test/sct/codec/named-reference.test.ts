import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { IntegratedCodec } from '../../../src/sct/codec/integrated.ts';
import { ModularCodec } from '../../../src/sct/codec/modular.ts';
import { referenceToName } from '../../../src/sct/codec/named-reference.ts';
import { decodeSideInfo } from '../../../src/sct/codec/side-info.ts';
import { loadDemoPhoto } from '../../../src/sct/image/demo.ts';
import { cropImage } from '../../../src/sct/image/save.ts';
import { type FeatureMap, withData } from '../../../src/sct/semantics/feature-map.ts';
import { loadModels } from '../../../src/sct/semantics/models.ts';

test('the nearest that is near enough, of the same grid, and held', async () => {
  const models = await loadModels({ size: 'live' });
  const y = await models.analyse(cropImage(await loadDemoPhoto(), 300, 120, 96, 80));
  const random = new RandomStream('named reference');
  const rms = Math.sqrt(y.data.reduce((sum, v) => sum + v * v, 0) / y.data.length);
  /** y with an error of so much of its power. */
  const off = (share: number) =>
    withData(
      y,
      y.data.map((v) => v + Math.sqrt(share) * rms * random.normal()),
    );
  const held = new Map<number, FeatureMap>([
    [1, off(0.3)],
    [2, off(0.2)],
    [3, off(0.8)],
    [4, { ...y, columns: y.columns - 1 }],
  ]);
  const featuresOf = async (id: number) => held.get(id);
  assert.equal(await referenceToName(y, [1, 2, 3, 4, 5], featuresOf), 2);
  assert.equal(await referenceToName(y, [3, 1], featuresOf), 1);
  assert.equal(await referenceToName(y, [3, 4, 5], featuresOf), undefined);
  assert.equal(await referenceToName(y, [], featuresOf), undefined);
  assert.equal(await referenceToName(y, [1], undefined), undefined);
});

test('both codecs name a picture of the scene a few pixels on, and not one of another place', async () => {
  const models = await loadModels({ size: 'live' });
  const demo = await loadDemoPhoto();
  const image = cropImage(demo, 300, 120, 192, 160);
  const pictures = [cropImage(demo, 100, 0, 192, 160), cropImage(demo, 302, 121, 192, 160)];
  const references = async (id: number) => (pictures[id] ? models.analyse(pictures[id]) : undefined);
  for (const codec of [new IntegratedCodec(models, { references }), new ModularCodec(models, { references })]) {
    for (const [referenceIds, named] of [[[0, 1], 1] as const, [[0], undefined] as const]) {
      const plan = await codec.analyse(image, { symbols: 4000, referenceIds });
      const coded = await plan.encode(plan.streams.map(({ id, minSize }) => ({ id, size: minSize + 20 })));
      assert.equal(coded.sideInfo.length, plan.sideInfoBytes);
      assert.equal(decodeSideInfo(coded.sideInfo, models.tables).referenceId, named);
      assert.equal(coded.settings.reference, named === undefined ? undefined : '00000001');
    }
  }
});
