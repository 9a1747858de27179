// sct spectrum, sct tone and sct doctor, on recordings and up to the edge of a board.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { RandomStream } from '../../src/common/random.ts';
import { openRadio } from '../../src/radio/open-radio.ts';
import { scratch, sctInside } from './helpers.ts';

const RATE_HZ = 1e6;

/** A recording of a tone at +100 kHz, -20 dBFS, over noise of -60 dBFS. */
async function recording(folder: string): Promise<string> {
  const samples = 100_000;
  const random = new RandomStream(4);
  const sigma = Math.sqrt(1e-6 / 2);
  const reIm = new Float32Array(2 * samples);
  for (let n = 0; n < samples; n++) {
    const angle = 2 * Math.PI * 0.1 * n;
    reIm[2 * n] = 0.1 * Math.cos(angle) + sigma * random.normal();
    reIm[2 * n + 1] = 0.1 * Math.sin(angle) + sigma * random.normal();
  }
  const uri = `file:${join(folder, 'air')}`;
  const radio = await openRadio(uri);
  const tx = await radio.openTx({ rateHz: RATE_HZ, frequencyHz: 868e6 });
  await tx.write(reIm);
  await tx.close();
  await radio.close();
  return uri;
}

test('spectrum of a recording: figures, picture and every bin', async (t) => {
  const folder = await scratch(t);
  const uri = await recording(folder);
  const out = join(folder, 'spectrum');
  const ended = await sctInside(['spectrum', uri, '--duration', '0.1', '--bins', '512', '-o', out, '--json']);
  assert.equal(ended.code, 0, ended.stderr);
  const said = JSON.parse(ended.stdout);
  assert.equal(said.schema, 'sct.spectrum/1');
  assert.equal(said.samples, 100_000);
  assert.ok(Math.abs(said.tone.frequencyHz - 868.1e6) < 10, String(said.tone.frequencyHz));
  assert.ok(Math.abs(said.tone.dbfs + 20) < 0.1);
  assert.ok(Math.abs(said.noiseFloorDbfs + 60) < 0.3, String(said.noiseFloorDbfs));
  assert.deepEqual(said.files, [`${out}.svg`, `${out}.json`]);
  assert.match(await readFile(`${out}.svg`, 'utf8'), /^<svg /);
  const written = JSON.parse(await readFile(`${out}.json`, 'utf8'));
  assert.equal(written.bins.meanDbfs.length, 512);
  const text = await sctInside(['spectrum', uri, '--duration', '0.05']);
  assert.match(text.stdout, /noise floor +-60\.\d dBFS in 1 MHz/);
});

test('spectrum: what is wrong is said before anything is opened or heard', async (t) => {
  const folder = await scratch(t);
  const uri = await recording(folder);
  for (const [words, code, message] of [
    [['spectrum'], 2, /missing required argument/],
    [['spectrum', 'loopback'], 2, /only inside one command/],
    [['spectrum', uri, '--bins', '1000'], 2, /powers of two/],
    [['spectrum', uri, '--duration', '1e-5'], 2, /fewer than 4096 bins/],
    [['spectrum', uri, '--margin', '0'], 2, /--margin 0 dB is out of range/],
    [['spectrum', uri, '--gain', '10'], 2, /no rx gain to set/],
  ] as const) {
    const ended = await sctInside(words);
    assert.equal(ended.code, code, `${words.join(' ')}: ${ended.stderr}`);
    assert.match(ended.stderr, message);
  }
});

test('tone: into a recording, where the spectrum finds it', async (t) => {
  const folder = await scratch(t);
  const uri = `file:${join(folder, 'tone')}`;
  const words = ['tone', uri, '-f', '868.3M', '--offset', '-50k', '-s', '1M', '--level', '-20', '--duration', '0.05'];
  const sent = await sctInside([...words, '--json']);
  assert.equal(sent.code, 0, sent.stderr);
  const said = JSON.parse(sent.stdout);
  assert.equal(said.loHz, 868.35e6);
  assert.equal(said.durationS, 0.05);
  assert.equal(said.permission, null);
  const heard = JSON.parse((await sctInside(['spectrum', uri, '--duration', '0.05', '--json'])).stdout);
  assert.ok(Math.abs(heard.tone.frequencyHz - 868.3e6) < 1);
  assert.ok(Math.abs(heard.tone.dbfs + 20) < 0.01);
});

test('tone: a board needs a cable or a band, before it is looked for', async (t) => {
  const folder = await scratch(t);
  const config = join(folder, 'bands.yaml');
  await writeFile(config, 'allowedBands:\n  - eu:2400\n');
  // Nobody listens there: with permission the board is looked for, exit 3.
  const tone = ['tone', 'hackrf?usbip=127.0.0.1:9', '-f'];
  for (const [words, code, message] of [
    [['tone', 'hackrf'], 2, /-f HZ is missing/],
    [[...tone, '868.3M'], 2, /may not transmit/],
    [[...tone, '868.3M', '--cabled', 'x'], 2, /--cabled/],
    [[...tone, '868.3M', '--cabled', '10', '--gain', '47'], 2, /the receiver gets up to/],
    [[...tone, '868.3M', '--cabled', '60', '--gain', '46.5'], 2, /not possible/],
    [[...tone, '868.3M', '-c', config], 2, /not inside an allowed band/],
    [[...tone, '2.44G', '-c', config], 3, /cannot be reached/],
    [[...tone, '868.3M', '--cabled', '60'], 3, /cannot be reached/],
  ] as const) {
    const ended = await sctInside(words);
    assert.equal(ended.code, code, `${words.join(' ')}: ${ended.stderr}`);
    assert.match(ended.stderr, message);
  }
});

test('doctor: a recording is examined; this machine too', async (t) => {
  const folder = await scratch(t);
  const uri = await recording(folder);
  const ended = await sctInside(['doctor', uri, '--duration', '0.1', '--reference', '868.1M', '--json']);
  assert.equal(ended.code, 0, ended.stderr);
  const said = JSON.parse(ended.stdout);
  assert.equal(said.schema, 'sct.doctor/1');
  assert.ok(Math.abs(said.clock.ppm) < 0.01, 'the recording is exact');
  assert.equal(said.sustained, null, 'a file has no rate to hold');
  assert.match((await sctInside(['doctor', uri, '--duration', '0.1'])).stdout, /^change +nothing$/m);

  const host = await sctInside(['doctor', '--json']);
  const { ok, checks } = JSON.parse(host.stdout);
  assert.equal(host.code, ok ? 0 : 8);
  assert.equal(checks[0].name, 'node');
  assert.equal(checks[0].ok, true);
});

test('doctor: wrong words', async () => {
  for (const [words, message] of [
    [['loopback'], /only inside one command/],
    [['hackrf', '--save'], /--save needs --reference/],
    [['hackrf', '--turnaround', '5'], /no frequency/],
    [['hackrf', '-f', '868M', '--turnaround', '5'], /may not transmit/],
  ] as const) {
    const ended = await sctInside(['doctor', ...words]);
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, message);
  }
});
