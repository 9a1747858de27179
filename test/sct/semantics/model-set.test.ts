import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeviceError, UsageError } from '../../../src/common/errors.ts';
import { ModelError } from '../../../src/sct/semantics/model-error.ts';
import { readModelSets, setHash } from '../../../src/sct/semantics/model-set.ts';
import { parseModelTables } from '../../../src/sct/semantics/model-tables.ts';
import { loadModels } from '../../../src/sct/semantics/models.ts';
import { tinyFiles, tinyNetwork, tinyTables, writeManifest, writeTinySet } from './tiny-models.ts';

type Manifest = ReturnType<typeof writeTinySet>;

function folder(t: { after(fn: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'sct-models-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Loading and running every network must fail with a ModelError whose message matches all patterns. */
async function mustFail(dir: string, ...patterns: RegExp[]): Promise<ModelError> {
  const error = await loadModels({ dir })
    .then(async (models) => {
      await models.warm().finally(() => models.close());
      return null;
    })
    .catch((e: unknown) => e);
  assert.ok(error instanceof ModelError, `expected a ModelError, got ${error}`);
  for (const pattern of patterns) assert.match(error.message, pattern);
  return error;
}

test('a whole set is read; its hash is over the sorted lines of names and hashes', async (t) => {
  const dir = folder(t);
  const { sets } = writeTinySet(dir);
  const models = await loadModels({ dir });
  await models.warm();
  await models.close();
  const lines = sets[0].files.map((f) => `${f.name} ${f.sha256}\n`).sort();
  const hash = createHash('sha256').update(lines.join('')).digest('hex');
  assert.equal(models.set.sha256, hash);
  assert.equal(models.set.id, hash.slice(0, 8));
  assert.equal(models.tables.tableOf.length, 14 * 16 * 4);
});

test('a changed, cut off, longer or missing file is named with both hashes', async (t) => {
  const dir = folder(t);
  const { sets } = writeTinySet(dir);
  for (const { path, sha256: expected } of sets[0].files) {
    const whole = readFileSync(join(dir, path));
    const changed = Uint8Array.from(whole);
    changed[whole.length >> 1] ^= 1;
    writeFileSync(join(dir, path), changed);
    const hash = sha256(join(dir, path));
    await mustFail(dir, new RegExp(path), new RegExp(expected), new RegExp(hash));
    writeFileSync(join(dir, path), whole.subarray(0, whole.length - 7));
    await mustFail(dir, new RegExp(path), new RegExp(expected), new RegExp(`${whole.length - 7} bytes instead of`));
    writeFileSync(join(dir, path), Buffer.concat([whole, Buffer.of(0)]));
    await mustFail(dir, new RegExp(path), new RegExp(expected), /at most/);
    rmSync(join(dir, path));
    await mustFail(dir, new RegExp(path), /is not there/, new RegExp(expected));
    writeFileSync(join(dir, path), whole);
  }
  await (await loadModels({ dir })).close();
});

test('two files that changed places are found by their hashes', async (t) => {
  const dir = folder(t);
  writeTinySet(dir);
  const [a, b] = ['analysis', 'saliency'].map((role) => join(dir, 'tiny', `${role}.onnx`));
  copyFileSync(a, `${a}.keep`);
  copyFileSync(b, a);
  copyFileSync(`${a}.keep`, b);
  await mustFail(dir, /tiny\/analysis\.onnx/, new RegExp(sha256(a)));
});

test('two networks that changed places with names and hashes put right do not obey the contract of their role', async (t) => {
  const dir = folder(t);
  const files = tinyFiles();
  const bytesOf = (role: string) => files.find((f) => f.role === role)!.bytes;
  const swap = (a: string, b: string) =>
    files.map((f) => (f.role === a ? { ...f, bytes: bytesOf(b) } : f.role === b ? { ...f, bytes: bytesOf(a) } : f));
  writeTinySet(dir, swap('labels', 'saliency'));
  await mustFail(dir, /tiny\/labels\.onnx: outputs are map float32/, /sha256 [0-9a-f]{64}/);
  writeTinySet(dir, swap('symbol-encoder', 'analysis'));
  await mustFail(dir, /tiny\/analysis\.onnx: inputs are y float32/);
  writeTinySet(dir, swap('generator', 'tables'));
  await mustFail(dir, /tiny\/tables\.json: is not JSON/);
});

test('wrong operator set, wrong shapes, weights that are no numbers or lie elsewhere, foreign operators', async (t) => {
  const dir = folder(t);
  const analysis = tinyNetwork('analysis');
  const [layer] = analysis.weights;
  const withWeight = (value: number) => ({
    ...analysis,
    weights: [{ ...layer, data: layer.data.map((v, i) => (i === 100 ? value : v)) }],
  });
  const cases: [typeof analysis, RegExp][] = [
    [{ ...analysis, opset: 12 }, /operator set 12, models.json says 13; the contract is 13/],
    [{ ...analysis, opset: 0 }, /no ONNX file \(opset_import/],
    [{ ...analysis, domain: 'com.example' }, /unknown operators "com.example"/],
    [tinyNetwork('analysis', 5), /outputs are y float32 \[1,5,h,w\]; the contract is y float32 \[1,4,h,w\]/],
    [
      { ...analysis, inputs: [{ ...analysis.inputs[0], shape: [1, 3, 64, 64] }] },
      /inputs are image float32 \[1,3,64,64\]/,
    ],
    [withWeight(Number.NaN), /weight a has a NaN or infinity/],
    [withWeight(Number.NEGATIVE_INFINITY), /weight a has a NaN or infinity/],
    [{ ...analysis, weights: [{ ...layer, external: true }] }, /weights in another file/],
    [{ ...analysis, nodes: [{ ...analysis.nodes[0], op: 'Convulsion' }] }, /no network that this runtime can load/],
    [{ ...analysis, weights: [] }, /no network that this runtime can load/],
  ];
  for (const [spec, pattern] of cases) {
    writeTinySet(dir, tinyFiles({ analysis: spec }));
    const error = await mustFail(dir, pattern, /tiny\/analysis\.onnx/, /sha256 [0-9a-f]{64}/);
    assert.equal(error.exitCode, 3);
  }
  writeTinySet(dir, [{ role: 'analysis', bytes: Buffer.from('not a model') }, ...tinyFiles().slice(1)]);
  await mustFail(dir, /tiny\/analysis\.onnx: is no ONNX file/);
});

test('what models.json may say', async (t) => {
  const dir = folder(t);
  const base = writeTinySet(dir);
  const edited = (change: (m: Manifest) => void, rehash = true) => {
    const copy: Manifest = structuredClone(base);
    change(copy);
    for (const set of copy.sets) if (rehash) set.sha256 = setHash(set.files);
    for (const set of copy.sets) if (rehash) set.id = set.sha256.slice(0, 8);
    writeManifest(dir, copy);
  };
  const cases: [(m: Manifest) => void, RegExp, boolean?][] = [
    [(m) => void (m.sets[0].files[0].path = '../tiny/analysis.onnx'), /path below the folder/],
    [(m) => void (m.sets[0].files[0].path = 'tiny/../tiny/analysis.onnx'), /path below the folder/],
    [(m) => void (m.sets[0].files[0].path = '/etc/passwd'), /path below the folder/],
    [(m) => void (m.sets[0].files[0].path = 'tiny\\analysis.onnx'), /path below the folder/],
    [(m) => void (m.sets[0].files[0].role = 'oracle'), /files\.0\.role/],
    [(m) => void (m.sets[0].files[0].bytes = 2 ** 40), /files\.0\.bytes/],
    [(m) => void (m.sets[0].files[1].name = m.sets[0].files[0].name), /file "analysis\.onnx" stands there twice/],
    [(m) => void (m.sets[0].files[1].path = m.sets[0].files[0].path), /stands there twice/],
    [(m) => void (m.sets[0].files[1].role = m.sets[0].files[0].role), /role "analysis" stands there twice/],
    [(m) => void m.sets.push(m.sets[0]), /set "tiny" stands there twice/],
    [(m) => void (m.sets[0].files[0].sha256 = 'F'.repeat(64)), /64 hexadecimal digits/],
    [(m) => void (m.sets[0].files[0].sha256 = 'f'.repeat(64)), /its hash is not that of its files/, false],
    [(m) => void (m.sets[0].id = '00000000'), /id 00000000 is not/, false],
    [(m) => void (m.schema = 'sct-models/2'), /schema/],
    [(m) => void (m.sets[0].channels = 1e9), /channels/],
    [(m) => void (m.sets[0].files = m.sets[0].files.filter((f) => f.role !== 'tables')), /has no tables/],
    [(m) => void (m.sets[0].files = Array(100).fill(m.sets[0].files[0])), /files/],
    [(m) => void (m.sets[0].channels = 8), /is for 4 channels, the set has 8/],
    [(m) => void (m.sets[0].files[0].opset = 14), /models.json says 14/],
    [(m) => void (m.sets[0].files[0].inputs = []), /models.json: inputs are/],
  ];
  for (const [change, pattern, rehash] of cases) {
    edited(change, rehash);
    await mustFail(dir, pattern);
  }
  for (const text of ['', '{', '[]', 'null', '"x"', '\xff\xfe']) {
    writeFileSync(join(dir, 'models.json'), text, 'latin1');
    await mustFail(dir, /models\.json/);
  }
  writeFileSync(join(dir, 'models.json'), Buffer.alloc(2 ** 20 + 1, 0x20));
  await mustFail(dir, /models\.json: has 1048577 bytes/);
  await assert.rejects(loadModels({ dir: join(dir, 'nowhere') }), DeviceError);
});

test('a symbolic link may not lead out of the folder', async (t) => {
  const dir = folder(t);
  const outside = folder(t);
  writeTinySet(dir);
  const path = join(dir, 'tiny', 'analysis.onnx');
  copyFileSync(path, join(outside, 'analysis.onnx'));
  rmSync(path);
  symlinkSync(join(outside, 'analysis.onnx'), path);
  await mustFail(dir, /leads out of the folder/);
});

test('a set, a network or a number of threads that is not there is refused with what there is', async (t) => {
  const dir = folder(t);
  writeTinySet(
    dir,
    tinyFiles().filter((f) => f.role !== 'generator'),
  );
  await assert.rejects(
    loadModels({ dir, size: 'live' }),
    (e) => e instanceof UsageError && /there is tiny/.test(e.message),
  );
  await assert.rejects(loadModels({ dir, threads: 0 }), /threads 0 is out of range: allowed 1 to 64/);
  const models = await loadModels({ dir });
  const plane = { rows: 1, columns: 1, data: new Float32Array(1) };
  const yHat = { channels: 4, rows: 1, columns: 1, widthPx: 9, heightPx: 3, data: new Float32Array(4) };
  const labelMap = { rows: 1, columns: 1, data: new Uint8Array(1) };
  await assert.rejects(
    models.generate({ yHat, missing: plane, labelMap, noise: new Float32Array(16) }),
    (e) => e instanceof UsageError && /set tiny has no generator network/.test(e.message),
  );
  await models.close();
});

test('any change of models.json ends in a set that holds together or in a typed error', async (t) => {
  const dir = folder(t);
  const whole = JSON.stringify(writeTinySet(dir));
  const edit = fc.record({
    at: fc.nat(whole.length - 1),
    drop: fc.nat(40),
    put: fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('"', '{', ']', '-1', '1e999', 'null', '../', '\\u0000')),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
      let text = whole;
      for (const { at, drop, put } of edits) text = text.slice(0, at) + put + text.slice(at + drop);
      writeFileSync(join(dir, 'models.json'), text);
      const result = await readModelSets(dir).catch((e: unknown) => e);
      if (Array.isArray(result)) for (const set of result) assert.equal(setHash(set.files), set.sha256);
      else assert.ok(result instanceof ModelError, String(result));
    }),
    { numRuns: 300 },
  );
});

test('tables: sums, orders and ranges are checked and the field is named', () => {
  assert.equal(parseModelTables(tinyTables(), { file: 'tables.json' }).channels, 4);
  const cases: [(tables: ReturnType<typeof tinyTables>) => void, RegExp][] = [
    [(x) => void (x.cdfTables[0].frequencies[0] += 1), /cdfTables\[0\] sums to 65537/],
    [(x) => void (x.cdfTables[0].frequencies[0] = 0), /cdfTables\.0\.frequencies\.0/],
    [(x) => void (x.tableOf[3][2][1] = 1), /names a table that is not there/],
    [(x) => void x.tableOf[3][2].pop(), /tableOf\.3\.2/],
    [(x) => void (x.variance[0][0] = 0), /variance\.0\.0/],
    [(x) => void (x.variance[0][0] = 1e-60), /variance\.0\.0/], // zero as float32
    [(x) => void (x.labels.names[0] = '\u001b[31msky'), /labels\.names\.0/],
    [(x) => void (x.variance[0][0] = Number.NaN), /variance\.0\.0/],
    [(x) => void (x.activityEdges[4] = 0), /activityEdges must rise/],
    [(x) => void (x.symbolRate[5][3] = 0), /symbolRate\[5\] falls with the class/],
    [(x) => void (x.kSet[1] = 200), /kSet/],
    [(x) => void (x.stepBase[0] = Number.POSITIVE_INFINITY), /stepBase\.0/],
    [(x) => void (x.classContext.fine[0][0] = 0), /classContext\.fine\.0\.0/],
    [(x) => void (x.labels.palette[42][0] = 256), /labels\.palette\.42\.0/],
  ];
  for (const [change, pattern] of cases) {
    const tables = tinyTables();
    change(tables);
    assert.throws(
      () => parseModelTables(tables, { file: 'tables.json', expectedSha256: 'ab'.repeat(32) }),
      (e) => e instanceof ModelError && pattern.test(e.message) && e.message.includes('ab'.repeat(32)),
    );
  }
});

test('tables with 24 levels: predicted channels and their tables go together', () => {
  const coarse = () => ({
    ...tinyTables(),
    schema: 'sct-model-tables/2',
    tableOf: Array.from({ length: 24 }, () => tinyTables().tableOf[0]),
    bitsOf: Array.from({ length: 24 }, () => tinyTables().bitsOf[0]),
    predicted: [0, 2],
    differenceOf: Array.from({ length: 24 }, () => Array.from({ length: 16 }, () => [0, 0])),
  });
  const tables = parseModelTables(coarse(), { file: 'tables.json' });
  assert.deepEqual([tables.levels, [...tables.predicted], tables.differenceOf.length], [24, [0, 2], 24 * 16 * 2]);
  const cases: [(tables: ReturnType<typeof coarse>) => void, RegExp][] = [
    [(x) => void x.tableOf.pop(), /tableOf/],
    [(x) => void (x.predicted = [2, 0]), /predicted must rise/],
    [(x) => void (x.predicted = [0, 9]), /predicted\.1/],
    [(x) => void (x.predicted = []), /go together/],
    [(x) => void (x.differenceOf[5][3] = [0]), /differenceOf is for 2 channels/],
    [(x) => void (x.differenceOf[5][3][1] = 7), /names a table that is not there/],
    [(x) => void (x.schema = 'sct-model-tables/3'), /schema/],
  ];
  for (const [change, pattern] of cases) {
    const bad = coarse();
    change(bad);
    assert.throws(() => parseModelTables(bad, { file: 'tables.json' }), pattern);
  }
});
