import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { parseSweepFile, readSweepFile } from '../../../src/experiment/sweep/sweep-file.ts';
import { scratch } from '../link-helpers.ts';

const GOOD = `# gain of the mapping
name: mapping-gain
photo: [kodak/, demo]
codec: [integrated, classical]
mapping: [matched, uniform]
channel: [awgn, epa]
snr: 0..20..5
cbr: 1/16
seed: 1..20
stop:
  metric: psnrDb
  halfWidth: 0.2
`;

function refused(text: string): UsageError {
  try {
    parseSweepFile('dir/a.yaml', text);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error;
  }
  assert.fail('it was taken');
}

test('a file with one product', () => {
  const file = parseSweepFile('dir/a.yaml', GOOD);
  assert.equal(file.name, 'mapping-gain');
  assert.deepEqual(file.stop, { metric: 'psnrDb', halfWidth: 0.2, confidence: 0.95, min: 5 });
  assert.equal(file.cases.length, 1);
  const [{ photos, axes }] = file.cases;
  assert.deepEqual(photos, ['kodak/', 'demo']);
  assert.deepEqual(
    axes.map((values) => values.length),
    [2, 1, 2, 2, 5, 20],
    'codec, cbr, mapping, channel, snr, seed: the seed is last',
  );
  assert.equal(axes.at(-1)![19].seed, 20);
});

test('cases add to and replace what all have; a name comes from the file', () => {
  const text = 'photo: demo\nsnr: 5\ncases:\n- {codec: modular}\n- {codec: classical, snr: [0, 1], photo: x.png}\n';
  const file = parseSweepFile('dir/my sweep.yaml', text);
  const silent = { speech: [], spoken: [] };
  assert.equal(file.name, 'my-sweep');
  assert.deepEqual(file.cases[0], { photos: ['demo'], ...silent, axes: [[{ codec: 'modular' }], [{ snrDb: 5 }]] });
  assert.deepEqual(file.cases[1], {
    photos: ['x.png'],
    ...silent,
    axes: [[{ codec: 'classical' }], [{ snrDb: 0 }, { snrDb: 1 }]],
  });
});

test('what is wrong is named with line and column, and what is allowed', () => {
  const cases: [text: string, message: RegExp, hint?: RegExp][] = [
    ['', /a\.yaml:1:1: is not a list of KEY: VALUE/, /photo/],
    ['- 1\n', /a\.yaml:1:1: is not a list/],
    ['photo: [a\n', /a\.yaml:\d+:\d+: /],
    ['snr: 5\n', /a\.yaml:1:1: no photo/],
    ['photo: demo\nsnrDb: 5\n', /a\.yaml:2:1: unknown key "snrDb"/, /"snr"/],
    ['photos: demo\n', /a\.yaml:1:1: unknown key "photos"/, /"photo"/],
    ['photo: demo\nsnr: [0, 5, 400]\n', /a\.yaml:2:13: snr\.2: 400 dB is out of range: allowed -60 to 200 dB/],
    [
      'photo: demo\ncodec:\n  - integrated\n  - jpg\n',
      /a\.yaml:4:5: codec\.1: "jpg" is not one of integrated, modular/,
    ],
    ['photo: demo\nmapping: best\n', /a\.yaml:2:10: mapping: "best" is not one of matched, uniform/],
    ['photo: demo\ncases:\n- {codec: modular}\n- {snr: x}\n', /a\.yaml:4:9: cases\.1\.snr: "x" is not a number/],
    ['photo: demo\ncases:\n- {codek: modular}\n', /a\.yaml:3:4: unknown key "codek"/, /"codec"/],
    ['photo: demo\ncases: 3\n', /a\.yaml:2:8: cases: must be a list/],
    ['photo: demo\nstop: {metric: psnr, halfWidth: 1}\n', /a\.yaml:2:16: stop\.metric: must be one of psnrDb/],
    ['photo: demo\nstop: {metric: psnrDb}\n', /a\.yaml:2:7: stop\.halfWidth: must be a number from/],
    ['photo: demo\nstop: {metric: psnrDb, halfWidth: 1, min: 2}\n', /a\.yaml:2:43: stop\.min: must be a number from 3/],
    ['photo: demo\nstop: {metrc: psnrDb, halfWidth: 1}\n', /a\.yaml:2:8: unknown key "metrc"/, /"metric"/],
    ['photo: demo\nstop: psnrDb\n', /a\.yaml:2:7: stop: must be \{metric: NAME, halfWidth: NUMBER\}/],
    ['photo: []\n', /a\.yaml:1:8: photo: must be a path, or a list of 1 to 1000 paths/],
    ['photo: ""\n', /a\.yaml:1:8: photo: must be a path/],
    ['photo: "a\\0.png"\n', /a\.yaml:1:8: photo: a path has no zero byte/],
    ['photo: demo\ncases: []\n', /a\.yaml:2:8: cases: an empty list/],
    ['photo: demo\ncases:\n', /a\.yaml:2:7: cases: must be a list of settings/],
    ['photo: demo\ncases:\n- {cases: [{snr: 1}]}\n', /a\.yaml:3:4: unknown key "cases"/],
    ['photo: demo\nseed: 5..1\n', /a\.yaml:2:7: seed: "5\.\.1" holds nothing: did you mean 5\.\.1\.\.-1\?/],
    ['photo: demo\nsnr: 0..10..0\n', /a\.yaml:2:6: snr: "0\.\.10\.\.0" is not FROM/],
    ['speech: a.wav\nsymbols: [1..1e9, 1..1e9]\n', /a\.yaml:2:\d+: symbols: 10001 values or more: allowed 1 to 10000/],
    ['photo: demo\nname: ../../etc\n', /a\.yaml:2:7: name: must be 1 to 64 letters/],
    ['photo: demo\nseed: !!foo 3\n', /a\.yaml:2:7: Unresolved tag/],
    ['photo: demo\n---\nphoto: demo\n', /a\.yaml:2:1: a second document/],
    [`photo: ${'['.repeat(20_000)}`, /a\.yaml:1:\d+: /],
    ['photo: &a [*a]\n', /a\.yaml:1:\d+: photo: must be a path/],
    ['photo: demo\n__proto__: {x: 1}\n', /a\.yaml:2:1: unknown key "__proto__"/],
    ['photo: demo\nconstructor: 1\n', /a\.yaml:2:1: unknown key "constructor"/],
    ['photo: demo\n<<: {seed: 1}\n', /a\.yaml:2:1: "<<" merges nothing/, /outside of cases/],
    ['photo: demo\nsnr: .nan\n', /a\.yaml:2:6: snr: must be a number/],
    ['photo: demo\nsnr: .inf\n', /a\.yaml:2:6: snr: must be a number/],
    ['photo: demo\nstop: {metric: stoi, halfWidth: 1}\n', /a\.yaml:2:16: stop\.metric: stoi: no speech is sent/],
    ['speech: a.wav\nstop: {metric: psnrDb, halfWidth: 1}\n', /stop\.metric: psnrDb: no photo is sent/],
    ['photo: demo\nstop: {metric: lpips, halfWidth: 1}\n', /stop\.metric: lpips: needs lpips: FILE:SHA256/],
    ['photo: demo\nstop: {metric: mIoU, halfWidth: 1}\n', /stop\.metric: mIoU: needs truth: LABELS\.png/],
    ['photo: 3\n', /a\.yaml:1:8: photo: must be a path/],
    ['photo: demo\nseed: 1\nseed: 2\n', /a\.yaml:3:\d: /],
  ];
  for (const [text, message, hint] of cases) {
    const error = refused(text);
    assert.match(error.message, message, JSON.stringify(text));
    if (hint) assert.match(error.hint ?? '', hint, JSON.stringify(text));
  }
});

test('a rule by a metric that some points have is taken', () => {
  const stop = (metric: string) => `stop: {metric: ${metric}, halfWidth: 1}\n`;
  for (const text of [
    `speech: a.wav\n${stop('outage')}`,
    `cases: [{photo: demo}, {speech: a.wav}]\n${stop('stoi')}`,
    `cases: [{photo: demo}, {speech: a.wav}]\n${stop('ssim')}`,
    `photo: demo\ntruth: labels.png\n${stop('mIoU')}`,
    `photo: demo\nlpips: a.onnx:${'0'.repeat(64)}\n${stop('lpips')}`,
  ]) {
    assert.ok(parseSweepFile('a.yaml', text).stop, text);
  }
});

test('a file in UTF-8 is read with or without a byte order mark, and in nothing else', async (t) => {
  const path = join(await scratch(t), 'a.yaml');
  await writeFile(path, `\ufeff${GOOD.replaceAll('\n', '\r\n')}`);
  assert.deepEqual((await readSweepFile(path)).cases, parseSweepFile(path, GOOD).cases);
  for (const bytes of [Buffer.from('photo: caf\xe9.png\n', 'latin1'), Buffer.from(`\ufeff${GOOD}`, 'utf16le')]) {
    await writeFile(path, bytes);
    await assert.rejects(readSweepFile(path), /a\.yaml: not UTF-8 text/);
  }
});

test('aliases cannot make a small file large', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 12; i++) lines.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(8)}*a${i - 1}]`);
  assert.match(refused(`${lines.join('\n')}\n`).message, /a\.yaml:/);
});

test('damaged files are refused with words', () => {
  fc.assert(
    fc.property(fc.nat(GOOD.length - 1), fc.nat(8), fc.string({ maxLength: 6 }), (at, count, put) => {
      try {
        parseSweepFile('a.yaml', GOOD.slice(0, at) + put + GOOD.slice(at + count));
      } catch (error) {
        assert.ok(error instanceof UsageError, String(error));
        assert.match(error.message, /^a\.yaml:\d+:\d+: /);
      }
    }),
    { numRuns: 300 },
  );
});
