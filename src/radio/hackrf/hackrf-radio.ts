import { DeviceError } from '../../common/errors.ts';
import { type BoardIdentity, boardIdentity } from '../board-identity.ts';
import type { ClockCorrection } from '../clock-error.ts';
import type { Radio, RadioCapabilities } from '../radio.ts';
import type { StreamBoard } from '../stream/stream-board.ts';
import type { HackrfUriOptions } from '../uri.ts';
import type { BoardSpec } from '../usb/bus.ts';
import { decodeClockInStatus, getClockInStatus, USB_PRODUCT_IDS, USB_VENDOR_ID } from './board-facts.ts';
import { type BoardFacts, HackrfBoard } from './hackrf-board.ts';
import { setClockOut } from './radio-calls.ts';
import { HackrfRx } from './rx-stream.ts';
import type { SweepPlan } from './sweep.ts';
import { HackrfSweep } from './sweep-stream.ts';
import { type HackrfRequest, type Retune, Tuner } from './tuning.ts';
import { HackrfTx } from './tx-stream.ts';

/** The boards that the driver looks for. */
export function hackrfSpec(bus: BoardSpec['bus'], serial: string | null): BoardSpec {
  const wanted = USB_PRODUCT_IDS.map((productId) => ({ vendorId: USB_VENDOR_ID, productId }));
  return { bus, wanted, serial, name: 'HackRF' };
}

export interface HackrfRadioOptions extends HackrfUriOptions {
  readonly uri: string;
  /** Opens the board, again after it was unplugged: the one of this serial, or the only one where it is null. */
  readonly openBoard: (serial: string | null) => Promise<StreamBoard>;
  readonly serial: string | null;
  /** What was stored of a board's clock; asked for where `ppm` is absent and the board runs on its own crystal. */
  readonly stored?: (serial: string) => Promise<ClockCorrection | null>;
  /** Longest silence of a board, ms, which all other waits follow; default 950, more for an emulated board that says that it is slow. */
  readonly patienceMs?: number;
  /** Told of every transmitter, so that it is silenced when the process ends; returns how to take it back. */
  readonly protect?: (name: string, transmitter: { silence(): Promise<void>; silenceNow(): void }) => () => void;
}

/** A HackRF. Half-duplex: one stream at a time. */
export class HackrfRadio implements Radio {
  readonly uri: string;
  readonly capabilities: RadioCapabilities;
  readonly clock: ClockCorrection | null;
  private readonly options: HackrfRadioOptions;
  private readonly tuner: Tuner;
  private board: HackrfBoard;
  private rx: HackrfRx | null = null;
  private tx: HackrfTx | null = null;
  private sweep: HackrfSweep | null = null;
  private opening = false;
  private closed = false;

  private constructor(options: HackrfRadioOptions, board: HackrfBoard, clock: ClockCorrection | null) {
    this.uri = options.uri;
    this.clock = clock;
    const tuner = new Tuner({ ...options, ...(clock ? { ppm: clock.ppm } : {}) });
    this.options = options;
    this.tuner = tuner;
    this.capabilities = tuner.capabilities;
    this.board = board;
  }

  /**
   * UsageError for wrong defaults; UsbError where the board is not there, busy, or may not be opened; DeviceError where the options want a clock at CLKIN
   * and there is none.
   */
  static async open(options: HackrfRadioOptions): Promise<HackrfRadio> {
    new Tuner(options); // wrong defaults are said before a board is looked for
    const board = await openClocked(options, options.serial);
    try {
      return new HackrfRadio(options, board, await clockOf(board, options));
    } catch (error) {
      await board.close().catch(() => undefined);
      throw error;
    }
  }

  get facts(): BoardFacts {
    return this.board.facts;
  }

  get boardIdentity(): BoardIdentity {
    const { board, serial, firmware } = this.facts;
    return boardIdentity(board, serial, firmware, this.board.speed);
  }

  /** For requests that have no word here: registers, flash, antenna switches. */
  get requests(): Pick<HackrfBoard, 'send' | 'ask' | 'has'> {
    return this.board;
  }

  async openRx(request: HackrfRequest = {}): Promise<HackrfRx> {
    return this.exclusively(async () => {
      const tuning = this.tuner.resolve('rx', request, this.board.api);
      this.rx = await HackrfRx.start(this.board, tuning, this.retune('rx'), () => {
        this.rx = null;
      });
      return this.rx;
    });
  }

  /**
   * DeviceError also for firmware before USB API 1.06: it has no limit after which it stops by itself, and repeats its last buffer when the host dies.
   */
  async openTx(request: HackrfRequest = {}): Promise<HackrfTx> {
    return this.exclusively(async () => {
      const tuning = this.tuner.resolve('tx', request, this.board.api);
      const { board } = this;
      if (!board.has('SET_TX_UNDERRUN_LIMIT')) {
        const { api, firmware } = board.facts;
        throw new DeviceError(
          `hackrf: firmware ${firmware} (USB API ${api}) does not stop transmitting when its host dies`,
          'transmitting needs USB API 1.06 (firmware 2022.09) or later',
        );
      }
      let opened: HackrfTx | null = null;
      // On the list before anything can be sent; a process that ends refuses here.
      const release = this.options.protect?.(`HackRF ${board.facts.serial}`, {
        silence: async () => opened?.abort(),
        silenceNow: () => void board.device.silenceNow(),
      });
      try {
        opened = await HackrfTx.start(board, tuning, this.retune('tx'), () => {
          this.tx = null;
          release?.();
        });
      } catch (error) {
        release?.();
        throw error;
      }
      this.tx = opened;
      return opened;
    });
  }

  /** Steps through ranges of frequency; rate, filter and gains by the request. DeviceError below USB API 1.02. */
  async openSweep(
    plan: SweepPlan,
    request: Omit<HackrfRequest, 'frequencyHz' | 'explicit'> = {},
  ): Promise<HackrfSweep> {
    return this.exclusively(async () => {
      const tuning = this.tuner.resolve('rx', request, this.board.api);
      this.sweep = await HackrfSweep.start(this.board, tuning, plan, () => {
        this.sweep = null;
      });
      return this.sweep;
    });
  }

  /** Stops receiving and gets ready to transmit; settings that stay are not sent again. */
  async turnToTx(request: HackrfRequest = {}): Promise<HackrfTx> {
    await this.rx?.close();
    return this.openTx(request);
  }

  /** Sends what is queued, then receives; settings that stay are not sent again. */
  async turnToRx(request: HackrfRequest = {}): Promise<HackrfRx> {
    await this.tx?.close();
    return this.openRx(request);
  }

  /** Whether a clock is seen at CLKIN. DeviceError where the firmware cannot tell. */
  clockIn(): Promise<boolean> {
    return this.board.ask(getClockInStatus(), decodeClockInStatus);
  }

  /** 10 MHz at CLKOUT on or off. */
  async setClockOut(on: boolean): Promise<void> {
    await this.board.send(setClockOut(on));
  }

  /**
   * The board again after it was unplugged (or reset): by the serial that it had. UsbError while it is not there. Streams of before have ended; new ones
   * find it as after power-on.
   */
  async reopen(): Promise<void> {
    if (this.closed) throw new DeviceError('hackrf: the radio is closed');
    await this.rx?.close().catch(() => undefined);
    await this.sweep?.close().catch(() => undefined);
    await this.tx?.abort();
    const { serial } = this.board.facts;
    await this.board.close().catch(() => undefined);
    this.board = await openClocked(this.options, serial);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    try {
      await this.rx?.close();
      await this.sweep?.close();
      await this.tx?.close();
    } finally {
      await this.board.close();
    }
  }

  describe(): string {
    return this.board.describe();
  }

  private retune(direction: 'rx' | 'tx'): Retune {
    const { board } = this;
    return async (settings, gainsDb) => {
      const next = this.tuner.regain(direction, settings, gainsDb);
      await board.inTime(() => board.apply(next.groups));
      return next.settings;
    };
  }

  private async exclusively<T>(open: () => Promise<T>): Promise<T> {
    if (this.closed) throw new DeviceError('hackrf: the radio is closed');
    if (this.rx || this.tx || this.sweep || this.opening) {
      const open = this.rx || this.sweep ? 'receiving' : this.tx ? 'transmitting' : 'being opened';
      throw new DeviceError(`hackrf: the board is ${open}, and it is half-duplex`, 'close that stream first');
    }
    this.opening = true;
    try {
      if (this.board.gone) await this.reopen();
      return await open();
    } finally {
      this.opening = false;
    }
  }
}

/** The correction of a board's clock: of its URI, else what is stored for its serial. At CLKIN another clock counts, which nobody has measured. */
async function clockOf(board: HackrfBoard, { ppm, stored }: HackrfRadioOptions): Promise<ClockCorrection | null> {
  if (ppm !== undefined) return { ppm, from: 'uri' };
  const found = (await stored?.(board.facts.serial)) ?? null;
  const external =
    found !== null && board.has('GET_CLKIN_STATUS') && (await board.ask(getClockInStatus(), decodeClockInStatus));
  return external ? null : found;
}

/** The board with its clocks as the options have them. */
async function openClocked(options: HackrfRadioOptions, serial: string | null): Promise<HackrfBoard> {
  const { openBoard, patienceMs, clockIn, clockOut } = options;
  const board = await HackrfBoard.open(await openBoard(serial), patienceMs);
  try {
    await board.inTime(async () => {
      if (clockOut !== undefined) await board.send(setClockOut(clockOut));
      if (!clockIn || (await board.ask(getClockInStatus(), decodeClockInStatus))) return;
      throw new DeviceError(
        `${board.describe()}: no clock at CLKIN`,
        'connect 10 MHz (3.3 V) to CLKIN, or leave clkin=1 out',
      );
    });
    return board;
  } catch (error) {
    await board.close();
    throw error;
  }
}
