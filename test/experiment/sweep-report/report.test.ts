import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { FormatError, SctError, UsageError } from '../../../src/common/errors.ts';
import { EventCounter } from '../../../src/experiment/bounds/error-event.ts';
import { mean, percentile } from '../../../src/experiment/metrics/stats.ts';
import { makeSweepReport, type ReportRequest, reportJson } from '../../../src/experiment/sweep-report/document.ts';
import { reportText } from '../../../src/experiment/sweep-report/text.ts';
import { differingFiles, reportFiles, writeReportFiles } from '../../../src/experiment/sweep-report/write-report.ts';
import { assertWellFormed, asXml } from '../report/xml.ts';
import {
  CODEC_GAIN_DB,
  type FakePoint,
  fakePoints,
  MAPPING_GAIN_DB,
  PHOTOS,
  SEEDS,
  SNRS,
  seedEffectDb,
  writeSweep,
} from './sweep-folder.ts';

const nothing = () => Promise.resolve();

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sct-report-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function report(paths: readonly string[], more: Partial<ReportRequest> = {}) {
  return makeSweepReport({ paths, where: [], gains: [], figures: null, limits: null, ...more }, nothing);
}

test('means, percentiles, R and SFVs of every group are those of the numbers that went in', async (t) => {
  const r = await report([await writeSweep(join(await scratch(t), 'night'), fakePoints())]);
  assert.deepEqual(r.design.telling, ['snrDb', 'codec', 'mapping']);
  assert.deepEqual(
    r.design.axes.map((a) => a.key),
    ['snrDb', 'codec', 'mapping', 'modelSet'],
  );
  assert.equal(r.statistics.length, 12);
  for (const s of r.statistics) {
    const { snrDb, codec, mapping } = s.group.settings;
    const gain = (mapping === 'matched' ? MAPPING_GAIN_DB : 0) + (codec === 'integrated' ? CODEC_GAIN_DB : 0);
    const psnrs = PHOTOS.flatMap((p) => SEEDS.map((seed) => 20 + Number(snrDb) + p + seedEffectDb(seed) + gain));
    assert.equal(s.photos, 3);
    assert.equal(s.seeds, 4);
    assert.ok(Math.abs(s.figures.psnrDb.value - mean(psnrs)) < 1e-9);
    assert.ok(s.figures.psnrDb.low < s.figures.psnrDb.value && s.figures.psnrDb.value < s.figures.psnrDb.high);
    assert.ok(Math.abs(s.worst.psnrDb.value - percentile(psnrs, 10)) < 1e-9);
    assert.equal(s.figures.symbolsPerPixel.value, 0.125);
    assert.equal(s.figures.outage.value, codec === 'classical' && snrDb === 0 ? 0.25 : 0);
    assert.equal(s.figures.sfvReceived?.value, codec === 'integrated' ? 0.5 : undefined);
    const importance = codec === 'integrated' ? 0.7 : undefined;
    assert.equal(s.figures.sfvImportance?.value.toFixed(6), importance?.toFixed(6));
    assert.equal(s.figures.lpips, undefined);
  }
});

test('gains are paired by photo and seed: a constant difference has no width', async (t) => {
  const r = await report([await writeSweep(join(await scratch(t), 'night'), fakePoints())]);
  const mapping = r.gains.filter((g) => g.key === 'mapping');
  assert.equal(mapping.length, 6);
  for (const g of mapping) {
    assert.deepEqual([g.of, g.over, g.pairs, g.alsoDiffers], ['matched', 'uniform', 12, []]);
    assert.ok(Math.abs(g.figures.psnrDb.value - MAPPING_GAIN_DB) < 1e-9);
    assert.ok(g.figures.psnrDb.high - g.figures.psnrDb.low < 1e-9);
  }
  const codec = r.gains.filter((g) => g.key === 'codec');
  assert.equal(codec.length, 6);
  for (const g of codec) {
    assert.deepEqual([g.of, g.over, g.alsoDiffers], ['integrated', 'classical', ['modelSet']]);
    assert.ok(Math.abs(g.figures.psnrDb.value - CODEC_GAIN_DB) < 1e-9);
  }
  const wished = await report([await writeSweep(join(await scratch(t), 'again'), fakePoints())], {
    gains: [{ key: 'codec', baseline: 'integrated' }],
  });
  assert.ok(wished.gains.filter((g) => g.key === 'codec').every((g) => g.over === 'integrated'));
});

test('the same measurements in any order, and behind a torn line, give the same bytes', async (t) => {
  const folder = await scratch(t);
  const points = fakePoints();
  const backwards = [...points].reverse();
  const a = await report([await writeSweep(join(folder, 'a', 'night'), points)]);
  const torn = { tail: '{"schema":"sct.sweep-result/1","id":"00' };
  const b = await report([await writeSweep(join(folder, 'b', 'night'), points, backwards, torn)]);
  const [filesA, filesB] = [reportFiles(a, 'sct x', false), reportFiles(b, 'sct x', false)];
  assert.deepEqual([...filesA.keys()], [...filesB.keys()]);
  for (const [name, text] of filesA) assert.equal(filesB.get(name), text, name);
  for (const text of filesA.values()) assert.ok(!text.includes(folder), 'a path of this machine');

  const out = join(folder, 'out');
  await writeReportFiles(out, filesA);
  assert.deepEqual(await differingFiles(out, filesB), []);
  await writeFile(join(out, 'groups.csv'), `${await readFile(join(out, 'groups.csv'), 'utf8')}x`);
  await rm(join(out, 'psnr-snr.svg'));
  assert.deepEqual(await differingFiles(out, filesB), ['groups.csv', 'psnr-snr.svg']);
});

test('files: figures are XML, the page has no script and no address, CSV and JSON agree', async (t) => {
  const r = await report([await writeSweep(join(await scratch(t), 'a<b>&"c"'), fakePoints())]);
  const files = reportFiles(r, 'sct x', false);
  for (const [name, text] of files) if (name.endsWith('.svg')) assertWellFormed(text);
  const page = files.get('report.html')!;
  assertWellFormed(asXml(page));
  assert.doesNotMatch(page, /<script|https?:\/\/(?!www\.w3\.org)|<b>/);
  for (const name of ['psnr-snr', 'roi-psnr-snr', 'p10-psnr-snr', 'outage-snr', 'bler-snr', 'sfv-received-snr']) {
    assert.ok(files.has(`${name}.svg`) && files.has(`${name}.csv`), name);
  }
  assert.ok(files.has('gain-mapping-psnr-snr.svg') && !files.has('psnr-rate.svg'));
  const json = JSON.parse(files.get('report.json')!);
  const [head, ...lines] = files.get('groups.csv')!.trimEnd().split('\n');
  const column = head.split(',').indexOf('psnrDb');
  assert.equal(lines.length, json.groups.length);
  lines.forEach((line, i) => {
    assert.equal(Number(line.split(',')[column]), json.groups[i].figures.psnrDb.value);
  });
  // Points of a figure: the same numbers again, in their order on x.
  const csv = files.get('psnr-snr.csv')!.trimEnd().split('\n');
  assert.equal(csv.length, 1 + 12);
  assert.match(csv[1], /^,"?classical, matched"?,0,/);
  assert.match(reportText(r), /^sweep a<b>&"c": 144 of 144 points/m);
});

test('figures by name; a wrong name says which there are; --where leaves the rest out', async (t) => {
  const path = await writeSweep(join(await scratch(t), 'night'), fakePoints());
  const where = [{ key: 'codec', values: ['integrated'] }];
  const r = await report([path], { figures: ['psnr-rate', 'sfv-lost-snr'], where });
  assert.deepEqual(
    r.figures.map((f) => f.name),
    ['psnr-rate', 'sfv-lost-snr'],
  );
  assert.equal(r.statistics.length, 6);
  assert.deepEqual([...reportFiles(r, 'sct x', true).keys()].sort(), [
    'psnr-rate-0-db.svg',
    'psnr-rate-12-db.svg',
    'psnr-rate-6-db.svg',
    'psnr-rate.csv',
    'sfv-lost-snr.csv',
    'sfv-lost-snr.svg',
  ]);
  const refused = async (more: Partial<ReportRequest>, pattern: RegExp) => {
    await assert.rejects(
      report([path], more),
      (e) => e instanceof UsageError && pattern.test(`${e.message} ${e.hint}`),
    );
  };
  await refused({ figures: ['psnr-snrr'] }, /psnr-snrr.*did you mean psnr-snr\?/);
  await refused({ figures: ['lpips-snr'] }, /nothing here makes "lpips-snr"/);
  await refused({ where: [{ key: 'codek', values: ['x'] }] }, /did you mean codec/);
  await refused({ where: [{ key: 'codec', values: ['modular'] }] }, /nothing left.*codec: classical, integrated/);
  await refused(
    { gains: [{ key: 'codec', baseline: 'modular' }] },
    /codec is nowhere "modular".*classical, integrated/,
  );
  await refused({ gains: [{ key: 'dopplerHz', baseline: '5' }] }, /"dopplerHz" does not vary.*snrDb/);
});

test('an unfinished sweep says how much is missing', async (t) => {
  const points = fakePoints();
  const folder = await scratch(t);
  const some = points.slice(0, 100);
  const half = await report([
    await writeSweep(join(folder, 'a'), points, some, { manifest: { state: 'interrupted' } }),
  ]);
  assert.deepEqual(half.sources[0].notes, ['44 points not measured, sweep interrupted']);
  for (const { caption } of half.figures) assert.match(caption, /seeds\. 44 of 144 pictures have no result\./);
  const early = {
    manifest: { state: 'done', stop: { metric: 'psnrDb' as const, halfWidth: 0.1, confidence: 0.95, min: 3 } },
  };
  const stopped = await report([await writeSweep(join(folder, 'b'), points, some, early)]);
  assert.deepEqual(stopped.sources[0].notes, ['44 points not needed: their groups stopped early']);
  for (const { caption } of stopped.figures) assert.doesNotMatch(caption, /no result/);
  const why = ['/home/xy/a.png: gone', 'does not fit', 'does not fit'];
  const lines = why.map((message, i) => JSON.stringify({ id: points[100 + i].point.id, message, exitCode: 1 }));
  await writeFile(join(folder, 'a', 'failures.jsonl'), `${lines.join('\n')}\n`);
  assert.equal((await report([join(folder, 'a')])).sources[0].notes[1], '3 failed, 2 of them: does not fit');
  await writeFile(join(folder, 'a', 'failures.jsonl'), `${lines[0]}\n`);
  assert.equal((await report([join(folder, 'a')])).sources[0].notes[1], '1 failed, all: a.png: gone');
});

test('two sweeps are compared pair by pair, and equal ones are said to be equal', async (t) => {
  const folder = await scratch(t);
  const before = await writeSweep(join(folder, 'before'), fakePoints());
  const after = await writeSweep(join(folder, 'after'), fakePoints(0.25));
  const again = await writeSweep(join(folder, 'x', 'before'), fakePoints());
  const r = await report([before, after, again]);
  const gains = r.gains.filter((g) => g.key === 'source');
  assert.equal(gains.length, 24);
  assert.deepEqual(
    r.sources.map((s) => s.label),
    ['before (1)', 'after', 'before (2)'],
  );
  for (const g of gains) {
    assert.equal(g.over, 'before (1)');
    const [gain, identical] = g.of === 'after' ? [0.25, 0] : [0, 12];
    assert.ok(Math.abs(g.figures.psnrDb.value - gain) < 1e-9);
    assert.equal(g.identical, identical);
  }
});

test('the joint error event counts as sct bounds event does', async (t) => {
  const points = fakePoints();
  const limits = { ds: 0.45, dx: 10 ** -2.6 };
  const r = await report([await writeSweep(join(await scratch(t), 'night'), points)], { limits });
  for (const s of r.statistics) {
    const counter = new EventCounter(limits.ds, limits.dx);
    for (const { figures } of s.group.observations) counter.add(1 - figures.mIoU!, 10 ** (-figures.psnrDb! / 10));
    const counted = counter.result();
    for (const name of ['joint', 'semantic', 'pixel'] as const) {
      assert.equal(s.events[name].value, counted[name]!.value);
      // Photos and seeds that are not independent can only make it wider.
      assert.ok(s.events[name].low <= counted[name]!.low + 1e-12 && s.events[name].high >= counted[name]!.high - 1e-12);
    }
  }
  assert.ok(r.figures.some((f) => f.name === 'event-joint-snr'));
  await assert.rejects(report([], { limits: { ds: Infinity, dx: Infinity } }), UsageError);
});

test('damaged and hostile sweeps are refused with file, line and field', async (t) => {
  const folder = await scratch(t);
  const points = fakePoints();
  const withResult = (change: (p: FakePoint) => object) =>
    points.map((p, i) => (i === 3 ? { ...p, result: change(p) as Record<string, unknown> } : p));
  const metrics = (p: FakePoint) => p.result.metrics as object;
  const cases: [string, FakePoint[], RegExp][] = [
    ['id', withResult((p) => ({ ...p.result, id: 'nobody' })), /results\.jsonl:4: id: must be 32 hexadecimal/],
    [
      'psnr',
      withResult((p) => ({ ...p.result, metrics: { ...metrics(p), psnrDb: 'x' } })),
      /results\.jsonl:4: .*psnrDb/,
    ],
    [
      'outage',
      withResult((p) => ({ ...p.result, metrics: { ...metrics(p), outage: 0.5 } })),
      /results\.jsonl:4: outage.*neither/,
    ],
    [
      'bler',
      withResult((p) => ({ ...p.result, metrics: { ...metrics(p), bler: 2 } })),
      /results\.jsonl:4: bler.*allowed 0 to 1/,
    ],
    [
      'blocks',
      withResult((p) => ({ ...p.result, metrics: { ...metrics(p), codeBlocks: 2, codeBlockErrors: 3 } })),
      /results\.jsonl:4: codeBlockErrors: 3 of 2 blocks/,
    ],
    ['sfv', withResult((p) => ({ ...p.result, metrics: { ...metrics(p), sfvs: [{ state: 'here' }] } })), /sfvs\[0\]/],
  ];
  for (const [name, changed, pattern] of cases) {
    const path = await writeSweep(join(folder, name), points, changed);
    await assert.rejects(report([path]), (e) => e instanceof FormatError && pattern.test(e.message), name);
  }
  const twice = await writeSweep(join(folder, 'twice'), [...points, points[0]]);
  await assert.rejects(report([twice]), /points\.jsonl:145: point 0+ for the second time/);
  const proto = points.map((p) => ({ ...p, point: { ...p.point, config: JSON.parse('{"__proto__":1}') } }));
  await assert.rejects(report([await writeSweep(join(folder, 'proto'), proto)]), /points\.jsonl:1: .*config/);
  await assert.rejects(report([join(folder, 'none')]), UsageError);
  await assert.rejects(report([folder, join(folder, 'twice', 'sweep.json')]), UsageError);
});

test('any change of a byte is an error of the contract or a report, never a crash', async (t) => {
  const folder = await writeSweep(join(await scratch(t), 'night'), fakePoints().slice(0, 8));
  const names = ['sweep.json', 'points.jsonl', 'results.jsonl'];
  const whole = await Promise.all(names.map((name) => readFile(join(folder, name))));
  const change = fc.tuple(fc.nat(2), fc.nat(1e6), fc.integer({ min: 0, max: 255 }), fc.boolean());
  await fc.assert(
    fc.asyncProperty(change, async ([which, at, byte, cut]) => {
      const bytes = Buffer.from(whole[which]);
      const place = at % bytes.length;
      bytes[place] = byte;
      await writeFile(join(folder, names[which]), cut ? bytes.subarray(0, place) : bytes);
      try {
        reportFiles(await report([folder]), 'sct x', false);
      } catch (error) {
        assert.ok(error instanceof SctError, String(error));
      } finally {
        await writeFile(join(folder, names[which]), whole[which]);
      }
    }),
    { numRuns: 150 },
  );
});

test('--json holds no infinity and no path, and says how intervals are made', async (t) => {
  const path = await writeSweep(join(await scratch(t), 'night'), fakePoints());
  const json = JSON.parse(JSON.stringify(reportJson(await report([path], { limits: { ds: Infinity, dx: 0.01 } }))));
  assert.equal(json.schema, 'sct.report/1');
  assert.deepEqual(json.limits, { ds: 'inf', dx: 0.01 });
  assert.deepEqual(json.axes[0], { key: 'snrDb', values: SNRS });
  assert.equal(json.constants.channel, 'eva');
  assert.match(json.methods.mean, /crossed/);
});

test('docs/report.md names every field of report.json and every column', async (t) => {
  const page = await readFile(join(import.meta.dirname, '../../../docs/report.md'), 'utf8');
  const path = await writeSweep(join(await scratch(t), 'night'), fakePoints());
  const r = await report([path], { limits: { ds: 0.5, dx: 0.005 } });
  const named = (key: string) => assert.ok(page.includes(`\`${key}\``), `docs/report.md does not name ${key}`);
  const json = JSON.parse(JSON.stringify({ ...reportJson(r), program: '' }));
  const { sources, axes, groups, gains, figures } = json;
  for (const part of [json, sources[0], axes[0], groups[0], gains[0], figures[0], figures[0].panels[0]]) {
    for (const key of Object.keys(part)) named(key.replace(/^(sources|axes|groups|gains|panels|curves)$/, '$1[]'));
  }
  const [curve] = figures[0].panels[0].curves;
  for (const key of Object.keys(curve)) named(key === 'points' ? 'points[]' : key);
  for (const part of [curve.points[0], groups[0].figures.bler]) for (const key of Object.keys(part)) named(key);
  const files = reportFiles(r, 'sct x', false);
  for (const name of ['psnr-snr.csv', 'gains.csv']) {
    const fixed = files
      .get(name)!
      .split('\n')[0]
      .split(',')
      .filter((c) => !r.design.axes.some((a) => a.key === c));
    for (const column of fixed) if (!/_(low|high|n)$/.test(column) && !(column in r.gains[0].figures)) named(column);
  }
});
