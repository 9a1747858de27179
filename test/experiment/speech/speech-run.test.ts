import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ExitCode, type UsageError } from '../../../src/common/errors.ts';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { runRecordedSpeech, runSpeech } from '../../../src/experiment/speech/speech-run.ts';
import { rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { writeWav } from '../../../src/sct/speech/speech.ts';
import { utterance } from '../../sct/speech/voices.ts';
import { io as runIo, scratch } from '../link-helpers.ts';

const SPEECH = utterance(1.2);

test('speech goes through modem and channel inside its budget, and what is heard follows the SNR', async () => {
  let before = 0;
  for (const snrDb of [2, 20]) {
    const { metrics, received, exitCode } = await runSpeech(resolveLinkConfig({ snrDb, seed: 3 }), {
      speech: SPEECH,
      symbols: 9000,
    });
    assert.equal(exitCode, 0, metrics.note ?? '');
    assert.equal(metrics.outage, 0);
    assert.ok(metrics.symbols <= 9000 && metrics.symbols > 5000, `${metrics.symbols}`);
    assert.equal(received!.samples.length, SPEECH.samples.length);
    assert.ok(metrics.stoi! > before, `${snrDb} dB: ${metrics.stoi} after ${before}`);
    assert.ok(metrics.sfvs.some((s) => s.state === 'received'));
    before = metrics.stoi!;
  }
  assert.ok(before > 0.75, `STOI ${before}`);
});

test('speech that no coding fits into its budget over this channel counts as silence, with the reason', async (t) => {
  const io = runIo(join(await scratch(t), 'run'));
  const path = join(await scratch(t), 'voice.wav');
  await writeFile(path, writeWav({ rateHz: 16_000, ...SPEECH }));
  const config = resolveLinkConfig({ snrDb: -3, numerology: 6 });
  const { speech, metrics, exitCode } = await runRecordedSpeech(config, { path, symbols: 2200 }, undefined, io);
  assert.equal(exitCode, ExitCode.quality);
  assert.deepEqual([speech.outage, speech.stoi, speech.note, speech.symbols], [1, 0, 'nothing was sent', 0]);
  assert.deepEqual([metrics.unsent, metrics.codec, metrics.psnrDb], ['budget', 'speech', null]);
  // The hint is in the words of this command, and was tried.
  const none = runSpeech(config, { speech: SPEECH, symbols: 100 });
  await assert.rejects(none, (e: UsageError) => /^give at least --symbols \d+,/.test(e.hint ?? ''));
});

test('however short speech is, the usual budget has room for it', async () => {
  for (const numerology of [6, 50] as const) {
    const { metrics, exitCode } = await runSpeech(resolveLinkConfig({ numerology }), {
      speech: { samples: SPEECH.samples.slice(3000, 3160) },
    });
    assert.equal(exitCode, ExitCode.ok, `${numerology} subbands`);
    assert.deepEqual([metrics.outage, metrics.stoi], [0, null], 'too short to judge');
  }
});

test('the coded reference goes the same way', async () => {
  const { metrics, exitCode } = await runSpeech(resolveLinkConfig({ snrDb: 15 }), {
    speech: SPEECH,
    symbols: 9000,
    kind: 'coded',
  });
  assert.equal(exitCode, 0, metrics.note ?? '');
  assert.equal(metrics.sideInfoBytes, 0);
  assert.ok(metrics.stoi! > 0.75, `STOI ${metrics.stoi}`);
});

test('what matters more has the better RBs, whichever modality it is of, and neither for its size alone', async () => {
  const image = rgbImage(
    192,
    160,
    Uint8Array.from({ length: 192 * 160 * 3 }, (_, i) => 128 + 90 * Math.sin(i / 97)),
  );
  const words = {
    channel: 'eva',
    dopplerHz: 1,
    snrDb: 12,
    numerology: 15,
    seed: 2,
    harq: 0,
    codec: 'classical',
  } as const;
  const of = async (priority: number) => {
    const { metrics } = await runSpeech(resolveLinkConfig(words), { speech: SPEECH, image, symbols: 20_000, priority });
    return { speech: metrics.speechSnrDb!, picture: metrics.pictureSnrDb! };
  };
  const [less, alike, more] = [await of(1 / 8), await of(1), await of(8)];
  assert.ok(less.picture > less.speech + 1, JSON.stringify(less));
  assert.ok(more.speech > more.picture + 1, JSON.stringify(more));
  assert.ok(more.speech > less.speech && less.picture > more.picture);
  assert.ok(alike.speech >= less.speech && alike.speech <= more.speech + 0.5, JSON.stringify({ less, alike, more }));
});

test('beside a picture both share one budget, and priority moves it', async () => {
  const image = rgbImage(
    96,
    96,
    Uint8Array.from({ length: 96 * 96 * 3 }, (_, i) => 128 + 90 * Math.sin(i / 97)),
  );
  const config = resolveLinkConfig({ codec: 'classical', snrDb: 15 });
  const share = async (priority: number) => {
    const { metrics } = await runSpeech(config, { speech: SPEECH, image, symbols: 16_000, priority });
    assert.ok(metrics.symbols <= 16_000);
    assert.equal(metrics.codec, 'mixed');
    assert.equal(metrics.outage, 0, metrics.note ?? '');
    assert.ok(metrics.psnrDb! > 15, `${metrics.psnrDb}`);
    return metrics.speechSymbols!;
  };
  const [little, much] = [await share(0.1), await share(1)];
  assert.ok(much > 1.3 * little, `${little} and ${much}`);
});
