import { DeviceError, FormatError } from '../../common/errors.ts';
import type { StreamBoard } from '../stream/stream-board.ts';
import { UsbError } from '../usb/usb.ts';
import type { BoardCall } from './board-call.ts';
import * as facts from './board-facts.ts';
import { decodeM0State, getM0State, type M0State } from './m0-state.ts';
import { setMode, type TransceiverMode } from './radio-calls.ts';
import type { CallGroup } from './tuning.ts';
import { apiText, type RequestName, VENDOR_REQUESTS } from './vendor-requests.ts';

/** What an open board says of itself; null where its firmware has no word for it. */
export interface BoardFacts {
  readonly board: string;
  readonly boardId: number;
  readonly revision: string | null;
  readonly byMaker: boolean | null;
  readonly firmware: string;
  /** USB API, as "1.07". */
  readonly api: string;
  readonly serial: string;
  readonly partId: readonly [number, number];
  readonly platforms: readonly string[] | null;
  /** Bytes of zeros that push out everything before them. */
  readonly bufferBytes: number;
}

/** With the patience of a stream 2 s together. libhackrf waits 100 ms once. */
const OFF_TIMEOUTS_MS = [150, 150, 200];

/** The first wait for a mode, which is asked for again then. */
const FIRST_MODE_TIMEOUT_MS = 500;

/** The state explains an error that took its time already. */
const M0_TIMEOUT_MS = 250;

/** How long a board that does nothing is waited for. */
export const PATIENCE_MS = 1500;

/** An open HackRF: sends vendor requests, refuses what its firmware does not have, remembers what is set. */
export class HackrfBoard {
  readonly device: StreamBoard;
  /** USB API version, BCD. */
  readonly api: number;
  /** Longest silence of a stream; more than the default also lengthens the time-out of every request. */
  readonly patienceMs: number;
  private name = 'HackRF';
  private known: BoardFacts | null = null;
  /** Keys of the groups that the board has, by the group's name. */
  private readonly applied = new Map<string, string>();
  gone = false;

  private constructor(device: StreamBoard, patienceMs: number) {
    this.device = device;
    this.patienceMs = patienceMs;
    this.api = device.board.bcdDevice;
    device.onGone(() => {
      this.gone = true;
    });
  }

  /**
   * Claims the board, stops whatever it was doing and asks what it is. The device is closed again where that fails. From here on the board is
   * told to stop whenever it is let go.
   */
  static async open(device: StreamBoard, patienceMs = PATIENCE_MS): Promise<HackrfBoard> {
    try {
      const board = new HackrfBoard(device, patienceMs);
      await device.claim(0);
      const off = setMode('off');
      await device.setFarewell([{ ...off.setup, timeoutMs: 500 }]);
      await board.off();
      board.known = await board.readFacts();
      board.name = `HackRF ${board.known.serial.slice(-8)}`;
      return board;
    } catch (error) {
      await device.close().catch(() => undefined);
      throw error;
    }
  }

  get facts(): BoardFacts {
    return this.known!;
  }

  has(name: RequestName): boolean {
    return this.api >= VENDOR_REQUESTS[name].sinceApi;
  }

  /**
   * Sends a call; resolves to the reply (empty for OUT). DeviceError where the firmware lacks the request; UsbError where the board refuses it
   * (stall), does not answer, or is gone.
   */
  async send(call: BoardCall): Promise<Uint8Array> {
    const { name, setup, data, replyBytes } = call;
    const timeoutMs = this.patienceMs > PATIENCE_MS ? Math.max(call.timeoutMs, this.patienceMs) : call.timeoutMs;
    if (!this.has(name)) {
      const since = apiText(VENDOR_REQUESTS[name].sinceApi);
      throw new DeviceError(
        `${this.name}: ${name} needs USB API ${since}, the board has ${apiText(this.api)}`,
        'update the firmware of the board',
      );
    }
    try {
      if (replyBytes > 0) return await this.device.controlIn(setup, replyBytes, timeoutMs);
      await this.device.controlOut(setup, data, timeoutMs);
      return new Uint8Array(0);
    } catch (error) {
      if (error instanceof UsbError)
        throw new UsbError(error.kind, `${this.name}: ${name}: ${error.message}`, error.hint);
      throw error;
    }
  }

  /** Sends a call and reads its reply; garbage is a UsbError of kind io. */
  async ask<T>(call: BoardCall, decode: (reply: Uint8Array) => T): Promise<T> {
    const reply = await this.send(call);
    try {
      return decode(reply);
    } catch (error) {
      if (error instanceof FormatError) throw new UsbError('io', `${this.name}: garbage for ${error.message}`);
      throw error;
    }
  }

  /**
   * A mode, once more where it was not answered: behind off, since nobody knows what the board made of the first one. A board that is held up for a second
   * (its host is busy, a network is slow) starts all the same.
   */
  async setMode(mode: TransceiverMode): Promise<void> {
    const call = setMode(mode);
    try {
      await this.send({ ...call, timeoutMs: FIRST_MODE_TIMEOUT_MS });
    } catch (error) {
      if (!(error instanceof UsbError) || error.kind !== 'timeout') throw error;
      await this.off().catch(() => undefined);
      await this.send(call);
    }
  }

  /**
   * Mode off, again where it was refused or not answered: firmware with a flush of its own does not answer when it has nothing to flush to, but stops all
   * the same and answers the next time.
   */
  async off(): Promise<void> {
    for (const [attempt, timeoutMs] of OFF_TIMEOUTS_MS.entries()) {
      try {
        await this.send({ ...setMode('off'), timeoutMs });
        return;
      } catch (error) {
        const last = attempt === OFF_TIMEOUTS_MS.length - 1;
        if (!(error instanceof UsbError) || error.kind === 'gone' || last) throw error;
      }
    }
  }

  async m0State(): Promise<M0State> {
    return this.ask({ ...getM0State(), timeoutMs: M0_TIMEOUT_MS }, decodeM0State);
  }

  /** Sends the groups that differ from what the board has. */
  async apply(groups: readonly CallGroup[]): Promise<void> {
    for (const { key, calls } of groups) {
      const name = key.slice(0, key.indexOf(':'));
      if (this.applied.get(name) === key) continue;
      this.applied.delete(name);
      for (const call of calls) {
        const reply = await this.send(call);
        // The gain requests answer with one byte, 0 = rejected.
        if (call.replyBytes === 1 && reply[0] !== 1) {
          const what = reply.length === 1 && reply[0] === 0 ? 'rejected' : `answered with ${reply.length} bytes`;
          throw new UsbError('io', `${this.name}: ${call.name} ${call.setup.index} was ${what}`);
        }
      }
      this.applied.set(name, key);
    }
  }

  /** The bias tee and clock follow a reset or an unplugging: what was set before is not known any more. */
  forget(): void {
    this.applied.clear();
  }

  describe(): string {
    const { board, revision, firmware, api, serial } = this.facts;
    return `${board}${revision ? ` ${revision}` : ''}, serial ${serial}, firmware ${firmware}, USB API ${api}`;
  }

  async close(): Promise<void> {
    await this.device.close();
  }

  private async readFacts(): Promise<BoardFacts> {
    const bufferBytes = this.has('GET_BUFFER_SIZE')
      ? await this.ask(facts.readBufferSize(), facts.decodeBufferSize)
      : facts.DEFAULT_BUFFER_BYTES;
    const { id, board } = await this.ask(facts.readBoardId(), facts.decodeBoardId);
    const firmware = await this.ask(facts.readVersion(), facts.decodeVersion);
    const { partId, serial } = await this.ask(facts.readPartIdSerial(), facts.decodePartIdSerial);
    const later = this.has('BOARD_REV_READ');
    const revision = later ? await this.ask(facts.readBoardRevision(), facts.decodeBoardRevision) : null;
    const platforms = later ? await this.ask(facts.readSupportedPlatform(), facts.decodeSupportedPlatform) : null;
    return {
      board,
      boardId: id,
      revision: revision?.revision ?? null,
      byMaker: revision?.byMaker ?? null,
      firmware,
      api: apiText(this.api),
      serial,
      partId,
      platforms,
      bufferBytes,
    };
  }
}
