import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WallAirClock } from '../../../hardware/emulated/clock.ts';
import { UsbError } from '../../../src/radio/usb/usb.ts';
import '../../fixed-seed.js';
import { counters, openBoard } from './helpers.ts';

test('samples come at the set rate, in order, and none is lost while the host keeps up', async () => {
  for (const apiVersion of [0x0107, 0x0112]) {
    const { clock, usb, setMode, setRate, m0, board } = await openBoard({ rxCounter: true, apiVersion, ppm: 30 });
    await setRate(20e6);
    await setMode(1);
    let next = 0;
    let open = 0;
    const read = async () => {
      const bytes = new Uint8Array(262_144);
      open++;
      assert.equal(await usb.bulkIn(0x81, bytes, 0), bytes.length);
      open--;
      for (const n of counters(bytes)) assert.equal(n, next++ & 0xffff);
    };
    const loop = async () => {
      for (;;) await read();
    };
    const loops = [loop(), loop(), loop(), loop()].map((l) => l.catch((error) => assert.ok(error instanceof UsbError)));
    await clock.advance(0.1);
    assert.equal(open, 4);
    // 2 000 060 samples at +30 ppm; the rest is in open transfers and buffers.
    assert.ok(next > 2_000_060 - 4 * 131_072 && next <= 2_000_060, `${next}`);
    const state = await m0();
    assert.ok(Math.abs(state.m0Count - 2 * 2_000_060) <= 32, `${state.m0Count}`);
    assert.deepEqual([state.shortfalls, state.longest, state.error, state.active], [0, 0, 0, 2]);
    assert.equal(board.inspect().lostSamples, 0);
    await usb.close();
    await Promise.all(loops);
  }
});

test('a host that stops reading: the buffer fills, new samples are lost, counters say how many at the longest', async () => {
  const held = { 263: 0x8000, 274: 0x10000 } as const;
  for (const apiVersion of [0x0107, 0x0112] as const) {
    const { clock, usb, setMode, setRate, m0, board } = await openBoard({ rxCounter: true, apiVersion });
    await setRate(8e6);
    await setMode(1);
    await clock.advance(0.01);
    const state = await m0();
    // 160 000 bytes went by. Newer firmware fills its second buffer, less what DMA leaves open.
    assert.ok(state.m0Count <= held[apiVersion] && state.m0Count >= held[apiVersion] - 0x2000, `${state.m0Count}`);
    assert.deepEqual([state.shortfalls, state.longest], [1, 160_000 - state.m0Count]);
    const first = new Uint8Array(state.m0Count - (state.m0Count % 0x4000));
    const second = new Uint8Array(0x8000);
    const reads = [usb.bulkIn(0x81, first, 0), usb.bulkIn(0x81, second, 0)];
    await clock.advance(0.02);
    await Promise.all(reads);
    // What was held is delivered first, then what came after the gap.
    assert.ok(counters(first).every((n, i) => n === (i & 0xffff)));
    const { shortfalls } = board.inspect();
    assert.equal(shortfalls[0].atSample, state.m0Count / 2);
    const after = counters(second);
    const jump = state.m0Count / 2 - first.length / 2;
    for (let i = 0; i < after.length; i++) {
      const index = first.length / 2 + i;
      const lost = shortfalls.filter((s) => s.atSample <= index).reduce((sum, s) => sum + s.samples, 0);
      assert.equal(after[i], (index + lost) & 0xffff, `sample ${index}, jump at ${jump}`);
    }
  }
});

test('every sample is delivered or in the list of losses, whatever the host does; M0 agrees with the list', async () => {
  const step = fc.oneof(
    fc.record({ read: fc.integer({ min: 1, max: 96 }).map((n) => n * 512) }),
    fc.record({ waitS: fc.integer({ min: 1, max: 400 }).map((n) => n * 1e-5) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 40 }),
      fc.constantFrom(0x0107, 0x0112),
      fc.constantFrom(2e6, 8e6, 20e6),
      async (steps, apiVersion, rateHz) => {
        const { clock, usb, setMode, setRate, m0, board } = await openBoard({ rxCounter: true, apiVersion, ppm: -12 });
        await setRate(rateHz);
        await setMode(1);
        const reads: { bytes: Uint8Array; done: boolean }[] = [];
        for (const todo of steps) {
          if ('waitS' in todo) await clock.advance(todo.waitS);
          else {
            const read = { bytes: new Uint8Array(todo.read), done: false };
            reads.push(read);
            usb.bulkIn(0x81, read.bytes, 0).then(
              () => {
                read.done = true;
              },
              () => {},
            );
          }
        }
        await clock.advance(1e-3);
        const { shortfalls, samples, lostSamples } = board.inspect();
        let index = 0;
        let lost = 0;
        let next = 0;
        for (const { bytes, done } of reads) {
          if (!done) break;
          for (const n of counters(bytes)) {
            while (next < shortfalls.length && shortfalls[next].atSample <= index) lost += shortfalls[next++].samples;
            if (n !== ((index + lost) & 0xffff)) assert.fail(`sample ${index} is ${n}`);
            index++;
          }
        }
        assert.equal(
          shortfalls.reduce((sum, s) => sum + s.samples, 0),
          lostSamples,
        );
        const state = await m0();
        assert.equal(state.m0Count, 2 * samples);
        assert.equal(state.shortfalls, shortfalls.length);
        assert.equal(state.longest, 2 * Math.max(0, ...shortfalls.map((s) => s.samples)));
        // Nothing appears from nowhere: delivered or held, and lost, is what the converter gave.
        const given = clock.nowS() * board.settings.rateHz * (1 - 12e-6);
        assert.ok(Math.abs(samples + lostSamples - given) <= 32, `${samples} + ${lostSamples} of ${given}`);
        await usb.close();
      },
    ),
    { numRuns: 60 },
  );
});

test('beyond its limit an overrun ends reception with an error; what was received can still be read', async () => {
  const { clock, usb, setMode, setRate, m0, out } = await openBoard({ rxCounter: true });
  await setRate(8e6);
  await out(43, 1000, 0);
  await setMode(1);
  await clock.advance(0.01);
  const state = await m0();
  assert.deepEqual([state.active, state.error, state.longest, state.limit], [0, 1, 1024, 1000]);
  const bytes = new Uint8Array(0x8000);
  const read = usb.bulkIn(0x81, bytes, 0);
  await clock.advance(0.01);
  assert.equal(await read, 0x8000);
  const silent = usb.bulkIn(0x81, bytes, 0);
  await clock.advance(1);
  assert.equal((await m0()).m0Count, 0x8000);
  await usb.cancel(0x81);
  await assert.rejects(silent, /cancelled/);
  // The next operation begins anew.
  await setMode(1);
  assert.deepEqual([(await m0()).error, (await m0()).active], [0, 2]);
});

test('a shortfall that lasts when the mode is left is forgotten; counts stay until the next operation', async () => {
  const { clock, setMode, setRate, m0, board } = await openBoard({ rxCounter: true });
  await setRate(8e6);
  await setMode(1);
  await clock.advance(0.01);
  assert.equal((await m0()).shortfalls, 1);
  await setMode(0);
  const state = await m0();
  assert.deepEqual([state.shortfalls, state.longest, state.m0Count, state.active], [0, 0, 0x8000, 0]);
  assert.equal(board.inspect().lostSamples, 0);
});

test('on the wall clock, too, every sample is delivered or in the list of losses', async () => {
  const { usb, setMode, setRate, board } = await openBoard({ rxCounter: true, clock: new WallAirClock(0.05) });
  await setRate(8e6);
  await setMode(1);
  const blocks = Array.from({ length: 6 }, () => new Uint8Array(65_536));
  const reads = blocks.map((block) => usb.bulkIn(0x81, block, 0));
  await Promise.all(reads);
  const { shortfalls } = board.inspect();
  let index = 0;
  for (const block of blocks) {
    for (const n of counters(block)) {
      const lost = shortfalls.reduce((sum, s) => sum + (s.atSample <= index ? s.samples : 0), 0);
      if (n !== ((index + lost) & 0xffff)) assert.fail(`sample ${index} is ${n}`);
      index++;
    }
  }
  await usb.close();
  board.reset();
});

test('a trigger starts reception at its moment; before it the board is just silent', async () => {
  const { clock, usb, setMode, setRate, out, m0, board } = await openBoard({ rxCounter: true });
  await setRate(8e6);
  await out(29, 1);
  await setMode(1);
  const bytes = new Uint8Array(0x2000);
  const read = usb.bulkIn(0x81, bytes, 0);
  await clock.advance(3);
  assert.equal((await m0()).m0Count, 0);
  board.trigger();
  await clock.advance(4096 / 8e6 + 0.5e-3);
  assert.equal(await read, 0x2000);
  assert.deepEqual([counters(bytes)[0], counters(bytes)[4095]], [0, 4095]);
});

test('M0 cannot follow rates above 21.76 Msps and says so', async () => {
  const { clock, setMode, setRate, m0 } = await openBoard({ rxCounter: true });
  await setRate(22e6);
  await setMode(1);
  await clock.advance(0.001);
  const state = await m0();
  assert.deepEqual([state.active, state.error], [0, 3]);
});

test('pulled in the middle of reception: everything ends with gone; plugged in again it is as new', async () => {
  const { clock, usb, bus, setMode, board } = await openBoard({ rxCounter: true });
  await setMode(1);
  const reads = Array.from({ length: 4 }, () => usb.bulkIn(0x81, new Uint8Array(262_144), 0));
  await clock.advance(0.005);
  bus.unplug();
  for (const read of reads) {
    await assert.rejects(read, (error) => error instanceof UsbError && error.kind === 'gone');
  }
  assert.equal(board.inspect().mode, 'off');
  bus.plug();
  const [info] = await bus.list([{ vendorId: 0x1d50, productId: 0x6089 }]);
  const again = await bus.open(info);
  assert.equal((await again.controlIn({ requestType: 0xc0, request: 41, value: 0, index: 0 }, 40)).length, 40);
});
