import assert from 'node:assert/strict';
import test from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { codePicture, receivedSymbols } from '../../../src/experiment/bench/models/models-awgn.ts';
import { loadDemoPhoto } from '../../../src/sct/image/demo.ts';
import { type RgbImage, rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { psnrDb } from '../../../src/sct/quality/psnr.ts';
import { flatPlane } from '../../../src/sct/semantics/feature-map.ts';
import { int8File, int8OrFloat, PROBE_GRID } from '../../../src/sct/semantics/int8.ts';
import { lengthsOf } from '../../../src/sct/semantics/loaded-models.ts';
import type { NetworkForm } from '../../../src/sct/semantics/model-contract.ts';
import { readModelFile, shippedModelsDir } from '../../../src/sct/semantics/model-files.ts';
import { chooseSet, type ModelFileInfo, readModelSets } from '../../../src/sct/semantics/model-set.ts';
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
  const set = chooseSet(await readModelSets(dir), 'live');
  const models = await loadModels({ size: 'live' });
  const lengths = lengthsOf(PROBE_GRID);
  const analyse = (image: RgbImage) => models.analyse(image);
  const read = (file: ModelFileInfo) => readModelFile(dir, file);
  for (const role of ['analysis', 'synthesis'] as const) {
    const info = set.files.find((f) => f.role === role)!;
    /** Reads the 8-bit file with other weights in one convolution. */
    const readSpoilt = async (file: ModelFileInfo) => {
      const bytes = await read(file);
      const name = '/c4/Conv/w';
      const at = Buffer.from(bytes).indexOf(`B${String.fromCharCode(name.length)}${name}J`); // TensorProto.name, then raw_data
      if (file.path === info.path) return bytes;
      assert.ok(at > 0);
      return bytes.fill(100, at + name.length + 6, at + 4000);
    };
    const open = (from: ModelFileInfo, reads = read) =>
      int8OrFloat(from, role, set.channels, reads, { threads: 1 }, { analyse, lengths });
    const forms = [await open(info), await open(info, readSpoilt), await open({ ...info, int8: undefined })];
    assert.deepEqual(
      forms.map((s) => s.form),
      ['cells', 'planes', 'planes'],
      role,
    );
    for (const session of forms) await session.release();
    const wrong = { ...info.int8!, sha256: '0'.repeat(64) };
    await assert.rejects(open({ ...info, int8: wrong }), /is not the file that models.json describes/);
  }
  await models.close();
});

test('an 8-bit file of the float networks form is refused, and one of that form in their place', async () => {
  const dir = shippedModelsDir();
  const set = chooseSet(await readModelSets(dir), 'live');
  const info = set.files.find((f) => f.role === 'synthesis')!;
  const read = (file: ModelFileInfo) => readModelFile(dir, file);
  const create = async (file: ModelFileInfo, form: NetworkForm) =>
    NetworkSession.create(info, 'synthesis', set.channels, await read(file), { threads: 1 }, form);
  await assert.rejects(create(info, 'cells'), /outputs are image float32 .*; the contract is cells uint8 \[h,w,768\]/);
  await assert.rejects(create(int8File(info)!, 'planes'), /unknown operators "com.microsoft"/);
});

test('what of live is computed in floats by other operators is the same to the bit', async () => {
  const float = await loadModels({ size: 'live' });
  const int8 = await loadModels({ size: 'live', precision: 'int8' });
  const photo = await loadDemoPhoto();
  const y = await float.analyse(photo);
  const { classMap, symbols } = codePicture(float, y, 1 / 12, 10);
  const labelMap = { ...classMap, data: classMap.data.map((v) => v % 11) };
  const random = new RandomStream('int8-test/floats');
  const damage = { ...y, data: symbols.data.map(() => Math.max(0, random.between(-1, 1))) };
  const all = async (models: SemanticModels) => {
    const z = await models.encodeSymbols(y, classMap, symbols, flatPlane(y, 10));
    const decoded = await models.decodeSymbols(z, 1, classMap, symbols, flatPlane(y, 10), y);
    const input = { ...decoded, damage, strength: flatPlane(y, 0.3), classMap, labelMap };
    return [await models.saliency(y), z, decoded, await models.correct(input)];
  };
  assert.deepEqual(await all(int8), await all(float));
  const executed = int8.set.files.filter((f) => f.int8).map((f) => f.role);
  assert.deepEqual(executed.sort(), [
    'analysis',
    'corrector',
    'saliency',
    'symbol-decoder',
    'symbol-encoder',
    'synthesis',
  ]);
  await Promise.all([float.close(), int8.close()]);
});

test('pictures of any size, wide and narrow, are in 8 bits what they are in floats', async () => {
  const float = await loadModels({ size: 'live' });
  const int8 = await loadModels({ size: 'live', precision: 'int8' });
  const photo = await loadDemoPhoto();
  for (const [width, height] of [
    [1, 1],
    [17, 3],
    [16, 400],
    [400, 16],
    [83, 131],
  ]) {
    const data = new Uint8Array(3 * width * height);
    for (let y = 0; y < height; y++)
      data.set(photo.data.subarray(3 * y * photo.width, 3 * (y * photo.width + width)), 3 * y * width);
    const image = rgbImage(width, height, data);
    const [y, y8] = [await float.analyse(image), await int8.analyse(image)];
    let [error, power] = [0, 0];
    for (let i = 0; i < y.data.length; i++) {
      error += (y8.data[i] - y.data[i]) ** 2;
      power += y.data[i] ** 2;
    }
    assert.ok(error < 1e-3 * power, `${width}x${height}: ${error / power}`);
    const [shown, shown8] = [await float.synthesise(y, flatPlane(y, -2)), await int8.synthesise(y, flatPlane(y, -2))];
    assert.ok(psnrDb(shown, shown8)! > 42, `${width}x${height}: ${psnrDb(shown, shown8)} dB`);
  }
  await Promise.all([float.close(), int8.close()]);
});
