import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
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
  assert.equal(none.code, 3, none.stderr);
  await writeFile(wav, 'no sound');
  const wrong = await sctInside(['speech', wav]);
  assert.equal(wrong.code, 2, wrong.stderr);
  assert.match(wrong.stderr, /RIFF/);
  const kind = await sctInside(['speech', wav, '--kind', 'better']);
  assert.match(kind.stderr, /analog, coded/);
});
