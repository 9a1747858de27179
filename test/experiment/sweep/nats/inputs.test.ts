// Files of points through the object store of a real NATS server.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FormatError, UsageError } from '../../../../src/common/errors.ts';
import { inputSha256 } from '../../../../src/experiment/sweep/inputs.ts';
import { InputCache } from '../../../../src/experiment/sweep/nats/input-cache.ts';
import { indexName, PART_BYTES, partName } from '../../../../src/experiment/sweep/nats/input-files.ts';
import { InputUploads } from '../../../../src/experiment/sweep/nats/input-uploads.ts';
import type { InputUse, PointInput } from '../../../../src/experiment/sweep/point.ts';
import { shippedModelsDir } from '../../../../src/sct/semantics/model-files.ts';
import { MANIFEST, setHash } from '../../../../src/sct/semantics/model-set.ts';
import { NO_NATS, TestNats } from '../../../nats-server.ts';
import { openSpace, scratch } from './nats-helpers.ts';

const options = { skip: NO_NATS, timeout: 120_000 };

async function inputOf(use: InputUse, path: string): Promise<PointInput> {
  return { use, path, sha256: await inputSha256(use, path) };
}

test('a file of several parts and a folder come to another machine as they were', options, async (t) => {
  const { url } = await TestNats.start(t);
  const [here, there] = [await scratch(t), await scratch(t)];
  const photo = join(here, 'a photo.png');
  const data = randomBytes(2 * PART_BYTES + 17);
  await writeFile(photo, data);
  const folder = join(here, 'pair');
  await mkdir(folder);
  for (const [name, size] of [
    ['encoder.onnx', 1000],
    ['decoder.onnx', 0],
    ['.hidden', 10],
  ] as const) {
    await writeFile(join(folder, name), randomBytes(size));
  }
  const inputs = [await inputOf('photo', photo), await inputOf('pair', folder)];
  const space = await openSpace(t, url);
  const uploads = new InputUploads(space);
  for (const input of inputs) await uploads.put(input);
  const cache = new InputCache(space, there);
  const [photoThere, folderThere] = [await cache.get(inputs[0]), await cache.get(inputs[1])];
  assert.ok(photoThere.startsWith(there) && photoThere.endsWith('/a photo.png'), photoThere);
  assert.ok((await readFile(photoThere)).equals(data));
  assert.deepEqual((await readdir(folderThere)).sort(), ['decoder.onnx', 'encoder.onnx']);
  assert.equal(await inputSha256('pair', folderThere), inputs[1].sha256);
  // Once more from what is there, and by two at once into an empty folder.
  assert.equal(await new InputCache(space, there).get(inputs[0]), photoThere);
  const other = await scratch(t);
  const both = [new InputCache(space, other), new InputCache(space, other)];
  const paths = await Promise.all(both.map((one) => one.get(inputs[1])));
  assert.equal(paths[0], paths[1]);
  assert.deepEqual(await readdir(other), [indexName(inputs[1])], 'nothing half done stays');
});

test('what is damaged in the store or in the cache is never used', options, async (t) => {
  const { url } = await TestNats.start(t);
  const [here, there] = [await scratch(t), await scratch(t)];
  const photo = join(here, 'photo.png');
  await writeFile(photo, 'what was meant');
  const input = await inputOf('photo', photo);
  const space = await openSpace(t, url);
  await new InputUploads(space).put(input);
  const path = await new InputCache(space, there).get(input);
  await writeFile(path, 'somebody was at it');
  assert.equal(await readFile(await new InputCache(space, there).get(input), 'utf8'), 'what was meant');
  // Another content under the name of a part, then an index that names other parts.
  const files = await space.files();
  const part = partName(createHash('sha256').update('what was meant').digest('hex'));
  await files.putBlob({ name: part }, Buffer.from('what was MEANT'));
  await assert.rejects(new InputCache(space, await scratch(t)).get(input), /damaged/);
  await files.putBlob({ name: part }, Buffer.alloc(PART_BYTES + 1));
  await assert.rejects(new InputCache(space, await scratch(t)).get(input), /at most/);
  await files.putBlob({ name: indexName(input) }, Buffer.from('{"schema":"sct.sweep-input/1"}'));
  await assert.rejects(new InputCache(space, await scratch(t)).get(input), FormatError);
  await assert.rejects(
    new InputCache(space, await scratch(t), {}, 10).get({ ...input, sha256: '0'.repeat(64) }),
    /not in the object store/,
  );
});

test('a photo that has changed since the sweep was made is not taken for it', options, async (t) => {
  const { url } = await TestNats.start(t);
  const here = await scratch(t);
  const photo = join(here, 'photo.png');
  await writeFile(photo, 'before');
  const input = await inputOf('photo', photo);
  await writeFile(photo, 'after');
  const space = await openSpace(t, url);
  const uploads = new InputUploads(space);
  await assert.rejects(uploads.put(input), /has changed since/);
  await writeFile(photo, 'before');
  await uploads.put(input);
  await assert.rejects(uploads.put({ ...input, path: join(here, 'gone.png'), sha256: '1'.repeat(64) }), UsageError);
});

test('a model set that a worker lacks comes through the store and is the one that was hashed', options, async (t) => {
  const { url } = await TestNats.start(t);
  const [here, there] = [await scratch(t), await scratch(t)];
  // The shipped set with one network changed: another set, which no worker has.
  const manifest = JSON.parse(await readFile(join(shippedModelsDir(), MANIFEST), 'utf8'));
  const set = manifest.sets.find(({ name }: { name: string }) => name === 'base');
  await cp(join(shippedModelsDir(), 'base'), join(here, 'base'), { recursive: true });
  const [file] = set.files;
  const network = Buffer.concat([await readFile(join(here, file.path)), Buffer.of(0)]);
  await writeFile(join(here, file.path), network);
  Object.assign(file, { bytes: network.length, sha256: createHash('sha256').update(network).digest('hex') });
  set.sha256 = setHash(set.files);
  set.id = set.sha256.slice(0, 8);
  await writeFile(join(here, MANIFEST), JSON.stringify({ ...manifest, sets: [set] }));
  const input = await inputOf('models', here);
  assert.notEqual(input.sha256, (await inputOf('models', shippedModelsDir())).sha256);
  const space = await openSpace(t, url);
  await new InputUploads(space).put(input);
  const path = await new InputCache(space, there).get(input);
  assert.ok(path.startsWith(there), path);
  assert.equal(await inputSha256('models', path), input.sha256);
  assert.ok((await readFile(join(path, file.path))).equals(network));
  // The shipped one does not travel: it is not in the store, and is found all the same.
  assert.equal(await new InputCache(space, there).get(await inputOf('models', shippedModelsDir())), shippedModelsDir());
  // A network that somebody changed in the cache is fetched again.
  await writeFile(join(path, file.path), network.subarray(1));
  assert.equal(await new InputCache(space, there).get(input), path);
  assert.ok((await readFile(join(path, file.path))).equals(network));
});

test('an input that would fill the disk is not fetched', options, async (t) => {
  const { url } = await TestNats.start(t);
  const [here, there] = [await scratch(t), await scratch(t)];
  await writeFile(join(here, 'photo.png'), 'what was meant');
  const input = await inputOf('photo', join(here, 'photo.png'));
  const space = await openSpace(t, url);
  await new InputUploads(space).put(input);
  await assert.rejects(new InputCache(space, there, { spareBytes: 2 ** 60 }).get(input), /does not fit into/);
  assert.deepEqual(await readdir(there), []);
});
