import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test, { after } from 'node:test';
import { Command } from 'commander';
import fc from 'fast-check';
import { checkWords } from '../../../src/cli/jobs/job-check.ts';
import { jobSchema } from '../../../src/cli/jobs/job-schema.ts';
import { jobWords } from '../../../src/cli/jobs/job-words.ts';
import { recordingName } from '../../../src/cli/jobs/recording-name.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { UsageError } from '../../../src/common/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'sct-jobs-'));
after(() => rmSync(folder, { recursive: true }));
const places = { runs: join(folder, 'runs'), captures: join(folder, 'captures'), pictures: join(folder, 'pictures') };
for (const place of [...Object.values(places), join(places.runs, 'first'), join(places.captures, 'local')]) {
  mkdirSync(place, { recursive: true });
}
mkdirSync(join(places.captures, 'sample'));
for (const file of [
  'pictures/photo.png',
  'pictures/-x.png',
  'runs/first/run.json',
  'captures/air.sigmf-meta',
  'captures/local/band.sigmf-meta',
  'captures/sample/run.json',
  'captures/sample/rx.sigmf-meta',
  'secret.png',
]) {
  writeFileSync(join(folder, file), '{}');
}
symlinkSync(join(folder, 'secret.png'), join(places.pictures, 'link.png'));
symlinkSync(folder, join(places.runs, 'out'));

const program = buildProgram({ out() {} } as never, () => {});
const commandOf = (name: string) => program.commands.find((c) => c.name() === name)!;
const words = (name: string, options: Record<string, unknown>, source?: string) =>
  jobWords(commandOf(name), { options, ...(source === undefined ? {} : { source }) }, places);
const refused = (why: RegExp) => (e: unknown) => e instanceof UsageError && why.test(e.message);

test('a page may give the flags of --help, but not those that name files of the machine or say where results go', () => {
  const { properties } = jobSchema(commandOf('loopback')) as { properties: Record<string, object> };
  for (const name of ['snr', 'channel', 'demo', 'known', 'freq']) assert.ok(name in properties, name);
  for (const name of ['output', 'config', 'json', 'models', 'rx-models', 'lpips', 'judge', 'feedback-token']) {
    assert.ok(!(name in properties), name);
  }
});

test('the schema says what is known of an option', () => {
  const schema = (name: string) => jobSchema(commandOf(name)) as Record<string, unknown>;
  const loopback = schema('loopback').properties as Record<string, Record<string, unknown>>;
  assert.deepEqual(loopback.snr['x-quantity'], {
    unit: 'dB',
    minimum: -60,
    maximum: 200,
    integer: false,
    ratio: false,
    list: false,
  });
  assert.deepEqual(loopback.harq['x-quantity'], {
    unit: '',
    minimum: 0,
    maximum: 16,
    integer: true,
    ratio: false,
    list: false,
  });
  assert.equal((loopback.cbr['x-quantity'] as { ratio: boolean }).ratio, true);
  assert.deepEqual(loopback.correction.enum, ['on', 'off']);
  assert.ok((loopback.numerology.enum as string[]).includes('25'));
  assert.ok((loopback.channel.examples as string[]).includes('eva'));
  assert.deepEqual([loopback.snr.default, loopback.known['x-list']], ['15', ['pictures']]);
  const link = schema('link').properties as Record<string, Record<string, { list: boolean }>>;
  assert.equal(link.snr['x-quantity'].list, true);
  assert.equal('x-quantity' in loopback.iq, false);
  assert.deepEqual(schema('record').required, ['from']);
  assert.deepEqual((schema('replay')['x-source'] as { 'x-list': string[] })['x-list'], ['captures', 'runs']);
});

test('words of a request', () => {
  assert.deepEqual(words('loopback', { snr: 5, ideal: true }, '-x.png'), [
    '--snr=5',
    '--ideal',
    '--',
    join(places.pictures, '-x.png'),
  ]);
  assert.deepEqual(words('loopback', { ideal: false }), []);
  for (const [options, why] of [
    [{ output: '/etc' }, /no option --output/],
    [{ json: true }, /no option --json/],
    [{ snr: true }, /^--snr: needs a value/],
    [{ ideal: 'yes' }, /^--ideal: takes no value/],
    [{ constructor: 'x' }, /no option --constructor/],
  ] as const) {
    assert.throws(() => words('loopback', options), refused(why));
  }
  assert.throws(() => words('sound', {}, 'x'), refused(/takes no "x"/));
  assert.throws(() => words('receive', {}), refused(/^--from: is needed/));
});

test('a board that is listened to stands without a flag, and nothing else does', () => {
  const lists = (name: string) => (jobSchema(commandOf(name)) as { 'x-source': object })['x-source'];
  for (const name of ['monitor', 'spectrum']) {
    const board = 'hackrf:1a?usbip=127.0.0.1:3240';
    assert.deepEqual(words(name, { freq: '868.3M' }, board), ['--freq=868.3M', '--', board]);
    assert.deepEqual((lists(name) as Record<string, unknown>)['x-list'], ['devices']);
    checkWords(commandOf(name), words(name, { freq: '868.3M' }, board));
    for (const source of ['file:air', 'loopback', 'runs/first', '/etc/passwd', '-o', 'hackrf?lna=x']) {
      assert.throws(() => words(name, {}, source), refused(/is no board|is not a radio|lna/), source);
    }
  }
  assert.throws(() => words('spectrum', { sweep: '430:440' }, 'hackrf'), refused(/no option --sweep/));
  assert.throws(() => words('spectrum', { output: 'x' }, 'hackrf'), refused(/no option --output/));
});

test('a video: all pictures of the folder, or a file in it; into no file of the machine', () => {
  const to = { to: 'loopback' };
  assert.deepEqual(words('stream', { ...to, fps: 30 }), ['--to=loopback', '--fps=30', '--', places.pictures]);
  assert.equal(words('stream', to, 'photo.png').at(-1), join(places.pictures, 'photo.png'));
  for (const source of ['/dev/video0', 'camera:/dev/video0', '..', 'link.png', '']) {
    assert.throws(() => words('stream', to, source), refused(/^no picture/), source);
  }
  assert.throws(() => words('stream', {}), refused(/^--to: is needed/));
  assert.throws(() => words('stream', { to: 'file:x' }), refused(/^--to: recordings/));
  assert.throws(() => words('stream', { ...to, video: 'x.mp4' }), refused(/no option --video/));
  assert.deepEqual(words('watch', { from: 'file:air' }), [`--from=file:${join(places.captures, 'air')}`]);
  assert.throws(() => words('watch', { from: 'file:../x' }), refused(/^--from: no recording/));
  assert.throws(() => words('watch', { from: 'hackrf', video: 'x.mp4' }), refused(/no option --video/));
  assert.throws(() => words('watch', {}), refused(/^--from: is needed/));
});

test('files are named as in the lists, and become paths', () => {
  const last = (list: string[]) => list.at(-1);
  assert.equal(last(words('loopback', {}, 'pictures/photo.png')), join(places.pictures, 'photo.png'));
  assert.equal(last(words('replay', {}, 'captures/air')), join(places.captures, 'air'));
  assert.equal(last(words('replay', {}, 'local/band')), join(places.captures, 'local', 'band'));
  assert.equal(last(words('replay', {}, 'sample')), join(places.captures, 'sample'));
  assert.equal(last(words('replay', {}, 'runs/first')), join(places.runs, 'first'));
  assert.deepEqual(words('receive', { from: 'file:sample' }), [`--from=file:${join(places.captures, 'sample', 'rx')}`]);
  assert.deepEqual(words('loopback', { channel: 'trace:first' }), [`--channel=trace:${join(places.runs, 'first')}`]);
  assert.deepEqual(words('loopback', { known: 'photo.png' }), [`--known=${join(places.pictures, 'photo.png')}`]);
});

test('no path leads out of the folders', () => {
  for (const name of [
    ...['../secret.png', join(folder, 'secret.png'), '/etc/passwd', 'link.png', '.', '..', '', 'a/../photo.png'],
    ...['pictures/../../secret.png', 'pictures//photo.png', '~/x.png', 'photo.png/', './photo.png', 'nothing.png'],
  ]) {
    assert.throws(() => words('loopback', {}, name), refused(/^no picture/), name);
    assert.throws(() => words('loopback', { known: name }), refused(/^--known: no picture/), name);
    assert.throws(() => words('replay', {}, name), refused(/^no recording or run/), name);
    assert.throws(() => words('record', { from: `file:${name}` }), refused(/^--from: no recording/), name);
  }
  for (const name of ['runs/out', 'runs/../secret', 'out/runs/first']) {
    assert.throws(() => words('replay', {}, name), refused(/^no recording or run/), name);
  }
  assert.throws(() => words('loopback', { channel: 'trace:/etc' }), refused(/^--channel: no run/));
  assert.throws(() => words('loopback', { codec: 'onnx:/tmp' }), refused(/^--codec: networks/));
  assert.throws(() => words('link', { tx: 'file:x' }), refused(/^--tx: recordings/));
});

test('whatever a page calls a file, it stands in the folder', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webPath(), fc.stringMatching(/^[./\\a]{1,12}$/)), (name) => {
      try {
        assert.equal(words('loopback', {}, name).at(-1), join(places.pictures, basename(name)));
      } catch (error) {
        assert.ok(error instanceof UsageError, String(error));
      }
    }),
  );
});

test('no value is taken for another flag, whatever it is', () => {
  const command = () => new Command('loopback').argument('[photo]').option('--snr <db>', 'signal to noise');
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (snr) => {
      fc.pre(!/^(file|onnx):/.test(snr));
      const given = jobWords(command(), { options: { snr }, source: '-x.png' }, places);
      const parsed = command().parse(given, { from: 'user' });
      assert.deepEqual(parsed.opts(), { snr });
      assert.deepEqual(parsed.args, [join(places.pictures, '-x.png')]);
    }),
  );
});

test('what the command would refuse is refused before it starts, again and again', () => {
  for (const [name, given, why] of [
    ['loopback', ['--demo', '--snr=999'], /^--snr: 999 dB is out of range: allowed -60 to 200 dB/],
    ['loopback', ['--demo', '--snr=many'], /^--snr: "many" is not a number/],
    ['loopback', ['--demo', '--channel=moon'], /^--channel: "moon" is not one of/],
    ['loopback', ['--demo', '--channel=awgn', '--doppler=5'], /^--doppler is for fading channels/],
    ['replay', ['--estimator=magic', '--', 'x'], /^--estimator/],
    ['replay', [], /missing required argument/],
  ] as const) {
    for (let again = 0; again < 2; again++) assert.throws(() => checkWords(commandOf(name), given), refused(why));
  }
  for (let again = 0; again < 2; again++) checkWords(commandOf('loopback'), ['--demo', '--channel=eva', '--snr=5dB']);
  checkWords(commandOf('record'), ['--from=hackrf', '--freq=868.3M', '--rate=8M']);
});

test('a recording has a name of its own, made of what it is', () => {
  const now = new Date('2026-01-02T03:04:05Z');
  const name = recordingName('/r', { from: 'hackrf:12ab?usbip=unix:/x', freq: '868.3M' }, now, 'abcdef');
  assert.equal(name, '/r/2026-01-02T03-04-05Z_hackrf-12ab_868.3M_abcdef');
  assert.equal(recordingName('/r', { from: '../../etc' }, now, 'abcdef'), '/r/2026-01-02T03-04-05Z_etc_abcdef');
  assert.notEqual(recordingName('/r', {}, now), recordingName('/r', {}, now));
});
