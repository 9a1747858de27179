import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AirModel } from '../../../hardware/emulated/air-model.ts';
import { WallAirClock } from '../../../hardware/emulated/clock.ts';
import { UsbIpServer } from '../../../hardware/emulated/front-ends/usbip.ts';
import { HackrfBoard } from '../../../hardware/emulated/hackrf/hackrf-board.ts';
import { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import { UsageError } from '../../../src/common/errors.ts';
import { HackrfRadio, hackrfSpec } from '../../../src/radio/hackrf/hackrf-radio.ts';
import { openRadio } from '../../../src/radio/open-radio.ts';
import { blockLength } from '../../../src/radio/radio.ts';
import { openWorkerBoard } from '../../../src/radio/stream/worker-host.ts';
import { UsbError } from '../../../src/radio/usb/usb.ts';

const SERIALS = ['000000000000000000000000000000a1', '000000000000000000000000000000b2'];

/** Two boards at a USB/IP server, 30 dB apart, slower than time so that nobody is late. */
async function twoBoards(speed: number) {
  const directory = mkdtempSync(join(tmpdir(), 'sct-hackrf-'));
  const clock = new WallAirClock(speed);
  const [from, to] = SERIALS;
  const air = new AirModel(clock, { paths: [{ from, to, lossDb: 30 }] });
  const models = SERIALS.map((serial) => new HackrfBoard({ name: serial, serial, clock, air }));
  const boards = models.map((model, i) => ({ busId: `1-${i + 1}`, port: new UsbPort(model) }));
  const server = await UsbIpServer.listen({ boards, at: { path: join(directory, 'usb') } });
  const close = async (): Promise<void> => {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  };
  const bus = { kind: 'usbip-unix', path: join(directory, 'usb') } as const;
  const open = (i: number, gains = {}): Promise<HackrfRadio> =>
    HackrfRadio.open({
      ...gains,
      uri: `hackrf:${SERIALS[i]}`,
      serial: SERIALS[i],
      openBoard: (serial) => openWorkerBoard(hackrfSpec(bus, serial)),
      patienceMs: 60_000,
    });
  const uri = (i: number, more = ''): string => `hackrf:${SERIALS[i]}?${more}usbip=${server.address}`;
  return { models, boards, open, uri, close };
}

/** Emulated seconds in a second: one that most machines hold, and one for a machine that is very busy. */
const SPEEDS = [0.1, 0.01];

test('from one board to another, each in a worker thread behind USB/IP', async () => {
  await tone(SPEEDS[0]).catch(() => tone(SPEEDS[1]));
});

/** A tone from the first board to the second, without an underrun. */
async function tone(speed: number): Promise<void> {
  const bench = await twoBoards(speed);
  try {
    const receiver = await bench.open(1, { lnaDb: 16, vgaDb: 20 });
    const sender = await bench.open(0);
    assert.equal(receiver.facts.serial, SERIALS[1]);
    const rx = await receiver.openRx({ frequencyHz: 915e6, rateHz: 2e6 });
    const tx = await sender.openTx({ frequencyHz: 915e6, rateHz: 2e6, gainsDb: { txvga: 20 } });
    // A tone at 1/16 of the rate.
    const wave = Float32Array.from({ length: 40_000 }, (_, i) => {
      const angle = (2 * Math.PI * (i >> 1)) / 16;
      return 0.5 * (i % 2 ? Math.sin(angle) : Math.cos(angle));
    });
    let strongest = 0;
    const sent: Promise<void>[] = [];
    for await (const block of rx) {
      if (sent.length === 0) {
        sent.push(tx.write(wave).then(() => tx.drain()));
        sent[0].catch(() => undefined); // looked at below
      }
      const length = Math.min(4096, blockLength(block));
      for (let at = 0; at + length <= blockLength(block); at += length) {
        let [re, im, power] = [0, 0, 1e-9];
        for (let n = at; n < at + length; n++) {
          const [i, q] = [block.data[2 * n], block.data[2 * n + 1]];
          const [c, s] = [Math.cos((2 * Math.PI * n) / 16), Math.sin((2 * Math.PI * n) / 16)];
          re += i * c + q * s;
          im += q * c - i * s;
          power += i * i + q * q;
        }
        strongest = Math.max(strongest, (re * re + im * im) / (length * power));
      }
      // Share of the power that is the tone's: noise alone gives some 1/4096.
      if (strongest > 0.5 || rx.counters.samples > 20e6) break;
    }
    assert.ok(strongest > 0.5, `share of the tone ${strongest}`);
    await sent[0];
    assert.deepEqual(tx.counters.underruns, 0);
    await tx.close();
    assert.equal(bench.models[0].inspect().mode, 'off');
    await sender.close();
    await receiver.close();
    assert.equal(bench.models[1].inspect().mode, 'off');
  } finally {
    await bench.close();
  }
}

test('pulled and put back: gone at once, there again by its serial', async () => {
  const bench = await twoBoards(0.1);
  try {
    const radio = await bench.open(0);
    const rx = await radio.openRx({ rateHz: 2e6 });
    setTimeout(() => bench.boards[0].port.unplug(), 100);
    const error = await (async () => {
      for await (const _ of rx);
    })().catch((why: unknown) => why);
    assert.ok(error instanceof UsbError && error.kind === 'gone', String(error));
    bench.boards[0].port.plug();
    const tx = await radio.openTx({ rateHz: 2e6 });
    await tx.close();
    await radio.close();
  } finally {
    await bench.close();
  }
});

test('a URI opens the board it names', async () => {
  const bench = await twoBoards(0.1);
  try {
    const radio = await openRadio(bench.uri(1, 'lna=16&ppm=2&'));
    assert.ok(radio instanceof HackrfRadio);
    assert.equal(radio.facts.serial, SERIALS[1]);
    assert.equal(radio.capabilities.duplex, 'half');
    await radio.close();
  } finally {
    await bench.close();
  }
});

test('wrong gains of a URI are its fault; a board that is not there is named', async () => {
  const bench = await twoBoards(1);
  try {
    await assert.rejects(openRadio(bench.uri(0, 'lna=7&')), UsageError);
    await assert.rejects(openRadio(bench.uri(0, 'ppm=1000&')), UsageError);
    await assert.rejects(openRadio(bench.uri(0).replace('a1?', 'c3?')), /c3/);
  } finally {
    await bench.close();
  }
});
