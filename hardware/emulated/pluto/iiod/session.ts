import type { Attribute } from '../attribute.ts';
import { contextXml } from '../context-xml.ts';
import { type Device, findChannel, findDevice, readAttribute, writeAttribute } from '../iio-context.ts';
import { Errno, IioError } from '../iio-error.ts';
import type { PlutoBoard } from '../pluto-board.ts';
import { type BytePipe, PipeReader } from './byte-pipe.ts';
import { type AttributePlace, type Command, parseCommand } from './commands.ts';
import { HELP } from './help.ts';
import { parseMask } from './masks.ts';
import { attributeText, packAttributes, unpackAttributes } from './packed-attributes.ts';
import type { RxClient, RxService } from './rx-service.ts';
import type { TxClient, TxService } from './tx-service.ts';

/** Longest line that is read; the real server's lexer works on less. */
const MAX_LINE_BYTES = 1024;
/** Longest value of an attribute, bytes (a FIR filter's text takes some 3 KiB). */
const MAX_VALUE_BYTES = 1 << 16;

/** What all connections of a server share. */
export interface IiodShared {
  readonly board: PlutoBoard;
  readonly rx: RxService;
  readonly tx: TxService;
  timeoutMs: number;
  /** Kernel buffers of a device, by its id. */
  readonly blocks: Map<string, number>;
}

/** One connection of the IIOD text protocol; commands are answered one after the other. */
export class IiodSession {
  private readonly shared: IiodShared;
  private readonly pipe: BytePipe;
  private readonly reader: PipeReader;
  private rx: RxClient | null = null;
  private tx: TxClient | null = null;

  constructor(shared: IiodShared, pipe: BytePipe) {
    this.shared = shared;
    this.pipe = pipe;
    this.reader = new PipeReader(pipe);
  }

  /** Until EXIT or the host is gone; buffers of this connection are closed then. Never rejects. */
  async run(): Promise<void> {
    const release = () => this.closeBuffers();
    this.pipe.gone.addEventListener('abort', release);
    try {
      while (await this.next());
    } catch {
      // The pipe broke under a reply: there is nobody to tell.
    } finally {
      this.pipe.gone.removeEventListener('abort', release);
      this.closeBuffers();
      this.pipe.close();
    }
  }

  private async next(): Promise<boolean> {
    const line = await this.reader.line(MAX_LINE_BYTES);
    if (line === null) return false;
    const command = line === 'too long' ? null : parseCommand(line);
    if (!command) {
      await this.print(-Errno.EINVAL);
      return true;
    }
    try {
      return await this.execute(command);
    } catch (error) {
      if (!(error instanceof IioError)) throw error;
      await this.print(-error.errno);
      return true;
    }
  }

  /** False ends the connection. IioError: what the host is told. */
  private async execute(command: Command): Promise<boolean> {
    const { shared } = this;
    switch (command.name) {
      case 'nothing':
        return true;
      case 'exit':
        return false;
      case 'help':
        await this.send(HELP);
        return true;
      case 'version': {
        const { major, minor, git } = shared.board.firmware.libiio;
        await this.send(`${major}.${minor}.${git.slice(0, 7).padEnd(7)}\n`);
        return true;
      }
      case 'print': {
        const xml = contextXml(shared.board.context, shared.board.firmware.libiio);
        await this.send(`${xml.length}\n`);
        await this.send(xml);
        await this.send('\n');
        return true;
      }
      case 'zprint':
        throw new IioError('EINVAL');
      case 'timeout':
        shared.timeoutMs = Math.max(0, command.ms);
        await this.print(0);
        return true;
      case 'write':
        return this.writeAttribute(command);
      case 'read':
        await this.readAttribute(command);
        return true;
      default:
        return this.buffer(command, this.device(command.device));
    }
  }

  private async buffer(
    command: Extract<
      Command,
      { name: 'open' | 'close' | 'gettrig' | 'settrig' | 'readbuf' | 'writebuf' | 'buffers-count' }
    >,
    device: Device,
  ): Promise<boolean> {
    switch (command.name) {
      case 'open':
        await this.open(device, command);
        break;
      case 'close':
        if (!this.opened(device)) throw new IioError('ENXIO');
        if (device === this.rxDevice) this.closeRx();
        else this.closeTx();
        break;
      case 'readbuf':
        await this.readBuffer(device, command.bytes);
        return true;
      case 'writebuf':
        return this.writeBuffer(device, command.bytes);
      case 'buffers-count':
        if (command.count < 1) throw new IioError('EINVAL');
        if (
          (device === this.rxDevice && this.shared.rx.isOpen) ||
          (device === this.txDevice && this.shared.tx.isOpen)
        ) {
          throw new IioError('EBUSY');
        }
        this.shared.blocks.set(device.id, command.count);
        break;
      default:
        throw new IioError('ENOENT'); // no device of a Pluto has a trigger
    }
    await this.print(0);
    return true;
  }

  private async open(device: Device, command: Extract<Command, { name: 'open' }>): Promise<void> {
    const mask = parseMask(device, command.mask);
    if (this.opened(device)) throw new IioError('EBUSY');
    const samples = command.samples < 0 ? Number.POSITIVE_INFINITY : command.samples;
    if (device === this.txDevice) {
      const client = { mask, samples, cyclic: command.cyclic, gone: this.pipe.gone };
      await this.shared.tx.open(client);
      this.tx = client;
    } else {
      const client = { mask, samples, pipe: this.pipe };
      this.shared.rx.open(client);
      this.rx = client;
    }
    if (this.pipe.gone.aborted) this.closeBuffers();
  }

  private async readBuffer(device: Device, bytes: number): Promise<void> {
    if (device !== this.rxDevice || !this.rx) throw new IioError('EBADF');
    const sampleBytes = (this.rx.mask & 3) === 3 ? 4 : 2;
    if (bytes < sampleBytes) return this.print(0);
    const left = await this.shared.rx.read(this.rx, bytes);
    if (left >= sampleBytes) await this.print(0);
  }

  private async writeBuffer(device: Device, bytes: number): Promise<boolean> {
    if (device !== this.txDevice || !this.tx) throw new IioError('EBADF');
    const left = await this.shared.tx.write(this.tx, bytes, this.reader, () => this.print(0));
    if (left === null) return false;
    await this.print(bytes - left);
    return true;
  }

  private async readAttribute(command: Extract<Command, { name: 'read' }>): Promise<void> {
    const attributes = this.attributes(this.device(command.device), command.place);
    const bytes =
      command.attribute === null
        ? packAttributes(attributes)
        : Buffer.from(`${readAttribute(attributes, command.attribute)}\0`, 'latin1');
    await this.print(bytes.length);
    await this.pipe.write(Buffer.concat([bytes, Buffer.from('\n')]));
  }

  private async writeAttribute(command: Extract<Command, { name: 'write' }>): Promise<boolean> {
    const device = this.device(command.device);
    if (command.bytes < 0 || command.bytes > MAX_VALUE_BYTES) throw new IioError('ENOMEM');
    const bytes = new Uint8Array(command.bytes);
    if (!(await this.reader.fill(bytes))) return false;
    const attributes = this.attributes(device, command.place);
    if (command.attribute !== null) writeAttribute(attributes, command.attribute, attributeText(bytes));
    else this.writeAll(attributes, bytes);
    await this.print(bytes.length);
    return true;
  }

  /** As the real server: attributes that refuse their value are passed over. */
  private writeAll(attributes: readonly Attribute[], bytes: Uint8Array): void {
    unpackAttributes(bytes, attributes.length).forEach((text, i) => {
      try {
        if (text !== null) attributes[i].write?.(text);
      } catch (error) {
        if (!(error instanceof IioError)) throw error;
      }
    });
  }

  private device(word: string): Device {
    const device = findDevice(this.shared.board.context, word);
    if (!device) throw new IioError('ENODEV');
    return device;
  }

  private attributes(device: Device, place: AttributePlace): readonly Attribute[] {
    if (place.kind === 'device') return device.attributes;
    if (place.kind !== 'channel') return device[place.kind];
    const channel = findChannel(device, place.channel, place.output);
    if (!channel) throw new IioError('ENXIO');
    return channel.attributes;
  }

  private get rxDevice(): Device {
    return this.shared.board.context.devices[3];
  }

  private get txDevice(): Device {
    return this.shared.board.context.devices[2];
  }

  private opened(device: Device): boolean {
    return (device === this.rxDevice && this.rx !== null) || (device === this.txDevice && this.tx !== null);
  }

  private closeRx(): void {
    if (this.rx) this.shared.rx.close(this.rx);
    this.rx = null;
  }

  private closeTx(): void {
    if (this.tx) this.shared.tx.close(this.tx);
    this.tx = null;
  }

  private closeBuffers(): void {
    this.closeRx();
    this.closeTx();
  }

  private print(value: number): Promise<void> {
    return this.send(`${value}\n`);
  }

  private send(text: string): Promise<void> {
    return this.pipe.write(Buffer.from(text, 'latin1'));
  }
}
