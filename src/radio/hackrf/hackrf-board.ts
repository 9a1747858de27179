import { DeviceError, FormatError } from '../../common/errors.ts';
import type { InRequest, PresetRequest, StreamBoard } from '../stream/stream-board.ts';
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

/*
 * A call of the driver ends within 2 s whatever the board does: what it asks of the board has CALL_MS together, or START_MS where a transmission follows; a
 * stream that went silent is given up after PATIENCE_MS (an eighth more, receiving); after either the board is mute, and stopping it has
 * MUTE_OFF_TIMEOUTS_MS. Every request that is not answered takes up to 100 ms more (UsbDevice).
 */
const CALL_MS = 1300;
export const START_MS = 600;
/** How long a stream that does nothing is waited for. */
export const PATIENCE_MS = 950;
/** Attempts to stop the board. libhackrf waits 100 ms once. */
const OFF_TIMEOUTS_MS = [150, 150, 200];
const MUTE_OFF_TIMEOUTS_MS = [80, 80];
const FAREWELL_MS = 300;
/** The first wait for a mode, which is asked for again then. */
const FIRST_MODE_TIMEOUT_MS = 250;
/** The state explains an error that took its time already. */
const M0_TIMEOUT_MS = 250;

/** An open HackRF: sends vendor requests, refuses what its firmware does not have, remembers what is set. */
export class HackrfBoard {
  readonly device: StreamBoard;
  /** USB API version, BCD. */
  readonly api: number;
  /** Longest silence of a stream. */
  readonly patienceMs: number;
  /** Seconds of the board in a second of the host: below 1 for an emulated one that says so. */
  readonly speed: number;
  /** How many times longer than those of a board in real time all waits are. */
  readonly slowness: number;
  private name = 'HackRF';
  private known: BoardFacts | null = null;
  /** Groups that the board has, by name; and those of them that it forgot when a mode ended. */
  private readonly applied = new Map<string, CallGroup>();
  private readonly forgotten = new Map<string, CallGroup>();
  /** When the calls under way must be over, ms. */
  private readonly deadlines = new Set<{ readonly atMs: number }>();
  /** The last thing asked of it was not answered. */
  private mute = false;
  gone = false;

  private constructor(device: StreamBoard, patienceMs: number | undefined) {
    this.device = device;
    this.speed = facts.emulationSpeed(device.interfaces);
    this.patienceMs = patienceMs ?? PATIENCE_MS / this.speed;
    this.slowness = Math.max(1, this.patienceMs / PATIENCE_MS);
    this.api = device.board.bcdDevice;
    device.onGone(() => {
      this.gone = true;
    });
  }

  /**
   * Claims the board, stops whatever it was doing and asks what it is. The device is closed again where that fails. From here on the board is
   * told to stop whenever it is let go.
   *
   * @param patienceMs longest silence, which every other wait follows; default by what the board says of its speed
   */
  static async open(device: StreamBoard, patienceMs?: number): Promise<HackrfBoard> {
    try {
      const board = new HackrfBoard(device, patienceMs);
      await device.claim(0);
      await device.setFarewell([{ ...setMode('off').setup, timeoutMs: FAREWELL_MS }]);
      board.known = await board.inTime(async () => {
        await board.off();
        return board.readFacts();
      });
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
   *
   * @param isUrgent has its time-out even where the call that it is part of has no time left
   */
  async send(call: BoardCall, isUrgent = false): Promise<Uint8Array> {
    const { name, setup, data, replyBytes } = call;
    const wantedMs = call.timeoutMs * this.slowness;
    const timeoutMs = isUrgent ? wantedMs : this.timeLeft(wantedMs);
    if (!this.has(name)) {
      const since = apiText(VENDOR_REQUESTS[name].sinceApi);
      throw new DeviceError(
        `${this.name}: ${name} needs USB API ${since}, the board has ${apiText(this.api)}`,
        'update the firmware of the board',
      );
    }
    try {
      const reply = replyBytes > 0 ? await this.device.controlIn(setup, replyBytes, timeoutMs) : new Uint8Array(0);
      if (replyBytes === 0) await this.device.controlOut(setup, data, timeoutMs);
      this.mute = false;
      return reply;
    } catch (error) {
      if (!(error instanceof UsbError)) throw error;
      if (error.kind === 'timeout') this.fellSilent();
      throw new UsbError(error.kind, `${this.name}: ${name}: ${error.message}`, error.hint);
    }
  }

  /** All that `work` asks of the board has so long together, however many requests it makes. */
  async inTime<T>(work: () => Promise<T>, withinMs = CALL_MS): Promise<T> {
    const deadline = { atMs: performance.now() + withinMs * this.slowness };
    this.deadlines.add(deadline);
    try {
      return await work();
    } finally {
      this.deadlines.delete(deadline);
    }
  }

  /** A stream got nothing from it: no more time is spent on stopping it than has to be. */
  fellSilent(): void {
    this.mute = true;
  }

  get isMute(): boolean {
    return this.mute;
  }

  private timeLeft(timeoutMs: number): number {
    const nowMs = performance.now();
    return Math.max(1, Math.min(timeoutMs, ...[...this.deadlines].map(({ atMs }) => atMs - nowMs)));
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
   * A mode, once more where it was not answered: behind off, since nobody knows what the board made of the first one. A board that is held up for a
   * moment (its host is busy, a network is slow) starts all the same.
   */
  async setMode(mode: TransceiverMode): Promise<void> {
    const call = setMode(mode);
    await this.restore();
    try {
      await this.send({ ...call, timeoutMs: FIRST_MODE_TIMEOUT_MS });
    } catch (error) {
      if (!(error instanceof UsbError) || error.kind !== 'timeout') throw error;
      await this.off().catch(() => undefined);
      await this.restore();
      await this.send(call);
    }
  }

  /** The same for a stream that asks by itself: what it sends first, and what it sends where that was not answered. */
  async modeOfStream(mode: TransceiverMode): Promise<Pick<InRequest, 'begin' | 'beginAgain'>> {
    await this.restore();
    const timeoutMs = 2 * FIRST_MODE_TIMEOUT_MS * this.slowness;
    const preset = ({ setup, data }: BoardCall): PresetRequest => ({ ...setup, data, timeoutMs });
    const off = { ...setMode('off').setup, timeoutMs: OFF_TIMEOUTS_MS[0] * this.slowness };
    const kept = [...this.applied.values()].filter(({ endsWithMode }) => endsWithMode).flatMap(({ calls }) => calls);
    const begin = [setMode(mode)].map(preset);
    return { begin, beginAgain: [off, ...kept.map(preset), ...begin] };
  }

  /**
   * Mode off, again where it was refused or not answered: firmware with a flush of its own does not answer when it has nothing to flush to, but stops all
   * the same and answers the next time.
   */
  async off(): Promise<void> {
    for (const [name, group] of this.applied) {
      if (!group.endsWithMode) continue;
      this.applied.delete(name);
      this.forgotten.set(name, group);
    }
    const timeoutsMs = this.mute ? MUTE_OFF_TIMEOUTS_MS : OFF_TIMEOUTS_MS;
    for (const [attempt, timeoutMs] of timeoutsMs.entries()) {
      try {
        await this.send({ ...setMode('off'), timeoutMs }, true);
        return;
      } catch (error) {
        const last = attempt === timeoutsMs.length - 1;
        if (!(error instanceof UsbError) || error.kind === 'gone' || last) throw error;
      }
    }
  }

  async m0State(): Promise<M0State> {
    return this.ask({ ...getM0State(), timeoutMs: M0_TIMEOUT_MS }, decodeM0State);
  }

  /** Sends the groups that differ from what the board has. */
  async apply(groups: readonly CallGroup[]): Promise<void> {
    for (const group of groups) {
      const { name } = group;
      if (this.applied.get(name)?.key === group.key) continue;
      this.applied.delete(name);
      this.forgotten.delete(name);
      for (const call of group.calls) await this.set(call, group.mayStall ?? false);
      this.applied.set(name, group);
    }
  }

  /** Sets again what the board forgot when a mode ended. */
  private async restore(): Promise<void> {
    await this.apply([...this.forgotten.values()]);
  }

  private async set(call: BoardCall, mayStall: boolean): Promise<void> {
    let reply: Uint8Array;
    try {
      reply = await this.send(call);
    } catch (error) {
      if (mayStall && error instanceof UsbError && error.kind === 'stall') return;
      throw error;
    }
    // The gain requests answer with one byte, 0 = rejected.
    if (call.replyBytes !== 1 || reply[0] === 1) return;
    const what = reply.length === 1 && reply[0] === 0 ? 'rejected' : `answered with ${reply.length} bytes`;
    throw new UsbError('io', `${this.name}: ${call.name} ${call.setup.index} was ${what}`);
  }

  /** Something else set what this group sets. */
  forget(name: string): void {
    this.applied.delete(name);
  }

  describe(): string {
    const { board, revision, firmware, api, serial } = this.facts;
    return `${board}${revision ? ` ${revision}` : ''}, serial ${serial}, firmware ${firmware}, USB API ${api}`;
  }

  async close(): Promise<void> {
    this.gone = true;
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
