// The real serial library on a real (pseudo) terminal. `script` of util-linux makes the terminal and copies both ways; where it is missing
// these tests say so and the others remain.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { EmulatedCdcAttenuator } from '../../../hardware/emulated/instruments/attenuators.ts';
import { EmulatedGpsdo } from '../../../hardware/emulated/instruments/gpsdo.ts';
import { type InstrumentModel, serveInstrument } from '../../../hardware/emulated/instruments/instrument-model.ts';
import { EmulatedKmtronic } from '../../../hardware/emulated/instruments/relays.ts';
import { ATTENUATOR_MODELS } from '../../../src/radio/instruments/attenuator-models.ts';
import { openAttenuator, openGpsdo, openRelay } from '../../../src/radio/instruments/open-instrument.ts';
import { openError, openSerialPort } from '../../../src/radio/instruments/serial-port.ts';

const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

const haveScript =
  process.platform === 'linux' && /util-linux/.test(spawnSync('script', ['--version']).stdout?.toString() ?? '');
const skip = haveScript ? false : 'script (util-linux) is not installed';

/** A terminal behind which this model sits; its path. */
async function terminalOf(model: InstrumentModel): Promise<{ path: string; pull: () => void }> {
  const child = spawn('script', ['-qfec', 'stty raw -echo; tty; exec sleep 600', '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  children.push(child);
  const path = await new Promise<string>((resolve, reject) => {
    let text = '';
    const onData = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const match = /(\/dev\/pts\/\d+)\r?\n/.exec(text);
      if (!match) return;
      child.stdout.removeListener('data', onData);
      resolve(match[1]);
    };
    child.stdout.on('data', onData);
    child.once('exit', () => reject(new Error(`script ended: ${text}`)));
  });
  serveInstrument(model, child.stdout, child.stdin);
  return { path, pull: () => child.kill('SIGKILL') };
}

test('an attenuator on a terminal, through the serial library', { skip, timeout: 60_000 }, async () => {
  const box = new EmulatedCdcAttenuator(ATTENUATOR_MODELS[1]);
  const { path, pull } = await terminalOf(box);
  const attenuator = await openAttenuator(`att:${path}?model=DC-6GHZ-90DB-V3`);
  assert.equal(box.attenuationDb, 95.25);
  assert.equal(await attenuator.set(12.5), 12.5);
  assert.equal(box.attenuationDb, 12.5);
  await assert.rejects(openSerialPort(path, 9600), { name: 'InstrumentError', kind: 'busy' });
  const pending = attenuator.set(20);
  pull();
  // What was under way may still have been done; the next one cannot.
  await pending.catch(() => {});
  await assert.rejects(attenuator.set(30), { name: 'InstrumentError' });
  await attenuator.close();
});

test('binary relays and a chatty GPSDO on terminals', { skip, timeout: 60_000 }, async () => {
  const board = new EmulatedKmtronic(8);
  const relayEnd = await terminalOf(board);
  const relay = await openRelay(`relay:${relayEnd.path}?set=kmtronic&channels=8`);
  await relay.set(5, true);
  assert.deepEqual(board.states, [false, false, false, false, true, false, false, false]);
  await relay.close();
  const gpsdoEnd = await terminalOf(new EmulatedGpsdo({ nmeaEveryMs: 20 }));
  const gpsdo = await openGpsdo(`gpsdo:${gpsdoEnd.path}`);
  assert.equal((await gpsdo.status()).satellitesTracked, 9);
  await gpsdo.close();
  // Closed, the port can be had again.
  const again = await openGpsdo(`gpsdo:${gpsdoEnd.path}`);
  assert.equal(again.identity, 'Jackson Labs,Fury,1234,1.22');
  await again.close();
});

test('a port that is not there', async () => {
  await assert.rejects(openAttenuator('att:/dev/no-such-port-here'), {
    name: 'InstrumentError',
    kind: 'missing',
    exitCode: 3,
  });
});

test('errors of the bindings become kinds', () => {
  const kinds = [
    ['Error: No such file or directory, cannot open /dev/x', 'missing'],
    ['Opening COM9: File not found', 'missing'],
    ['Error: Permission denied, cannot open /dev/ttyUSB0', 'permission'],
    ['Error Resource temporarily unavailable Cannot lock port', 'busy'],
    ['Error: Device or resource busy, cannot open /dev/ttyUSB0', 'busy'],
    ['Error: Inappropriate ioctl for device setting custom baud rate of 9600', 'missing'],
    ['Error: Input/output error setting custom baud rate of 9600', 'gone'],
  ] as const;
  for (const [text, kind] of kinds) assert.equal(openError('/dev/x', new Error(text)).kind, kind, text);
});
