import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WallAirClock } from '../../../hardware/emulated/clock.ts';
import { Iiod } from '../../../hardware/emulated/pluto/iiod/iiod.ts';
import { PlutoBoard } from '../../../hardware/emulated/pluto/pluto-board.ts';
import { PlutoUsb } from '../../../hardware/emulated/pluto/usb/pluto-usb.ts';
import { IiodClient } from '../../../src/radio/pluto/iiod-client.ts';
import type { AttrRef } from '../../../src/radio/pluto/iiod-words.ts';
import { PLUTO_USB, UsbConnector } from '../../../src/radio/pluto/usb-transport.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import { openBoard } from '../../../src/radio/usb/bus.ts';
import { DirectUsbBus } from '../../hardware/direct-usb.ts';
import { Coil } from '../../hardware/pluto/coil.ts';
import { type IioSaid, readIioVectors, saidOf } from '../../system/iio-vectors.ts';
import { RecordedDevice } from '../../system/recorder.ts';
import { SERIAL } from './rig.ts';

// Our client over USB does what libiio's tools did in the guest of the system test (test/vectors/radio/README.md): the same requests for pipes,
// the same words on each. Different on purpose: a pipe that is done with is told so (EXIT, as libiio does over TCP) and closed, the first one,
// too, which libiio leaves to the request that closes all.

const PATIENCE_MS = 60_000;
const CLOSE_FIRST_PIPE = '41 2 0 2 0';
const GOODBYE = '\r\nEXIT\r\n';
const RX_LO: AttrRef = {
  device: 'iio:device0',
  place: { kind: 'channel', channel: 'altvoltage0', output: true },
  name: 'frequency',
};

/** What we say over USB while each session runs, one after the other, without what differs on purpose. */
async function ours(...sessions: ((connector: UsbConnector) => Promise<void>)[]): Promise<IioSaid> {
  // Quicker than time: nothing here waits for samples.
  const air = new Coil(new WallAirClock(10));
  const board = new PlutoBoard({ name: 'p', serial: SERIAL, air, profile: loadProfile('pluto') });
  const recorded = new RecordedDevice(new PlutoUsb(new Iiod(board)));
  const bus = new DirectUsbBus([recorded]);
  for (const session of sessions) {
    const device = await openBoard(
      { bus: { kind: 'libusb' }, wanted: [PLUTO_USB], serial: SERIAL, name: 'Pluto' },
      bus,
    );
    const connector = await UsbConnector.open(device);
    await session(connector);
    await connector.close();
    await device.close();
  }
  const { controls, pipes } = saidOf(recorded.asked, recorded.sent);
  assert.equal(controls.filter((control) => control === CLOSE_FIRST_PIPE).length, sessions.length);
  for (const text of Object.values(pipes)) assert.ok(text.endsWith(GOODBYE));
  return {
    controls: controls.filter((control) => control !== CLOSE_FIRST_PIPE),
    pipes: Object.fromEntries(Object.entries(pipes).map(([pipe, text]) => [pipe, text.replaceAll(GOODBYE, '')])),
  };
}

function theirs(command: string): IioSaid {
  const vector = readIioVectors().find((one) => one.command === command);
  assert.ok(vector);
  return vector.said;
}

/** A session with a client on the first pipe, which has read the context; and one on the second, where a buffer is used. */
function withBuffer(use: (buffer: IiodClient) => Promise<void>) {
  return async (connector: UsbConnector) => {
    const context = new IiodClient(await connector.connect(PATIENCE_MS), PATIENCE_MS);
    await context.print();
    await context.setTimeoutMs(30_000);
    const buffer = new IiodClient(await connector.connect(PATIENCE_MS), PATIENCE_MS);
    await use(buffer);
    await buffer.close();
    await context.close();
  };
}

test('an attribute is written and read as iio_attr does it over USB', async () => {
  const session = (write: string | null) => async (connector: UsbConnector) => {
    const client = new IiodClient(await connector.connect(PATIENCE_MS), PATIENCE_MS);
    await client.print();
    if (write) await client.writeAttr(RX_LO, write);
    assert.equal(await client.readAttr(RX_LO), '915000000');
    await client.close();
  };
  assert.deepEqual(await ours(session('915000000'), session(null)), theirs('iio_attr'));
});

test('a buffer is opened and read as iio_readdev does it over USB', async () => {
  const said = await ours(
    withBuffer(async (client) => {
      await client.open('iio:device3', 4096, [3]);
      await client.setTimeoutMs(30_000);
      for (let i = 0; i < 4; i++) await client.readBuffer('iio:device3', new Uint8Array(16_384));
    }),
  );
  assert.deepEqual(said, theirs('iio_readdev'));
});

test('a buffer is opened, written and closed as iio_writedev does it over USB', async () => {
  const said = await ours(
    withBuffer(async (client) => {
      await client.open('iio:device2', 4096, [3]);
      await client.setTimeoutMs(30_000);
      for (let i = 0; i < 4; i++) await client.writeBuffer('iio:device2', new Uint8Array(16_384));
      await client.closeBuffer('iio:device2');
    }),
  );
  assert.deepEqual(said, theirs('iio_writedev'));
});
