import type { TestContext } from 'node:test';
import { WallAirClock } from '../../../hardware/emulated/clock.ts';
import { Iiod } from '../../../hardware/emulated/pluto/iiod/iiod.ts';
import { servePipes } from '../../../hardware/emulated/pluto/iiod/tcp-server.ts';
import { PlutoBoard, type PlutoOptions } from '../../../hardware/emulated/pluto/pluto-board.ts';
import { tcpLink } from '../../../src/radio/pluto/pluto-link.ts';
import { PlutoRadio, type PlutoOptions as RadioOptions } from '../../../src/radio/pluto/pluto-radio.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import { BoardEngine } from '../../../src/radio/stream/board-engine.ts';
import { createChunkRing } from '../../../src/radio/stream/chunk-ring.ts';
import { RingStream } from '../../../src/radio/stream/ring-stream.ts';
import type { StreamThread } from '../../../src/radio/stream/stream-board.ts';
import { Coil } from '../../hardware/pluto/coil.ts';

export const SERIAL = '1044734c960500111e002e0041984fc267';

/** Samples of known number: I counts modulo 2048, Q is the next 11 bits. */
export const counter: PlutoOptions['source'] = (index, count, into, offset) => {
  for (let i = 0; i < count; i++) {
    into[2 * (offset + i)] = ((index + i) & 0x7ff) - 1024;
    into[2 * (offset + i) + 1] = (((index + i) >> 11) & 0x7ff) - 1024;
  }
};

/** Number of a sample that `counter` made, modulo 2^22. */
export function numberOf(data: ArrayLike<number>, sample: number): number {
  return ((data[2 * sample + 1] + 1024) << 11) | (data[2 * sample] + 1024);
}

/** A thread for tasks that is this one: the same code as in the worker, without the worker. */
export async function sameThread(): Promise<StreamThread> {
  const engine = new BoardEngine(null);
  return {
    startTask: async (request) => {
      const shared = createChunkRing(request.ringBytes, request.chunkBytes);
      return new RingStream(shared, await engine.runTask(request, shared));
    },
    close: () => engine.close(),
  };
}

export interface TcpRig {
  readonly board: PlutoBoard;
  readonly air: Coil;
  readonly port: number;
  /** Another driver of the same board. */
  open(more?: RadioOptions): Promise<PlutoRadio>;
  stopServer(): Promise<void>;
}

/**
 * An emulated Pluto with its server on a local port. The emulation runs at a fraction of the speed of time, as tests share a busy machine;
 * the board says so, and the driver reckons with it.
 */
export async function tcpRig(t: TestContext, options: Partial<PlutoOptions> = {}, speed = 0.2): Promise<TcpRig> {
  const air = new Coil(new WallAirClock(speed), 30);
  const board = new PlutoBoard({ name: 'pluto', serial: SERIAL, air, profile: loadProfile('pluto'), ...options });
  const iiod = new Iiod(board);
  const server = await servePipes((pipe) => void iiod.serve(pipe), { port: 0 });
  const radios: PlutoRadio[] = [];
  t.after(async () => {
    await Promise.allSettled(radios.map((radio) => radio.close()));
    await server.close();
  });
  return {
    board,
    air,
    port: server.port,
    async open(more = {}) {
      const radio = await PlutoRadio.open(
        `pluto:ip:127.0.0.1:${server.port}`,
        tcpLink('127.0.0.1', server.port, sameThread),
        {
          // Ten times what a quiet machine would need.
          timeoutMs: 20_000,
          ...more,
        },
      );
      radios.push(radio);
      return radio;
    },
    stopServer: () => server.close(),
  };
}

/** Whether nothing leaves the board: no tone, oscillator off. */
export function isSilent(board: PlutoBoard): boolean {
  const raw = board.context.devices.find(({ name }) => name === 'cf-ad9361-dds-core-lpc')!.channels;
  const tones = raw.filter(({ id }) => id.startsWith('altvoltage'));
  const off = (name: string) =>
    tones.every(({ attributes }) => Number(attributes.find((one) => one.name === name)!.read()) === 0);
  const phy = board.context.devices.find(({ name }) => name === 'ad9361-phy')!;
  const lo = phy.channels.find(({ name }) => name === 'TX_LO')!;
  const powerdown = lo.attributes.find(({ name }) => name === 'powerdown')!.read();
  return off('raw') && off('scale') && Number(powerdown) === 1 && !board.tx.isOpen;
}
