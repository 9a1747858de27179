import { UsageError } from '../../common/errors.ts';
import { type BoardCall, inCall, integerIn, outCall, replyView } from './board-call.ts';

/** Requests that only HackRF Pro boards serve (API 1.09); other boards refuse them with a STALL. */

const P1_SIGNALS = ['trigger-in', 'aux-clk1', 'clkin', 'trigger-out', 'p22-clkin', 'p2-5', 'none', 'aux-clk2'] as const;
export type P1Signal = (typeof P1_SIGNALS)[number];

const P2_SIGNALS = { clk3: 0, 'trigger-in': 2, 'trigger-out': 3 } as const;
export type P2Signal = keyof typeof P2_SIGNALS;

/** What the SMA connector P1 carries. */
export function setP1(signal: P1Signal): BoardCall {
  const number = P1_SIGNALS.indexOf(signal);
  if (number < 0) throw new UsageError(`P1 signal "${signal}" is not one of ${P1_SIGNALS.join(', ')}`);
  return outCall('P1_CTRL', number);
}

/** What the SMA connector P2 carries. */
export function setP2(signal: P2Signal): BoardCall {
  if (!Object.hasOwn(P2_SIGNALS, signal)) {
    throw new UsageError(`P2 signal "${signal}" is not one of ${Object.keys(P2_SIGNALS).join(', ')}`);
  }
  return outCall('P2_CTRL', P2_SIGNALS[signal]);
}

/** Where the clock comes in: connector P1, or pin 22 of the header. */
export function setClockInput(source: 'p1' | 'p22'): BoardCall {
  return outCall('CLKIN_CTRL', source === 'p1' ? 0 : 1);
}

export function setNarrowbandFilter(on: boolean): BoardCall {
  return outCall('SET_NARROWBAND_FILTER', on ? 1 : 0);
}

export function setFpgaBitstream(index: number): BoardCall {
  return outCall('SET_FPGA_BITSTREAM', integerIn('FPGA bitstream', index, 0, 255));
}

const SELFTEST_BYTES = 512;

export function readSelftest(): BoardCall {
  return inCall('READ_SELFTEST', 0, 0, SELFTEST_BYTES, 2);
}

/** Channels 0 to 7, plus 0x80 for the other function of the pin. */
export function readAdc(channel: number): BoardCall {
  integerIn('ADC channel', channel, 0, 0x87);
  if ((channel & 0x7f) > 7) throw new UsageError(`ADC channel ${channel}: allowed 0 to 7 and 128 to 135`);
  return inCall('READ_ADC', 0, channel, 2);
}

export function decodeAdc(reply: Uint8Array): number {
  return replyView(readAdc(0), reply).getUint16(0, true);
}

/** Steps of the real-time clock's test: 32 kHz on, wait 1 s, count, wait 1 ms, read (1 = good), off. */
export function startRtcOscillator(): BoardCall {
  return outCall('TEST_RTC_OSC', 0, 0);
}

export function startRtcCount(): BoardCall {
  return outCall('TEST_RTC_OSC', 0, 1);
}

export function readRtcCount(): BoardCall {
  return inCall('TEST_RTC_OSC', 0, 2, 2);
}

export function decodeRtcCount(reply: Uint8Array): number {
  return replyView(readRtcCount(), reply).getUint16(0, true);
}

export function stopRtcOscillator(): BoardCall {
  return outCall('TEST_RTC_OSC', 0, 3);
}
