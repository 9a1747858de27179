import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { ExitCode, SctError } from '../../../src/common/errors.ts';
import { type LinkInput, resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { loadRecordedChannel } from '../../../src/experiment/replay/recorded-channel.ts';
import type { RunResult } from '../../../src/experiment/run/run-io.ts';
import { runSound } from '../../../src/experiment/send/sound-run.ts';
import { io, loopback, photo, replay, scratch } from '../link-helpers.ts';

/** Sounding bursts each 10 ms through a simulated channel. */
async function sound(directory: string, input: LinkInput, count: number, more = {}) {
  const config = { ...resolveLinkConfig(input), count, periodMs: 10, tx: 'loopback', rx: 'loopback' };
  return runSound(config, io(directory, more));
}

async function runJson(directory: string) {
  return JSON.parse(await readFile(join(directory, 'run.json'), 'utf8'));
}

function fails(code: number, pattern: RegExp) {
  return (error: unknown) => error instanceof SctError && error.exitCode === code && pattern.test(error.message);
}

test('a run replayed as channel gives its RB SNR; run.json names the run and the hash of its capture', async (t) => {
  const folder = await scratch(t);
  const [first, second, scaled] = ['first', 'second', 'scaled'].map((name) => join(folder, name));
  const recorded = await sound(first, { numerology: 6, channel: 'eva', snrDb: 18 }, 5);
  const channel = `trace:${first}`;
  const again = await sound(second, { numerology: 6, channel, seed: 9 }, 5);
  // One subband over 5 bursts of 4 slots: the receiver's own error is 0.15 dB in each.
  const difference = (a: RunResult, b: RunResult) => a.metrics.rbSnrDb!.map((v, s) => v! - b.metrics.rbSnrDb![s]!);
  for (const d of difference(again, recorded)) assert.ok(Math.abs(d) < 0.5, `${d} dB`);
  assert.equal(again.metrics.snrDb, null);
  assert.equal(again.metrics.channel, channel);
  const { device, config } = await runJson(second);
  assert.equal(config.snrDb, null);
  assert.equal(device.trace.run, first);
  const hash = createHash('sha256').update(await readFile(join(first, 'rx.sigmf-data')));
  assert.equal(device.trace.captureSha256, hash.digest('hex'));
  assert.equal(device.trace.slots, 20);
  assert.deepEqual(
    resolveLinkConfig(JSON.parse(JSON.stringify(resolveLinkConfig({ channel })))),
    resolveLinkConfig({ channel }),
  );

  // --snr scales the recorded noise to that mean; run.json of the run serves as well as its directory.
  const lower = await sound(scaled, { numerology: 6, channel: `trace:${join(first, 'run.json')}`, snrDb: 10 }, 5);
  const drop = device.trace.snrDb - 10;
  for (const d of difference(lower, again)) assert.ok(Math.abs(d + drop) < 0.8, `${d} dB for ${-drop}`);
  assert.equal(lower.metrics.snrDb, 10);
});

test('a picture through a trace: reproducible, longer than the trace (said), replayed with the same metrics', async (t) => {
  const folder = await scratch(t);
  const first = join(folder, 'first');
  await sound(first, { numerology: 6, channel: 'epa', snrDb: 20 }, 2);
  const picture = await photo(join(folder, 'p.png'), 96, 96);
  const trace = { numerology: 6, channel: `trace:${first}`, seed: 4 };
  const input: LinkInput = { codec: 'classical', ...trace, symbolsPerPixel: 0.6 };
  const a = await loopback(picture, join(folder, 'a'), input);
  const b = await loopback(picture, join(folder, 'b'), input);
  assert.equal(a.metrics.snrDb, null);
  assert.deepEqual(a.metrics.rbSnrDb, b.metrics.rbSnrDb);
  assert.deepEqual(
    await readFile(join(folder, 'a', 'rx.sigmf-data')),
    await readFile(join(folder, 'b', 'rx.sigmf-data')),
  );
  assert.match(await readFile(join(folder, 'a', 'report.html'), 'utf8'), /run backwards and forwards/);
  // Replay only receives: it needs the trace no more.
  await rm(first, { recursive: true });
  const result = await replay(join(folder, 'a'), join(folder, 'again'), true);
  assert.deepEqual(result.differences, []);
});

test('a sounding run through a trace is replayed with the same metrics, too', async (t) => {
  const folder = await scratch(t);
  const [first, second] = ['first', 'second'].map((name) => join(folder, name));
  await sound(first, { numerology: 6, snrDb: 20 }, 1);
  await sound(second, { numerology: 6, channel: `trace:${first}` }, 2);
  const result = await replay(second, join(folder, 'again'), true);
  assert.deepEqual(result.differences, []);
  assert.equal(result.exitCode, ExitCode.ok);
});

test('what is no usable run is refused before anything is made', async (t) => {
  const folder = await scratch(t);
  const first = join(folder, 'first');
  await sound(first, { numerology: 6, snrDb: 20 }, 1);
  const out = join(folder, 'out');
  const tried = (path: string, more: LinkInput = {}) =>
    sound(out, { numerology: 6, channel: `trace:${path}`, ...more }, 1);
  await assert.rejects(tried(join(folder, 'none')), fails(ExitCode.usage, /no such run/));
  await assert.rejects(tried(folder), fails(ExitCode.usage, /run\.json/));
  await assert.rejects(tried(first, { numerology: 25 }), fails(ExitCode.usage, /covers 1\.080 MHz/));
  for (const more of [{ dopplerHz: 5 }, { delaySpreadNs: 100 }, { snrNorm: 'burst' as const }]) {
    assert.throws(
      () => resolveLinkConfig({ channel: 'trace:x', ...more }),
      fails(ExitCode.usage, /not with --channel trace/),
    );
  }
  assert.throws(() => resolveLinkConfig({ channel: 'trace:' }), fails(ExitCode.usage, /names no run/));
  assert.throws(() => resolveLinkConfig({ channel: 'trail:x' }), fails(ExitCode.usage, /trace:RUN/));

  const broken = join(folder, 'broken');
  const damaged = async (change: () => Promise<void>, code: number, pattern: RegExp) => {
    await rm(broken, { recursive: true, force: true });
    await cp(first, broken, { recursive: true });
    await change();
    await assert.rejects(loadRecordedChannel(broken), fails(code, pattern));
  };
  const file = (name: string) => join(broken, name);
  await damaged(() => rm(file('rx.sigmf-meta')), ExitCode.usage, /no received capture/);
  await damaged(() => rm(file('rx.sigmf-data')), ExitCode.usage, /no received capture/);
  await damaged(() => writeFile(file('run.json'), '{'), ExitCode.usage, /not JSON/);
  await damaged(() => writeFile(file('run.json'), '['.repeat(5000)), ExitCode.usage, /nested/);
  await damaged(() => writeFile(file('rx.sigmf-meta'), '{"global":3}'), ExitCode.usage, /global/);
  const cut = async (samples: number) => truncate(file('rx.sigmf-data'), 8 * samples);
  await damaged(() => cut(0), ExitCode.noSignal, /no burst could be decoded/);
  await damaged(() => cut(6000), ExitCode.noSignal, /no burst could be decoded/);
  await damaged(
    () => writeFile(file('rx.sigmf-data'), new Uint8Array(8 * 20_000).fill(255)),
    ExitCode.noSignal,
    /no burst/,
  );
  const changed = async (key: string, value: unknown) => {
    const meta = JSON.parse(await readFile(file('rx.sigmf-meta'), 'utf8'));
    meta.global[key] = value;
    await writeFile(file('rx.sigmf-meta'), JSON.stringify(meta));
  };
  await damaged(() => changed('sct:numerology', 1e9), ExitCode.usage, /./);
  await damaged(() => changed('core:sample_rate', 3), ExitCode.usage, /./);
  await damaged(() => changed('sct:lo_offset_hz', 1e12), ExitCode.usage, /LO offset/);
});

test('a gain that was set in between is no channel, and soundings by which gains were set are left out', async (t) => {
  const folder = await scratch(t);
  const run = join(folder, 'run');
  await sound(run, { numerology: 6, snrDb: 20, ideal: true }, 4);
  const plain = (await loadRecordedChannel(run)).trace;
  // The same recording with 20 dB less gain from its middle on, as the capture says.
  const data = await readFile(join(run, 'rx.sigmf-data'));
  const samples = new Float32Array(data.buffer, data.byteOffset, data.length / 4);
  const middle = 40_000; // between the second burst and the third
  samples.subarray(2 * middle).forEach((v, i) => {
    samples[2 * middle + i] = v / 10;
  });
  await writeFile(join(run, 'rx.sigmf-data'), data);
  const meta = JSON.parse(await readFile(join(run, 'rx.sigmf-meta'), 'utf8'));
  const [entry] = meta.captures;
  entry['sct:gains_db'] = { lna: 30 };
  const first = entry['core:global_index'];
  meta.captures.push({ 'core:sample_start': middle, 'core:global_index': first + middle, 'sct:gains_db': { lna: 10 } });
  await writeFile(join(run, 'rx.sigmf-meta'), JSON.stringify(meta));
  const stepped = await loadRecordedChannel(run);
  assert.ok(Math.abs(stepped.facts.snrDb - 20) < 0.5, `${stepped.facts.snrDb} dB`);
  for (const [i, v] of plain.response.entries())
    assert.ok(Math.abs(v - stepped.trace.response[i]) < 0.05, `value ${i}`);
  const json = await runJson(run);
  await writeFile(join(run, 'run.json'), JSON.stringify({ ...json, device: { ...json.device, soundingsForGains: 3 } }));
  assert.equal((await loadRecordedChannel(run)).facts.bursts, 1);
});
