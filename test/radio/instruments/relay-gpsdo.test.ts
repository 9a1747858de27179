import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EmulatedGpsdo } from '../../../hardware/emulated/instruments/gpsdo.ts';
import { EmulatedKmtronic, EmulatedLcTech } from '../../../hardware/emulated/instruments/relays.ts';
import { SctError, UsageError } from '../../../src/common/errors.ts';
import { gpsdoTrouble } from '../../../src/radio/instruments/gpsdo.ts';
import { InstrumentError } from '../../../src/radio/instruments/instrument-error.ts';
import { findAnswer } from '../../../src/radio/instruments/jackson-gpsdo.ts';
import { switchCommand } from '../../../src/radio/instruments/lctech-relay.ts';
import { openGpsdo, openRelay } from '../../../src/radio/instruments/open-instrument.ts';
import { manyAtOnce, portOf, scripted } from './wire.ts';
import '../../fixed-seed.js';

test('LC-Tech: the published commands, byte for byte', () => {
  assert.deepEqual([...switchCommand(1, true)], [0xa0, 0x01, 0x01, 0xa2]);
  assert.deepEqual([...switchCommand(1, false)], [0xa0, 0x01, 0x00, 0xa1]);
  assert.deepEqual([...switchCommand(2, true)], [0xa0, 0x02, 0x01, 0xa3]);
});

test('KMTronic: boards of one to eight relays, switched and read back', async () => {
  for (const channels of [1, 2, 4, 8]) {
    const board = new EmulatedKmtronic(channels);
    const relay = await openRelay(`relay:p?set=kmtronic&channels=${channels}`, portOf(board, { pieceBytes: 1 }).open);
    assert.deepEqual(board.states, new Array(channels).fill(false), 'opening switches nothing');
    await relay.set(channels, true);
    assert.equal(board.states[channels - 1], true);
    assert.equal(await relay.read(channels), true);
    await relay.allOff();
    assert.deepEqual(board.states, new Array(channels).fill(false));
    await assert.rejects(relay.set(channels + 1, true), UsageError);
    await assert.rejects(relay.set(1.5, true), UsageError);
    await relay.close();
  }
});

test('KMTronic: the published bytes are sent', async () => {
  const sent: string[] = [];
  const board = new EmulatedKmtronic(8);
  const relay = await openRelay(
    'relay:p?set=kmtronic&channels=8',
    portOf({
      receive: (bytes) => {
        sent.push(Buffer.from(bytes).toString('hex'));
        return board.receive(bytes);
      },
    }).open,
  );
  await relay.set(3, true);
  await relay.set(3, false);
  assert.equal(sent.join(''), 'ff0301ff0900ff0300ff0900');
  await relay.close();
});

test('KMTronic: a relay that did not switch, or a status that is none, is an error', async () => {
  const stuck = await openRelay(
    'relay:p?set=kmtronic&channels=4',
    portOf(scripted((t) => (t === '\xff\x09\x00' ? '\0\0\0\0' : ''))).open,
  );
  await assert.rejects(stuck.set(1, true), { name: 'InstrumentError', message: /KMTronic relay 1 is still off/ });
  await stuck.close();
  const odd = await openRelay('relay:p?set=kmtronic&channels=4', portOf(scripted(() => '\0\x07')).open);
  await assert.rejects(odd.read(1), { message: /a status that is none: "\\x00\\x07"/ });
  await odd.close();
});

test('LC-Tech: a board that tells is read back, one that cannot says null', async () => {
  const telling = new EmulatedLcTech(2, true);
  const relay = await openRelay('relay:p?set=lctech&channels=2', portOf(telling, { pieceBytes: 3 }).open);
  await relay.set(2, true);
  assert.deepEqual(telling.states, [false, true]);
  assert.deepEqual([await relay.read(1), await relay.read(2)], [false, true]);
  await relay.close();
  const blind = new EmulatedLcTech(1, false);
  const other = await openRelay('relay:p?set=lctech', portOf(blind).open);
  await other.set(1, true);
  assert.equal(blind.states[0], true);
  assert.equal(await other.read(1), null);
  assert.match(other.describe(), /does not tell its state/);
  await other.close();
});

test('GPSDO: status through echo, prompt and NMEA, in pieces of any size', async () => {
  for (const [pieceBytes, nmeaEveryMs] of [
    [0, 0],
    [1, 0],
    [7, 3],
  ]) {
    const box = new EmulatedGpsdo({ nmeaEveryMs });
    const port = portOf(box, { pieceBytes });
    const gpsdo = await openGpsdo('gpsdo:/dev/ttyUSB2', port.open);
    assert.deepEqual(port.opened, [['/dev/ttyUSB2', 115_200]]);
    const status = await gpsdo.status();
    assert.deepEqual(status, {
      identity: 'Jackson Labs,Fury,1234,1.22',
      satellitesTracked: 9,
      locked: true,
      holdover: { active: false, durationS: 191 },
      timeIntervalS: -7.873e-9,
      healthBits: 0,
    });
    assert.equal(gpsdoTrouble(status), null);
    Object.assign(box.state, { locked: false, holdoverS: 12, healthBits: 0x54 });
    assert.equal(gpsdoTrouble(await gpsdo.status()), 'in holdover for 12 s');
    await gpsdo.close();
    port.unplug();
  }
});

test('GPSDO: without echo or prompt, and one that does not know its health', async () => {
  const gpsdo = await openGpsdo(
    'gpsdo:p?baud=57600',
    portOf(new EmulatedGpsdo({ echo: false, prompt: false, health: false })).open,
  );
  const status = await gpsdo.status();
  assert.equal(status.healthBits, null);
  assert.equal(gpsdoTrouble({ ...status, locked: false }), 'not locked');
  assert.equal(gpsdoTrouble({ ...status, healthBits: 4 }), 'health 0x4');
  await gpsdo.close();
});

test('GPSDO: only whole lines count, NMEA never does', () => {
  const count = /^\+?(\d{1,3})$/;
  assert.equal(findAnswer('1', 'Q?', count), undefined);
  assert.equal(findAnswer('12\r', 'Q?', count)?.[1], '12');
  assert.equal(findAnswer('Q?\r\n$GPGGA,1,2*33\r\n\r\nscpi > scpi > 7\r\n', 'Q?', count)?.[1], '7');
  assert.equal(findAnswer('$9\r\nsomething else\r\n', 'Q?', count), undefined);
  assert.throws(() => findAnswer('scpi > Command Error\r\n', 'Q?', count), InstrumentError);
  assert.throws(() => findAnswer('E-113\r\n', 'Q?', count), /does not answer Q\?: "E-113"/);
});

test('whatever relays and GPSDOs answer: a value or a typed error', async () => {
  const answer = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc
      .constantFrom(
        'CH1: ON\r\n',
        '\xff\x01\x01',
        '\0\x01\0\0',
        '1\r\n',
        '191,0\r\n',
        '0x0\r\n',
        'a,b\r\n',
        '-1E-9\r\n',
      )
      .map((t) => Buffer.from(t, 'latin1')),
  );
  const uris = ['relay:p?set=kmtronic', 'relay:p?set=kmtronic&channels=4', 'relay:p?set=lctech', 'gpsdo:p'];
  await manyAtOnce(
    fc.tuple(fc.array(answer, { maxLength: 10 }), fc.constantFrom(...uris)),
    300,
    async ([answers, uri]) => {
      let at = 0;
      // When the script is over, a flood ends what would else wait for its time-out.
      const model = scripted(() => answers[at++] ?? Buffer.alloc(20_000, 0x40));
      try {
        if (uri.startsWith('gpsdo')) {
          const gpsdo = await openGpsdo(uri, portOf(model).open);
          const status = await gpsdo.status();
          assert.ok(Number.isFinite(status.timeIntervalS) && status.satellitesTracked >= 0);
          await gpsdo.close();
        } else {
          const relay = await openRelay(uri, portOf(model).open);
          assert.ok([true, false, null].includes(await relay.read(1)));
          await relay.close();
        }
      } catch (error) {
        assert.ok(error instanceof SctError, String(error));
      }
    },
  );
});
