import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EmulatedCdcAttenuator, EmulatedRudat } from '../../../hardware/emulated/instruments/attenuators.ts';
import { SctError, UsageError } from '../../../src/common/errors.ts';
import { ATTENUATOR_MODELS } from '../../../src/radio/instruments/attenuator-models.ts';
import { setCommand } from '../../../src/radio/instruments/cdc-attenuator.ts';
import { InstrumentError } from '../../../src/radio/instruments/instrument-error.ts';
import { openAttenuator } from '../../../src/radio/instruments/open-instrument.ts';
import { manyAtOnce, portOf, scripted } from './wire.ts';
import '../../fixed-seed.js';

const named = (name: string) => ATTENUATOR_MODELS.find((model) => model.name === name)!;
const ofKind = (kind: InstrumentError['kind'], message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof InstrumentError, String(error));
  assert.equal(error.kind, kind, error.message);
  assert.equal(error.exitCode, 3);
  if (message) assert.match(error.message, message);
  return true;
};

test('the bytes are those of the devices', () => {
  // coozoo/digiattcontrol: %06.2f for ranges above 90 dB, %05.2f for 30 dB.
  assert.equal(setCommand(named('DC-6GHZ-90DB-V3'), 12.5), 'att-012.50\r\n');
  assert.equal(setCommand(named('DC-6GHZ-120DB'), 124.75), 'att-124.75\r\n');
  assert.equal(setCommand(named('DC-6GHZ-30DB'), 0), 'att-00.00\r\n');
  assert.equal(setCommand(named('DC-8GHZ-30DB-0.1DB'), 7.3), 'att-07.30\r\n');
});

test('every model is found by asking and then stands at its maximum, however the bytes come', async () => {
  for (const kind of ATTENUATOR_MODELS) {
    for (const pieceBytes of [0, 1, 5]) {
      const box = new EmulatedCdcAttenuator(kind);
      const port = portOf(box, { pieceBytes });
      // Naming the model skips the asking; asking boxes of smaller range costs a time-out for each larger model: one such below.
      const ask = kind.name === 'DC-6GHZ-120DB' && pieceBytes === 1;
      const attenuator = await openAttenuator(
        ask ? 'att:/dev/ttyUSB0' : `att:/dev/ttyUSB0?model=${kind.name}`,
        port.open,
      );
      assert.equal(attenuator.model, kind.name);
      assert.deepEqual(attenuator.rangeDb, { min: 0, max: kind.maxDb, step: kind.stepDb });
      assert.equal(box.attenuationDb, kind.maxDb);
      assert.deepEqual(port.opened, [['/dev/ttyUSB0', 9600]]);
      assert.equal(await attenuator.set(10), 10);
      assert.ok(Math.abs(box.attenuationDb - 10) < 1e-9);
      assert.equal(await attenuator.read(), 10);
      await attenuator.setMaximum();
      await attenuator.close();
      await attenuator.close();
      // Closed, it stays where it was.
      assert.ok(Math.abs(box.attenuationDb - kind.maxDb) < 1e-9);
    }
  }
});

test('a box of smaller range is found behind the larger ones', async () => {
  const box = new EmulatedCdcAttenuator(named('DC-3G-90DB-V2'));
  const attenuator = await openAttenuator('att:p', portOf(box).open);
  assert.equal(attenuator.model, 'DC-3G-90DB-V2');
  assert.equal(box.attenuationDb, 94.5);
  await attenuator.close();
});

test('values off the range or the step are refused before a byte is sent', async () => {
  const box = new EmulatedCdcAttenuator(named('DC-3G-90DB-V2'));
  const attenuator = await openAttenuator('att:p?model=DC-3G-90DB-V2', portOf(box).open);
  for (const value of [12.25, -0.5, 95, Number.NaN, 1e9]) await assert.rejects(attenuator.set(value), UsageError);
  await assert.rejects(attenuator.set(12.25), /12\.25 dB is not possible: allowed 0 to 94\.5 dB in steps of 0\.5/);
  assert.equal(box.attenuationDb, 94.5);
  await attenuator.close();
});

test('a box that does something else than it says is found out by reading back', async () => {
  // Named as one of 0.25 dB steps, it is one of 0.5 dB.
  const box = new EmulatedCdcAttenuator({ ...named('DC-3G-90DB-V2'), maxDb: 95.25 });
  await assert.rejects(
    openAttenuator('att:p?model=DC-6GHZ-90DB-V3', portOf(box).open),
    ofKind('refused', /stands at 95 dB after 95\.25 dB was set/),
  );
});

test('RUDAT: model, range, maximum, steps of 0.25 dB', async () => {
  for (const pieceBytes of [0, 1]) {
    const box = new EmulatedRudat('RUDAT-6000-60', '11803290019');
    const attenuator = await openAttenuator('att:/dev/ttyS0?model=rudat', portOf(box, { pieceBytes }).open);
    assert.equal(attenuator.describe(), 'RUDAT-6000-60 (11803290019), 0 to 60 dB in steps of 0.25 dB');
    assert.equal(box.attenuationDb, 60);
    assert.equal(await attenuator.set(20.25), 20.25);
    assert.equal(box.attenuationDb, 20.25);
    await assert.rejects(attenuator.set(20.1), UsageError);
    await attenuator.close();
  }
});

test('RUDAT is found where the other commands get no answer', async () => {
  const box = new EmulatedRudat();
  // R and D of READ are letters to it; its answer to R is no ATT = line.
  const attenuator = await openAttenuator('att:p', portOf(box).open);
  assert.equal(attenuator.model, 'RUDAT-6000-90');
  assert.equal(box.attenuationDb, 90);
  await attenuator.close();
});

test('nothing, or nonsense, at the port is a typed error and the port is closed', async () => {
  const silent = portOf(scripted(() => ''));
  await assert.rejects(
    openAttenuator('att:p?model=DC-6GHZ-30DB', silent.open),
    ofKind('timeout', /p: no answer within 1000 ms/),
  );
  await assert.rejects(
    openAttenuator('att:p?model=rudat', portOf(scripted(() => 'hello\r\n')).open),
    ofKind('garbled', /it says it is "hello"/),
  );
  await assert.rejects(
    openAttenuator('att:p?model=DC-6GHZ-30DB', portOf(scripted(() => 'attERR\r\n')).open),
    ofKind('refused', /refused: "attERR/),
  );
  const flood = portOf(scripted(() => 'x'.repeat(40_000)));
  await assert.rejects(
    openAttenuator('att:p?model=DC-6GHZ-30DB', flood.open),
    ofKind('garbled', /more than 16384 bytes/),
  );
  await assert.rejects(openAttenuator('relay:p?set=kmtronic', silent.open), UsageError);
});

test('pulled while in use: every call fails at once, as gone', async () => {
  const port = portOf(new EmulatedCdcAttenuator(named('DC-6GHZ-30DB')));
  const attenuator = await openAttenuator('att:p?model=DC-6GHZ-30DB', port.open);
  const pending = attenuator.set(5);
  port.unplug();
  await assert.rejects(pending, ofKind('gone'));
  await assert.rejects(attenuator.read(), ofKind('gone'));
  await attenuator.close();
});

test('whatever the instrument answers: a value, or a typed error, soon', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'attOK\r\n',
      'ATT = -31.75\r\n',
      'ATT = -5.00',
      'ACK',
      'RUDAT-6000-30',
      '31.75',
      '30.00\r\n',
      'M',
      '\0',
      '1180',
    ),
    fc.string({ maxLength: 12 }),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  await manyAtOnce(
    fc.tuple(fc.array(fc.array(piece, { maxLength: 3 }), { maxLength: 8 }), fc.boolean()),
    300,
    async ([replies, rudat]) => {
      let at = 0;
      const model = scripted(() => replies[at++]?.join('') ?? '!\r\n'.repeat(6000));
      const uri = rudat ? 'att:p?model=rudat' : 'att:p?model=DC-6GHZ-30DB';
      try {
        const attenuator = await openAttenuator(uri, portOf(model).open);
        assert.ok(attenuator.rangeDb.max >= 10);
        await attenuator.close();
      } catch (error) {
        assert.ok(error instanceof SctError, String(error));
      }
    },
  );
});
