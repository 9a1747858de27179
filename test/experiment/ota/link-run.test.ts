import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { runLink } from '../../../src/experiment/ota/link-run.ts';
import { loadRecordedChannel } from '../../../src/experiment/replay/recorded-channel.ts';
import type { RunResult } from '../../../src/experiment/run/run-io.ts';
import { io, photo, replay, scratch } from '../link-helpers.ts';

const QUICK = { codec: 'classical', format: 'jpeg', cbr: 1 / 2, numerology: 6, soundings: 2 } as const;

test('link over a file: report, picture by it, captures, ages; replay --check reproduces it; it is a channel trace', async (t) => {
  const at = await scratch(t);
  const path = await photo(join(at, 'photo.png'), 160, 120);
  const uri = `file:${join(at, 'air')}`;
  const directory = join(at, 'run');
  const config = { ...resolveLinkConfig(QUICK), photo: { kind: 'file' as const, path }, tx: uri, rx: uri };
  const run = (await runLink(config, io(directory))) as RunResult;
  assert.equal(run.exitCode, 0, run.report.warnings.join('; '));
  assert.ok(run.metrics.psnrDb! > 25, `PSNR ${run.metrics.psnrDb}`);
  assert.notEqual(run.metrics.mapping, 'robust');
  assert.equal(run.metrics.channel, null, 'nothing is modelled');
  assert.ok(run.metrics.csiAgeMs! > 0 && run.metrics.csiAgeMs! < 2000, `age ${run.metrics.csiAgeMs}`);
  const frames = (await readFile(join(directory, 'frames.jsonl'), 'utf8')).trim().split('\n');
  const data = frames.map((l) => JSON.parse(l)).filter((f) => f.use === 'data');
  assert.ok(data.length > 0 && data.every((f) => typeof f.csiAgeMs === 'number'));
  for (const which of ['tx', 'rx']) {
    const meta = JSON.parse(await readFile(join(directory, `${which}.sigmf-meta`), 'utf8'));
    const labels = meta.annotations.map((a: Record<string, unknown>) => a['core:label']);
    assert.ok(labels.includes('burst sounding') && labels.includes('burst data'), `${which}: ${labels}`);
  }
  const again = await replay(directory, join(at, 'again'), true);
  assert.deepEqual(again.differences, []);
  const trace = await loadRecordedChannel(directory);
  assert.equal(trace.facts.bursts, frames.length);
});

test('a board is not touched without a frequency, a band or a cable; a half-way given pair is refused', async (t) => {
  const at = await scratch(t);
  const path = await photo(join(at, 'photo.png'), 160, 120);
  const link = (more: object, tx = 'hackrf:1', rx = 'hackrf:2') =>
    runLink(
      { ...resolveLinkConfig({ ...QUICK, ...more }), photo: { kind: 'file', path }, tx, rx },
      io(join(at, 'run')),
    );
  await assert.rejects(link({}), /no frequency/);
  await assert.rejects(link({ frequencyHz: 868.3e6 }), /may not transmit: no band is allowed and no --cabled/);
  await assert.rejects(
    link({ frequencyHz: 868.3e6, cabledDb: 10, txGainDb: 47 }),
    /behind 10 dB the receiver gets up to/,
  );
  await assert.rejects(link({ frequencyHz: 868.3e6, cabledDb: 60, txGainDb: 48 }), /--tx-gain 48 dB is out of range/);
  await assert.rejects(
    link({ frequencyHz: 868.3e6, cabledDb: 60, numerology: 50 }, 'hackrf', 'pluto:usb'),
    /without gaps/,
  );
  await assert.rejects(
    link({ frequencyHz: 868.3e6, cabledDb: 60, feedback: 'ws://host:1' }, 'hackrf:1', 'hackrf:2'),
    /both ends are in this process/,
  );
});
