import assert from 'node:assert/strict';
import test from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { codePicture, receivedSymbols } from '../../../src/experiment/bench/models-awgn.ts';
import { loadDemoPhoto } from '../../../src/sct/image/demo.ts';
import type { RgbImage } from '../../../src/sct/image/rgb-image.ts';
import { psnrDb } from '../../../src/sct/quality/psnr.ts';
import { flatPlane } from '../../../src/sct/semantics/feature-map.ts';
import { int8OrFloat, PROBE_GRID, probeFeeds } from '../../../src/sct/semantics/int8.ts';
import { lengthsOf } from '../../../src/sct/semantics/loaded-models.ts';
import { readModelFile, shippedModelsDir } from '../../../src/sct/semantics/model-files.ts';
import { chooseSet, readModelSets } from '../../../src/sct/semantics/model-set.ts';
import { loadModels, type SemanticModels } from '../../../src/sct/semantics/models.ts';
import { NetworkSession } from '../../../src/sct/semantics/session.ts';

test('the 8-bit networks of live are the same set to the other end and lose less than 0.1 dB', async () => {
  const float = await loadModels({ size: 'live' });
  const int8 = await loadModels({ size: 'live', precision: 'int8' });
  assert.equal(int8.set.id, float.set.id);
  const photo = await loadDemoPhoto();
  const there = await float.analyse(photo);
  assert.notDeepEqual((await int8.analyse(photo)).data, there.data, 'nothing was computed in 8 bits');
  for (const snrDb of [1, 7, 13]) {
    const shown = async (sender: SemanticModels, receiver: SemanticModels) => {
      const y = await sender.analyse(photo);
      const coded = codePicture(sender, y, 1 / 12, snrDb);
      const { classMap, symbols } = coded;
      const z = await sender.encodeSymbols(y, classMap, symbols, flatPlane(y, snrDb));
      const { received, scale } = receivedSymbols(z, coded, snrDb, new RandomStream('int8-test'));
      const decoded = await receiver.decodeSymbols(received, scale, classMap, symbols, flatPlane(y, snrDb), y);
      return psnrDb(photo, await receiver.synthesise(decoded.yHat, decoded.quality))!;
    };
    const sure = await shown(float, float);
    for (const [what, db] of [
      ['sender', await shown(int8, float)],
      ['receiver', await shown(float, int8)],
      ['both', await shown(int8, int8)],
    ] as const) {
      assert.ok(db > sure - 0.1, `${what}, ${snrDb} dB: ${sure} -> ${db} dB`);
    }
  }
  await Promise.all([float.close(), int8.close()]);
});

test('a network that this machine computes otherwise is not used', async () => {
  const dir = shippedModelsDir();
  const set = chooseSet(await readModelSets(dir), 'base');
  const models = await loadModels({ size: 'base' });
  const file = (role: string) => set.files.find((f) => f.role === role)!;
  const { path, bytes, sha256 } = file('synthesis-perceptual'); // of the same contract, and says something else
  const read = (info: (typeof set.files)[number]) => readModelFile(dir, info);
  const lengths = lengthsOf(PROBE_GRID);
  const analyse = (image: RgbImage) => models.analyse(image);
  const feeds = (await probeFeeds('synthesis', analyse))!;
  const open = (info: (typeof set.files)[number]) =>
    int8OrFloat(info, 'synthesis', set.channels, read, { threads: 1 }, { analyse, lengths });
  const sure = await NetworkSession.create(
    file('synthesis'),
    'synthesis',
    set.channels,
    await read(file('synthesis')),
    { threads: 1 },
  );
  const want = await sure.run(feeds, lengths);
  for (const info of [file('synthesis'), { ...file('synthesis'), int8: { path, bytes, sha256 } }]) {
    const session = await open(info);
    assert.deepEqual(await session.run(feeds, lengths), want);
    await session.release();
  }
  const wrong = { path, bytes, sha256: '0'.repeat(64) };
  await assert.rejects(open({ ...file('synthesis'), int8: wrong }), /is not the file that models.json describes/);
  await sure.release();
  await models.close();
});
