import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { scratch, sctInside } from './helpers.ts';

/** [words, exit code, message, hint]: the contract of docs and design for wrong input. */
const WRONG: readonly [words: string[], code: number, message: RegExp, hint?: RegExp][] = [
  [['loopbak', '--demo'], 2, /unknown command 'loopbak'/, /loopback/],
  [['whistle', 'loopback'], 2, /unknown command 'whistle'/, /--help/],
  [['bench', 'modme'], 2, /unknown command 'modme'/],
  [['loopback', '--demo', '--snt', '3'], 2, /unknown option '--snt'/, /--snr/],
  [['loopback', '--demo', '--mode', 'selective', '--codec', 'classical'], 2, /--mode: not with the classical codec/],
  [
    ['loopback', '--demo', '--size', 'live', '--format', 'jpeg'],
    2,
    /--size: not with the classical codec/,
    /integrated/,
  ],
  [['loopback', '--demo', '--task', 'machine', '--codec', 'classical'], 2, /--task: not with the classical/, /modular/],
  [
    ['loopback', '--demo', '--codec', 'modular', '--format', 'jpeg'],
    2,
    /--format: not with the codec modular/,
    /classical/,
  ],
  [['loopback', 'a.png', 'b.png'], 2, /too many arguments/],
  [['sweep'], 2, /missing required argument 'file'/],
  [['sweep', '/nonexistent/a.yaml'], 2, /\/nonexistent\/a\.yaml: cannot be read/],
  [['sweep', 'a.yaml', '--jobs', '0'], 2, /--jobs 0 is out of range: allowed 1 to 256/],
  [['loopback'], 2, /no picture given/, /--demo/],
  [['loopback', 'a.png', '--demo'], 2, /both given/],
  [['loopback', '/nonexistent/a.png'], 2, /\/nonexistent\/a\.png: no such file/],
  [['loopback', '--demo', '--snr'], 2, /argument missing/],
  [['loopback', '--demo', '--snr', 'loud'], 2, /--snr: "loud" is not a number in dB/],
  [['loopback', '--demo', '--snr', '999'], 2, /--snr: 999 dB is out of range: allowed -60 to 200 dB/],
  [['loopback', '--demo', '--codec', 'modula'], 2, /--codec: "modula" is not one of integrated, modular, classical/],
  [['loopback', '--demo', '--channel', 'mars'], 2, /--channel: "mars" is not one of awgn, epa/],
  [['loopback', '--demo', '--numerology', '24'], 2, /--numerology: 24 is not one of 4, 6, 15, 25, 50/],
  [['loopback', '--demo', '--rate', '5.1M', '--numerology', '50'], 2, /5\.1 Msps: too low/, /supported .* 20 Msps/],
  [['loopback', '--demo', '--rate', '1M', '--profile', 'hackrf'], 2, /allowed 2 to 20 Msps/],
  [['loopback', '--demo', '--cbr', '1/0'], 2, /--cbr: Infinity is out of range|--cbr: must be a number/],
  [['loopback', '--demo', '--cbr', '0.1', '--symbols-per-pixel', '0.3'], 2, /same budget/],
  [['loopback', '--demo', '--seed', '1.5'], 2, /--seed: must be a whole number/],
  [['loopback', '--demo', '--doppler', '5'], 2, /--doppler is for fading/, /epa/],
  [['loopback', '--demo', '--channel', 'epa', '--delay-spread', '90'], 2, /TDL/],
  [['loopback', '--demo', '--iq', '0.5'], 2, /--iq: "0\.5" is not DB,DEG/],
  [['loopback', '--demo', '--jammer', 'tone'], 2, /KIND:DB/],
  [['loopback', '--demo', '--jammer', 'tone:10,wide=3'], 2, /unknown "wide"/],
  [['loopback', '--demo', '--jammer', 'whistle:10'], 2, /--jammer kind: "whistle"/],
  [['loopback', '--demo', '--feedback', 'ws://host:1'], 2, /both ends are in this process/],
  [['loopback', '--demo', '--feedback', 'nats://host:1'], 2, /both ends are in this process/],
  [['loopback', '--demo', '--feedback', 'pigeon'], 2, /no feedback channel/],
  [['send', '--demo'], 2, /--to URI is missing/],
  [['send', '--demo', '--to', 'loopback'], 2, /only inside one command/],
  [['send', '--demo', '--to', 'hackrf:zz'], 2, /serial "zz"/],
  [['receive'], 2, /--from URI is missing/],
  [['receive', '--from', 'walkie:talkie'], 2, /is not a radio/, /file:PATH/],
  [['receive', '--from', 'hackrf'], 3, /HackRF|libusb|usb/i],
  [['record', '--from', 'file:/nonexistent/x'], 2, /-o PATH is missing/],
  [['record', '--from', 'file:x', '-o', './x.sigmf-meta', '--force'], 2, /same recording/],
  [['record', '--from', 'file:x', '-o', 'y', '--samples', '0'], 2, /out of range/],
  [['monitor', '/nonexistent/run'], 2, /no such run/],
  [['monitor', 'loopback'], 2, /only inside one command/],
  [['replay', '/nonexistent/run'], 3, /cannot read \/nonexistent\/run/],
  [['capture', 'info', '/nonexistent/x'], 3, /\/nonexistent\/x/],
  [['capture', 'validate', '/nonexistent/x'], 3, /\/nonexistent\/x/],
  [['export', '/nonexistent/run', '--to', 'npz'], 2, /no such run/],
  [['export', '/nonexistent/run', '--to', 'xls'], 2, /no export format/, /npz, csv, mat/],
  [['export', '/nonexistent/run'], 2, /--to is missing/],
  [['sound', '--tx', 'loopback', '--rx', 'file:x'], 2, /share no channel/],
  [['sound', '--period', '0'], 2, /out of range/],
  [['bench', '--rounds', '4'], 2, /--rounds: "4" is not a whole number from 5 to 99/],
  [['bench', '--only', 'modem,sped'], 2, /"sped" is no part/, /modem, rbs, mcs/],
  [['bench', 'speed', '--qick'], 2, /unknown option '--qick'/],
  [['bench', 'ldpc'], 2, /--vectors PATH is missing/],
  [['bench', 'modem', '--only', 'loss'], 2, /--only picks parts of --requirements/],
  [['bench', 'modem', '--requirements', '--only', 'speed'], 2, /"speed" is no part/],
  [['bench', 'ldpc', '--vectors', '/nonexistent'], 3, /does not exist/],
  [['bench', 'ldpc', '--vectors', '/dev/zero'], 2, /\/dev\/zero is no file/, /vectors/],
  [['capture', 'annotate', 'A'.repeat(5000), '--label', 'x'], 2, /the name is too long/],
];

test('wrong input: message, hint and exit code', async (t) => {
  for (const [words, code, message, hint] of WRONG) {
    await t.test(`sct ${words.join(' ')}`, async () => {
      const ended = await sctInside(words);
      assert.match(ended.stderr, message);
      assert.equal(ended.code, code);
      if (hint) assert.match(ended.hint ?? '', hint);
      assert.equal(ended.stdout, '', 'stdout is for results');
    });
  }
});

test('a settings file: line and column of what is wrong, the nearest name, flags above it', async (t) => {
  const folder = await scratch(t);
  const file = join(folder, 'c.yaml');
  const run = async (yaml: string, ...more: string[]) => {
    await writeFile(file, yaml);
    return sctInside(['loopback', '/nonexistent/photo.png', '-c', file, ...more]);
  };
  const unknown = await run('snrDb: 5\nnumerologi: 6\n');
  assert.match(unknown.stderr, /c\.yaml:2:1: unknown setting "numerologi"/);
  assert.match(unknown.hint ?? '', /"numerology"/);
  const range = await run('jammer:\n  kind: tone\n  powerDb: 900\n');
  assert.match(range.stderr, /c\.yaml:3:12: jammer\.powerDb: 900 dB is out of range/);
  const kind = await run('snrDb: loud\n');
  assert.match(kind.stderr, /c\.yaml:1:8: snrDb: must be a number/);
  const syntax = await run('snrDb: [5\n');
  assert.match(syntax.stderr, /c\.yaml:\d+:\d+: /);
  const list = await run('- 5\n');
  assert.match(list.stderr, /KEY: VALUE/);
  const twice = await run('snrDb: 5\nsnrDb: 6\n');
  assert.match(twice.stderr, /c\.yaml:2:1: .*unique/);
  // Right settings get as far as the photo, and a flag replaces the other way to say the same thing.
  for (const yaml of ['', '# nothing\n', 'snrDb: 5\ncbr: 0.1\n', 'photo: /nonexistent/photo.png\n']) {
    assert.match((await run(yaml, '--symbols-per-pixel', '0.5')).stderr, /no such file/);
  }
  assert.match((await run('sampleFormat: cf32_le\nrateHz: 7680000\n', '--profile', 'hackrf')).stderr, /no such file/);
  assert.match((await sctInside(['loopback', '--demo', '-c', join(folder, 'no.yaml')])).stderr, /cannot be read/);
  for (const { code } of [unknown, range, kind, syntax, list, twice]) assert.equal(code, 2);
});

test('help and version go to stdout and exit 0; every command has help and an example or a description', async () => {
  const top = await sctInside(['--help']);
  assert.equal(top.code, 0);
  const names = [...top.stdout.matchAll(/^ {2}([a-z]+) .*/gm)].map((m) => m[1]).filter((n) => n !== 'sct');
  const asked = ['loopback', 'send', 'receive', 'record', 'replay', 'capture', 'export', 'monitor', 'sound', 'devices'];
  for (const name of [...asked, 'bench']) assert.ok(names.includes(name), `${name} is listed`);
  assert.match(top.stdout, /130 interrupted/);
  for (const name of asked) {
    const help = await sctInside([name, '--help']);
    assert.equal(help.code, 0);
    assert.match(help.stdout, new RegExp(`Usage: sct ${name}`));
    if (name !== 'capture') assert.match(help.stdout, /--json/);
  }
  const loopback = (await sctInside(['loopback', '--help'])).stdout;
  for (const flag of [
    '--codec',
    '--mapping',
    '--channel',
    '--snr',
    '--delay-spread',
    '--doppler',
    '--ideal',
    '--cbr',
  ]) {
    assert.ok(loopback.includes(`${flag} `), flag);
  }
  for (const flag of ['--symbols-per-pixel', '--harq', '--seed', '--numerology', '--freq', '--rate', '--csi-delay']) {
    assert.ok(loopback.includes(`${flag} `), flag);
  }
  for (const flag of ['--max-csi-age', '--snr-norm', '--feedback', '--cfo', '--sfo', '--iq', '--dc', '--phase-noise']) {
    assert.ok(loopback.includes(`${flag} `), flag);
  }
  for (const flag of ['--bits', '--jammer', '--min-psnr', '--max-drops', '--json', '-c,', '-o,', '-v,', '-q,', '-f,']) {
    assert.ok(loopback.includes(`${flag}`), flag);
  }
  const version = await sctInside(['--version']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

test('devices: what can be used and what cannot, as one object', async () => {
  const ended = await sctInside(['devices', '--json']);
  const object = JSON.parse(ended.stdout);
  assert.equal(ended.code, 0);
  assert.equal(object.ok, true);
  assert.deepEqual(
    object.devices.slice(0, 2).map((d: { uri: string }) => d.uri),
    ['loopback', 'file:PATH'],
  );
  // A machine may have boards; each kind is among what can be used or among what cannot.
  const all: { uri: string | null; board?: string }[] = [...object.devices, ...object.unavailable];
  assert.ok(all.some(({ uri, board }) => uri === 'hackrf' || board === 'HackRF'));
  assert.ok(all.some(({ uri, board }) => uri === 'pluto:usb' || board === 'Pluto'));
});
