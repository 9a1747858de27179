import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StandardRequests } from '../../../hardware/emulated/standard-requests.ts';
import { configurationInfo, deviceInfo, stringDescriptor } from '../../../hardware/emulated/usb-descriptors.ts';
import { BULK_IN, BULK_OUT, counter, TestDevice, TestRequest } from './test-device.ts';

const EMPTY = new Uint8Array(0);
const never = new AbortController().signal;

function board() {
  const device = new TestDevice();
  const usb = new StandardRequests(device);
  const control = async (requestType: number, request: number, value = 0, index = 0, length = 0, data = EMPTY) => {
    const reply = await usb.control({ requestType, request, value, index, length }, data);
    return typeof reply === 'string' ? reply : [...reply];
  };
  return { device, usb, control };
}

describe('descriptors (USB 2.0 §9.6)', () => {
  it('reads interfaces, alternate settings and endpoints, and passes over what it does not know', () => {
    const { descriptors } = new TestDevice();
    assert.deepEqual(configurationInfo(descriptors.configuration), {
      value: 1,
      selfPowered: false,
      remoteWakeup: false,
      interfaces: [
        {
          number: 0,
          alternate: 0,
          classCode: 255,
          subClass: 255,
          protocol: 255,
          endpoints: [
            { address: 0x81, transferType: 2, maxPacketBytes: 512, interval: 0 },
            { address: 0x02, transferType: 2, maxPacketBytes: 512, interval: 0 },
          ],
        },
        { number: 1, alternate: 0, classCode: 254, subClass: 1, protocol: 2, endpoints: [] },
        {
          number: 1,
          alternate: 1,
          classCode: 254,
          subClass: 1,
          protocol: 2,
          endpoints: [{ address: 0x83, transferType: 2, maxPacketBytes: 512, interval: 0 }],
        },
      ],
    });
    const { vendorId, productId, bcdDevice, serialIndex } = deviceInfo(descriptors.device);
    assert.deepEqual([vendorId, productId, bcdDevice, serialIndex], [0x1209, 0x0001, 0x0107, 4]);
  });

  it('refuses a model whose descriptors break off', () => {
    const { configuration, device } = new TestDevice().descriptors;
    assert.throws(() => configurationInfo(configuration.subarray(0, 30)), /wTotalLength/);
    const broken = configuration.slice();
    broken[18] = 60; // the first endpoint descriptor reaches beyond the end
    assert.throws(() => configurationInfo(broken), /breaks off at byte 18/);
    assert.throws(() => deviceInfo(device.subarray(1)), /18 bytes/);
    const strings = { ...new TestDevice().descriptors, strings: ['x'.repeat(127)] };
    assert.throws(() => stringDescriptor(strings, 1), /126/);
  });
});

describe('standard requests (USB 2.0 §9.4)', () => {
  it('GET_DESCRIPTOR: device, configuration, strings, qualifier, other speed; cut to wLength', async () => {
    const { device, control } = board();
    const { descriptors } = device;
    assert.deepEqual(await control(0x80, 6, 0x0100, 0, 18), [...descriptors.device]);
    assert.deepEqual(await control(0x80, 6, 0x0100, 0, 8), [...descriptors.device.subarray(0, 8)]);
    assert.deepEqual(await control(0x80, 6, 0x0200, 0, 9), [...descriptors.configuration.subarray(0, 9)]);
    assert.deepEqual(await control(0x80, 6, 0x0200, 0, 255), [...descriptors.configuration]);
    assert.deepEqual(await control(0x80, 6, 0x0300, 0, 255), [4, 3, 0x09, 0x04]);
    assert.deepEqual(await control(0x80, 6, 0x0302, 0x0409, 255), [12, 3, 0x42, 0, 0x6f, 0, 0x61, 0, 0x72, 0, 0x64, 0]);
    assert.deepEqual(await control(0x80, 6, 0x0600, 0, 10), [10, 6, 0, 2, 0, 0, 0, 64, 1, 0]);
    const other = await control(0x80, 6, 0x0700, 0, 255);
    assert.ok(Array.isArray(other));
    assert.equal(other[1], 7);
    assert.deepEqual(other.slice(18, 25), [7, 5, BULK_IN, 2, 64, 0, 0]);
    for (const value of [0x0101, 0x0201, 0x0305, 0x03ee, 0x0f00, 0x2200]) {
      assert.equal(await control(0x80, 6, value, 0, 255), 'stall', value.toString(16));
    }
  });

  it('SET_ADDRESS, SET_CONFIGURATION, GET_CONFIGURATION, SET_INTERFACE, GET_INTERFACE', async () => {
    const { device, usb, control } = board();
    assert.equal(await control(0, 5, 17), 'ok');
    assert.equal(usb.address, 17);
    assert.equal(await control(0, 5, 128), 'stall');
    assert.deepEqual(await control(0x80, 8, 0, 0, 1), [0]);
    assert.equal(await control(0x81, 10, 0, 1, 1), 'stall', 'not configured');
    assert.equal(await control(1, 11, 1, 1), 'stall', 'not configured');
    assert.equal(await control(0, 9, 2), 'stall');
    assert.equal(await control(0, 9, 1), 'ok');
    assert.deepEqual(device.log, ['reset']);
    assert.deepEqual(await control(0x80, 8, 0, 0, 1), [1]);
    assert.equal(await control(1, 11, 2, 1), 'stall', 'no such setting');
    assert.equal(await control(1, 11, 0, 7), 'stall', 'no such interface');
    assert.equal(await control(1, 11, 1, 1), 'ok');
    assert.deepEqual(await control(0x81, 10, 0, 1, 1), [1]);
    assert.equal(await control(0, 9, 0), 'ok');
    assert.deepEqual(await control(0x80, 8, 0, 0, 1), [0]);
    usb.reset();
    assert.equal(usb.address, 0);
  });

  it('GET_STATUS, CLEAR_FEATURE, SET_FEATURE: halted endpoints STALL until they are cleared', async () => {
    const { usb, control } = board();
    await control(0, 9, 1);
    assert.deepEqual(await control(0x80, 0, 0, 0, 2), [0, 0]);
    assert.deepEqual(await control(0x81, 0, 0, 1, 2), [0, 0]);
    assert.deepEqual(await control(0x82, 0, 0, BULK_IN, 2), [0, 0]);
    assert.deepEqual(await control(0x82, 0, 0, 0, 2), [0, 0]);
    assert.equal(await control(0x82, 0, 0, 0x83, 2), 'stall', 'not in the active setting');
    assert.equal(await control(2, 3, 0, BULK_IN), 'ok');
    assert.deepEqual(await control(0x82, 0, 0, BULK_IN, 2), [1, 0]);
    assert.equal(await usb.bulkIn(BULK_IN, 4, never), 'stall');
    assert.equal(await control(2, 1, 0, BULK_IN), 'ok');
    assert.deepEqual(await usb.bulkIn(BULK_IN, 4, never), counter(0, 4));
    assert.equal(await control(2, 3, 0, 0), 'stall', 'the control pipe cannot be halted');
    assert.equal(await control(0, 3, 1), 'stall', 'no remote wake-up');
    assert.equal(await control(0, 3, 2), 'stall', 'no test mode');
  });

  it('a STALL of the model halts the endpoint; SET_CONFIGURATION clears it, too', async () => {
    const { device, usb, control } = board();
    await control(0, 9, 1);
    device.stallsNext = true;
    assert.equal(await usb.bulkOut(BULK_OUT, Uint8Array.of(1), never), 'stall');
    assert.equal(await usb.bulkOut(BULK_OUT, Uint8Array.of(2), never), 'stall');
    assert.deepEqual(await control(0x82, 0, 0, BULK_OUT, 2), [1, 0]);
    await control(0, 9, 1);
    assert.equal(await usb.bulkOut(BULK_OUT, Uint8Array.of(3), never), 'ok');
    assert.deepEqual(device.kept, [Uint8Array.of(3)]);
  });

  it('endpoints answer only when configured, in their direction, and where the active setting has them', async () => {
    const { usb, control } = board();
    assert.equal(await usb.bulkIn(BULK_IN, 4, never), 'stall');
    await control(0, 9, 1);
    assert.equal(await usb.bulkIn(0x82, 4, never), 'stall');
    assert.equal(await usb.bulkIn(BULK_OUT, 4, never), 'stall');
    assert.equal(await usb.bulkOut(BULK_IN, EMPTY, never), 'stall');
    assert.equal(await usb.bulkIn(0x80, 4, never), 'stall');
    assert.equal(await usb.bulkIn(0x83, 4, never), 'stall');
    await control(1, 11, 1, 1);
    assert.equal((await usb.bulkIn(0x83, 4, never)).length, 4);
  });

  it('gives the model everything else, and cuts and checks lengths', async () => {
    const { device, control } = board();
    assert.deepEqual(await control(0xc0, TestRequest.give, 10, 7, 4), [0, 1, 2, 3]);
    assert.equal(await control(0x40, TestRequest.keep, 0, 0, 3, Uint8Array.of(7, 8, 9)), 'ok');
    assert.equal(await control(0x40, TestRequest.keep, 0, 0, 4, Uint8Array.of(7)), 'stall', 'less data than wLength');
    assert.equal(await control(0x40, 99), 'stall');
    assert.equal(await control(0, 7, 0x0100, 0, 2, Uint8Array.of(1, 2)), 'stall', 'SET_DESCRIPTOR');
    assert.deepEqual(device.kept, [Uint8Array.of(7, 8, 9)]);
    assert.equal(device.log[0], 'control c0 2 10 7');
  });
});
