import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsbError, type UsbErrorKind } from '../../src/radio/usb/usb.ts';
import { openBoard } from './hackrf/helpers.ts';
import { faultsAt, randomFaults, type UsbFault } from './usb-faults.ts';

const fails = (done: Promise<unknown>, kind: UsbErrorKind) =>
  assert.rejects(done, (error) => error instanceof UsbError && error.kind === kind, kind);

const STATE = { requestType: 0xc0, request: 41, value: 0, index: 0 } as const;

/** A board that receives, with the given fault at the next step. */
async function receiving(fault: UsbFault | null) {
  const opened = await openBoard({ rxCounter: true });
  await opened.setMode(1);
  if (fault) opened.bus.faults = faultsAt({ [opened.bus.steps]: fault });
  return opened;
}

test('each fault does what it says to a transfer', async () => {
  for (const [fault, kind] of [
    [{ kind: 'stall' }, 'stall'],
    [{ kind: 'io' }, 'io'],
    [{ kind: 'timeout' }, 'timeout'],
    [{ kind: 'unplug', when: 'before' }, 'gone'],
    [{ kind: 'unplug', when: 'after' }, 'gone'],
  ] as const) {
    const { usb } = await receiving(fault);
    await fails(usb.controlIn(STATE, 40, 20), kind);
    // Only that step is hit; a board that was pulled stays away.
    if (kind === 'gone') await fails(usb.controlIn(STATE, 40, 20), 'gone');
    else assert.equal((await usb.controlIn(STATE, 40, 1000)).length, 40);
  }
  const { usb } = await receiving({ kind: 'short', bytes: 7 });
  assert.equal((await usb.controlIn(STATE, 40)).length, 7);
  const noise = await receiving({ kind: 'garbage', seed: 1, bytes: 33 });
  const bytes = await noise.usb.controlIn(STATE, 40);
  assert.equal(bytes.length, 33);
  assert.notDeepEqual(bytes, (await noise.usb.controlIn(STATE, 40)).subarray(0, 33));
});

test('a late answer is done by the board, in time or after the time-out', async () => {
  const early = await receiving({ kind: 'late', ms: 10 });
  await early.usb.controlOut({ requestType: 0x40, request: 17, value: 1, index: 0 }, undefined, 5000);
  assert.equal(early.board.settings.amp, true);
  const late = await receiving({ kind: 'late', ms: 200 });
  await fails(late.usb.controlOut({ requestType: 0x40, request: 17, value: 1, index: 0 }, undefined, 10), 'timeout');
  assert.equal(late.board.settings.amp, true);
});

test('a short bulk transfer takes no more from the board; transfers end in order; cancel ends them all', async () => {
  const { usb, clock } = await receiving({ kind: 'short', bytes: 512 });
  const ended: number[] = [];
  const into = [0, 1, 2].map(() => new Uint8Array(4096));
  const reads = into.map((bytes, i) =>
    usb.bulkIn(0x81, bytes, 0).then((n) => {
      ended.push(i);
      return n;
    }),
  );
  await clock.advance(0.01);
  assert.deepEqual([await reads[0], await reads[1]], [512, 4096]);
  assert.deepEqual(ended, [0, 1, 2]);
  // The counter goes on where the short transfer ended.
  assert.deepEqual([...into[1].subarray(0, 4)], [0, 1, 1, 1]);
  const waiting = usb.bulkIn(0x02, new Uint8Array(512), 0);
  await fails(waiting, 'stall');
  await usb.controlOut({ requestType: 0x40, request: 1, value: 0, index: 0 });
  const open = usb.bulkIn(0x81, new Uint8Array(1 << 20), 0);
  await usb.cancel(0x81);
  await fails(open, 'cancelled');
});

test('a transfer without data ends at its time-out; a closed or missing board refuses', async () => {
  const { usb, bus } = await receiving(null);
  await usb.controlOut({ requestType: 0x40, request: 1, value: 0, index: 0 });
  await fails(usb.bulkIn(0x81, new Uint8Array(0x10000), 20), 'timeout');
  const [info] = await bus.list([{ vendorId: 0x1d50, productId: 0x6089 }]);
  await fails(bus.open(info), 'busy');
  await usb.close();
  await fails(usb.controlIn(STATE, 40), 'io');
  const again = await bus.open(info);
  await fails(again.claim(3), 'io');
  bus.unplug();
  await fails(bus.open(info), 'gone');
  await again.close();
});

test('random faults leave nothing open and the board silent', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const { usb, bus, clock, board } = await openBoard({ rxCounter: true, seed });
    const out = (request: number, value = 0) =>
      usb.controlOut({ requestType: 0x40, request, value, index: 0 }, undefined, 20);
    bus.faults = randomFaults({ seed, rate: 0.3, maxLateMs: 5 });
    const all: Promise<unknown>[] = [];
    for (let i = 0; i < 25; i++) {
      const steps = [
        out(1, i % 3),
        usb.bulkIn(0x81, new Uint8Array(2048), 30),
        usb.bulkOut(2, new Uint8Array(4096), 30),
      ];
      // A step may fail long before all are looked at.
      for (const step of steps) step.catch(() => {});
      all.push(...steps);
      await clock.advance(0.001);
    }
    const results = await Promise.allSettled(all);
    for (const result of results) {
      if (result.status === 'rejected') assert.ok(result.reason instanceof UsbError, String(result.reason));
    }
    await usb.close();
    board.reset();
    assert.equal(board.inspect().mode, 'off');
  }
});
