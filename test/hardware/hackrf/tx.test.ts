import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Air, Emission } from '../../../hardware/emulated/air.ts';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import '../../fixed-seed.js';
import { openBoard } from './helpers.ts';

/** An air that writes down what is emitted. */
function recorder(clock: ManualAirClock) {
  const emissions: Emission[] = [];
  const air: Air = {
    clock,
    attach: () => ({
      emit: (emission) => {
        emissions.push(emission);
      },
      hear: ({ samples }) => new Float32Array(2 * samples),
    }),
    describe: () => 'recorder',
  };
  return { air, emissions };
}

async function openTx(apiVersion = 0x0107, ppm = 0) {
  const clock = new ManualAirClock();
  const { air, emissions } = recorder(clock);
  const opened = await openBoard({ clock, air, apiVersion, ppm });
  await opened.setRate(8e6);
  await opened.setFrequency(915e6);
  // At most 15 dBm of full scale.
  await opened.ask(21, 1, 0, 47);
  await opened.out(17, 1);
  return { ...opened, emissions };
}

/** Bytes of samples that count up from 1 and are never zero. */
function ramp(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => 1 + (i % 120));
}

/** Values of 8 bits that were on the air: time of the first, and all in order with zeros for silence. */
function onAir(emissions: readonly Emission[]): { startS: number; values: number[] } {
  const startS = emissions[0]?.startS ?? Number.NaN;
  const values: number[] = [];
  const gain = 10 ** (15 / 20) / 128;
  for (const { startS: at, rateHz, reIm } of emissions) {
    const index = Math.round((at - startS) * rateHz) * 2;
    while (values.length < index) values.push(0);
    for (const v of reIm) values.push(Math.round(v / gain));
  }
  return { startS, values };
}

const VERSIONS = [0x0107, 0x0112] as const;

test('samples are on the air one after the other at full scale 15 dBm, once 32 KiB have come', async () => {
  for (const apiVersion of VERSIONS) {
    const { clock, usb, setMode, emissions, board } = await openTx(apiVersion, 20);
    await setMode(2);
    const data = ramp(0x20000);
    const sent = usb.bulkOut(2, data.subarray(0, 0x7e00), 0);
    await clock.advance(0.05);
    assert.equal(await sent, 0x7e00);
    assert.deepEqual([board.inspect().m0.activeMode, emissions.length], [3, 0]);
    const rest = usb.bulkOut(2, data.subarray(0x7e00), 0);
    await clock.advance(0.05);
    await rest;
    board.inspect();
    const { startS, values } = onAir(emissions);
    assert.deepEqual(values, [...data]);
    // The rest of the first 32 KiB comes at the speed of the bus.
    assert.ok(Math.abs(startS - 0.05 - 0x200 / 48e6) < 1e-9, `${startS}`);
    assert.equal(emissions[0].rateHz, 8e6 * (1 + 20e-6));
    assert.equal(emissions[0].frequencyHz, 915e6 * (1 + 20e-6));
  }
});

test('without data the converter gets zeros, and the counters say so', async () => {
  for (const apiVersion of VERSIONS) {
    const { clock, usb, setMode, emissions, m0, board } = await openTx(apiVersion);
    await setMode(2);
    const data = ramp(0x10000);
    void usb.bulkOut(2, data, 0);
    await clock.advance(0.01);
    const second = usb.bulkOut(2, data, 0);
    await clock.advance(0.01);
    await second;
    const { shortfalls } = board.inspect();
    // 32 768 samples in 4.1 ms, then nothing until 10 ms and the time that the first transfer takes.
    assert.equal(shortfalls[0].atSample, 32_768);
    const expected = Math.round((0.01 - 0x8000 / 48e6) * 8e6) - 32_768;
    const armed = apiVersion === 0x0107 ? 0x2000 : 0x4000;
    const late = shortfalls[0].samples - expected;
    assert.ok(late >= 0 && late <= (armed / 48e6) * 8e6 + 32, `${shortfalls[0].samples}, ${expected}`);
    const { values } = onAir(emissions);
    assert.deepEqual(values.slice(0, 0x10000), [...data]);
    assert.ok(
      values.slice(0x10000, 0x10000 + 2 * shortfalls[0].samples).every((v) => v === 0),
      'zeros',
    );
    assert.deepEqual(values.slice(-0x10000), [...data]);
    const state = await m0();
    assert.equal(state.longest, 2 * Math.max(...shortfalls.map((s) => s.samples)));
    assert.equal(state.m0Count, 0x20000);
  }
});

test('the underrun limit ends transmission; nothing is on the air afterwards, though data come', async () => {
  const { clock, usb, setMode, emissions, m0, out, board } = await openTx();
  await out(42, 20_000, 0);
  await setMode(2);
  void usb.bulkOut(2, ramp(0x8000), 0);
  await clock.advance(0.05);
  const state = await m0();
  assert.deepEqual([state.active, state.error, state.longest], [0, 2, 20_000]);
  void usb.bulkOut(2, ramp(0x8000), 0).catch(() => {});
  await clock.advance(1);
  const { lastEmissionS } = board.inspect();
  assert.ok(lastEmissionS !== null && lastEmissionS < 0.003, `${lastEmissionS}`);
  assert.equal(onAir(emissions).values.length, 0x8000);
  await usb.close();
});

test('leaving TX: old firmware stops at once, new firmware answers when all is on the air', async () => {
  const data = ramp(0x10000);
  for (const apiVersion of VERSIONS) {
    const { clock, usb, setMode, emissions, board } = await openTx(apiVersion);
    await setMode(2);
    const sent = usb.bulkOut(2, data, 0);
    await clock.advance(0.003);
    await sent;
    let leftS = 0;
    const left = setMode(0).then(() => {
      leftS = clock.nowS();
    });
    await clock.advance(0.1);
    await left;
    const { values, startS } = onAir(emissions);
    assert.deepEqual(values, [...data.slice(0, values.length)]);
    assert.equal(board.inspect().mode, 'off');
    if (apiVersion === 0x0107) {
      assert.equal(leftS, 0.003);
      assert.ok(values.length < data.length, 'cut off');
    } else {
      assert.equal(values.length, data.length);
      assert.ok(leftS >= startS + 32_768 / 8e6 - 1e-9 && leftS < startS + 32_768 / 8e6 + 1e-3, `${leftS}`);
    }
  }
});

test('new firmware: a host that knows the buffers is answered at once', async () => {
  const { clock, usb, setMode, ask, emissions } = await openTx(0x0112);
  await ask(61, 4);
  await setMode(2);
  const sent = usb.bulkOut(2, ramp(0x10000), 0);
  await clock.advance(0.003);
  await sent;
  await setMode(0);
  assert.ok(onAir(emissions).values.length < 0x10000);
});

test('new firmware: leaving TX before 32 KiB have come is never answered, but the board is off and takes the next request', async () => {
  const { clock, usb, setMode, board, out } = await openTx(0x0112);
  await setMode(2);
  void usb.bulkOut(2, ramp(0x4000), 0);
  await clock.advance(0.1);
  let answered = false;
  const reply = board.control({ requestType: 0x40, request: 1, value: 0, index: 0, length: 0 }, new Uint8Array(0));
  void Promise.resolve(reply).then(() => {
    answered = true;
  });
  await clock.advance(10);
  assert.equal(answered, false);
  assert.equal(board.inspect().mode, 'off');
  await out(1, 0);
  assert.equal(board.inspect().emittedSamples, 0);
});

test('new firmware: after the dead-man has fired, leaving TX with bytes left is never answered; a bus reset ends it', async () => {
  const { clock, usb, setMode, board, out, m0 } = await openTx(0x0112);
  await out(42, 1024, 0);
  await setMode(2);
  void usb.bulkOut(2, ramp(0x8000), 0);
  await clock.advance(0.01);
  assert.deepEqual([(await m0()).error, (await m0()).active], [2, 0]);
  void usb.bulkOut(2, ramp(0x4000), 0).catch(() => {});
  await clock.advance(0.01);
  let answered = false;
  const reply = board.control({ requestType: 0x40, request: 1, value: 0, index: 0, length: 0 }, new Uint8Array(0));
  void Promise.resolve(reply).then(() => {
    answered = true;
  });
  await clock.advance(5);
  assert.deepEqual([answered, board.inspect().mode], [false, 'tx']);
  board.reset();
  assert.equal(board.inspect().mode, 'off');
  assert.ok((board.inspect().lastEmissionS ?? 1) < 0.005, 'silent all the while');
  await usb.close();
});

test('what of a transfer is not a multiple of 512 bytes ends the armed one: later data are shifted, as on the board', async () => {
  const { clock, usb, setMode, m0 } = await openTx();
  await setMode(2);
  void usb.bulkOut(2, ramp(0x8000), 0);
  await clock.advance(0.001);
  const short = usb.bulkOut(2, ramp(700), 0);
  await clock.advance(0.05);
  assert.equal(await short, 700);
  assert.equal((await m0()).m4Count, 0x8000 + 700);
});

test('every way out is silent: mode 0, bus reset, unplugged, restarted', async () => {
  const ways = ['mode', 'reset', 'unplug', 'restart'] as const;
  for (const apiVersion of VERSIONS) {
    for (const way of ways) {
      const { clock, usb, setMode, board, bus, out } = await openTx(apiVersion);
      await setMode(2);
      const feeding = (async () => {
        for (;;) await usb.bulkOut(2, ramp(0x10000), 0);
      })().catch(() => {});
      await clock.advance(0.02);
      const endS = clock.nowS();
      assert.ok(board.inspect().emittedSamples > 100_000);
      if (way === 'mode') void setMode(0).catch(() => {});
      if (way === 'reset') board.reset();
      if (way === 'unplug') bus.unplug();
      if (way === 'restart') await out(30);
      // New firmware empties its buffers first; a restart takes 0.1 s.
      await clock.advance(0.3);
      const { lastEmissionS, mode } = board.inspect();
      const graceS = way === 'restart' ? 0.11 : way === 'mode' && apiVersion === 0x0112 ? 0.005 : 1e-9;
      assert.equal(mode, 'off');
      assert.ok(lastEmissionS !== null && lastEmissionS <= endS + graceS, `${way}: ${lastEmissionS} after ${endS}`);
      await usb.close();
      await feeding;
    }
  }
});

test('data on the air are the data sent, with zeros where the list of underruns says, for any timing of the host', async () => {
  const step = fc.oneof(
    fc.record({ write: fc.integer({ min: 1, max: 64 }).map((n) => n * 512) }),
    fc.record({ waitS: fc.integer({ min: 1, max: 300 }).map((n) => n * 1e-5) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 30 }),
      fc.constantFrom(...VERSIONS),
      async (steps, api) => {
        const { clock, usb, setMode, emissions, board, m0 } = await openTx(api);
        await setMode(2);
        const data: number[] = [];
        for (const todo of [{ write: 0x8000 }, ...steps]) {
          if ('waitS' in todo) await clock.advance(todo.waitS);
          else {
            const bytes = ramp(todo.write + data.length).subarray(data.length);
            for (const b of bytes) data.push(b);
            usb.bulkOut(2, bytes, 0).catch(() => {});
          }
        }
        await clock.advance(0.05);
        const { shortfalls, samples } = board.inspect();
        const heard = onAir(emissions).values;
        const expected = new Array<number>(heard.length).fill(0);
        let from = 0;
        let to = 0;
        for (const gap of [...shortfalls, { atSample: samples, samples: 0 }]) {
          for (; from < 2 * gap.atSample; from++) expected[to++] = data[from];
          to += 2 * gap.samples;
        }
        // Silence at the end was not emitted.
        assert.ok(expected.length === heard.length || expected.slice(heard.length).every((v) => v === 0));
        assert.deepEqual(heard, expected.slice(0, heard.length));
        assert.equal((await m0()).shortfalls, shortfalls.length);
        // Only what does not fill an armed transfer is left.
        assert.ok(data.length - 2 * samples < 0x4000, `${data.length} ${2 * samples}`);
        await usb.close();
      },
    ),
    { numRuns: 40 },
  );
});
