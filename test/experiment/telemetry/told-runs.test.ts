import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { runLoopback } from '../../../src/experiment/loopback/loopback-run.ts';
import { RUN_FILES } from '../../../src/experiment/run/run-files.ts';
import type { RunResult } from '../../../src/experiment/run/run-io.ts';
import { runSend } from '../../../src/experiment/send/send-run.ts';
import { runSound } from '../../../src/experiment/send/sound-run.ts';
import { watchStream } from '../../../src/experiment/telemetry/stream-watch.ts';
import type { TelemetryEvent } from '../../../src/link/telemetry.ts';
import { FileRadio } from '../../../src/radio/file/file-radio.ts';
import { record } from '../../../src/radio/recorder.ts';
import { CaptureWriter } from '../../../src/radio/sigmf/capture-writer.ts';
import { io, loopback, photo, scratch } from '../link-helpers.ts';

const QUICK = { codec: 'classical', format: 'jpeg', cbr: 1 / 4, numerology: 15, channel: 'awgn', snrDb: 15 } as const;

function watcher(told: (event: TelemetryEvent) => void = () => {}) {
  const events: TelemetryEvent[] = [];
  const of = <T extends TelemetryEvent['topic']>(topic: T) =>
    events.filter((e): e is Extract<TelemetryEvent, { topic: T }> => e.topic === topic);
  const tell = (event: TelemetryEvent) => {
    events.push(event);
    told(event);
  };
  return { telemetry: { tell }, of };
}

/** Metrics without what no two runs share. */
function comparable({ metrics }: RunResult): object {
  return { ...metrics, timings: {}, files: {} };
}

test('a loopback at a pace: the picture before its end, a budget, sentences; and the metrics of one that nobody watches', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 96, 64);
  const { telemetry, of } = watcher();
  const config = { ...resolveLinkConfig(QUICK), photo: { kind: 'file', path: source } } as const;
  const watched = (await runLoopback(config, io(join(at, 'watched'), { telemetry, pace: 0.5 }))) as RunResult;
  const alone = await loopback(source, join(at, 'alone'), QUICK);
  assert.deepEqual(comparable(watched), comparable(alone as RunResult));

  const stages = of('picture').map(({ stage }) => stage);
  assert.deepEqual(stages.slice(-2), ['before', 'after']);
  assert.ok(stages.length > 2, 'and as it came');
  const run = of('run').at(-1)!;
  assert.deepEqual([run.command, run.levelUnit, run.exitCode], ['test', 'dB', 0]);
  assert.match(run.outcome!, /^the picture arrived: PSNR \d/);
  const texts = of('log').map(({ text }) => text);
  assert.match(texts[0], /photo.*classical.*modelled awgn/);
  assert.ok(
    texts.some((text) => /^plan: .* burst/.test(text)),
    texts.join('\n'),
  );
  const budget = of('status').at(-1)!.budget!;
  assert.equal(budget.predictedSnrDb, 15);
  const { mapping, mappingReason } = watched.metrics;
  const sending = of('run').findLast(({ state }) => state === 'running')!;
  for (const each of [sending, run]) assert.deepEqual([each.mapping, each.mappingReason], [mapping, mappingReason]);
  const [data] = of('burst').filter(({ use }) => use === 'data');
  assert.ok(data.codeRate.length === 15 && data.codeRate.every((rate) => rate >= 0 && rate < 1));
});

test('a modelled sounding that is watched goes on until it is stopped, and has metrics then', async (t) => {
  const at = await scratch(t);
  const controller = new AbortController();
  const { telemetry, of } = watcher((event) => {
    if (event.topic === 'burst' && of('burst').length === 3) controller.abort();
  });
  const link = resolveLinkConfig({ numerology: 6, channel: 'awgn', snrDb: 20 });
  const directory = join(at, 'run');
  const result = await runSound(
    { ...link, tx: 'loopback', rx: 'loopback' },
    io(directory, { telemetry, signal: controller.signal }),
  );
  const mean = result.metrics.rbSnrDb!.reduce((sum: number, db) => sum + db!, 0) / 6;
  assert.ok(Math.abs(mean - 20) < 1.5, `${mean} dB`);
  assert.ok(existsSync(join(directory, RUN_FILES.metrics)));
  const manifest = JSON.parse(readFileSync(join(directory, RUN_FILES.manifest), 'utf8'));
  assert.deepEqual([manifest.exit.state, manifest.exit.code], ['interrupted', 130]);
  const [end] = of('run').slice(-1);
  assert.deepEqual([end.state, end.exitCode, end.outcome], ['ended', 130, 'stopped']);
  for (const { codec, mapping } of of('run')) assert.deepEqual([codec, mapping], [null, null], 'no picture is sent');
});

test('a sending tells its plan and its end; a recording its samples, levels and losses', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 96, 64);
  const sending = watcher();
  const config = { ...resolveLinkConfig({ ...QUICK, snrDb: undefined }), to: `file:${join(at, 'air')}` };
  await runSend(
    { ...config, photo: { kind: 'file', path: source } },
    io(join(at, 'sent'), { telemetry: sending.telemetry }),
  );
  assert.match(sending.of('run').at(-1)!.outcome!, /^sent: \d+ bursts/);
  assert.ok(sending.of('log').some(({ text }) => text.startsWith('plan: ')));
  assert.ok(sending.of('status').length > 0);

  const { telemetry, of } = watcher();
  const radio = new FileRadio(join(at, 'air'));
  const rx = await radio.openRx({});
  const { format, fullScale, rateHz } = rx.settings;
  const writer = await CaptureWriter.create(join(at, 'copy'), { format, fullScale, rateHz });
  const watch = watchStream(telemetry, 'record', ['sct', 'record'], 'file:air', radio, rx, writer);
  const { summary } = await record(watch.rx, writer, { realtime: false, queued: watch.queued });
  watch.ended(0, `recorded: ${summary.samples} samples`, { samples: summary.samples });
  const [status] = of('status');
  assert.deepEqual([status.lostMax, status.gaps, status.queued, status.bytesPerS], [0, 0, 0, 0]);
  assert.ok(of('spectrum').length > 0);
  const end = of('run').at(-1)!;
  assert.deepEqual([end.command, end.title, end.metrics], ['record', 'copy', { samples: summary.samples }]);
  const meta = JSON.parse(readFileSync(join(at, 'copy.sigmf-meta'), 'utf8'));
  assert.equal(meta.global['sct:sample_count'], summary.samples);
});
