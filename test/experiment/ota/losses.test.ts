import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { senderCodec } from '../../../src/experiment/config/link-codecs.ts';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { runPicture } from '../../../src/experiment/loopback/picture-run.ts';
import { linkCaptures } from '../../../src/experiment/ota/link-run.ts';
import { radioEnd } from '../../../src/experiment/ota/radio-end.ts';
import { RadioExchange } from '../../../src/experiment/ota/radio-exchange.ts';
import type { LoopbackDrop } from '../../../src/radio/loopback/loopback-path.ts';
import { LoopbackRadio } from '../../../src/radio/loopback/loopback-radio.ts';
import type { Radio } from '../../../src/radio/radio.ts';
import { noise, runByItself } from '../../link/session/helpers.ts';
import { io, photo, replay, scratch } from '../link-helpers.ts';

/** A loopback radio that says of itself what a board says: its time does not wait. */
function board(radio: LoopbackRadio): Radio {
  return {
    uri: 'test',
    capabilities: { ...radio.capabilities, realtime: true },
    openRx: (request) => radio.openRx(request),
    openTx: (request) => radio.openTx(request),
    close: () => radio.close(),
    describe: () => radio.describe(),
  };
}

async function link(at: string, drops: readonly LoopbackDrop[], maxDrops: number) {
  const path = await photo(join(at, 'photo.png'), 96, 64);
  const config = resolveLinkConfig({
    codec: 'classical',
    format: 'jpeg',
    cbr: 1,
    numerology: 6,
    soundings: 2,
    maxCsiAgeMs: 60_000,
    maxDrops,
  });
  const coding = await senderCodec(config);
  const ends = { tx: radioEnd(config, 'file:there', 'tx', coding), rx: radioEnd(config, 'file:here', 'rx', coding) };
  const [near, far] = LoopbackRadio.pair(
    { channel: noise(25, 'there'), rateHz: config.rateHz, blockSamples: 4096, drops },
    noise(25, 'back'),
  );
  const clock = runByItself(near);
  const signal = new AbortController().signal;
  const files = {};
  const run = await runPicture(
    {
      config,
      settings: config,
      photo: { kind: 'file', path },
      coding,
      modelled: false,
      channel: 'link',
      numerology: ends.rx.setup.numerology,
      directory: join(at, 'run'),
      loOffsetHz: 0,
      open: async (run, name) => {
        const exchange = new RadioExchange({
          ...ends,
          permission: null,
          signal,
          radios: { tx: board(near), rx: board(far) },
          captures: async (tx, rx) => Object.assign(files, await linkCaptures(run, name, ends, tx, rx)),
        });
        return { exchange, captures: files, frequencyHz: undefined };
      },
    },
    io(join(at, 'run')),
  );
  clock.stop();
  return run;
}

test('samples that a radio loses reach metrics, frames and the exit code, and the replay agrees', async (t) => {
  const at = await scratch(t);
  // One each 20 ms: however late the receiver is opened, it meets some.
  const drops = Array.from({ length: 500 }, (_, i) => ({ at: 3000 + 38_400 * i, samples: 5 }));
  const run = await link(at, drops, 4);
  assert.ok(run.metrics.lostSamples! >= 5 && run.metrics.lostSamples! % 5 === 0, `${run.metrics.lostSamples} lost`);
  assert.equal(run.exitCode, 6, run.report.warnings.join('; '));
  assert.ok(run.metrics.psnrDb! > 20, 'the picture came all the same');
  const again = await replay(join(at, 'run'), join(at, 'again'), true);
  assert.deepEqual(again.differences, []);
});

test('a loss inside a burst makes it suspect; within --max-drops the exit code is 0', async (t) => {
  const at = await scratch(t);
  const drops = Array.from({ length: 400 }, (_, i) => ({ at: 2000 + 4000 * i, samples: 8 }));
  const run = await link(at, drops, 1e6);
  const frames = (await readFile(join(at, 'run', 'frames.jsonl'), 'utf8')).trim().split('\n');
  const suspect = frames.map((l) => JSON.parse(l).suspect).filter((s) => s !== null);
  assert.ok(suspect.length > 0 && suspect.every((s) => /samples lost inside/.test(s)), String(suspect));
  assert.ok(run.metrics.lostSamples! > 0);
  assert.notEqual(run.exitCode, 6);
});
