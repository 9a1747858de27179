import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { runReceive } from '../../../src/experiment/receive/receive-run.ts';
import { runReplay } from '../../../src/experiment/replay/replay.ts';
import { RUN_FILES } from '../../../src/experiment/run/run-files.ts';
import type { TelemetryEvent } from '../../../src/link/telemetry.ts';
import { io, loopback, photo, scratch } from '../link-helpers.ts';

const QUICK = { codec: 'classical', format: 'jpeg', cbr: 1 / 4, numerology: 15, channel: 'awgn', snrDb: 15 } as const;

function watcher() {
  const events: TelemetryEvent[] = [];
  const of = <T extends TelemetryEvent['topic']>(topic: T) =>
    events.filter((e): e is Extract<TelemetryEvent, { topic: T }> => e.topic === topic);
  return { telemetry: { tell: (event: TelemetryEvent) => void events.push(event) }, of };
}

test('a replay and a receiver tell what they hear, and watching changes no metric', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 96, 64);
  const run = await loopback(source, join(at, 'run'), QUICK);
  const listener = {
    ...resolveLinkConfig(QUICK),
    from: `file:${join(run.directory, RUN_FILES.rx)}`,
    reference: source,
  };
  const again = watcher();
  const heard = watcher();
  const replayed = await runReplay(
    { source: run.directory, check: true, given: {} },
    io(join(at, 'again'), { telemetry: again.telemetry }),
  );
  assert.deepEqual(replayed.differences, []);
  const received = await runReceive(listener, io(join(at, 'heard'), { telemetry: heard.telemetry }));

  for (const { of } of [again, heard]) {
    assert.equal(of('run')[0].state, 'starting');
    assert.deepEqual(
      of('burst').map((b) => b.use),
      ['sounding', 'data'],
    );
    assert.deepEqual([of('source')[0].width, of('source')[0].height], [96, 64]);
    assert.ok(of('spectrum').length > 0 && of('status').length > 0);
  }
  for (const [{ of }, result] of [
    [again, replayed],
    [heard, received],
  ] as const) {
    const end = of('run').at(-1)!;
    assert.deepEqual([end.state, end.exitCode], ['ended', 0]);
    assert.equal(end.metrics!.psnrDb, result.metrics.psnrDb);
    assert.equal(of('picture').at(-1)!.psnrDb, run.metrics.psnrDb);
  }
});

test('a replay that fails says so to who watches', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 96, 64);
  const run = await loopback(source, join(at, 'run'), QUICK);
  const { telemetry, of } = watcher();
  const config = { source: join(run.directory, RUN_FILES.rx), check: false, given: { numerology: 6 } };
  await assert.rejects(runReplay(config, io(join(at, 'again'), { telemetry })), /no burst/);
  const end = of('run').at(-1)!;
  assert.deepEqual([end.state, end.exitCode, end.metrics], ['ended', 4, null]);
});
