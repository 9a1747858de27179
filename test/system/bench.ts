import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AirModel } from '../../hardware/emulated/air-model.ts';
import { WallAirClock } from '../../hardware/emulated/clock.ts';
import { UsbIpServer } from '../../hardware/emulated/front-ends/usbip.ts';
import { UsbRedirServer } from '../../hardware/emulated/front-ends/usbredir.ts';
import { HackrfBoard } from '../../hardware/emulated/hackrf/hackrf-board.ts';
import { Iiod } from '../../hardware/emulated/pluto/iiod/iiod.ts';
import { numberedSamples } from '../../hardware/emulated/pluto/numbered-samples.ts';
import { PlutoBoard } from '../../hardware/emulated/pluto/pluto-board.ts';
import { PlutoUsb } from '../../hardware/emulated/pluto/usb/pluto-usb.ts';
import { UsbPort } from '../../hardware/emulated/usb-port.ts';
import { loadProfile } from '../../src/radio/profile.ts';
import { RecordedDevice } from './recorder.ts';

/** Time runs at this part of the wall clock: QEMU without virtualisation on a busy machine is slow. */
const SPEED = 0.1;
/** The same while a picture is sent: the guest's receiver works on every sample. */
const LINK_SPEED = 0.03;
export const LOSS_DB = 60;
/** Clock errors of the two boards between which a picture is sent. */
export const LINK_PPM = { tx: 20, rx: 5 } as const;

/**
 * The boards of the system test: two HackRFs and a Pluto on one air, of which the second HackRF is reached over USB/IP alone; and a HackRF and
 * a Pluto on a slower air of their own, unplugged at first, for a picture. What the first ones receive is numbers in place of the air.
 */
export async function boardsOnTheBench() {
  const folder = await mkdtemp(join(tmpdir(), 'sct-system-'));
  const clock = new WallAirClock(SPEED);
  const air = new AirModel(clock, { defaultLossDb: LOSS_DB });
  const hackrf = new HackrfBoard({ name: 'one', serial: serialOf(1), clock, air, rxCounter: true });
  const other = new HackrfBoard({ name: 'two', serial: serialOf(2), clock, air });
  const profile = loadProfile('pluto');
  const pluto = new PlutoBoard({ name: 'three', serial: serialOf(3), air, profile, source: numberedSamples });
  const recorded = new RecordedDevice(hackrf);
  const recordedPluto = new RecordedDevice(new PlutoUsb(new Iiod(pluto)));
  const port = new UsbPort(recorded);
  const problems: string[] = [];
  const onProblem = (text: string) => void problems.push(text);
  const linkPorts = portsForLink();
  for (const linkPort of linkPorts) linkPort.unplug();
  const usbredir: string[] = [];
  const servers: UsbRedirServer[] = [];
  for (const [i, each] of [port, new UsbPort(recordedPluto), ...linkPorts].entries()) {
    usbredir.push(join(folder, `${i}.sock`));
    servers.push(await UsbRedirServer.listen({ port: each, at: { path: usbredir[i] }, onProblem }));
  }
  const boards = [{ busId: '1-1', port: new UsbPort(other) }];
  const usbip = await UsbIpServer.listen({ boards, at: { host: '127.0.0.1', port: 0 }, onProblem });
  return {
    folder,
    hackrf,
    other,
    pluto,
    recorded,
    recordedPluto,
    port,
    linkPorts,
    problems,
    usbredir,
    usbipPort: Number(usbip.address.split(':')[1]),
    close: async () => {
      for (const server of [...servers, usbip]) await server.close();
    },
  };
}

/** Cables of a HackRF (4) and a Pluto (5). */
function portsForLink(): UsbPort[] {
  const clock = new WallAirClock(LINK_SPEED);
  const air = new AirModel(clock, { defaultLossDb: LOSS_DB });
  const hackrf = new HackrfBoard({ name: 'four', serial: serialOf(4), clock, air, ppm: LINK_PPM.tx });
  const pluto = new PlutoBoard({
    name: 'five',
    serial: serialOf(5),
    air,
    profile: loadProfile('pluto'),
    clockErrorPpm: LINK_PPM.rx,
  });
  return [new UsbPort(hackrf), new UsbPort(new PlutoUsb(new Iiod(pluto)))];
}

/** Serial number of the n-th board. */
export function serialOf(n: number): string {
  return `0000000000000000e5c7${n.toString(16).padStart(12, '0')}`;
}
