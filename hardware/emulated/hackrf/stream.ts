import type { Firmware } from './firmware.ts';
import type { M0 } from './m0.ts';
import type { SampleClock } from './sample-clock.ts';
import type { ShortfallLog } from './shortfall-log.ts';

/**
 * An operation of the transceiver between its start and its end. Time is that of the air, s; everything between two calls of
 * `advance` happens at its own moment, as if the board had run all the while.
 */
export interface SampleStream {
  readonly kind: 'rx' | 'tx' | 'sweep';
  readonly losses: ShortfallLog;
  /** Runs up to this time. */
  advance(nowS: number): void;
  /** When something may happen that the host waits for; null: not before the host does something. */
  wakeS(nowS: number): number | null;
  /** The sample rate was set to another value. */
  changeRate(rateHz: number): void;
  /** The trigger pin went high. */
  trigger(nowS: number): void;
  /** Stops; nothing happens afterwards. */
  stop(): void;
}

/** What a stream has of the board. */
export interface StreamParts {
  readonly firmware: Firmware;
  readonly m0: M0;
  /** True sample rate, Hz. */
  readonly rateHz: number;
  /** Bytes a second of the bus. */
  readonly busBytesPerS: number;
  /** The converter waits for the trigger pin. */
  readonly waitForTrigger: boolean;
}

/** Beyond this rate M0 cannot keep up: 150 cycles of 204 MHz for every 16 samples (sgpio_m0.s, worst case of RX). */
export const HIGHEST_M0_RATE_HZ = 204e6 / (150 / 16);

/** Samples of RX: fills `out` [sample][i, q] with what the converter gives from this time on. */
export type Converter = (startS: number, sample: number, out: Int8Array, clock: SampleClock) => void;
