import type { Air } from '../../../hardware/emulated/air.ts';
import type { MakeFaults } from '../../../hardware/emulated/analogue-faults.ts';
import type { ListenAddress } from '../../../hardware/emulated/front-ends/listen.ts';
import { serveConsole } from '../../../hardware/emulated/pluto/console.ts';
import { plutoFirmware } from '../../../hardware/emulated/pluto/firmware.ts';
import { Iiod } from '../../../hardware/emulated/pluto/iiod/iiod.ts';
import { type PipeServer, servePipes } from '../../../hardware/emulated/pluto/iiod/tcp-server.ts';
import { numberedSamples } from '../../../hardware/emulated/pluto/numbered-samples.ts';
import { PlutoBoard } from '../../../hardware/emulated/pluto/pluto-board.ts';
import { PlutoUsb } from '../../../hardware/emulated/pluto/usb/pluto-usb.ts';
import { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import { loadProfile } from '../../radio/profile.ts';

/** 6 to 7 Msps are what the maker gives for continuous streaming over USB (libiio#173): 24 to 28 MB/s. */
const USB_BYTES_PER_S = 28e6;

export interface PlutoRequest {
  readonly name: string;
  readonly serial: string;
  readonly air: Air;
  readonly ppm: number;
  /** Release of its firmware. */
  readonly firmware: string;
  readonly seed: number | string;
  /** Samples that tell their number in place of the air. */
  readonly counter: boolean;
  readonly rxFaults?: MakeFaults;
  readonly txFaults?: MakeFaults;
}

/** An emulated Pluto with the servers that it has itself; its USB socket is `port`. */
export class EmulatedPluto {
  readonly port: UsbPort;
  private readonly board: PlutoBoard;
  private readonly iiod: Iiod;
  private readonly servers: PipeServer[] = [];
  /** Addresses, null where nothing is served: of the IIO server, of the serial console. */
  iioAddress: string | null = null;
  consoleAddress: string | null = null;

  constructor({ name, serial, air, ppm, firmware, seed, counter, rxFaults, txFaults }: PlutoRequest) {
    this.board = new PlutoBoard({
      name,
      serial,
      air,
      profile: loadProfile('pluto'),
      firmware: plutoFirmware(firmware),
      clockErrorPpm: ppm,
      linkBytesPerS: USB_BYTES_PER_S,
      seed,
      ...(counter ? { source: numberedSamples } : {}),
      ...(rxFaults ? { rxFaults } : {}),
      ...(txFaults ? { txFaults } : {}),
    });
    this.iiod = new Iiod(this.board);
    this.port = new UsbPort(new PlutoUsb(this.iiod));
  }

  /** DeviceError: an address is taken. */
  async listen(iio: ListenAddress | null, console: ListenAddress | null): Promise<void> {
    if (iio) this.iioAddress = await this.serve(iio, (pipe) => this.iiod.serve(pipe));
    if (console)
      this.consoleAddress = await this.serve(console, (pipe) =>
        this.iiod.whilePowered(pipe, () => serveConsole(this.board, pipe)),
      );
  }

  private async serve(at: ListenAddress, one: Parameters<typeof servePipes>[0]): Promise<string> {
    const server = await servePipes(one, at);
    this.servers.push(server);
    return server.address;
  }

  inspect() {
    const { rx, tx } = this.board.statistics();
    const busy = [...(this.board.rx.isOpen ? ['rx'] : []), ...(this.board.tx.isOpen ? ['tx'] : [])];
    return {
      mode: busy.join('+') || (this.board.powered ? 'idle' : 'off'),
      samples: rx.capturedSamples + tx.playedSamples,
      lostSamples: rx.lostSamples,
      emittedSamples: tx.emittedSamples,
      lastEmissionS: tx.lastEmissionS,
      plugged: this.board.powered,
      rx,
      tx,
    };
  }

  /** Off the air, nobody connected. */
  async close(): Promise<void> {
    this.iiod.powerOff();
    await Promise.all(this.servers.map((server) => server.close()));
  }
}
