import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { UsbError } from '../../../src/radio/usb/usb.ts';
import { openBoard, SERIAL, words } from './helpers.ts';

const stalls = (done: Promise<unknown>, what: string) =>
  assert.rejects(done, (error) => error instanceof UsbError && error.kind === 'stall', what);

test('descriptors are those of a HackRF One', async () => {
  const { usb, board } = await openBoard();
  assert.deepEqual(usb.board, {
    vendorId: 0x1d50,
    productId: 0x6089,
    bcdDevice: 0x0107,
    product: 'HackRF One',
    serial: SERIAL,
    path: 'direct:1',
  });
  // Bytes of usb_descriptor.c of firmware 2023.01.1.
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  assert.equal(hex(board.descriptors.device), '1201000200000040501d8960070101020401');
  assert.equal(
    hex(board.descriptors.configuration),
    '0902200001010380fa0904000002ffffff000705810200020007050202000200',
  );
});

test('what a board says about itself', async () => {
  const { ask } = await openBoard();
  assert.deepEqual([...(await ask(14, 1))], [2]);
  assert.equal(new TextDecoder().decode(await ask(15, 255)), '2023.01.1-emulated');
  const part = await ask(18, 24);
  const view = new DataView(part.buffer, part.byteOffset);
  const serial = [8, 12, 16, 20].map((at) => view.getUint32(at, true).toString(16).padStart(8, '0')).join('');
  assert.deepEqual([part.length, serial], [24, SERIAL]);
  assert.deepEqual([...(await ask(46, 4))], [0, 0, 0, 2]);
  assert.equal((await ask(45, 1)).length, 1);
  assert.deepEqual([...(await ask(27, 8))], new Array(8).fill(0xff));
  assert.equal((await ask(36, 4)).length, 4);
  assert.deepEqual([...(await ask(44, 1))], [0]);
  const { ask: other } = await openBoard({ clkinPpm: 0.1 });
  assert.deepEqual([...(await other(44, 1))], [1]);
  assert.equal((await ask(25, 40, 0, 4)).length, 40);
  await stalls(ask(25, 40, 0, 5), 'WCID index 5');
});

test('which requests there are depends on the firmware', async () => {
  const everywhere = [3, 5, 9, 12, 14, 15, 18, 19, 20, 21, 25, 27, 33, 35, 36, 39, 41, 44, 45, 46];
  const since: Readonly<Record<number, number>> = { 56: 0x0109, 57: 0x0109, 58: 0x0109, 60: 0x0111, 61: 0x0112 };
  for (const apiVersion of [0x0106, 0x0107, 0x0108, 0x0109, 0x0110, 0x0111, 0x0112]) {
    const { ask } = await openBoard({ apiVersion });
    for (let request = 0; request <= 80; request++) {
      const known = everywhere.includes(request) || apiVersion >= (since[request] ?? 0xffff);
      const index = request === 25 ? 4 : request === 58 ? 2 : 0;
      const reply = ask(request, 16, 0, index);
      if (known) await reply;
      else await stalls(reply, `request ${request} of 0x${apiVersion.toString(16)}`);
    }
  }
  await assert.rejects(openBoard({ apiVersion: 0x0200 }), /no firmware with API version 0x200; known: 0x0106/);
});

test('registers and flash are kept, and their ranges', async () => {
  const { out, ask } = await openBoard();
  const word = async (request: number, index: number) => {
    const bytes = await ask(request, 2, 0, index);
    return bytes[0] | ((bytes[1] ?? 0) << 8);
  };
  for (const [write, read, count, most] of [
    [2, 3, 32, 0x3ff],
    [4, 5, 256, 0xff],
    [8, 9, 31, 0xffff],
  ]) {
    await out(write, most, count - 1);
    assert.equal(await word(read, count - 1), most);
    await stalls(ask(read, 2, 0, count), `register ${count}`);
    await stalls(out(write, 0, count), `register ${count}`);
    if (most < 0xffff) await stalls(out(write, most + 1, 1), `value ${most + 1}`);
  }
  const page = Uint8Array.from({ length: 256 }, (_, i) => i);
  await out(11, 0x000f, 0xff00, page);
  assert.deepEqual(await ask(12, 256, 0x000f, 0xff00), page);
  await stalls(ask(12, 2, 0x000f, 0xffff), 'beyond 1 MiB');
  await stalls(ask(12, 257, 0, 0), 'more than a page');
  await out(10);
  assert.ok(
    (await ask(12, 256, 0x000f, 0xff00)).every((b) => b === 0xff),
    'erased',
  );
});

test('gains, frequencies and filters have the ranges of the firmware', async () => {
  const { out, ask, board, setFrequency } = await openBoard();
  const { settings } = board;
  const gain = async (request: number, value: number) => (await ask(request, 1, 0, value))[0];
  for (let value = 0; value < 300; value++) {
    assert.equal(await gain(19, value), Number(value % 8 === 0 && value <= 40), `LNA ${value}`);
    assert.equal(await gain(20, value), Number(value % 2 === 0 && value <= 62), `VGA ${value}`);
  }
  for (let value = 0; value <= 47; value++) {
    assert.equal(await gain(21, value), 1);
    assert.equal(settings.txVgaDb, value);
  }
  await setFrequency(5_999_123_456);
  assert.equal(settings.frequencyHz, 5_999_123_456);
  await out(16, 0, 0, words(7250, 999_999));
  await stalls(out(16, 0, 0, words(7251, 0)), '7251 MHz');
  await stalls(out(16, 0, 0, new Uint8Array(7)), '7 bytes');
  await out(17, 1);
  await stalls(out(17, 2), 'amp 2');
  await stalls(out(23, 2), 'antenna 2');
  const explicit = (ifHz: number, loHz: number, path: number) => {
    const data = new Uint8Array(17);
    new DataView(data.buffer).setBigUint64(0, BigInt(ifHz), true);
    new DataView(data.buffer).setBigUint64(8, BigInt(loHz), true);
    data[16] = path;
    return out(24, 0, 0, data);
  };
  for (const [ifHz, loHz, path, frequencyHz] of [
    [2_500_123_456, 0, 0, 2_500_123_456],
    [2_600_000_000, 3_500_000_000, 1, 900_000_000],
    [2_500_000_000, 3_000_000_000, 2, 5_500_000_000],
  ]) {
    await explicit(ifHz, loHz, path);
    assert.equal(settings.frequencyHz, frequencyHz);
  }
  await stalls(explicit(1.999e9, 1e9, 1), 'IF 1999 MHz');
  await stalls(explicit(3.001e9, 1e9, 1), 'IF 3001 MHz');
  await stalls(explicit(2.5e9, 84e6, 1), 'LO 84 MHz');
  await stalls(explicit(2.5e9, 5.401e9, 2), 'LO 5401 MHz');
  await stalls(explicit(2.5e9, 1e9, 3), 'path 3');
  for (const [wanted, got] of [
    [1, 1.75e6],
    [1_750_000, 1.75e6],
    [1_750_001, 2.5e6],
    [28_000_000, 28e6],
  ]) {
    await out(7, wanted & 0xffff, wanted >> 16);
    assert.equal(settings.filterHz, got);
  }
  await stalls(out(7, 28_000_001 & 0xffff, 28_000_001 >> 16), 'filter above 28 MHz');
  await stalls(out(1, 3), 'mode 3');
  await stalls(out(1, 6), 'mode 6');
});

test('newer firmware refuses nothing and moves values into the range', async () => {
  const { out, board, ask, setRate } = await openBoard({ apiVersion: 0x0112 });
  await out(16, 0, 0, words(9000, 0));
  assert.equal(board.settings.frequencyHz, 7250e6);
  assert.deepEqual([...(await ask(19, 1, 0, 13))], [1]);
  assert.equal(board.settings.lnaDb, 16);
  await setRate(40_000_000);
  assert.equal(board.settings.rateHz, 21.8e6);
  await out(48, 0x4 | 2 | 0x20 | 0x18 | 0x100 | 0x80);
  await out(1, 1);
  assert.equal(board.settings.biasTee, true);
  await out(1, 0);
  assert.equal(board.settings.biasTee, false);
  assert.deepEqual([...(await ask(61, 4))], [0, 0, 1, 0]);
});

test('amplifier and bias tee are off after a mode is left; newer firmware keeps them, releases between take other orders', async () => {
  for (const [apiVersion, amp, biasTee] of [
    [0x0107, false, false],
    [0x0109, false, false],
    [0x0112, true, true],
  ] as const) {
    const { out, board } = await openBoard({ apiVersion });
    await out(17, 1);
    await out(23, 1);
    await out(1, 1);
    assert.deepEqual([board.settings.amp, board.settings.biasTee], [true, true]);
    await out(1, 0);
    assert.deepEqual([board.settings.amp, board.settings.biasTee], [amp, biasTee], apiVersion.toString(16));
  }
  const { out, board } = await openBoard({ apiVersion: 0x0108 });
  await out(48, 0x4); // off: nothing changes
  await out(23, 1);
  await out(1, 2);
  await out(1, 1);
  assert.equal(board.settings.biasTee, true);
});

test('the clock generator makes rates of small denominators exactly and others to 3e-8', async () => {
  const { board, setRate } = await openBoard();
  for (const [freq, divider] of [
    [8e6, 1],
    [20e6, 1],
    [15_360_000, 1],
    [3_840_000, 1],
    [16e6, 3],
  ]) {
    await setRate(freq, divider);
    assert.ok(Math.abs(board.settings.rateHz / (freq / divider) - 1) < 1e-12, `${freq}/${divider}`);
  }
  await setRate(9_999_991, 1);
  // 800 MHz / 2 / rate is about 40 + b/c with c of 20 bits.
  const error = board.settings.rateHz / 9_999_991 - 1;
  assert.ok(error !== 0 && Math.abs(error) < 3e-8, `${error}`);
});

test('random requests are answered or refused, never more', async () => {
  for (const apiVersion of [0x0107, 0x0112]) {
    const { clock, board, out } = await openBoard({ apiVersion });
    const random = new RandomStream(apiVersion);
    for (let i = 0; i < 4000; i++) {
      const request = random.integer(70);
      // A restart takes the board away; leaving TX may take its time.
      if (request === 30 || request === 1) continue;
      const setup = {
        requestType: random.uniform() < 0.5 ? 0x40 : 0xc0,
        request,
        value: random.integer(random.uniform() < 0.5 ? 0x10000 : 64),
        index: random.integer(random.uniform() < 0.5 ? 0x10000 : 64),
        length: random.integer(64),
      };
      const data = Uint8Array.from({ length: setup.requestType & 0x80 ? 0 : setup.length }, () => random.uint32());
      const reply = await board.control(setup, data);
      assert.ok(reply === 'ok' || reply === 'stall' || reply instanceof Uint8Array);
    }
    await clock.advance(0.1);
    await out(16, 0, 0, words(100, 0));
  }
});

test('a restart takes the board from the bus and brings it back as new', async () => {
  const { clock, bus, out, usb, board } = await openBoard();
  let gone = false;
  usb.onGone(() => {
    gone = true;
  });
  await out(16, 0, 0, words(2400, 0));
  await out(30);
  await clock.advance(0.05);
  assert.equal(gone, false);
  await clock.advance(0.1);
  assert.equal(gone, true);
  assert.equal((await bus.list([{ vendorId: 0x1d50, productId: 0x6089 }])).length, 0);
  await clock.advance(1);
  assert.equal((await bus.list([{ vendorId: 0x1d50, productId: 0x6089 }])).length, 1);
  assert.notEqual(board.settings.frequencyHz, 2400e6);
});
