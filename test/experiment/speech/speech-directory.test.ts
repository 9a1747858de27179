import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ExitCode, UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { ReceiverCodecs } from '../../../src/experiment/config/link-codecs.ts';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { runLink } from '../../../src/experiment/ota/link-run.ts';
import { runReceive } from '../../../src/experiment/receive/receive-run.ts';
import { runReplay } from '../../../src/experiment/replay/replay.ts';
import { readRun } from '../../../src/experiment/run/run-directory.ts';
import { runSend } from '../../../src/experiment/send/send-run.ts';
import { runRecordedSpeech } from '../../../src/experiment/speech/speech-run.ts';
import type { DecodedMixed } from '../../../src/sct/codec/mixed.ts';
import { encodeMixedSide } from '../../../src/sct/codec/mixed-side.ts';
import { rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { encodePng } from '../../../src/sct/image/save.ts';
import { readWav, writeWav } from '../../../src/sct/speech/speech.ts';
import { utterance } from '../../sct/speech/voices.ts';
import { photo as photoFile, io as runIo, scratch } from '../link-helpers.ts';

const SPEECH = utterance(1.1);
const WAV = writeWav({ rateHz: 16_000, ...SPEECH }, true);
const SYMBOLS = 9000;

test('a run of speech says all that made it, and a replay of its capture gives its metrics', async (t) => {
  const folder = await scratch(t);
  const path = join(folder, 'voice.wav');
  await writeFile(path, WAV);
  const words = { path, symbols: SYMBOLS };
  const config = resolveLinkConfig({ snrDb: 10, seed: 5, numerology: 6 });
  const { speech, metrics, directory, exitCode } = await runRecordedSpeech(
    config,
    words,
    undefined,
    runIo(join(folder, 'run')),
  );
  assert.equal(exitCode, ExitCode.ok);
  assert.ok(speech.ok && speech.stoi! > 0.5 && metrics.speech!.stoi === speech.stoi);
  assert.equal(metrics.codec, 'speech');
  assert.deepEqual([metrics.psnrDb, metrics.symbolsPerPixel, metrics.sfvs], [null, null, []]);

  const { manifest, metrics: stored } = await readRun(directory);
  assert.equal(manifest.exit.state, 'ok');
  assert.equal(manifest.seed, 5);
  assert.deepEqual(manifest.config.speech, words);
  assert.ok(manifest.host.cores > 0 && manifest.packageVersion);
  assert.equal((stored!.speech as { stoi: number }).stoi, speech.stoi);
  // The original sample for sample: a replay judges by the same.
  assert.deepEqual([...readWav(await readFile(join(directory, 'source.wav'))).samples], [...SPEECH.samples]);
  assert.equal(readWav(await readFile(join(directory, 'received.wav'))).samples.length, SPEECH.samples.length);
  for (const name of ['tx.sigmf-meta', 'rx.sigmf-data', 'frames.jsonl', 'allocation.json', 'config.resolved.yaml']) {
    assert.ok(existsSync(join(directory, name)), name);
  }
  const page = await readFile(join(directory, 'report.html'), 'utf8');
  assert.match(page, /media-src data:/);
  assert.equal(page.match(/<audio controls src="data:audio\/wav;base64,/g)?.length, 2);
  assert.ok(!page.includes('flat grey'), 'no picture was asked for');
  assert.equal(page.match(/aria-label="Spectrogram of the (source|received) speech/g)?.length, 2);
  assert.ok(page.includes('<title>SFV 0, '), 'which stretch is which');

  const again = await runReplay({ source: directory, check: true, given: {} }, runIo(join(folder, 'again')));
  assert.deepEqual(again.differences, []);
  assert.equal(again.exitCode, ExitCode.ok);
  // A check that cannot fail is none.
  await writeFile(
    join(directory, 'source.wav'),
    writeWav({ rateHz: 16_000, samples: SPEECH.samples.toReversed() }, true),
  );
  const other = await runReplay({ source: directory, check: true, given: {} }, runIo(join(folder, 'other')));
  assert.equal(other.exitCode, ExitCode.replayDiffers);
  assert.ok(other.differences!.some((d) => d.path === 'speech.stoi'));
});

test('speech goes through a file from send to receive, alone and beside a photo', async (t) => {
  const folder = await scratch(t);
  const path = join(folder, 'voice.wav');
  await writeFile(path, WAV);
  const photo = join(folder, 'photo.png');
  const image = rgbImage(
    64,
    64,
    Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => 128 + 90 * Math.sin(i / 97)),
  );
  await writeFile(photo, await encodePng(image));
  const config = resolveLinkConfig({ codec: 'classical', numerology: 6, assumeSnrDb: 15 });
  const air = join(folder, 'air');
  const speech = { path, symbols: SYMBOLS };
  const sent = await runSend({ ...config, speech, to: `file:${air}` }, runIo(join(folder, 'sent')));
  assert.ok('metrics' in sent && sent.exitCode === ExitCode.ok);
  assert.equal(sent.metrics.speech!.outage, null, 'a sender does not hear what arrives');
  assert.ok(sent.metrics.speech!.symbols! > 1000);
  const receive = { ...resolveLinkConfig({ numerology: 6 }), from: `file:${air}` };
  const heard = await runReceive({ ...receive, reference: path }, runIo(join(folder, 'heard')));
  assert.equal(heard.exitCode, ExitCode.ok);
  assert.ok(heard.metrics.speech!.stoi! > 0.8, `${heard.metrics.speech!.stoi}`);
  const alone = await runReceive(receive, runIo(join(folder, 'alone')));
  assert.equal(alone.exitCode, ExitCode.ok);
  assert.equal(alone.metrics.speech!.stoi, null, 'no original is here');
  assert.equal(alone.metrics.speech!.priority, null);
  assert.ok(existsSync(join(folder, 'alone', 'received.wav')));
  const again = await runReplay(
    { source: join(folder, 'heard'), check: true, given: {} },
    runIo(join(folder, 'again')),
  );
  assert.deepEqual(again.differences, []);

  await writeFile(join(folder, 'other.wav'), writeWav({ rateHz: 16_000, ...utterance(0.9, 7) }));
  const other = { ...receive, reference: join(folder, 'other.wav') };
  const { metrics } = await runReceive(other, runIo(join(folder, 'not-it')));
  assert.deepEqual([metrics.speech!.stoi, metrics.speech!.outage], [null, 0], 'of another length: another source');

  const uri = `file:${join(folder, 'linked')}`;
  const linked = await runLink({ ...config, speech, tx: uri, rx: uri }, runIo(join(folder, 'link')));
  assert.ok('metrics' in linked && linked.exitCode === ExitCode.ok);
  assert.ok(linked.metrics.speech!.stoi! > 0.8 && linked.metrics.mapping === 'matched');
  const replayed = await runReplay({ source: linked.directory, check: true, given: {} }, runIo(join(folder, 'replay')));
  assert.deepEqual(replayed.differences, []);

  const both = join(folder, 'both');
  const mixed = { ...config, photo: { kind: 'file', path: photo } as const, speech: { path, symbols: 20_000 } };
  await runSend({ ...mixed, to: `file:${both}` }, runIo(join(folder, 'sent-both')));
  const got = await runReceive({ ...receive, from: `file:${both}`, reference: photo }, runIo(join(folder, 'got')));
  assert.equal(got.exitCode, ExitCode.ok, got.outcome);
  assert.equal(got.metrics.codec, 'mixed');
  assert.ok(got.metrics.psnrDb! > 15 && got.metrics.speech!.outage === 0);
  for (const name of ['received.png', 'received.wav']) assert.ok(existsSync(join(folder, 'got', name)), name);
});

test('a run of both judges both again', async (t) => {
  const folder = await scratch(t);
  const path = join(folder, 'voice.wav');
  await writeFile(path, WAV);
  const photo = { kind: 'file', path: await photoFile(join(folder, 'photo.png'), 64, 64) } as const;
  const config = resolveLinkConfig({ codec: 'classical', numerology: 6 });
  const run = await runRecordedSpeech(
    config,
    { path, symbols: 20_000, priority: 2 },
    photo,
    runIo(join(folder, 'run')),
  );
  assert.equal(run.exitCode, ExitCode.ok);
  assert.ok(run.speech.psnrDb! > 15 && run.speech.stoi! > 0.5 && run.speech.priority === 2);
  const again = await runReplay({ source: run.directory, check: true, given: {} }, runIo(join(folder, 'again')));
  assert.deepEqual(again.differences, []);
  assert.equal(again.metrics.speech!.priority, 2);
});

test('what a burst says of the picture beside speech is bounded: no speech inside speech, no codec that is none', async () => {
  const codecs = new ReceiverCodecs(resolveLinkConfig({}));
  const codec = await codecs.find('mixed', 0);
  const none = new Uint8Array(0);
  for (const id of [5, 6, 7]) {
    const sideInfo = encodeMixedSide({ codec: id, streams: 1, picture: none, speech: none });
    await assert.rejects(codec.decode({ sideInfo, streams: [] }), UsageError);
  }
  const random = new RandomStream('hostile side information');
  for (let i = 0; i < 300; i++) {
    const sideInfo = random.bytes(random.integer(60));
    // Of codecs 1 to 4 the first: the others have model sets.
    if (sideInfo.length > 0) sideInfo[0] = 0x20;
    const streams = [0, 1].map((id) => ({ id, kind: 'bits' as const, payload: random.bytes(30), missing: [] }));
    const { speech } = (await codec.decode({ sideInfo, streams })) as DecodedMixed;
    assert.ok(!speech.decodable || speech.speech!.samples.every(Number.isFinite));
  }
});
