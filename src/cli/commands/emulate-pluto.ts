import type { Air } from '../../../hardware/emulated/air.ts';
import type { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import type { ChannelFn } from '../../radio/loopback/loopback-path.ts';

/** Flags of an emulated Pluto beside those that all boards have. */
export const PLUTO_FLAGS = {
  ip: {
    flags: '--ip <address>',
    about: 'Pluto: its IIO server at [HOST:]PORT or unix:PATH (default 127.0.0.1:30431; 0: any free port; "no": none)',
  },
  console: {
    flags: '--console <address>',
    about: 'Pluto: its serial console at [HOST:]PORT or unix:PATH, for socat PTY,link=tty,raw,echo=0 TCP:HOST:PORT',
  },
} as const;

export interface PlutoRequest {
  /** Name on the air. */
  readonly name: string;
  readonly serial: string;
  readonly air: Air;
  readonly clockErrorPpm: number;
  readonly seed?: number | string;
  /** Texts of --ip and --console. */
  readonly ip?: string;
  readonly console?: string;
  readonly rxFaults?: ChannelFn;
  readonly txFaults?: ChannelFn;
}

/** An emulated Pluto that is being served. */
export interface RunningPluto {
  /** For the USB front ends. */
  readonly usb: UsbPort;
  /** How to reach it, one line each. */
  readonly lines: readonly string[];
  /** The same as data: addresses, null where not served. */
  readonly ip: string | null;
  readonly console: string | null;
  /** Exact counts of what it received, lost, sent. */
  statistics(): object;
  close(): Promise<void>;
}

/** Starts a Pluto with its own servers; USB front ends are the caller's. UsageError: an address; DeviceError: it cannot be listened at. */
export async function startPluto(request: PlutoRequest): Promise<RunningPluto> {
  const { serveConsole } = await import('../../../hardware/emulated/pluto/console.ts');
  const { Iiod } = await import('../../../hardware/emulated/pluto/iiod/iiod.ts');
  const { servePipes } = await import('../../../hardware/emulated/pluto/iiod/tcp-server.ts');
  const { PlutoBoard } = await import('../../../hardware/emulated/pluto/pluto-board.ts');
  const { PlutoUsb } = await import('../../../hardware/emulated/pluto/usb/pluto-usb.ts');
  const { parseListenAddress } = await import('../../../hardware/emulated/front-ends/listen.ts');
  const { UsbPort } = await import('../../../hardware/emulated/usb-port.ts');
  const { loadProfile } = await import('../../radio/profile.ts');
  const ipAt = request.ip === 'no' ? null : parseListenAddress('--ip', request.ip ?? '127.0.0.1:30431');
  const consoleAt = request.console === undefined ? null : parseListenAddress('--console', request.console);
  const board = new PlutoBoard({ ...request, profile: loadProfile('pluto') });
  const iiod = new Iiod(board);
  const ip = ipAt && (await servePipes((pipe) => void iiod.serve(pipe), ipAt));
  const console = consoleAt && (await servePipes((pipe) => void serveConsole(board, pipe), consoleAt));
  return {
    usb: new UsbPort(new PlutoUsb(iiod)),
    lines: [
      ...(ip
        ? [`IIO server at ${ip.address}${ip.port ? `: pluto:ip:${ip.address}, iio_info -u ip:${ip.address}` : ''}`]
        : []),
      ...(console
        ? [`console at ${console.address}: socat PTY,link=tty,raw,echo=0 ${socatAddress(console.address)}`]
        : []),
    ],
    ip: ip?.address ?? null,
    console: console?.address ?? null,
    statistics: () => board.statistics(),
    close: async () => {
      iiod.powerOff();
      await ip?.close();
      await console?.close();
    },
  };
}

function socatAddress(address: string): string {
  return address.startsWith('unix:') ? `UNIX-CONNECT:${address.slice(5)}` : `TCP:${address}`;
}
