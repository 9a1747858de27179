import { UsageError } from '../../common/errors.ts';
import { type BoardCall, inCall, integerIn, outCall, replyView } from './board-call.ts';

/** Requests for Opera Cake antenna switches (up to 8, by address). */

export const OPERA_CAKE_PORTS = ['A1', 'A2', 'A3', 'A4', 'B1', 'B2', 'B3', 'B4'] as const;
export type OperaCakePort = (typeof OPERA_CAKE_PORTS)[number];

export const OPERA_CAKE_MODES = ['manual', 'frequency', 'time'] as const;
export type OperaCakeMode = (typeof OPERA_CAKE_MODES)[number];

const address = (value: number): number => integerIn('Opera Cake address', value, 0, 7);

function portNumber(port: OperaCakePort): number {
  const number = OPERA_CAKE_PORTS.indexOf(port);
  if (number < 0) throw new UsageError(`Opera Cake port "${port}" is not one of ${OPERA_CAKE_PORTS.join(', ')}`);
  return number;
}

export function getOperaCakeBoards(): BoardCall {
  return inCall('OPERACAKE_GET_BOARDS', 0, 0, 8);
}

/** Addresses of the boards there; 0xff stands for none. */
export function decodeOperaCakeBoards(reply: Uint8Array): readonly number[] {
  replyView(getOperaCakeBoards(), reply);
  return [...reply].filter((board) => board < 8);
}

/** Connects A0 and B0, one to each side. */
export function setOperaCakePorts(board: number, a0: OperaCakePort, b0: OperaCakePort): BoardCall {
  const [first, second] = [portNumber(a0), portNumber(b0)];
  if (first < 4 === second < 4) throw new UsageError(`Opera Cake ports ${a0} and ${b0} are on the same side`);
  return outCall('OPERACAKE_SET_PORTS', address(board), first | (second << 8));
}

export function setOperaCakeMode(board: number, mode: OperaCakeMode): BoardCall {
  const number = OPERA_CAKE_MODES.indexOf(mode);
  if (number < 0) throw new UsageError(`Opera Cake mode "${mode}" is not one of ${OPERA_CAKE_MODES.join(', ')}`);
  return outCall('OPERACAKE_SET_MODE', address(board), number);
}

export function getOperaCakeMode(board: number): BoardCall {
  return inCall('OPERACAKE_GET_MODE', address(board), 0, 1);
}

export function decodeOperaCakeMode(reply: Uint8Array): OperaCakeMode | null {
  return OPERA_CAKE_MODES[replyView(getOperaCakeMode(0), reply).getUint8(0)] ?? null;
}

/** Up to 8 ranges in order of priority, 5 bytes each: u16 low MHz, u16 high MHz (big endian), port. */
export function setOperaCakeRanges(
  ranges: readonly { readonly lowMhz: number; readonly highMhz: number; readonly port: OperaCakePort }[],
): BoardCall {
  integerIn('number of Opera Cake ranges', ranges.length, 1, 8);
  const data = new Uint8Array(5 * ranges.length);
  const view = new DataView(data.buffer);
  ranges.forEach(({ lowMhz, highMhz, port }, i) => {
    view.setUint16(5 * i, integerIn('Opera Cake range', lowMhz, 0, 7250, 'MHz'), false);
    view.setUint16(5 * i + 2, integerIn('Opera Cake range', highMhz, lowMhz, 7250, 'MHz'), false);
    data[5 * i + 4] = portNumber(port);
  });
  return outCall('OPERACAKE_SET_RANGES', 0, 0, data);
}

/** Up to 16 dwell times, 5 bytes each: u32 samples (little endian), port. */
export function setOperaCakeDwellTimes(
  times: readonly { readonly samples: number; readonly port: OperaCakePort }[],
): BoardCall {
  integerIn('number of Opera Cake dwell times', times.length, 1, 16);
  const data = new Uint8Array(5 * times.length);
  const view = new DataView(data.buffer);
  times.forEach(({ samples, port }, i) => {
    view.setUint32(5 * i, integerIn('Opera Cake dwell time', samples, 1, 0xffff_ffff, 'samples'), true);
    data[5 * i + 4] = portNumber(port);
  });
  return outCall('OPERACAKE_SET_DWELL_TIMES', 0, 0, data);
}

export function testOperaCakeGpio(board: number): BoardCall {
  return inCall('OPERACAKE_GPIO_TEST', address(board), 0, 2, 1);
}

/** Bits of the pins that failed; 0xffff: the test cannot run here. */
export function decodeOperaCakeGpio(reply: Uint8Array): number {
  const view = replyView(testOperaCakeGpio(0), reply);
  return view.byteLength > 1 ? view.getUint16(0, true) : view.getUint8(0);
}
