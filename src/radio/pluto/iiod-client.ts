import { UsageError } from '../../common/errors.ts';
import type { ByteTransport } from './byte-transport.ts';
import { IiodError } from './iiod-error.ts';
import { IiodReader, SLOWEST_BYTES_PER_MS } from './iiod-reader.ts';
import {
  type AttrPlace,
  type AttrRef,
  ascii,
  checkCount,
  MAX_ATTR_BYTES,
  parseMask,
  refWords,
  tooLong,
  unpackAttrs,
  word,
  writeCommand,
} from './iiod-words.ts';

/** Sizes that a server may claim at most. */
const MAX_CONTEXT_BYTES = 1 << 18;
export const MAX_BUFFER_BYTES = 1 << 27;

/** Longest wait for an answer. The slowest thing asked of a board, another sample rate, takes some 100 ms. */
export const DEFAULT_REPLY_TIMEOUT_MS = 1000;
const FAREWELL_MS = 200;

/** One connection, whoever uses it. */
interface Line {
  readonly transport: ByteTransport;
  readonly reader: IiodReader;
  queue: Promise<unknown>;
  broken: IiodError | null;
}

/**
 * The client of the IIOD text protocol (libiio v0.x: iiod/parser.y, lexer.l, ops.c), one command at a time on one connection; commands
 * that are issued together wait for each other. Bytes sent are those of libiio 0.24 for the same actions.
 *
 * After a time-out or a reply that is none the connection cannot be trusted: it is closed, and every later command fails at once. A command has
 * timeoutMs for all that it exchanges, and what the slowest useful link needs for its data: a server that trickles has no longer than one that is silent.
 */
export class IiodClient {
  private readonly line: Line;
  private readonly timeoutMs: number;
  /** No command of this client begins or waits after this, ms. */
  private readonly endMs: number;
  /** Until when the command under way may wait, ms. */
  private commandEndMs = 0;

  constructor(transport: ByteTransport, timeoutMs = DEFAULT_REPLY_TIMEOUT_MS) {
    this.line = { transport, reader: new IiodReader(transport), queue: Promise.resolve(), broken: null };
    this.timeoutMs = timeoutMs;
    this.endMs = Number.POSITIVE_INFINITY;
  }

  /** The same connection for somebody in more of a hurry: commands of up to timeoutMs, none after endMs. */
  hurried(timeoutMs: number, endMs = Number.POSITIVE_INFINITY): IiodClient {
    const client: IiodClient = Object.create(IiodClient.prototype);
    return Object.assign(client, { line: this.line, timeoutMs: Math.min(timeoutMs, this.timeoutMs), endMs });
  }

  get usable(): boolean {
    return this.line.broken === null;
  }

  /** "0.24", and the first characters of its commit. */
  async version(): Promise<{ major: number; minor: number; tag: string }> {
    return this.exclusive(async () => {
      await this.send('VERSION');
      const text = await this.line.reader.line(this.commandEndMs);
      const match = /^(\d{1,5})\.(\d{1,5})\.(.{0,32})$/.exec(text.trimEnd());
      if (!match) throw new IiodError('protocol', `VERSION: "${text.slice(0, 40)}" is no version`);
      return { major: Number(match[1]), minor: Number(match[2]), tag: match[3] };
    });
  }

  /** The context as XML. Asked for uncompressed: ZPRINT would need a decompressor for hostile input. */
  async print(): Promise<string> {
    return this.exclusive(async () => {
      const length = await this.command('PRINT');
      const bytes = await this.counted('PRINT', length, MAX_CONTEXT_BYTES);
      return new TextDecoder().decode(bytes);
    });
  }

  /** How long the server waits for its hardware. */
  async setTimeoutMs(timeoutMs: number): Promise<void> {
    checkCount('time-out', timeoutMs, 0, 600_000);
    await this.exclusive(() => this.command(`TIMEOUT ${timeoutMs}`));
  }

  /** Value of an attribute, without its trailing NUL and newline. */
  async readAttr(ref: AttrRef): Promise<string> {
    const command = `READ ${refWords(ref)}`;
    return this.exclusive(async () => {
      const length = await this.command(command);
      const bytes = await this.counted(command, length, MAX_ATTR_BYTES);
      const end = bytes.indexOf(0);
      return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)).trimEnd();
    });
  }

  /**
   * All attributes of a place at once (READ without a name): the server's packing is one i32, big-endian, of length or -errno for each,
   * then the value padded to 4 bytes. Values in the order of the context; null where the board refused that one.
   */
  async readAllAttrs(device: string, place: AttrPlace): Promise<(string | null)[]> {
    const command = `READ ${refWords({ device, place, name: '' })}`;
    return this.exclusive(async () => {
      const length = await this.command(command);
      return unpackAttrs(await this.counted(command, length, MAX_ATTR_BYTES));
    });
  }

  /** Sets an attribute. The value travels with a trailing NUL, as libiio sends strings. */
  async writeAttr(ref: AttrRef, value: string): Promise<void> {
    const command = writeCommand(ref, value);
    await this.exclusive(async () => {
      await this.sendBytes(command);
      await this.result(`WRITE ${refWords(ref)}`);
    });
  }

  /** Opens a buffer of `samples` samples for the channels of `mask` (32 channels a word, lowest first). */
  async open(device: string, samples: number, mask: readonly number[], cyclic = false): Promise<void> {
    checkCount('samples of a buffer', samples, 1, 2 ** 31 - 1);
    if (mask.length < 1 || mask.length > 8) throw new UsageError(`a mask of ${mask.length} words; allowed 1 to 8`);
    const words = [...mask].reverse().map((word) => (word >>> 0).toString(16).padStart(8, '0'));
    const command = `OPEN ${word(device)} ${samples} ${words.join('')}${cyclic ? ' CYCLIC' : ''}`;
    await this.exclusive(() => this.command(command));
  }

  async closeBuffer(device: string): Promise<void> {
    await this.exclusive(() => this.command(`CLOSE ${word(device)}`));
  }

  async setBuffersCount(device: string, count: number): Promise<void> {
    checkCount('kernel buffers', count, 1, 64);
    await this.exclusive(() => this.command(`SET ${word(device)} BUFFERS_COUNT ${count}`));
  }

  /** Name of the device's trigger; null where it has none. */
  async getTrigger(device: string): Promise<string | null> {
    const command = `GETTRIG ${word(device)}`;
    return this.exclusive(async () => {
      const length = await this.command(command);
      if (length === 0) return null;
      return new TextDecoder().decode(await this.counted(command, length, MAX_ATTR_BYTES));
    });
  }

  async setTrigger(device: string, trigger: string | null): Promise<void> {
    await this.exclusive(() => this.command(`SETTRIG ${word(device)}${trigger ? ` ${word(trigger)}` : ''}`));
  }

  /**
   * Reads from an open buffer into `into`. Returns how many bytes came (fewer only where the server ended the read early) and the channels
   * they hold, which are more than were asked for where another client streams, too.
   *
   * @param maskWords words of the mask: 1 for up to 32 channels of the device
   */
  async readBuffer(device: string, into: Uint8Array, maskWords = 1): Promise<{ bytes: number; mask: number[] }> {
    checkCount('bytes of a read', into.length, 1, MAX_BUFFER_BYTES);
    const command = `READBUF ${word(device)} ${into.length}`;
    return this.exclusive(async () => {
      await this.send(command);
      this.allow(into.length);
      let mask: number[] = [];
      let at = 0;
      while (at < into.length) {
        const length = await this.result(command);
        if (length === 0) break;
        if (length > into.length - at) throw tooLong(command, length, into.length - at);
        if (mask.length === 0) mask = parseMask(await this.line.reader.line(this.commandEndMs), maskWords);
        await this.line.reader.bytes(into.subarray(at, at + length), this.commandEndMs);
        at += length;
      }
      return { bytes: at, mask };
    });
  }

  /** Writes one buffer: the server takes it with a first reply and has handed it to the DMA with the second. */
  async writeBuffer(device: string, data: Uint8Array): Promise<void> {
    checkCount('bytes of a write', data.length, 1, MAX_BUFFER_BYTES);
    const command = `WRITEBUF ${word(device)} ${data.length}`;
    await this.exclusive(async () => {
      await this.command(command);
      this.allow(data.length);
      await this.sendBytes(data);
      await this.result(command);
    });
  }

  /** Any one-line command of the server that answers with a number, for tests and tools. */
  async raw(command: string): Promise<number> {
    if (!/^[\x20-\x7e]{1,200}$/.test(command)) throw new UsageError('a command is 1 to 200 printable characters');
    return this.exclusive(() => this.command(command));
  }

  /** Says good-bye (behind an empty line, as libiio does) and closes the connection; the server closes its buffers. */
  async close(): Promise<void> {
    if (this.usable) {
      const bye = this.hurried(FAREWELL_MS);
      await bye.exclusive(() => bye.send('\r\nEXIT')).catch(() => undefined);
      this.line.broken ??= new IiodError('gone', `${this.describe()}: closed`);
    }
    await this.line.transport.close();
  }

  /** Cuts the connection at once: what is under way fails with kind gone. */
  async abort(): Promise<void> {
    this.line.broken ??= new IiodError('gone', `${this.describe()}: aborted`);
    await this.line.transport.close();
  }

  /** Writes attributes without waiting for anything: for the end of the process. False where the transport cannot. */
  writeAttrsNow(writes: readonly { ref: AttrRef; value: string }[]): boolean {
    if (!this.usable) return false;
    this.line.broken = new IiodError('gone', `${this.describe()}: the process ends`);
    return writes.every(({ ref, value }) => this.line.transport.sendNow(writeCommand(ref, value)));
  }

  describe(): string {
    return this.line.transport.describe();
  }

  /** Runs one exchange after those before it; anything but a refusal by the server ends the connection. */
  private exclusive<T>(exchange: () => Promise<T>): Promise<T> {
    const { line } = this;
    const turn = line.queue.then(async () => {
      if (line.broken) throw new IiodError('gone', line.broken.message);
      const nowMs = performance.now();
      if (nowMs >= this.endMs)
        throw new IiodError('timeout', `${this.describe()}: no time is left for one more command`);
      this.commandEndMs = Math.min(nowMs + this.timeoutMs, this.endMs);
      try {
        const { pendingBytes } = line.reader;
        if (pendingBytes > 0) {
          throw new IiodError('protocol', `${this.describe()}: ${pendingBytes} bytes that nobody asked for`);
        }
        return await exchange();
      } catch (error) {
        if (!(error instanceof IiodError && error.kind === 'errno')) {
          line.broken ??= error instanceof IiodError ? error : new IiodError('gone', `${this.describe()}: ${error}`);
          void line.transport.close();
        }
        throw error;
      }
    });
    line.queue = turn.catch(() => undefined);
    return turn;
  }

  private send(command: string): Promise<void> {
    return this.sendBytes(ascii(`${command}\r\n`));
  }

  private sendBytes(bytes: Uint8Array): Promise<void> {
    return this.line.transport.send(bytes, Math.max(1, this.commandEndMs - performance.now()));
  }

  /** The command moves so many bytes. */
  private allow(bytes: number): void {
    this.commandEndMs += bytes / SLOWEST_BYTES_PER_MS;
  }

  private async command(command: string): Promise<number> {
    await this.send(command);
    return this.result(command);
  }

  /** A number of at least 0; a negative one is the server's refusal. */
  private async result(command: string): Promise<number> {
    const value = await this.line.reader.integer(this.commandEndMs);
    if (value < 0) throw IiodError.refused(command, -value);
    return value;
  }

  /** `length` bytes and the newline behind them. */
  private async counted(command: string, length: number, limit: number): Promise<Uint8Array> {
    if (length > limit) throw tooLong(command, length, limit);
    const bytes = new Uint8Array(length + 1);
    this.allow(length);
    await this.line.reader.bytes(bytes, this.commandEndMs);
    if (bytes[length] !== 0x0a) throw new IiodError('protocol', `${command}: no newline after ${length} bytes`);
    return bytes.subarray(0, length);
  }
}
