import assert from 'node:assert/strict';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FormatError, UsageError } from '../../../src/common/errors.ts';
import { type LinkInput, resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { compareMetrics } from '../../../src/experiment/run/compare-metrics.ts';
import { runRecordedSpeech } from '../../../src/experiment/speech/speech-run.ts';
import type { SpeechWords } from '../../../src/experiment/speech/speech-words.ts';
import { expandSweep } from '../../../src/experiment/sweep/expand.ts';
import { LocalPointRunner } from '../../../src/experiment/sweep/local-runner.ts';
import type { SweepPoint } from '../../../src/experiment/sweep/point.ts';
import { parsePoint, parseResult } from '../../../src/experiment/sweep/point-format.ts';
import { stopValue } from '../../../src/experiment/sweep/stop-rule.ts';
import { parseSweepFile } from '../../../src/experiment/sweep/sweep-file.ts';
import { writeWav } from '../../../src/sct/speech/speech.ts';
import { utterance } from '../../sct/speech/voices.ts';
import { io, photo, scratch } from '../link-helpers.ts';

async function pointsOf(text: string, folder = '.'): Promise<readonly SweepPoint[]> {
  return (await expandSweep(parseSweepFile(join(folder, 'a.yaml'), text))).points;
}

async function voice(path: string, seconds: number, seed = 1): Promise<string> {
  await writeFile(path, writeWav({ rateHz: 16_000, ...utterance(seconds, seed) }));
  return path;
}

test('points of speech have the metrics that sct speech has of each alone', async (t) => {
  const at = await scratch(t);
  const path = await voice(join(at, 'voice.wav'), 0.9);
  const seen = await photo(join(at, 'a.png'), 64, 48);
  const text = `
speech: voice.wav
seed: 2
numerology: 6
cases:
  - {snr: 8, kind: [analog, coded], symbols: 6000}
  - {snr: 8, max-speech-sfvs: 4, channel: eva, perceptual: on, symbols: 6000, mapping: uniform}
  - {photo: a.png, codec: classical, snr: 12, priority: [1/4, 4], symbols: 12000}
  - {snr: -3, symbols: 2200}
`;
  const points = await pointsOf(text, at);
  const common = { seed: 2, numerology: 6 } as const;
  const alone: [LinkInput, Omit<SpeechWords, 'path'>, boolean][] = [
    [{ snrDb: 8 }, { symbols: 6000 }, false],
    [{ snrDb: 8 }, { symbols: 6000, kind: 'coded' }, false],
    [{ snrDb: 8, channel: 'eva', perceptual: true, mapping: 'uniform' }, { symbols: 6000, maxSfvs: 4 }, false],
    [{ snrDb: 12, codec: 'classical' }, { symbols: 12_000, priority: 0.25 }, true],
    [{ snrDb: 12, codec: 'classical' }, { symbols: 12_000, priority: 4 }, true],
    // Nothing that carries it fits: it is not sent.
    [{ snrDb: -3 }, { symbols: 2200 }, false],
  ];
  assert.equal(points.length, alone.length);
  const runner = new LocalPointRunner();
  t.after(() => runner.close());
  for (const [i, [input, words, beside]] of alone.entries()) {
    const outcome = await runner.run(points[i]);
    assert.equal(outcome.kind, 'measured', JSON.stringify(outcome));
    if (outcome.kind !== 'measured') return;
    const config = resolveLinkConfig({ ...common, ...input });
    const image = beside ? ({ kind: 'file', path: seen } as const) : undefined;
    const run = await runRecordedSpeech(config, { path, ...words }, image, io(join(at, `run-${i}`)));
    const { files: _, timings: __, ...own } = run.metrics;
    const result = parseResult(JSON.parse(JSON.stringify(outcome.result)));
    assert.deepEqual(compareMetrics(own, result.metrics), [], `point ${i}`);
    assert.equal(result.exitCode, run.exitCode);
    assert.equal(result.metrics.speech!.stoi, run.speech.stoi);
  }
});

test('a point of speech is what is sent: its id knows the words, the files and whether a photo is there', async (t) => {
  const at = await scratch(t);
  await mkdir(join(at, 'voices'));
  const a = await voice(join(at, 'voices', 'a.wav'), 0.5);
  await voice(join(at, 'voices', 'b.wav'), 0.5, 2);
  await writeFile(join(at, 'voices', 'notes.txt'), 'no speech');
  await photo(join(at, 'p.png'), 32, 32);
  const both = await pointsOf('photo: p.png\nspeech: voices\ncodec: classical\npriority: [1, 4]\nseed: [1, 2]\n', at);
  assert.deepEqual(
    both.map(({ photo: p, speech, config }) => [p, speech!.name, speech!.priority, config.seed]),
    ['a.wav', 'b.wav'].flatMap((name) => [1, 4].flatMap((x) => [1, 2].map((seed) => ['p.png', name, x, seed]))),
  );
  assert.equal(new Set(both.map(({ id }) => id)).size, 8);
  assert.equal(new Set(both.map(({ group }) => group)).size, 4);
  assert.deepEqual(
    both[0].inputs.map(({ use }) => use),
    ['photo', 'speech'],
  );

  const [own] = await pointsOf('speech: voices/a.wav\n', at);
  assert.deepEqual(own.speech, { name: 'a.wav', alone: true, kind: 'analog', maxSfvs: 12 });
  assert.deepEqual(
    own.inputs.map(({ use }) => use),
    ['speech'],
    'no model set is read',
  );
  // Words of pictures, and what comes first, mean nothing to speech alone.
  const idle = await pointsOf(
    'speech: voices/a.wav\ncodec: [integrated, modular]\ncbr: [1/8, 1/4]\npriority: [1, 4]\nkind: analog\n',
    at,
  );
  assert.deepEqual(
    idle.map(({ id }) => id),
    [own.id],
  );
  await cp(a, join(at, 'elsewhere.wav'));
  const [moved] = await pointsOf('speech: elsewhere.wav\n', at);
  assert.equal(moved.id, own.id, 'wherever it lies and whatever it is called');
  for (const word of ['kind: coded', 'symbols: 9000', 'max-speech-sfvs: 3', 'perceptual: on']) {
    const [other] = await pointsOf(`speech: elsewhere.wav\n${word}\n`, at);
    assert.notEqual(other.id, own.id, word);
  }
  // A photo alone is the point that it was.
  const [still] = await pointsOf('photo: demo\ncodec: classical\n');
  assert.ok(!('speech' in still));

  for (const point of [...both, own]) assert.deepEqual(parsePoint(JSON.parse(JSON.stringify(point))), point);
  const wrong = (speech: unknown, field: RegExp) =>
    assert.throws(
      () => parsePoint({ ...JSON.parse(JSON.stringify(own)), speech }),
      (e) => e instanceof FormatError && field.test(e.message),
    );
  wrong('a.wav', /speech/);
  wrong({ name: 'a.wav' }, /speech.alone/);
  wrong({ name: 'a.wav', alone: true, kind: 'loud' }, /speech.kind/);
  wrong({ name: 'a.wav', alone: true, symbols: 1e12 }, /speech.symbols/);
  wrong({ name: 'a.wav', alone: true, maxSfvs: '3..9' }, /speech.maxSfvs/);
});

test('speech that makes no sense is refused with its place', async (t) => {
  const at = await scratch(t);
  await mkdir(join(at, 'empty'));
  const refused = async (text: string, message: RegExp) => {
    await assert.rejects(pointsOf(text, at), (e) => e instanceof UsageError && message.test(`${e.message} ${e.hint}`));
  };
  await refused('snr: 3\n', /no photo.*speech: WAV/);
  await refused('photo: demo\npriority: 4\n', /no speech is sent.*speech: PATH/);
  await refused('speech: a.wav\nkind: loud\n', /a\.yaml:2:7: kind: .*analog, coded/);
  await refused('speech: a.wav\npriority: [1, 0]\n', /priority\.1: must be a number from 0\.0009765625 to 1024/);
  await refused('speech: a.wav\nmax-speech-sfvs: 1.5\n', /must be a whole number from 1 to 255/);
  await refused('speech: a.wav\nsymbols: {}\n', /symbols: must be a number/);
  await refused('speech: a.wav\npriorty: 2\n', /did you mean "priority"/);
  await refused('speech: a.wav\n', /no such file/);
  await refused('speech: empty\n', /holds 0 WAV files/);
  await refused('speech: a.yaml\n', /no such file|ends in \.wav/);
});

test('a group may stop by what is understood, and by outages of speech alone', () => {
  const speech = { stoi: 0.7, segmentalSnrDb: 3, outage: 1 };
  const metrics = { psnrDb: null, outage: null, speech } as never;
  const rule = { halfWidth: 0.1, confidence: 0.95, min: 3 };
  assert.equal(stopValue({ ...rule, metric: 'stoi' }, metrics), 0.7);
  assert.equal(stopValue({ ...rule, metric: 'segmentalSnrDb' }, metrics), 3);
  assert.equal(stopValue({ ...rule, metric: 'outage' }, metrics), 1);
  assert.equal(stopValue({ ...rule, metric: 'psnrDb' }, metrics), null);
  assert.equal(stopValue({ ...rule, metric: 'stoi' }, { psnrDb: 30, outage: 0 } as never), null);
});
