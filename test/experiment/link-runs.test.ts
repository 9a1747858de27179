import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { exitCodeOf, outcomeText } from '../../src/experiment/metrics/exit-code.ts';
import { emptyMetrics } from '../../src/experiment/metrics/metrics.ts';
import { validateCapture } from '../../src/radio/sigmf/capture-info.ts';
import { copyCapture, loopback, photo, receive, replay, scratch, send } from './link-helpers.ts';

const QUICK = { codec: 'classical', format: 'jpeg', cbr: 1 / 4 } as const;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The command line in a process of its own, from the sources. */
function sctProcess(words: readonly string[], cwd: string): Promise<{ code: number | null; stdout: string }> {
  const main = pathToFileURL(join(ROOT, 'src', 'cli', 'main.ts')).href;
  const script = `const { main } = await import('${main}'); process.exit(await main(process.argv.slice(1)));`;
  const loader = pathToFileURL(join(ROOT, 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
  const child = spawn(process.execPath, ['--import', loader, '--input-type=module', '-e', script, '--', ...words], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout }));
  });
}

test('the receiver knows only what came over the air: another process, with rx alone, has the same picture', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 192, 128);
  const run = await loopback(source, join(at, 'run'), { ...QUICK, numerology: 15, channel: 'epa', snrDb: 18, seed: 5 });
  assert.equal(run.exitCode, 0);
  const elsewhere = join(at, 'elsewhere');
  await mkdir(elsewhere);
  await copyCapture(join(at, 'run', 'rx'), join(elsewhere, 'heard'), {
    // Nothing of ours but how it was tuned.
    meta: (m) => {
      m.annotations = [];
      for (const key of ['core:description', 'core:hw', 'sct:numerology']) delete m.global[key];
    },
  });
  const words = ['receive', '--from', 'file:heard', '--numerology', '15', '-o', 'out', '--json', '-q'];
  const { code, stdout } = await sctProcess(words, elsewhere);
  assert.equal(code, 0);
  const received = await readFile(join(elsewhere, 'out', 'received.png'));
  assert.ok(received.equals(await readFile(join(at, 'run', 'received.png'))), 'received.png is byte for byte the same');
  const metrics = JSON.parse(stdout);
  for (const key of ['psnrDb', 'channel', 'snrDb', 'seed', 'mapping', 'csiAgeMs', 'retransmissions']) {
    assert.equal(metrics[key], null, `${key} is not known to it`);
  }
  for (const key of ['symbolsPerPixel', 'rbSnrDb', 'cfoHz', 'evmDb', 'bler', 'controlSymbols', 'padSymbols'] as const) {
    assert.deepEqual(metrics[key], run.metrics[key], key);
  }
  assert.deepEqual(Object.keys(metrics.files).sort(), [
    'directory',
    'frames',
    'metrics',
    'received',
    'report',
    'run',
    'rx',
  ]);
  for (const path of Object.values(metrics.files) as string[]) assert.ok(existsSync(path), path);
});

test('replay --check reproduces the metrics at every numerology and with both boards', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 160, 120);
  for (const [i, input] of [
    { numerology: 6 },
    { numerology: 15, channel: 'eva', snrDb: 20 },
    { numerology: 25, profile: 'hackrf', rateHz: 8e6 },
    { numerology: 50 },
    { numerology: 15, profile: 'pluto' },
  ].entries()) {
    const name = JSON.stringify(input);
    const directory = join(at, `run${i}`);
    const run = await loopback(source, directory, { ...QUICK, cbr: 1 / 2, seed: i + 2, ...input } as object);
    assert.equal(run.exitCode, 0, name);
    const meta = JSON.parse(await readFile(join(directory, 'rx.sigmf-meta'), 'utf8'));
    const format = { hackrf: 'ci8', pluto: 'ci16_le' }[(input as { profile?: string }).profile ?? ''] ?? 'cf32_le';
    assert.equal(meta.global['core:datatype'], format);
    const again = await replay(directory, join(at, 'again'), true);
    assert.deepEqual(again.differences, [], name);
    assert.equal(again.exitCode, 0, name);
    for (const capture of ['rx', 'tx']) assert.ok((await validateCapture(join(directory, capture))).ok, name);
  }
});

test('a receiver that is there first hears a sender into the same file, and stops after one picture of several bursts', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 1536, 1152);
  const air = `file:${join(at, 'air')}`;
  const listening = receive(air, join(at, 'rx'), { numerology: 50, count: 1 });
  const sent = await send(source, air, join(at, 'tx'), { ...QUICK, numerology: 50, assumeSnrDb: 25 });
  assert.equal(sent.exitCode, 0);
  const received = await listening;
  assert.equal(received.exitCode, 0);
  assert.equal(received.metrics.outage, 0);
  const frames = (await readFile(join(at, 'rx', 'frames.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l));
  const data = frames.filter((f) => f.use === 'data');
  assert.ok(data.length >= 3, `${data.length} parts`);
  assert.equal(data.length, frames.length - 1, 'all of them, behind one sounding burst');
  for (const f of data) assert.ok(f.blocks.length <= 255);
  assert.ok(sent.metrics.symbolsPerPixel! <= 0.75);
  assert.equal(received.metrics.controlSymbols, sent.metrics.controlSymbols);
  assert.equal(received.metrics.symbolsPerPixel, sent.metrics.symbolsPerPixel);
  // 600 MB is the limit for the main job; a picture four times as large with all its reports stays below twice that.
  assert.ok(process.resourceUsage().maxRSS < 1.2e6, `peak ${process.resourceUsage().maxRSS} kB`);
});

test('a directory used again holds nothing of the run before', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 160, 120);
  const directory = join(at, 'run');
  await loopback(source, directory, { ...QUICK, cbr: 1 / 2 });
  await copyCapture(join(directory, 'rx'), join(at, 'heard'));
  const result = await receive(`file:${join(at, 'heard')}`, directory, {});
  assert.equal(result.exitCode, 0);
  const names = await readdir(directory);
  assert.ok(!names.includes('allocation.json') && !names.includes('source.png'), names.join(' '));
  assert.equal(result.metrics.psnrDb, null);
});

test('blocks lost to a burst of interference are sent again within the budget; without repetitions the picture is lost', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 256, 192);
  // 2 ms of noise, 6 dB over the signal, inside the picture's burst.
  const jammer = { kind: 'noise', powerDb: 6, startS: 0.031, dutyCycle: 0.002, periodS: 1 } as const;
  const input = { ...QUICK, cbr: 1 / 6, numerology: 6, seed: 2, jammer } as const;
  const run = await loopback(source, join(at, 'run'), input);
  assert.equal(run.exitCode, 0);
  assert.ok(run.metrics.bler! > 0 && run.metrics.retransmissions! > 0);
  assert.ok(run.metrics.cbr! <= 1 / 6, `CBR ${run.metrics.cbr}`);
  const again = await replay(join(at, 'run'), join(at, 'again'), true);
  assert.deepEqual(again.differences, []);
  // Without repetitions the margin is wider: more interference.
  const once = await loopback(source, join(at, 'once'), {
    ...input,
    harq: 0,
    jammer: { ...jammer, powerDb: 10, dutyCycle: 0.008 },
  });
  assert.equal(once.exitCode, 5);
  assert.equal(once.metrics.ok, false);
  assert.equal(once.metrics.retransmissions, 0);
  assert.ok(
    once.report.warnings.some((w) => /\d+ of \d+ blocks lost/.test(w)),
    once.report.warnings.join('; '),
  );
});

test('exit codes: nothing heard, picture damaged, too poor, samples lost, in this order', () => {
  const metrics = { ...emptyMetrics('classical'), ok: true, psnrDb: 30, lostSamples: 5 };
  assert.equal(exitCodeOf(metrics, {}, true), 0);
  assert.equal(exitCodeOf(metrics, { minPsnrDb: 31, maxDrops: 0 }, false), 4);
  assert.equal(exitCodeOf({ ...metrics, ok: false }, { maxDrops: 0 }, true), 5);
  assert.equal(exitCodeOf(metrics, { minPsnrDb: 31, maxDrops: 0 }, true), 5);
  assert.equal(exitCodeOf(metrics, { minPsnrDb: 30, maxDrops: 4 }, true), 6);
  assert.equal(exitCodeOf(metrics, { maxDrops: 5 }, true), 0);
  const nothing = { bursts: [], misses: 0, missRho: 0 };
  assert.equal(outcomeText(metrics, {}, undefined, nothing), 'no burst was found');
  assert.match(outcomeText(metrics, {}, undefined, { ...nothing, misses: 3 })!, /3 preambles/);
  // rho = S / (S + N): a fifth is -6 dB, nine tenths are 9.5 dB and no matter of level.
  const weak = outcomeText(metrics, {}, undefined, { ...nothing, misses: 3, missRho: 0.2 })!;
  assert.match(weak, /too weak, SNR about -6 dB; give a higher --tx-gain or less attenuation/);
  assert.doesNotMatch(outcomeText(metrics, {}, undefined, { ...nothing, misses: 3, missRho: 0.9 })!, /weak/);
});
