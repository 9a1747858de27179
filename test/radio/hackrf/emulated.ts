import type { AirClock } from '../../../hardware/emulated/air.ts';
import { type ManualAirClock, WallAirClock } from '../../../hardware/emulated/clock.ts';
import { HackrfBoard, type HackrfOptions } from '../../../hardware/emulated/hackrf/hackrf-board.ts';
import { HackrfRadio, type HackrfRadioOptions, hackrfSpec } from '../../../src/radio/hackrf/hackrf-radio.ts';
import { LocalBoard } from '../../../src/radio/stream/local-board.ts';
import { UsbError } from '../../../src/radio/usb/usb.ts';
import { DirectUsbBus } from '../../hardware/direct-usb.ts';
import type { FaultPlan } from '../../hardware/usb-faults.ts';

export const SERIAL = '0000000000000000457863c82f1a2b3c';

export interface Bench {
  readonly emulated: HackrfBoard;
  readonly bus: DirectUsbBus;
  /** Vendor requests since it was made: [bRequest, wValue, wIndex, data as hex, bmRequestType, wLength]. */
  readonly requests: [number, number, number, string, number, number][];
  open(options?: Partial<HackrfRadioOptions>): Promise<HackrfRadio>;
}

/** An emulated board in this thread, and how to open it as a radio. */
export function bench(
  options: Partial<HackrfOptions> = {},
  more: { faults?: FaultPlan; clock?: AirClock; nowNs?: () => bigint } = {},
): Bench {
  const clock = more.clock ?? new WallAirClock(1);
  const emulated = new HackrfBoard({ name: 'a', serial: SERIAL, air: null, clock, ...options });
  const requests: Bench['requests'] = [];
  const control = emulated.control.bind(emulated);
  emulated.control = (setup, data) => {
    const { request, value, index, requestType, length } = setup;
    requests.push([request, value, index, Buffer.from(data).toString('hex'), requestType, length]);
    return control(setup, data);
  };
  const bus = new DirectUsbBus([emulated], more.faults);
  const { wanted } = hackrfSpec({ kind: 'libusb' }, null);
  const openBoard = async (serial: string | null): Promise<LocalBoard> => {
    const boards = (await bus.list(wanted)).filter((board) => !serial || board.serial?.endsWith(serial));
    if (boards.length === 0) throw new UsbError('gone', 'no HackRF there');
    return new LocalBoard(await bus.open(boards[0]), more.nowNs ? { nowNs: more.nowNs } : {});
  };
  const open = (wanted: Partial<HackrfRadioOptions> = {}): Promise<HackrfRadio> =>
    HackrfRadio.open({ uri: 'hackrf', serial: null, openBoard, ...wanted });
  return { emulated, bus, requests, open };
}

/** Lets emulated time pass, 1 ms at a time, until the work is done: nothing is ever late on such a clock. */
export async function passTime<T>(clock: ManualAirClock, work: Promise<T>): Promise<T> {
  let done = false;
  const end = (): void => {
    done = true;
  };
  work.then(end, end);
  while (!done) await clock.advance(1e-3);
  return work;
}
