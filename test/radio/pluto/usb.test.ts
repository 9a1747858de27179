import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WallAirClock } from '../../../hardware/emulated/clock.ts';
import { Iiod } from '../../../hardware/emulated/pluto/iiod/iiod.ts';
import { PlutoBoard } from '../../../hardware/emulated/pluto/pluto-board.ts';
import { PlutoUsb } from '../../../hardware/emulated/pluto/usb/pluto-usb.ts';
import { DeviceError } from '../../../src/common/errors.ts';
import { IiodClient } from '../../../src/radio/pluto/iiod-client.ts';
import { usbLink } from '../../../src/radio/pluto/pluto-link.ts';
import { PlutoRadio } from '../../../src/radio/pluto/pluto-radio.ts';
import { endpointCouples, findIioInterface, PLUTO_USB, UsbConnector } from '../../../src/radio/pluto/usb-transport.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import { blockLength } from '../../../src/radio/radio.ts';
import { LocalBoard } from '../../../src/radio/stream/local-board.ts';
import { openBoard } from '../../../src/radio/usb/bus.ts';
import { DirectUsbBus } from '../../hardware/direct-usb.ts';
import { Coil } from '../../hardware/pluto/coil.ts';
import { faultsAt } from '../../hardware/usb-faults.ts';
import { counter, isSilent, numberOf, SERIAL } from './rig.ts';

const SPEC = { bus: { kind: 'libusb' }, wanted: [PLUTO_USB], serial: SERIAL.slice(-6), name: 'Pluto' } as const;

function plugged(speed: number) {
  const air = new Coil(new WallAirClock(speed), 30);
  const board = new PlutoBoard({ name: 'pluto', serial: SERIAL, air, profile: loadProfile('pluto'), source: counter });
  const bus = new DirectUsbBus([new PlutoUsb(new Iiod(board))]);
  const open = async (timeoutMs = 20_000) => {
    const link = await usbLink(SPEC, async (spec) => new LocalBoard(await openBoard(spec, bus)));
    return PlutoRadio.open('pluto:usb', link, { timeoutMs });
  };
  return { air, board, bus, open };
}

test('over USB: settings, samples without a gap, a burst, both at once; silent and free again after', async () => {
  const { board, open } = plugged(0.3);
  for (let round = 0; round < 2; round++) {
    const radio = await open();
    assert.equal(radio.identity.serial, SERIAL);
    const rx = await radio.openRx({ frequencyHz: 915e6, rateHz: 500_000, gainsDb: { rx: 20 } });
    const tx = await radio.openTx({ frequencyHz: 915e6, rateHz: 500_000, gainsDb: { tx: -20 } });
    const sent = tx.write(new Float32Array(1000).fill(0.2));
    let previous = -1;
    let count = 0;
    for await (const block of rx) {
      if (block.lostBefore) previous = -1;
      for (let i = 0; i < blockLength(block); i++) {
        const number = numberOf(block.data, i);
        if (previous >= 0) assert.equal(number, (previous + 1) & 0x3fffff);
        previous = number;
      }
      count += blockLength(block);
      if (count >= 100_000) break;
    }
    assert.equal((await sent).samples, 500);
    await tx.drain();
    await assert.rejects(tx.repeat(new Float32Array(8)), /over USB/);
    await radio.close();
    assert.ok(isSilent(board));
  }
});

test('a board that is pulled: every call ends with a typed error; plugged in again it opens', async () => {
  const { bus, open, board } = plugged(0.3);
  const radio = await open(2000);
  const rx = await radio.openRx({ rateHz: 500_000 });
  const tx = await radio.openTx({ rateHz: 500_000, gainsDb: { tx: -20 } });
  void tx.write(new Float32Array(200_000)).catch(() => undefined);
  await assert.rejects(async () => {
    for await (const _block of rx) bus.unplug();
  }, DeviceError);
  await assert.rejects(
    tx.drain().then(() => tx.write(new Float32Array(8))),
    DeviceError,
  );
  await assert.rejects(tx.close(), DeviceError);
  await radio.close().catch((error) => assert.ok(error instanceof DeviceError));
  assert.ok(!board.tx.isOpen);
  bus.plug();
  const again = await open();
  assert.ok(isSilent(board));
  await again.close();
});

test('pipes: as many as there are, free again when closed, and a halted one is cleared', async () => {
  const { bus } = plugged(1);
  const device = await openBoard(SPEC, bus);
  const connector = await UsbConnector.open(device);
  assert.equal(connector.pipeCount, 3);
  const pipes = [await connector.connect(1000), await connector.connect(1000), await connector.connect(1000)];
  await assert.rejects(connector.connect(1000), /all 3 pipes are in use/);
  await pipes[1].close();
  // The next bulk transfer is refused once.
  bus.faults = ({ kind }) => {
    if (kind !== 'bulkOut') return null;
    bus.faults = faultsAt({});
    return { kind: 'stall' };
  };
  const refused = new IiodClient(await connector.connect(1000), 1000);
  await assert.rejects(refused.version(), { kind: 'gone' });
  const cleared: number[] = [];
  bus.faults = ({ kind, target }) => {
    if (kind === 'controlOut') cleared.push(target);
    return null;
  };
  const client = new IiodClient(await connector.connect(1000), 1000);
  assert.deepEqual(cleared, [1, 1, 1], 'two halts cleared (request 1), then the pipe opened (request 1)');
  assert.equal((await client.version()).minor, 24);
  await client.close();
});

test('an interface that is not IIO, or whose endpoints are no couples', async () => {
  const { bus } = plugged(1);
  const device = await openBoard(SPEC, bus);
  const without = {
    ...device,
    board: device.board,
    interfaces: device.interfaces.filter(({ name }) => name !== 'IIO'),
  };
  assert.throws(() => findIioInterface(without as never), /no interface named IIO/);
  const end = (address: number, maxPacketBytes = 512) => ({ address, maxPacketBytes });
  for (const endpoints of [[], [end(0x81)], [end(0x81), end(0x82)], [end(1), end(0x81)], [end(0x81, 0), end(1)]]) {
    assert.throws(() => endpointCouples({ number: 2, name: 'IIO', endpoints }), DeviceError);
  }
});
