// The sample recordings of captures/: labelled, valid, whole, and what a replay says of them.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { RECIPES } from '../../captures/make/recipes.ts';
import { table, withTable } from '../../captures/make/table.ts';
import { CaptureList } from '../../src/dashboard/capture-list.ts';
import { captureInfo, validateCapture } from '../../src/radio/sigmf/capture-info.ts';
import type { SigmfMeta } from '../../src/radio/sigmf/meta.ts';
import { scratch, sctInside } from '../cli/helpers.ts';

const FOLDER = fileURLToPath(new URL('../../captures/', import.meta.url));
const NAMES = RECIPES.map(({ name }) => name);
const SCHEMA = new URL('../vectors/sigmf/sigmf-schema-1.2.5.json', import.meta.url);
/** inspectrum and IQEngine take the values in this order and size, and their names for them. */
const DATATYPES = ['ci8', 'ci16_le'];

const metaOf = (name: string): SigmfMeta => JSON.parse(readFileSync(join(FOLDER, name, `${name}.sigmf-meta`), 'utf8'));
const sha512 = (path: string) => createHash('sha512').update(readFileSync(path)).digest('hex');

test('there is a recording for every recipe, and no other; hashes are those of the files', () => {
  // Whoever works here may have recordings of their own beside them.
  const folders = readdirSync(FOLDER).filter((name) => name.startsWith('emulated-'));
  assert.deepEqual(folders.sort(), [...NAMES].sort());
  const sums = readFileSync(join(FOLDER, 'SHA512SUMS'), 'utf8').trimEnd().split('\n');
  const files = NAMES.flatMap((name) => readdirSync(join(FOLDER, name)).map((file) => `${name}/${file}`));
  assert.deepEqual(sums.map((line) => line.slice(130)).sort(), files.sort());
  for (const line of sums) assert.equal(sha512(join(FOLDER, line.slice(130))), line.slice(0, 128), line.slice(130));
  const bytes = files.reduce((sum, file) => sum + readFileSync(join(FOLDER, file)).length, 0);
  assert.ok(bytes < 6e6, `${bytes} bytes are much for samples`);
});

test('every recording is valid by the official schema and by sct capture validate', async () => {
  // unicodeRegExp off: the schema's own datetime pattern is not a valid unicode-mode expression.
  const ajv = new Ajv2020({ strict: false, unicodeRegExp: false });
  addFormats.default(ajv);
  const valid = ajv.compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));
  for (const name of NAMES) {
    const meta = metaOf(name);
    assert.ok(valid(meta), `${name}: ${JSON.stringify(valid.errors)}`);
    assert.equal(meta.global['core:sha512'], sha512(join(FOLDER, name, `${name}.sigmf-data`)), name);
    assert.deepEqual(await validateCapture(join(FOLDER, name, name)).then(({ problems }) => problems), [], name);
  }
});

test('every recording says that no real board was there, and keeps to what inspectrum and IQEngine understand', () => {
  for (const { name, board } of RECIPES) {
    const { global, captures, annotations } = metaOf(name);
    assert.match(name, /^emulated-/);
    assert.equal(global['core:hw'], `emulated ${board} (sct emulate), no real board`);
    assert.match(String(global['core:description']), /^EMULATED, never on the air\. /);
    assert.ok(DATATYPES.includes(global['core:datatype']), name);
    assert.equal(global['core:dataset'], undefined);
    assert.equal(global['core:offset'], undefined, 'inspectrum shifts annotations by it only in part');
    const rateHz = Number(global['core:sample_rate']);
    const centres = new Set(captures.map((c) => c['core:frequency']));
    assert.equal(centres.size, 1, 'inspectrum takes that of the last entry');
    const [centreHz] = centres;
    let before = 0;
    for (const a of annotations) {
      const { 'core:sample_start': start, 'core:sample_count': count = 0 } = a;
      assert.ok(start >= before && count > 0 && start + count <= Number(global['sct:sample_count']), name);
      before = start;
      assert.ok(
        (a['core:label'] ?? '').length > 0 && (a['core:label'] ?? '').length <= 20,
        'viewers show 20 characters',
      );
      const { 'core:freq_lower_edge': lower = Number.NaN, 'core:freq_upper_edge': upper = Number.NaN } = a;
      assert.ok(lower < upper && lower >= centreHz! - rateHz / 2 && upper <= centreHz! + rateHz / 2, 'a box has edges');
    }
    assert.ok(
      annotations.some((a) => a['core:label']?.startsWith('burst ')),
      name,
    );
    const manifest = readFileSync(join(FOLDER, name, 'run.json'), 'utf8');
    assert.doesNotMatch(manifest, /"\/(home|root|tmp|work|Users)\//, `${name}: a path of the machine that made it`);
  }
});

test('the list of the dashboard has them under the names of their folders', async () => {
  const captures = new CaptureList(FOLDER);
  const listed = (await captures.list()).filter(({ name }) => name.startsWith('emulated-'));
  assert.deepEqual(listed.map(({ name }) => name).sort(), [...NAMES].sort());
  for (const { name, source, files, lengthS } of listed) {
    assert.equal(source, `captures/${name}`);
    assert.ok(lengthS !== null && lengthS > 0.01);
    for (const file of files) assert.equal((await captures.file(name, file.name))?.bytes, file.bytes, file.name);
  }
});

test('the table of the README is that of the stored metrics', async () => {
  const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');
  assert.equal(readme, withTable(readme, await table(RECIPES, FOLDER)));
});

for (const name of NAMES) {
  test(`${name}: a replay gives the stored metrics`, async (t) => {
    const again = join(await scratch(t), 'again');
    const ended = await sctInside(['replay', join(FOLDER, name), '--check', '--json', '-o', again]);
    assert.equal(ended.code, 0, ended.stderr);
    const shown = JSON.parse(ended.stdout);
    const recipe = RECIPES.find((r) => r.name === name)!;
    assert.ok(recipe.shows(shown), 'it shows what it is for');
  });
}

test('lost samples are in the metadata, in what is said of the recording, in the metrics, and in the exit code', async (t) => {
  const folder = join(FOLDER, 'emulated-lost-samples');
  const { captures, annotations, global } = metaOf('emulated-lost-samples');
  const losses = captures.flatMap((c) => c['sct:lost_before'] ?? []);
  const most = losses.reduce((sum, { max }) => sum + max, 0);
  assert.ok(most > 0);
  assert.deepEqual(global['sct:lost_samples'], { min: losses.reduce((sum, { min }) => sum + min, 0), max: most });
  assert.equal(annotations.filter((a) => a['core:label'] === 'gap').length, losses.length);
  const info = await captureInfo(join(folder, 'emulated-lost-samples'));
  assert.deepEqual(
    info.gaps.map(({ lost }) => lost.max),
    losses.map(({ max }) => max),
  );
  const [burst] = info.bursts;
  for (const gap of info.gaps) {
    assert.ok(
      gap.fileSample > burst.fileSample && gap.fileSample < burst.fileSample + burst.samples!,
      'in the picture',
    );
  }
  const ended = await sctInside(['replay', folder, '--max-drops', '0', '-o', join(await scratch(t), 'again')]);
  assert.equal(ended.code, 6);
  const tolerant = await sctInside([
    'replay',
    folder,
    '--max-drops',
    String(most),
    '--json',
    '-o',
    join(await scratch(t), 'again'),
  ]);
  assert.equal(tolerant.code, 0, tolerant.stderr);
  assert.equal(JSON.parse(tolerant.stdout).lostSamples, most);
});
