import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { stringify } from 'yaml';
import { type LinkInput, resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { compareMetrics } from '../../../src/experiment/run/compare-metrics.ts';
import { AXES } from '../../../src/experiment/sweep/axes.ts';
import { expandSweep } from '../../../src/experiment/sweep/expand.ts';
import { LocalPointRunner } from '../../../src/experiment/sweep/local-runner.ts';
import { parseSweepFile } from '../../../src/experiment/sweep/sweep-file.ts';
import { shippedModelsDir } from '../../../src/sct/semantics/model-files.ts';
import { setHash } from '../../../src/sct/semantics/model-set.ts';
import { loopback, photo, scratch } from '../link-helpers.ts';

const vector = (path: string) => fileURLToPath(new URL(`../../vectors/${path}`, import.meta.url));
const LPIPS = vector('quality/lpips-toy.onnx');
const [WIDTH, HEIGHT] = [96, 64];

/** A car in the left third, road elsewhere. */
async function labels(path: string): Promise<void> {
  const data = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, p) => (p % WIDTH < WIDTH / 3 ? 8 : 3));
  const image = sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } });
  await image.toColourspace('b-w').png().toFile(path);
}

/** The set live, and one that is the same under another name and hash: the receiver has both. */
function receiverSets(dir: string): void {
  mkdirSync(dir);
  const manifest = JSON.parse(readFileSync(join(shippedModelsDir(), 'models.json'), 'utf8'));
  const live = manifest.sets.find((s: { name: string }) => s.name === 'live');
  const old = structuredClone(live);
  old.files[0].name = `old-${old.files[0].name}`;
  old.name = 'old';
  old.sha256 = setHash(old.files);
  old.id = old.sha256.slice(0, 8);
  cpSync(join(shippedModelsDir(), 'live'), join(dir, 'live'), { recursive: true });
  writeFileSync(join(dir, 'models.json'), JSON.stringify({ ...manifest, sets: [old, live] }));
}

/** Every codec, channel, mapping, mode and file that a point can have, each at least once. */
function casesOf(at: string): LinkInput[] {
  const live = { codec: 'integrated', size: 'live' } as const;
  const truth = join(at, 'truth.png');
  const lpips = `${LPIPS}:${createHash('sha256').update(readFileSync(LPIPS)).digest('hex')}`;
  return [
    { codec: 'classical', format: 'jpeg', channel: 'epa', snrDb: 22, jammer: { kind: 'tone', powerDb: -20 } },
    { codec: 'classical', format: 'webp', channel: `trace:${join(at, 'recorded')}` },
    { ...live, channel: `trace:${join(at, 'recorded')}`, snrDb: 9, mapping: 'uniform', truth, lpips },
    { ...live, mode: 'selective', roi: '16,16,48,32', snrDb: 8, mapping: 'worst', truth },
    { ...live, task: 'machine', snrDb: 7, mapping: 'random', truth, channel: 'eva', dopplerHz: 30 },
    { ...live, known: join(at, 'known.png'), rxModelsDir: join(at, 'sets'), snrDb: 10 },
    { ...live, feedback: 'none', assumeSnrDb: 8, snrDb: 9, iqDb: 0.5, iqDeg: 3, bits: 8 },
    { ...live, codec: 'modular', channel: 'tdl-c', snrDb: 2, harq: 4, harqBy: 'uniform', repeatBudget: 3 },
    { codec: `onnx:${vector('user-codec/pair')}`, snrDb: 12, powerLoading: true, snrNorm: 'burst', channel: 'epa' },
    { ...live, snrDb: -15 },
    // Nothing that carries the picture fits: it is not sent.
    { codec: 'classical', format: 'jpeg', snrDb: -6 },
  ];
}

/** As a sweep's file has it: flags without dashes. */
function yamlOf(cases: readonly LinkInput[]): string {
  const named = cases.map(({ iqDb, iqDeg, ...input }) => {
    const entries = Object.entries(input).map(([key, value]) => [AXES.find((a) => a.key === key)!.name, value]);
    return { ...Object.fromEntries(entries), ...(iqDb === undefined ? {} : { iq: `${iqDb},${iqDeg}` }) };
  });
  return stringify({ photo: 'a.png', cbr: '1/2', numerology: 6, seed: [4, 5], cases: named });
}

test('points of all kinds, one after another in one thread, have the metrics that sct loopback has of each alone', async (t) => {
  const at = await scratch(t);
  const picture = await photo(join(at, 'a.png'), WIDTH, HEIGHT);
  await photo(join(at, 'known.png'), WIDTH, HEIGHT);
  await labels(join(at, 'truth.png'));
  receiverSets(join(at, 'sets'));
  const common = { cbr: 1 / 2, numerology: 6 } as const;
  const recorded = { codec: 'classical', format: 'jpeg', channel: 'epa', snrDb: 18, ...common } as const;
  await loopback(picture, join(at, 'recorded'), recorded);
  const cases = casesOf(at);
  const { points } = await expandSweep(parseSweepFile(join(at, 'a.yaml'), yamlOf(cases)));
  assert.equal(points.length, 2 * cases.length);
  const runner = new LocalPointRunner();
  const figures = new Set<string>();
  for (const [i, flags] of cases.entries()) {
    const [before, point] = points.slice(2 * i, 2 * i + 2);
    const said = JSON.stringify(flags);
    assert.equal(point.config.seed, 5);
    assert.deepEqual(point.config, resolveLinkConfig({ ...flags, ...common, seed: 5 }), said);
    // Of another seed: it leaves plans, networks and channels behind that this one must not feel.
    const first = await runner.run(before);
    if (first.kind === 'failed') assert.fail(`${said}: ${first.failure.message}`);
    const outcome = await runner.run(point);
    if (outcome.kind === 'failed') assert.fail(`${said}: ${outcome.failure.message}`);
    const run = await loopback(picture, join(at, `run-${i}`), { ...flags, ...common, seed: 5 });
    const channel = run.metrics.channel!.replace(/^trace:.*$/, 'trace:recorded');
    assert.deepEqual(compareMetrics({ ...run.metrics, channel }, outcome.result.metrics), [], said);
    assert.equal(outcome.result.exitCode, run.exitCode, said);
    for (const [key, value] of Object.entries(outcome.result.metrics)) if (value !== null) figures.add(key);
  }
  await runner.close();
  for (const key of [
    'psnrDb',
    'roiPsnrDb',
    'lpips',
    'mIoU',
    'bler',
    'importanceWeightedPsnrDb',
    'powerLoadingDb',
    'unsent',
  ]) {
    assert.ok(figures.has(key), `${key} was measured`);
  }
});
