import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { IntegratedCodec } from '../../../src/sct/codec/integrated.ts';
import { ModularCodec } from '../../../src/sct/codec/modular.ts';
import { rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { loadModels, type SemanticModels } from '../../../src/sct/semantics/models.ts';
import { oncePerObject } from '../../../src/sct/semantics/once-per-picture.ts';

let models: SemanticModels;
before(async () => {
  models = await loadModels({ size: 'live' });
});
after(() => models.close());

const picture = () =>
  rgbImage(
    96,
    64,
    Uint8Array.from({ length: 3 * 96 * 64 }, (_, i) => (i * 37 + (i >> 8) * 91) % 256),
  );

/** The same networks, and how often those ran that see the picture alone. */
function counted() {
  const runs = { analyse: 0, labels: 0, saliency: 0 };
  const watch: SemanticModels = Object.create(models);
  for (const name of ['analyse', 'labels', 'saliency'] as const) {
    const run = models[name].bind(models) as (input: unknown) => Promise<never>;
    watch[name] = (input: unknown) => {
      runs[name]++;
      return run(input);
    };
  }
  return { models: watch, runs };
}

test('another budget or number of SFVs takes no run of the networks, and gives what a codec gives that saw the picture first', async () => {
  for (const Kind of [IntegratedCodec, ModularCodec]) {
    const { models: watch, runs } = counted();
    const codec = new Kind(watch);
    const image = picture();
    for (const hints of [{ symbols: 400 }, { symbols: 4000, maxSfvs: 3 }, { maxSfvs: 8 }]) {
      const { analysis, streams, ranking, sideInfoBytes } = await codec.analyse(image, hints);
      const alone = await new Kind(models).analyse(picture(), hints);
      assert.deepEqual(
        { streams, ranking, sideInfoBytes },
        {
          streams: alone.streams,
          ranking: alone.ranking,
          sideInfoBytes: alone.sideInfoBytes,
        },
      );
      assert.deepEqual(analysis.classMap, alone.analysis.classMap);
      assert.deepEqual(analysis.y.data, alone.analysis.y.data);
    }
    assert.deepEqual(runs, { analyse: 1, labels: 1, saliency: 1 });
    // Its equal is another picture.
    await codec.analyse(picture());
    assert.equal(runs.analyse, 2);
  }
});

test('what failed is tried again', async () => {
  let tries = 0;
  const once = oncePerObject(async (key: object) => {
    if (++tries === 1) throw new Error('no memory');
    return key;
  });
  const key = {};
  await assert.rejects(once(key), /no memory/);
  assert.equal(await once(key), key);
  assert.equal(await once(key), key);
  assert.equal(tries, 2);
});
