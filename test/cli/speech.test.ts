import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readRun } from '../../src/experiment/run/run-directory.ts';
import { readWav, writeWav } from '../../src/sct/speech/speech.ts';
import { scratch } from '../experiment/link-helpers.ts';
import { utterance } from '../sct/speech/voices.ts';
import { sctInside } from './helpers.ts';

test('sct speech sends a WAV file and writes what was heard; wrong input is refused with its exit code', async (t) => {
  const folder = await scratch(t);
  const wav = join(folder, 'voice.wav');
  const { samples } = utterance(0.8);
  await writeFile(wav, writeWav({ rateHz: 16_000, samples }));
  const out = join(folder, 'heard');
  const sent = await sctInside(['speech', wav, '--snr', '12', '--symbols', '9000', '--json', '-o', out]);
  assert.equal(sent.code, 0, sent.stderr);
  const metrics = JSON.parse(sent.stdout) as { schema: string; ok: boolean; stoi: number; symbols: number };
  assert.equal(metrics.schema, 'sct.speech/1');
  assert.ok(metrics.ok && metrics.stoi > 0.5 && metrics.symbols <= 9000, sent.stdout);
  const heard = readWav(await readFile(join(out, 'received.wav')));
  assert.equal(heard.samples.length, samples.length);

  const none = await sctInside(['speech', join(folder, 'none.wav')]);
  assert.equal(none.code, 2, none.stderr);
  assert.match(none.stderr, /none\.wav: no such file/);
  await writeFile(wav, 'no sound');
  const wrong = await sctInside(['speech', wav]);
  assert.equal(wrong.code, 2, wrong.stderr);
  assert.match(wrong.stderr, /RIFF/);
  const run = await readRun(out);
  assert.equal(run.manifest.exit.code, 0);
  assert.deepEqual(run.manifest.config.speech, { path: wav, symbols: 9000 });
  const told = JSON.parse(await readFile(join(out, 'speech.json'), 'utf8')) as object;
  assert.deepEqual(told, JSON.parse(sent.stdout));
});

test('words that say nothing, and speech that holds nothing, end with their exit codes', async (t) => {
  const folder = await scratch(t);
  const wav = join(folder, 'voice.wav');
  const send = async (samples: Float32Array) => {
    await writeFile(wav, writeWav({ rateHz: 16_000, samples }, true));
    return sctInside(['speech', wav, '--numerology', '6', '--symbols', '6000', '--json', '-o', join(folder, 'out')]);
  };
  // Silence, a constant, 10 ms, one sample: nothing to understand, and nothing is lost.
  for (const samples of [
    new Float32Array(8000),
    new Float32Array(8000).fill(0.3),
    new Float32Array(160).fill(0.1),
    Float32Array.of(0.5),
  ]) {
    const { code, stdout, stderr } = await send(samples);
    assert.equal(code, 0, `${samples.length}: ${stderr}`);
    const { ok, outage } = JSON.parse(stdout) as { ok: boolean; outage: number };
    assert.deepEqual([ok, outage], [true, 0]);
  }
  assert.match((await send(new Float32Array(9).fill(3e38))).stderr, /times full scale/);
  const few = await sctInside(['speech', wav, '--symbols', '10', '-o', join(folder, 'out')]);
  assert.equal(few.code, 2, few.stderr);
  await writeFile(wav, writeWav({ rateHz: 16_000, ...utterance(0.5) }));
  for (const [words, message] of [
    [['--kind', 'better'], /analog, coded/],
    [['--priority', '0', '--photo', wav], /PNG|image|photo|picture|read/i],
    [['--max-speech-sfvs', '0'], /SFVs/],
    [['--symbols', 'many'], /--symbols/],
    [['--feedback', 'burst'], /feedback/],
  ] as const) {
    const { code, stderr } = await sctInside(['speech', wav, ...words, '-o', join(folder, 'out')]);
    assert.equal(code, 2, `${words}: ${stderr}`);
    assert.match(stderr, message);
  }
  assert.equal((await sctInside(['speech', folder])).code, 2);
  const idle = await sctInside(['send', '--demo', '--priority', '2', '--to', `file:${join(folder, 'air')}`]);
  assert.equal(idle.code, 2);
  assert.match(idle.stderr, /--priority: no speech is sent/);
  const lost = await sctInside(['send', join(folder, 'none.wav'), '--to', `file:${join(folder, 'air')}`]);
  assert.equal(lost.code, 2, lost.stderr);
});
