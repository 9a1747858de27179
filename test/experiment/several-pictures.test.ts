import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { ExitCode } from '../../src/common/errors.ts';
import { resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { runReceive } from '../../src/experiment/receive/receive-run.ts';
import { verdictOf } from '../../src/experiment/replay/replay-check.ts';
import { parseManifest } from '../../src/experiment/run/manifest.ts';
import { copyCapture, io, type Meta, photo, pictureSpan, receive, replay, scratch, send } from './link-helpers.ts';

const CODEC = { codec: 'classical', format: 'jpeg', cbr: 1 / 3 } as const;
const SETTINGS = { ...CODEC, numerology: 6, assumeSnrDb: 20, seed: 1 } as const;
/** Sample count of each sending and its place in what is heard, one behind the other. */
let at: string;
const cleanUp: (() => Promise<void>)[] = [];
const session: number[] = [];

before(async () => {
  at = await scratch({ after: (fn) => void cleanUp.push(fn) });
  const source = await photo(join(at, 'first.png'), 128, 96);
  const other = await photo(join(at, 'second.png'), 96, 128);
  for (const [i, path] of [source, other].entries()) {
    const run = await send(path, `file:${join(at, `air${i}`)}`, join(at, `tx${i}`), SETTINGS);
    assert.equal(run.exitCode, ExitCode.ok);
    session.push(parseManifest(JSON.parse(await readFile(join(at, `tx${i}`, 'run.json'), 'utf8'))).session!);
    assert.equal(run.report.identification.facts.session, String(session[i]));
  }
});
test.after(async () => {
  for (const fn of cleanUp) await fn();
});

/** A capture of several sendings one behind the other; `change` spoils the samples of one. */
async function joined(name: string, order: readonly number[], change?: (data: Buffer, i: number) => Promise<void>) {
  const parts: Buffer[] = [];
  for (const [i, of] of order.entries()) {
    const data = await readFile(join(at, `air${of}.sigmf-data`));
    await change?.(data, i);
    parts.push(data);
  }
  const meta = JSON.parse(await readFile(join(at, 'air0.sigmf-meta'), 'utf8')) as Meta;
  meta.annotations = [];
  for (const key of ['core:sha512', 'sct:sample_count']) delete meta.global[key];
  await writeFile(join(at, `${name}.sigmf-data`), Buffer.concat(parts));
  await writeFile(join(at, `${name}.sigmf-meta`), JSON.stringify(meta));
  return join(at, name);
}

/** What one sending gives when it is heard alone. */
async function alone(i: number) {
  const run = await receive(`file:${join(at, `air${i}`)}`, join(at, `alone${i}`), { numerology: 6 });
  assert.equal(run.exitCode, ExitCode.ok);
  return { metrics: run.metrics, png: await readFile(join(at, `alone${i}`, 'received.png')) };
}

test('two sendings one after another: both pictures are kept, judged and written', async () => {
  assert.notEqual(session[0], session[1]);
  const both = await joined('both', [0, 1]);
  const directory = join(at, 'rx');
  const run = await receive(`file:${both}`, directory, { numerology: 6, count: 2 });
  assert.equal(run.exitCode, ExitCode.ok);
  assert.ok(run.metrics.ok);
  assert.equal(run.pictures?.length, 2);
  for (const [i, own] of run.pictures!.entries()) {
    const { metrics, png } = await alone(i);
    assert.equal(own.session, session[i]);
    assert.equal(own.image, 1);
    assert.ok(own.ok);
    assert.deepEqual(await readFile(join(directory, `received-${i + 1}.png`)), png);
    for (const key of [
      'symbolsPerPixel',
      'controlSymbols',
      'padSymbols',
      'soundingSymbols',
      'outage',
      'bler',
    ] as const) {
      assert.equal(own[key], metrics[key], `${key} of picture ${i + 1}`);
    }
  }
  // What stands outside is the last picture's, and what was counted over the stream.
  assert.deepEqual(await readFile(join(directory, 'received.png')), (await alone(1)).png);
  assert.equal(run.metrics.symbolsPerPixel, run.pictures![1].symbolsPerPixel);
  assert.ok(run.metrics.samples! > 0 && run.pictures![0].samples === null);
  const stored = JSON.parse(await readFile(join(directory, 'metrics.json'), 'utf8'));
  assert.equal(stored.images.length, 2);
  const again = await replay(directory, join(at, 'again'), true);
  assert.deepEqual(again.differences, []);
  // A directory used again holds nothing of it.
  await receive(`file:${join(at, 'air0')}`, directory, { numerology: 6 });
  assert.deepEqual(
    (await readdir(directory)).filter((name) => /^received/.test(name)),
    ['received.png'],
  );
});

test('--check leaves out again what the capture says was dropped; a plain replay decodes it', async () => {
  const directory = join(at, 'rx-dropped');
  const run = await receive(`file:${await joined('both', [0, 1])}`, directory, { numerology: 6 });
  const path = join(directory, 'rx.sigmf-meta');
  const meta = JSON.parse(await readFile(path, 'utf8')) as Meta;
  meta.annotations.findLast((a) => a['core:label'] === 'burst data')!['core:label'] = 'burst dropped';
  await writeFile(path, JSON.stringify(meta));
  const plain = await replay(directory, join(at, 'plain'), false);
  assert.equal(plain.metrics.droppedBursts, 0);
  assert.equal(plain.pictures?.length, 2);
  const checked = await replay(directory, join(at, 'checked'), true);
  const dropped = checked.differences!.find((d) => d.path === 'droppedBursts');
  assert.deepEqual([dropped?.a, dropped?.b], [0, 1]);
  assert.equal(checked.pictures, undefined, 'the second picture is not there');
  // Samples that were lost behind the recorder are told apart.
  const metrics = JSON.parse(await readFile(join(directory, 'metrics.json'), 'utf8'));
  await writeFile(join(directory, 'metrics.json'), JSON.stringify({ ...metrics, lostSamples: 100 }));
  const { differences } = await replay(directory, join(at, 'behind'), true);
  assert.match(verdictOf(differences!), /lost at overload behind its recorder are in the recording$/);
  assert.equal(run.exitCode, ExitCode.ok);
});

test('one of three pictures that is lost, whole or in part: exit 5, and the others are there', async () => {
  const { start, count } = await pictureSpan(join(at, 'alone0', 'rx'));
  const spoil = (from: number, to: number) => async (data: Buffer, i: number) => {
    if (i === 1) data.fill(0, 8 * Math.round(start + from * count), 8 * Math.round(start + to * count));
  };
  const partly = await joined('partly', [1, 0, 1], spoil(0.3, 1));
  const run = await receive(`file:${partly}`, join(at, 'rx-partly'), { numerology: 6 });
  assert.equal(run.exitCode, ExitCode.quality);
  assert.equal(run.metrics.ok, false);
  assert.deepEqual(
    run.pictures?.map((m) => m.ok),
    [true, false, true],
  );
  assert.ok(
    run.report.warnings.some((w) => w.startsWith('picture 2 (session ')),
    run.report.warnings.join('\n'),
  );
  // Its header is read, its extension is not.
  const whole = await joined('whole', [1, 0, 1], spoil(0.07, 1));
  const lost = await receive(`file:${whole}`, join(at, 'rx-whole'), { numerology: 6 });
  assert.equal(lost.exitCode, ExitCode.quality);
  const middle = lost.pictures?.find((m) => m.session === session[0]);
  assert.equal(middle?.image, null);
  assert.equal(middle?.outage, 1);
});

test('-n 1 stops after the first; a reference is compared with the pictures of its size', async () => {
  const both = await joined('both', [0, 1]);
  const first = await receive(`file:${both}`, join(at, 'rx-first'), { numerology: 6, count: 1 });
  assert.equal(first.pictures, undefined);
  assert.deepEqual(await readFile(join(at, 'rx-first', 'received.png')), (await alone(0)).png);
  const config = { ...resolveLinkConfig({ numerology: 6 }), from: `file:${both}`, reference: join(at, 'first.png') };
  const run = await runReceive(config, io(join(at, 'rx-reference')));
  assert.equal(run.exitCode, ExitCode.ok);
  assert.ok(run.pictures![0].psnrDb! > 20);
  assert.equal(run.pictures![1].psnrDb, null);
  assert.equal(run.metrics.psnrDb, null, 'the last one has another size');
});

test('samples lost behind the last one that came count as lost, in metrics and exit code', async () => {
  for (const [name, lostAtEnd, exitCode] of [
    ['late', { min: 5, max: 7 }, ExitCode.samplesLost],
    ['few', { min: 2, max: 6 }, ExitCode.ok],
    ['nonsense', { min: 0, max: 'many' }, ExitCode.ok],
  ] as const) {
    const capture = await copyCapture(join(at, 'air0'), join(at, name), {
      meta: (meta) => {
        meta.global['sct:lost_at_end'] = lostAtEnd;
      },
    });
    const again = await replay(capture, join(at, `replay-${name}`), false, { maxDrops: 6 });
    assert.equal(again.metrics.lostSamples, typeof lostAtEnd.max === 'number' ? lostAtEnd.max : 0);
    assert.equal(again.exitCode, exitCode);
  }
});
