import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { runSpeech } from '../../../src/experiment/speech/speech-run.ts';
import { rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { utterance } from '../../sct/speech/voices.ts';

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
