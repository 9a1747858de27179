// Emulated serial instruments, from the words of `sct emulate` to `sct instrument` over a socket; what they are set to stands between emulated boards.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AirModel } from '../../hardware/emulated/air-model.ts';
import { ManualAirClock } from '../../hardware/emulated/clock.ts';
import { Emulation } from '../../src/cli/emulation/emulation.ts';
import { planEmulation } from '../../src/cli/emulation/emulation-options.ts';
import { instrumentOf } from '../../src/cli/emulation/instruments.ts';
import { UsageError } from '../../src/common/errors.ts';
import { ATTENUATOR_MODELS } from '../../src/radio/instruments/attenuator-models.ts';
import { sctInside } from './helpers.ts';

const folder = mkdtempSync(join(tmpdir(), 'sct-instruments-'));
after(() => rmSync(folder, { recursive: true }));

test('names and addresses', () => {
  assert.deepEqual(instrumentOf('attenuator'), { kind: 'attenuator', model: 'DC-6GHZ-90DB-V3' });
  assert.deepEqual(instrumentOf('relay:lctech'), { kind: 'relay', model: 'lctech' });
  assert.deepEqual(instrumentOf('gpsdo'), { kind: 'gpsdo', model: '' });
  assert.equal(instrumentOf('hackrf'), null);
  for (const wrong of ['attenuator:HP355', 'relay:x', 'gpsdo:y', 'attenuator:', 'relay:lctech:2']) {
    assert.throws(() => instrumentOf(wrong), UsageError, wrong);
  }
  const plan = planEmulation(['hackrf', 'attenuator', 'gpsdo'], { count: '2' });
  assert.equal(plan.boards.length, 2, '--count counts boards');
  assert.deepEqual(
    plan.instruments.map(({ at }) => at),
    [7001, 7002].map((port) => ({ host: '127.0.0.1', port })),
  );
  assert.deepEqual(planEmulation(['gpsdo'], {}).usbip, null, 'no board, no USB server');
  assert.throws(() => planEmulation(['gpsdo'], { instruments: 'a,b' }), /--instruments names 2 for 1 instruments/);
  assert.throws(() => planEmulation(['gpsdo'], { instruments: '0.0.0.0:7000' }), /from other machines/);
});

test('sct instrument asks, sets and switches what sct emulate serves', async () => {
  const names = [
    'attenuator:rudat',
    `attenuator:${ATTENUATOR_MODELS[3].name}`,
    'relay:kmtronic',
    'relay:lctech',
    'gpsdo',
  ];
  const at = names.map((_, i) => (i === 4 ? '0' : join(folder, `i${i}`))).join(',');
  const emulation = await Emulation.start(planEmulation(names, { instruments: at }), () => {});
  try {
    const [rudat, cdc, kmtronic, lctech, gpsdo] = emulation.instruments.ready().map(({ uri }) => uri);
    const said = async (...words: string[]) => {
      const ended = await sctInside(['instrument', ...words, '--json']);
      return { ...(ended.stdout ? JSON.parse(ended.stdout) : {}), code: ended.code, stderr: ended.stderr };
    };
    // Without a model both command sets are tried; the box ends at its maximum.
    const found = await said(rudat.replace(/\?.*/, ''));
    assert.equal(found.model, 'RUDAT-6000-90');
    assert.equal(found.attenuationDb, 90);
    assert.equal((await said(cdc.replace(/\?.*/, ''))).model, ATTENUATOR_MODELS[3].name);
    assert.equal((await said(cdc, '--set', '12.5')).attenuationDb, 12.5);
    assert.match((await said(cdc, '--set', '12.6')).stderr, /12\.6 dB/);
    assert.match((await said(cdc, '--set', '32')).stderr, /32 dB is out of range/);
    assert.deepEqual((await said(kmtronic, '--on', '1,8')).on, [true, ...new Array(6).fill(false), true]);
    assert.deepEqual((await said(lctech, '--on', '2', '--off', '1')).on, [false, true]);
    assert.match((await said(lctech, '--on', '3')).stderr, /relay channel 3 is out of range/);
    const clock = await said(gpsdo);
    assert.deepEqual([clock.locked, clock.trouble, clock.code], [true, null, 0]);
    assert.deepEqual(emulation.instruments.state()[2].on, [1, 8]);
    for (const [words, message] of [
      [[gpsdo, '--set', '3'], /only an attenuator/],
      [[cdc, '--on', '1'], /only a relay board/],
      [[kmtronic, '--on', '9'], /--on: "9"/],
      [[kmtronic, '--on', '2', '--off', '2'], /by --on and by --off/],
      [['hackrf'], /is not an instrument/],
    ] as const) {
      const ended = await said(...words);
      assert.equal(ended.code, 2);
      assert.match(ended.stderr, message);
    }
    assert.equal((await sctInside(['doctor', gpsdo])).code, 0, 'doctor knows instruments, too');
    const air = join(folder, 'air');
    const tone = ['tone', `file:${air}`, '-f', '868M', '-s', '1M', '--duration', '0.01'];
    assert.equal((await sctInside(tone)).code, 0);
    const copy = join(folder, 'copy');
    assert.equal((await sctInside(['record', '--from', `file:${air}`, '-o', copy, '--gpsdo', gpsdo])).code, 0);
    const { global } = JSON.parse(await readFile(`${copy}.sigmf-meta`, 'utf8'));
    assert.deepEqual([global['sct:gpsdo'].locked, global['sct:gpsdo'].trouble], [true, null]);
    const wrongSet = await said(kmtronic.replace('set=kmtronic', 'set=lctech'));
    assert.deepEqual(wrongSet.on, new Array(8).fill(null), 'a board that does not tell is not said to be off');
    const gone = await said(`att:unix:${join(folder, 'none')}`);
    assert.equal(gone.code, 3);
    assert.match(gone.stderr, /nobody serves/);
  } finally {
    await emulation.close();
  }
});

test('link: an attenuator needs a cable between boards, and --snr between boards an attenuator', async () => {
  const boards = [
    'link',
    '--demo',
    '--tx',
    'hackrf:1?usbip=127.0.0.1:9',
    '--rx',
    'hackrf:2?usbip=127.0.0.1:9',
    '-f',
    '868M',
  ];
  const port = 'att:/dev/no-such-port';
  for (const [words, code, message] of [
    [[...boards, '--attenuator', port], 2, /--attenuator stands in a cable/],
    [[...boards, '--cabled', '60', '--snr', '5'], 2, /--snr: nothing is modelled between boards/],
    [[...boards, '--cabled', '60', '--attenuator', 'relay:/dev/x?set=lctech'], 2, /is no att: instrument/],
    [[...boards, '--cabled', '60', '--attenuator', port, '--snr', '5,x'], 2, /--snr: "x" is not a number/],
    [[...boards, '--cabled', '60', '--attenuator', port, '--snr', '5,500'], 2, /--snr 500 dB is out of range/],
    [[...boards, '--cabled', '60', '--attenuator', port, '--snr', '5,5'], 2, /one SNR twice/],
    [[...boards, '--cabled', '60', '--attenuator', port], 3, /no such port/],
    [['link', '--demo', '--tx', 'loopback', '--attenuator', port], 2, /loopback has none/],
  ] as const) {
    const ended = await sctInside(words);
    assert.equal(ended.code, code, `${words.join(' ')}: ${ended.stderr}`);
    assert.match(ended.stderr, message);
  }
});

test('the loss of a path follows the instruments in it', async () => {
  const clock = new ManualAirClock();
  const extra = { db: 0 };
  const air = new AirModel(clock, { paths: [{ from: 'a', to: 'b', lossDb: 20, extraLossDb: () => extra.db }] });
  const a = air.attach('a');
  const b = air.attach('b');
  const reIm = new Float32Array(2000).fill(1);
  const heard = async (db: number): Promise<number> => {
    extra.db = db;
    const startS = clock.nowS();
    a.emit({ rateHz: 1e6, frequencyHz: 868e6, startS, reIm });
    await clock.advance(1e-3);
    const out = b.hear({ rateHz: 1e6, frequencyHz: 868e6, startS, samples: 1000 });
    return out[1000];
  };
  assert.ok(Math.abs((await heard(0)) - 0.1) < 1e-6);
  assert.ok(Math.abs((await heard(40)) - 1e-3) < 1e-8);
  assert.equal(await heard(Number.POSITIVE_INFINITY), 0);
});
