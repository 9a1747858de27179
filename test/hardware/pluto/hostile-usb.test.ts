import '../../fixed-seed.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PlutoUsb } from '../../../hardware/emulated/pluto/usb/pluto-usb.ts';
import { rig, settle } from './helpers.ts';

const byte = fc.integer({ min: 0, max: 255 });
const endpoint = fc.constantFrom(0x01, 0x02, 0x03, 0x04, 0x05, 0x81, 0x82, 0x83, 0x84, 0x85, 0x8f);
const text = fc.constantFrom(
  ...[
    'VERSION\r\n',
    'PRINT\r\n',
    'OPEN iio:device3 64 00000003\r\n',
    'READBUF iio:device3 4096\r\n',
    'CLOSE iio:device3\r\n',
    'EXIT\r\n',
  ],
  ...[
    'OPEN iio:device2 64 00000003 CYCLIC\r\n',
    'WRITEBUF iio:device2 256\r\n',
    '\0\0\0\0',
    'root\ranalog\r',
    'A'.repeat(600),
  ],
);

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pipe' as const), request: fc.nat(3), value: fc.nat(4) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('control' as const),
      setup: fc.tuple(byte, byte, byte, byte),
      length: fc.nat(16),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('in' as const), endpoint, length: fc.nat(1500), cancel: fc.boolean() }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('out' as const), endpoint, text, cancel: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('reset' as const, 'replug' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
);

test('whatever a host does at the bus: nothing throws, every transfer ends when it is called off, a reset makes it usable and silent', async () => {
  const { iiod, clock, board, air } = rig();
  const usb = new PlutoUsb(iiod);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const off = new AbortController();
      const open: Promise<unknown>[] = [];
      for (const one of steps) {
        const cancelled = new AbortController();
        const signal = 'cancel' in one && one.cancel ? cancelled.signal : off.signal;
        if (one.do === 'pipe') {
          usb.control(
            { requestType: 0x41, request: one.request, value: one.value, index: 2, length: 0 },
            new Uint8Array(0),
          );
        } else if (one.do === 'control') {
          const [requestType, request, value, index] = one.setup;
          const data = new Uint8Array(one.length);
          usb.control({ requestType, request, value, index, length: one.length }, data);
        } else if (one.do === 'in') open.push(usb.bulkIn(one.endpoint, one.length, signal));
        else if (one.do === 'out') open.push(usb.bulkOut(one.endpoint, Buffer.from(one.text, 'latin1'), signal));
        else if (one.do === 'reset') usb.reset();
        else if (one.do === 'replug') {
          usb.unplug();
          usb.plug();
        } else await clock.advance(1e-5);
        cancelled.abort();
      }
      await settle();
      usb.reset();
      off.abort();
      await Promise.all(open);
      await settle();
      assert.deepEqual([board.rx.isOpen, board.tx.isOpen], [false, false]);
    }),
    { numRuns: 400 },
  );
  const { length } = air.emissions;
  await clock.advance(0.1);
  board.statistics();
  assert.equal(air.emissions.length, length);
  usb.control({ requestType: 0x41, request: 1, value: 0, index: 2, length: 0 }, new Uint8Array(0));
  await usb.bulkOut(0x02, Buffer.from('VERSION\r\n'), new AbortController().signal);
  const reply = await usb.bulkIn(0x83, 4096, new AbortController().signal);
  assert.equal(Buffer.from(reply as Uint8Array).toString(), '0.24.v0.24  \n');
});
