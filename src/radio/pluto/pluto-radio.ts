import { DeviceError } from '../../common/errors.ts';
import { type BoardIdentity, boardIdentity } from '../board-identity.ts';
import { type ClockCorrection, ClockError } from '../clock-error.ts';
import { loadProfile } from '../profile.ts';
import type { Radio, RadioCapabilities, StreamRequest } from '../radio.ts';
import { transmitGuard } from '../safety/process-end.ts';
import { Ad936x, type AttrWrite } from './ad936x.ts';
import { findParts } from './ad936x-parts.ts';
import { type IioContext, parseContext } from './context.ts';
import { DEFAULT_REPLY_TIMEOUT_MS, IiodClient } from './iiod-client.ts';
import { IiodError } from './iiod-error.ts';
import type { PlutoLink } from './pluto-link.ts';
import { PlutoRx } from './pluto-rx.ts';
import { PlutoTx } from './pluto-tx.ts';
import { TxDevice } from './tx-device.ts';
import { parseNumber } from './values.ts';

export interface PlutoOptions {
  /** Longest wait for any answer of the board. */
  readonly timeoutMs?: number;
  /** What was stored of a board's clock. */
  readonly stored?: (serial: string) => Promise<ClockCorrection | null>;
}

/** Who the board says it is. */
export interface PlutoIdentity {
  readonly model: string | null;
  readonly serial: string | null;
  readonly firmware: string | null;
}

/** Length of a receive buffer (libiio issue 478: about 50 ms), and buffers of the kernel. */
const BUFFER_S = 0.05;
const BUFFER_ALIGN_SAMPLES = 64;
const RX_KERNEL_BUFFERS = 4;

/*
 * A call ends within 2 s whatever the board does: its settings have CALL_MS together, and what makes the board silent after that fails has HURRY_MS for
 * each of the two steps that it may need, a connection and a first command.
 */
const CALL_MS = 1200;
const HURRY_MS = 300;

/** An ADALM-PLUTO behind an IIOD server, over TCP or USB. Full duplex; the transmitter is off unless a TxStream is open. */
export class PlutoRadio implements Radio {
  readonly uri: string;
  readonly capabilities: RadioCapabilities;
  readonly identity: PlutoIdentity;
  readonly boardIdentity: BoardIdentity;
  /** Null until it is open. */
  clock: ClockCorrection | null = null;
  private readonly link: PlutoLink;
  private readonly chip: Ad936x;
  private readonly silentState: readonly AttrWrite[];
  private readonly timeoutMs: number;
  /** How many times longer than those of a board in real time all waits are. */
  private readonly slowness: number;
  /** Seconds of the board in a second of the host; not 1 only for an emulated board on a slow machine. */
  private readonly speed: number;
  private client: IiodClient;
  private rx: PlutoRx | null = null;
  private tx: PlutoTx | null = null;
  private busy: Promise<unknown> = Promise.resolve();
  private closing: Promise<void> | null = null;

  private constructor(
    uri: string,
    link: PlutoLink,
    timeoutMs: number,
    found: {
      client: IiodClient;
      context: IioContext;
      chip: Ad936x;
      capabilities: RadioCapabilities;
      silentState: AttrWrite[];
    },
  ) {
    this.uri = uri;
    this.link = link;
    this.speed = emulationSpeed(found.context);
    // A slow emulation delivers its buffers later by the clock of this host.
    this.timeoutMs = Math.ceil(timeoutMs / Math.min(1, this.speed));
    this.slowness = Math.max(1, this.timeoutMs / DEFAULT_REPLY_TIMEOUT_MS);
    this.client = found.client;
    this.chip = found.chip;
    this.capabilities = found.capabilities;
    this.silentState = found.silentState;
    const attribute = (name: string) => found.context.attributes.get(name)?.slice(0, 200) ?? null;
    this.identity = { model: attribute('hw_model'), serial: attribute('hw_serial'), firmware: attribute('fw_version') };
    const { model, serial, firmware } = this.identity;
    this.boardIdentity = boardIdentity(model ?? 'Pluto', serial, firmware, this.speed);
  }

  /** Reads what the board is and can do, and makes its transmitter silent. Closes the link when that fails. */
  static async open(uri: string, link: PlutoLink, options: PlutoOptions = {}): Promise<PlutoRadio> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_REPLY_TIMEOUT_MS;
    try {
      const client = await connect(link, timeoutMs);
      const context = parseContext(await client.print());
      const chip = new Ad936x(client, findParts(context));
      const capabilities = await chip.capabilities('pluto', loadProfile('pluto').limits.maxContinuousRateHz.value);
      const silentState = await chip.silenceWrites();
      const radio = new PlutoRadio(uri, link, timeoutMs, { client, context, chip, capabilities, silentState });
      await radio.silence();
      const { serial } = radio.identity;
      radio.clock = serial === null ? null : ((await options.stored?.(serial)) ?? null);
      chip.clock = new ClockError(radio.clock?.ppm ?? 0);
      return radio;
    } catch (error) {
      await link.close().catch(() => undefined);
      throw error;
    }
  }

  openRx(request: StreamRequest = {}): Promise<PlutoRx> {
    return this.alone(async () => {
      if (this.rx) throw new DeviceError(`${this.uri}: rx is open already`);
      await this.readyChip();
      const settings = await this.chip.apply('rx', request, this.capabilities);
      const path = this.chip.parts.rx;
      try {
        const stream = await this.link.startReceiving({
          device: path.core.id,
          mask: path.mask,
          registers: path.registers,
          bufferSamples: Math.ceil((BUFFER_S * settings.rateHz) / BUFFER_ALIGN_SAMPLES) * BUFFER_ALIGN_SAMPLES,
          kernelBuffers: RX_KERNEL_BUFFERS,
          rateHz: settings.rateHz * this.speed,
          bursts: settings.rateHz > this.capabilities.maxContinuousRateHz,
          timeoutMs: this.timeoutMs,
        });
        this.rx = new PlutoRx(stream, settings, {
          setGains: (gainsDb) => this.changeGains('rx', gainsDb),
          closed: async () => {
            this.rx = null;
            this.chip.release('rx');
          },
        });
        return this.rx;
      } catch (error) {
        this.chip.release('rx');
        throw error;
      }
    });
  }

  openTx(request: StreamRequest): Promise<PlutoTx> {
    return this.alone(async () => {
      if (this.tx) throw new DeviceError(`${this.uri}: tx is open already`);
      await this.readyChip();
      const forget = transmitGuard().protect(this.uri, {
        silence: () => this.tx?.cut() ?? this.silence(),
        silenceNow: () => void this.client.writeAttrsNow(this.silentState),
      });
      try {
        await this.link.armFarewell();
        // Tones off first: while no buffer is open they are what the transmitter sends.
        await this.silence();
        const settings = await this.chip.apply('tx', request, this.capabilities);
        await this.chip.setTransmitterPower(true);
        const clock = { nowS, sleepS, speed: this.speed };
        const client = new IiodClient(await this.link.connector.connect(this.timeoutMs), this.timeoutMs);
        const device = new TxDevice(client, this.chip.parts.tx, settings.rateHz, clock);
        this.tx = new PlutoTx({
          device,
          settings,
          clock,
          mayRepeat: this.link.noticesLoss,
          setGains: (gainsDb) => this.changeGains('tx', gainsDb),
          silence: () => this.silence(),
          closed: () => {
            this.tx = null;
            this.chip.release('tx');
            forget();
          },
        });
        return this.tx;
      } catch (error) {
        this.chip.release('tx');
        await this.silence().catch(() => undefined);
        forget();
        throw error;
      }
    });
  }

  /** Asked only while the transmitter is closed: nothing may stand before what makes it silent. */
  temperatureC(): Promise<number | null> {
    return this.alone(async () => {
      const { temperature } = this.chip.parts;
      if (!temperature || this.tx || this.closing || !this.client.usable) return null;
      return parseNumber('temperature', await this.client.readAttr(temperature)) / 1000;
    });
  }

  close(): Promise<void> {
    this.closing ??= (async () => {
      await this.busy;
      try {
        await Promise.all([this.tx?.close(), this.rx?.close()]);
      } finally {
        await this.client.close();
        await this.link.close();
      }
    })();
    return this.closing;
  }

  describe(): string {
    const { model, serial, firmware } = this.identity;
    return `${this.uri}: ${model ?? 'Pluto'}${serial ? `, serial ${serial}` : ''}${firmware ? `, firmware ${firmware}` : ''}`;
  }

  private changeGains(direction: 'rx' | 'tx', gainsDb: Readonly<Record<string, number>>) {
    return this.alone(async () => {
      await this.readyChip();
      return this.chip.changeGain(direction, gainsDb);
    });
  }

  /**
   * Tones off, oscillator off, least gain; on a new connection where the old one is broken, because then it matters most. What the board
   * refuses does not keep the rest from being written.
   */
  private async silence(): Promise<void> {
    const hurryMs = Math.ceil(HURRY_MS * this.slowness);
    if (this.client.usable) {
      try {
        return await this.writeAll(this.client.hurried(hurryMs), this.silentState);
      } catch (error) {
        if (error instanceof IiodError && error.kind === 'errno') throw error;
      }
    }
    await this.reconnect(hurryMs);
    await this.writeAll(this.client.hurried(hurryMs), this.silentState);
  }

  private async writeAll(client: IiodClient, writes: readonly AttrWrite[]): Promise<void> {
    let refusal: IiodError | null = null;
    for (const { ref, value } of writes) {
      try {
        await client.writeAttr(ref, value);
      } catch (error) {
        if (!(error instanceof IiodError && error.kind === 'errno')) throw error;
        refusal ??= error;
      }
    }
    if (refusal) throw refusal;
  }

  private async reconnect(stepMs = this.timeoutMs): Promise<void> {
    if (!this.client.usable) this.client = await connect(this.link, this.timeoutMs, stepMs);
  }

  /** The chip's settings for one call: a connection, and CALL_MS for all commands. */
  private async readyChip(): Promise<void> {
    const endMs = performance.now() + CALL_MS * this.slowness;
    await this.reconnect();
    this.chip.useClient(this.client.hurried(this.timeoutMs, endMs));
  }

  /** Settings of one stream are not mixed with those of another. */
  private alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.closing) return Promise.reject(new DeviceError(`${this.uri}: the radio is closed`));
    const turn = this.busy.then(work);
    this.busy = turn.catch(() => undefined);
    return turn;
  }
}

/** A connection whose server gives up waiting for the hardware before we give up waiting for the server, as libiio has it. */
async function connect(link: PlutoLink, timeoutMs: number, stepMs = timeoutMs): Promise<IiodClient> {
  const client = new IiodClient(await link.connector.connect(stepMs), timeoutMs);
  try {
    await client.hurried(stepMs).setTimeoutMs(Math.floor(timeoutMs / 2));
  } catch (error) {
    // A proxy may have no hardware whose time-out it could set.
    if (!(error instanceof IiodError && error.kind === 'errno')) throw error;
  }
  return client;
}

function emulationSpeed(context: IioContext): number {
  const text = context.attributes.get('sct,speed');
  const speed = text === undefined ? 1 : parseNumber('sct,speed', text);
  if (!(speed >= 1e-4 && speed <= 1e3))
    throw new DeviceError(`the emulated board runs at ${text} times the real speed`);
  return speed;
}

function nowS(): number {
  return performance.now() / 1000;
}

function sleepS(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, seconds) * 1000));
}
