import { AirModel } from '../../../hardware/emulated/air-model.ts';
import { WallAirClock } from '../../../hardware/emulated/clock.ts';
import { UsbIpServer } from '../../../hardware/emulated/front-ends/usbip.ts';
import { UsbRedirServer } from '../../../hardware/emulated/front-ends/usbredir.ts';
import { HackrfBoard } from '../../../hardware/emulated/hackrf/hackrf-board.ts';
import { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import { UsageError } from '../../common/errors.ts';
import { airPaths } from './air-paths.ts';
import { analogueFaults } from './analogue-faults.ts';
import { EmulatedPluto } from './emulated-pluto.ts';
import type { BoardPlan, EmulationPlan } from './emulation-options.ts';
import { EmulatedInstruments } from './instruments.ts';

/** What one board did, for people and scripts. */
export interface BoardState {
  readonly kind: string;
  readonly serial: string;
  readonly busId: string;
  readonly ppm: number;
  readonly [figure: string]: unknown;
}

interface Board {
  readonly plan: BoardPlan;
  readonly busId: string;
  readonly port: UsbPort;
  readonly model: HackrfBoard | EmulatedPluto;
}

const COMMANDS: Readonly<Record<string, (board: Board) => void>> = {
  unplug: ({ port }) => port.unplug(),
  plug: ({ port }) => port.plug(),
  trigger: ({ model }) => {
    if (!(model instanceof HackrfBoard)) throw new UsageError('a Pluto has no trigger input');
    model.trigger();
  },
};

/** Emulated boards on one air, behind their front ends. */
export class Emulation {
  readonly plan: EmulationPlan;
  readonly boards: readonly Board[];
  readonly instruments: EmulatedInstruments;
  private readonly clock: WallAirClock;
  private readonly servers: { close(): Promise<void> }[] = [];
  private usbip: string | null = null;
  private usbredir: string[] = [];

  private constructor(plan: EmulationPlan, onProblem: (text: string) => void) {
    this.plan = plan;
    this.clock = new WallAirClock(plan.speed);
    const names = plan.boards.map((board) => board.serial);
    this.instruments = new EmulatedInstruments(plan.instruments);
    const extraLossDb = plan.instruments.length > 0 ? () => this.instruments.lossDb : undefined;
    const paths = airPaths(plan, names).map((path) => ({ ...path, ...(extraLossDb ? { extraLossDb } : {}) }));
    const air = new AirModel(this.clock, { paths, seed: plan.seed, onProblem });
    this.boards = plan.boards.map((board, i) => {
      const busId = `1-${i + 1}`;
      if (board.kind === 'pluto') {
        const model = this.pluto(board, air);
        return { plan: board, busId, port: model.port, model };
      }
      const model = this.hackrf(board, air);
      return { plan: board, busId, port: new UsbPort(model), model };
    });
  }

  private hackrf(board: BoardPlan, air: AirModel): HackrfBoard {
    const { plan } = this;
    return new HackrfBoard({
      name: board.serial,
      serial: board.serial,
      clock: this.clock,
      air,
      ppm: board.ppm,
      seed: `${plan.seed}/${board.serial}`,
      apiVersion: plan.apiVersion,
      rxCounter: plan.counter,
      ...(plan.faults ? analogueFaults(board.kind, `${plan.seed}/${board.serial}`) : {}),
    });
  }

  private pluto(board: BoardPlan, air: AirModel): EmulatedPluto {
    const { plan } = this;
    return new EmulatedPluto({
      name: board.serial,
      serial: board.serial,
      air,
      ppm: board.ppm,
      firmware: plan.plutoFirmware,
      seed: `${plan.seed}/${board.serial}`,
      counter: plan.counter,
      ...(plan.faults ? analogueFaults(board.kind, `${plan.seed}/${board.serial}`) : {}),
    });
  }

  /** Boards that can be reached. DeviceError where an address is taken; what was opened before is closed then. */
  static async start(plan: EmulationPlan, onProblem: (text: string) => void): Promise<Emulation> {
    const emulation = new Emulation(plan, onProblem);
    try {
      emulation.servers.push(emulation.instruments);
      await emulation.instruments.listen();
      for (const [i, model] of emulation.plutos().entries()) {
        emulation.servers.push(model);
        await model.listen(plan.iiod[i] ?? null, plan.console[i] ?? null);
      }
      if (plan.usbip) {
        const server = await UsbIpServer.listen({ boards: emulation.boards, at: plan.usbip, onProblem });
        emulation.servers.push(server);
        emulation.usbip = server.address;
      }
      for (const [i, at] of plan.usbredir.entries()) {
        const server = await UsbRedirServer.listen({ port: emulation.boards[i].port, at, onProblem });
        emulation.servers.push(server);
        emulation.usbredir.push(server.address);
      }
    } catch (error) {
      await emulation.close();
      throw error;
    }
    return emulation;
  }

  /** How each board can be reached: URI for our own programs, addresses for others. */
  ready() {
    return this.boards.map(({ plan, busId, model }, i) => ({
      kind: plan.kind,
      serial: plan.serial,
      busId,
      uri: this.uriOf(plan, model),
      usbip: this.usbip,
      usbredir: this.usbredir[i] ?? null,
      ...(model instanceof EmulatedPluto ? { iiod: model.iioAddress, console: model.consoleAddress } : {}),
    }));
  }

  private uriOf({ kind, serial }: BoardPlan, model: Board['model']): string | null {
    if (model instanceof EmulatedPluto && model.iioAddress && !model.iioAddress.startsWith('unix:')) {
      return `pluto:ip:${model.iioAddress}`;
    }
    if (this.usbip === null) return null;
    return kind === 'pluto' ? `pluto:usb?serial=${serial}&usbip=${this.usbip}` : `hackrf:${serial}?usbip=${this.usbip}`;
  }

  private plutos(): EmulatedPluto[] {
    return this.boards.flatMap(({ model }) => (model instanceof EmulatedPluto ? [model] : []));
  }

  describe(): string {
    const { plan } = this;
    const speed = plan.speed === 1 ? '' : `, time runs at ${plan.speed} of the wall clock`;
    const own = plan.ownLossDb === null ? '' : `, own signal after ${plan.ownLossDb} dB`;
    const instruments = plan.instruments.length > 0 ? `, ${plan.instruments.length} instruments` : '';
    return `${plan.boards.length} ${plan.boards.length === 1 ? 'board' : 'boards'}${instruments}, ${plan.channel}, ${plan.pathLossDb} dB between them${own}${speed}`;
  }

  state(): BoardState[] {
    return this.boards.map(({ plan, busId, model }) => ({
      kind: plan.kind,
      serial: plan.serial,
      busId,
      ppm: plan.ppm,
      ...model.inspect(),
    }));
  }

  /** One line of `--commands`; the end of a serial is enough. UsageError where it is none, or names no board. */
  command(line: string): void {
    const [word, serial, more] = line.trim().split(/\s+/);
    const act = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
    if (!act || serial === undefined || more !== undefined) {
      throw new UsageError(
        `${JSON.stringify(line.slice(0, 100))} is no command: state, unplug SERIAL, plug SERIAL, trigger SERIAL`,
      );
    }
    const found = this.boards.filter(({ plan }) => plan.serial.endsWith(serial.toLowerCase()));
    if (found.length !== 1)
      throw new UsageError(`${found.length} boards have a serial number that ends in ${JSON.stringify(serial)}`);
    act(found[0]);
  }

  /** Everything off the air, nobody connected. */
  async close(): Promise<void> {
    for (const { port } of this.boards) port.unplug();
    await Promise.all(this.servers.map((server) => server.close()));
  }
}
