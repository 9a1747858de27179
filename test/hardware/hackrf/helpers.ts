import type { AirClock } from '../../../hardware/emulated/air.ts';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import { HackrfBoard, type HackrfOptions } from '../../../hardware/emulated/hackrf/hackrf-board.ts';
import { DirectUsbBus, type DirectUsbDevice } from '../direct-usb.ts';

export const SERIAL = '000000000000000057b068dc0000c0de';

/** A board on a manual clock (or the given one), opened and claimed. */
export async function openBoard(options: Partial<HackrfOptions> & { clock?: AirClock } = {}) {
  const clock = options.clock instanceof ManualAirClock ? options.clock : new ManualAirClock();
  const board = new HackrfBoard({ name: 'board', serial: SERIAL, clock, air: null, ...options });
  const bus = new DirectUsbBus([board]);
  const [info] = await bus.list([{ vendorId: 0x1d50, productId: 0x6089 }]);
  const usb = await bus.open(info);
  await usb.claim(0);
  return { clock, board, bus, usb, ...commands(usb) };
}

/** Vendor requests as a driver sends them. */
export function commands(usb: DirectUsbDevice) {
  const out = (request: number, value = 0, index = 0, data?: Uint8Array) =>
    usb.controlOut({ requestType: 0x40, request, value, index }, data, 60_000);
  const ask = (request: number, length: number, value = 0, index = 0) =>
    usb.controlIn({ requestType: 0xc0, request, value, index }, length, 60_000);
  return {
    out,
    ask,
    setMode: (mode: number) => out(1, mode),
    setRate: (hz: number, divider = 1) => out(6, 0, 0, words(hz, divider)),
    setFrequency: (hz: number) => out(16, 0, 0, words(Math.floor(hz / 1e6), hz % 1e6)),
    m0: async () => {
      const bytes = await ask(41, 40);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const [active, m0Count, m4Count, shortfalls, longest, limit, threshold, nextMode, error] = Array.from(
        { length: 9 },
        (_, i) => view.getUint32(4 + 4 * i, true),
      );
      return { active, m0Count, m4Count, shortfalls, longest, limit, threshold, nextMode, error };
    },
  };
}

/** Little-endian u32 words. */
export function words(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => {
    view.setUint32(4 * i, value, true);
  });
  return new Uint8Array(view.buffer);
}

/** Numbers of a counter pattern, 0 to 65535 each. */
export function counters(bytes: Uint8Array): Uint16Array {
  return Uint16Array.from({ length: bytes.length / 2 }, (_, i) => bytes[2 * i] | (bytes[2 * i + 1] << 8));
}
