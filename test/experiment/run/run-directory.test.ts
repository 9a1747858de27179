import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { FormatError, SctError, UsageError } from '../../../src/common/errors.ts';
import { emptyMetrics } from '../../../src/experiment/metrics/metrics.ts';
import { gitFacts, programFacts } from '../../../src/experiment/run/host-facts.ts';
import { endManifest, parseManifest, startManifest } from '../../../src/experiment/run/manifest.ts';
import { createRunDirectory, readRun, ulid, writeFileAtomic } from '../../../src/experiment/run/run-directory.ts';

const root = mkdtempSync(join(tmpdir(), 'sct-run-'));
after(() => rmSync(root, { recursive: true, force: true }));

const now = new Date('2026-11-21T19:16:25.123Z');
const program = { packageVersion: '0.1.0', packageLockSha256: 'a'.repeat(64), git: null };
const manifest = () =>
  startManifest({
    runId: ulid(now),
    argv: ['sct', 'loopback', 'a photo.png'],
    startedAt: now,
    program,
    seed: 7,
    config: { snrDb: 15, channel: 'epa' },
    models: [{ name: 'base', sha256: 'b'.repeat(64) }],
  });

test('the default name holds UTC time, photo, channel and a short id, all safe as file names', async () => {
  const dir = await createRunDirectory({ root, photo: '/x/Ünï code $(rm).jpeg', channel: 'tdl-a', now });
  assert.match(dir.path.slice(root.length + 1), /^2026-11-21T19-16-25Z_Uni-code-rm_tdl-a_[0-9a-z]{6}$/);
  const other = await createRunDirectory({ root, photo: '../..', channel: 'trace:/a/b', now });
  assert.match(other.path.slice(root.length + 1), /^2026-11-21T19-16-25Z_photo_trace-a-b_[0-9a-z]{6}$/);
});

test('ULIDs sort by time and follow the specification', () => {
  assert.equal(ulid(new Date(0), new Uint8Array(10)), '0'.repeat(26));
  assert.equal(ulid(new Date(2 ** 48 - 1), new Uint8Array(10).fill(255)), `7${'Z'.repeat(25)}`);
  // Published example of the ULID specification: time 1469918176385 ms is written 01ARYZ6S41.
  assert.equal(ulid(new Date(1469918176385)).slice(0, 10), '01ARYZ6S41');
});

test('write, read back, and write again into the same directory', async () => {
  const directory = join(root, 'exact', 'deep');
  const dir = await createRunDirectory({ directory, photo: 'p.png', channel: 'awgn', now });
  assert.equal(dir.path, directory);
  const started = manifest();
  await dir.writeManifest(started);
  assert.equal((await readRun(directory)).metrics, null);
  await dir.writeManifest(endManifest(started, new Date(now.getTime() + 1500), 0));
  await dir.writeMetrics({ ...emptyMetrics('classical'), psnrDb: 31.5, evmDb: Number.NaN });
  await dir.writeConfig({ snrDb: 15, channel: 'epa', list: [1, 2] });
  dir.appendFrame({ burst: 0, rbSnrDb: Float32Array.of(1.5, 2.5) });
  dir.appendFrame({ burst: 1 });
  dir.close();

  const long = endManifest(started, now, 5, 'picture 1: lost; '.repeat(1000));
  assert.match(parseManifest(JSON.parse(JSON.stringify(long))).exit.message!, /… and 13000 characters more$/);

  for (const path of [directory, join(directory, 'run.json')]) {
    const run = await readRun(path);
    assert.equal(run.directory, directory);
    assert.deepEqual(run.manifest.exit, { state: 'ok', code: 0, message: null });
    assert.deepEqual(run.manifest.config, { channel: 'epa', snrDb: 15 });
    assert.equal(run.metrics?.psnrDb, 31.5);
    assert.equal(run.metrics?.evmDb, null);
    assert.ok(!('git' in run.manifest));
  }
  const lines = readFileSync(join(directory, 'frames.jsonl'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    lines.map((l) => JSON.parse(l)),
    [{ burst: 0, rbSnrDb: [1.5, 2.5] }, { burst: 1 }],
  );
  assert.ok(readFileSync(join(directory, 'config.resolved.yaml'), 'utf8').includes('snrDb: 15'));
  assert.deepEqual(
    readdirSync(directory).filter((n) => n.endsWith('.tmp')),
    [],
  );

  writeFileSync(join(directory, 'mine.txt'), 'keep');
  await createRunDirectory({ directory, photo: 'p.png', channel: 'awgn', now });
  assert.deepEqual(readdirSync(directory).sort(), ['config.resolved.yaml', 'mine.txt']);
});

test('a directory that cannot be made, and a file name that would leave it, are refused', async () => {
  const file = join(root, 'a-file');
  writeFileSync(file, '');
  await assert.rejects(createRunDirectory({ directory: file, photo: 'p', channel: 'c', now }), UsageError);
  await assert.rejects(createRunDirectory({ directory: join(file, 'x'), photo: 'p', channel: 'c', now }), UsageError);
  const dir = await createRunDirectory({ directory: join(root, 'names'), photo: 'p', channel: 'c', now });
  for (const name of ['../x', 'a/b', '.hidden', '', 'x'.repeat(200)]) assert.throws(() => dir.file(name));
});

test('an atomic write that fails leaves the old file and no scrap', async () => {
  const dir = join(root, 'atomic');
  mkdirSync(join(dir, 'taken', 'inside'), { recursive: true });
  await assert.rejects(writeFileAtomic(join(dir, 'taken'), 'x'));
  assert.deepEqual(readdirSync(dir), ['taken']);
});

test('git facts: absent outside a checkout and in a folder inside one, commit and dirty flag at its top', async () => {
  const repo = join(root, 'repo');
  mkdirSync(join(repo, 'inner'), { recursive: true });
  assert.equal(await gitFacts(repo), null);
  assert.equal(await gitFacts(join(root, 'not-there')), null);
  const git = (...args: string[]) => execFileSync('git', ['-C', repo, ...args], { encoding: 'utf8' }).trim();
  git('init', '-q');
  assert.equal(await gitFacts(repo), null); // no commit yet
  writeFileSync(join(repo, 'package.json'), '{"name":"sct-testbed","version":"9.9.9"}');
  git('add', 'package.json');
  git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '-q', '-m', 'one');
  assert.deepEqual(await gitFacts(repo), { commit: git('rev-parse', 'HEAD'), dirty: false });
  assert.equal(await gitFacts(join(repo, 'inner')), null);
  // Photos and results of a user's own are no change of the program.
  writeFileSync(join(repo, 'new.txt'), '');
  assert.equal((await gitFacts(repo))?.dirty, false);
  writeFileSync(join(repo, 'package.json'), '{"name":"sct-testbed","version":"9.9.9","private":true}');
  const facts = await programFacts(repo);
  assert.equal(facts.git?.dirty, true);
  assert.equal(facts.packageVersion, '9.9.9');
  assert.equal(facts.packageLockSha256, null);
});

test('reading refuses what is missing, too large, too deep, not JSON or of another schema, naming the field', async () => {
  const dir = join(root, 'hostile');
  mkdirSync(dir);
  const runJson = join(dir, 'run.json');
  await assert.rejects(readRun(join(root, 'nowhere')), UsageError);
  await assert.rejects(readRun(dir), UsageError);
  const good = JSON.parse(JSON.stringify(manifest()));
  const refused = async (text: string, field: RegExp) => {
    writeFileSync(runJson, text);
    await assert.rejects(readRun(dir), (e) => e instanceof FormatError && field.test(e.field));
  };
  await refused('{', /run\.json$/);
  await refused('['.repeat(100_000), /run\.json$/);
  await refused(`"${'x'.repeat(5 * 2 ** 20)}"`, /run\.json$/);
  await refused('[]', /^run\.json$/);
  await refused(JSON.stringify({ ...good, schema: 'sct.run/2' }), /^schema$/);
  await refused(JSON.stringify({ ...good, argv: 'x' }), /^argv$/);
  await refused(JSON.stringify({ ...good, argv: Array(2000).fill('') }), /^argv$/);
  await refused(JSON.stringify({ ...good, startedAt: 'yesterday' }), /^startedAt$/);
  await refused(JSON.stringify({ ...good, exit: { state: 'fine' } }), /^exit\.state$/);
  await refused(JSON.stringify({ ...good, models: [{ name: 'x', sha256: 'zz' }] }), /^models\[0\]\.sha256$/);
  writeFileSync(runJson, JSON.stringify(good));
  writeFileSync(join(dir, 'metrics.json'), '[1]');
  await assert.rejects(readRun(dir), (e) => e instanceof FormatError && e.field === 'metrics.json');
});

test('a manifest with any field replaced by anything parses or names a field, never crashes', () => {
  const good = JSON.parse(JSON.stringify(manifest())) as Record<string, unknown>;
  const keys = Object.keys(good);
  assert.deepEqual(parseManifest(good), good);
  fc.assert(
    fc.property(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 3 }), (key, value) => {
      try {
        parseManifest({ ...good, [key]: value });
      } catch (e) {
        assert.ok(e instanceof SctError, String(e));
      }
    }),
    { numRuns: 2000 },
  );
});
