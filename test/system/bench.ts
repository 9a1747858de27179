import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AirModel } from '../../hardware/emulated/air-model.ts';
import { WallAirClock } from '../../hardware/emulated/clock.ts';
import { UsbIpServer } from '../../hardware/emulated/front-ends/usbip.ts';
import { UsbRedirServer } from '../../hardware/emulated/front-ends/usbredir.ts';
import { HackrfBoard } from '../../hardware/emulated/hackrf/hackrf-board.ts';
import { Iiod } from '../../hardware/emulated/pluto/iiod/iiod.ts';
import { PlutoBoard } from '../../hardware/emulated/pluto/pluto-board.ts';
import { PlutoUsb } from '../../hardware/emulated/pluto/usb/pluto-usb.ts';
import { UsbPort } from '../../hardware/emulated/usb-port.ts';
import { loadProfile } from '../../src/radio/profile.ts';
import { RecordedDevice } from './recorder.ts';

/** Time runs at this part of the wall clock: QEMU without virtualisation on a busy machine is slow. */
const SPEED = 0.1;
const LOSS_DB = 60;

/** The boards of the system test: two HackRFs and a Pluto on one air; the second HackRF is reached over USB/IP alone. */
export async function boardsOnTheBench() {
  const folder = await mkdtemp(join(tmpdir(), 'sct-system-'));
  const clock = new WallAirClock(SPEED);
  const air = new AirModel(clock, { defaultLossDb: LOSS_DB });
  const hackrf = new HackrfBoard({ name: 'one', serial: serialOf(1), clock, air, rxCounter: true });
  const other = new HackrfBoard({ name: 'two', serial: serialOf(2), clock, air });
  const pluto = new PlutoBoard({ name: 'three', serial: serialOf(3), air, profile: loadProfile('pluto') });
  const recorded = new RecordedDevice(hackrf);
  const recordedPluto = new RecordedDevice(new PlutoUsb(new Iiod(pluto)));
  const port = new UsbPort(recorded);
  const problems: string[] = [];
  const onProblem = (text: string) => void problems.push(text);
  const usbredir = [join(folder, 'hackrf.sock'), join(folder, 'pluto.sock')];
  const servers = [
    await UsbRedirServer.listen({ port, at: { path: usbredir[0] }, onProblem }),
    await UsbRedirServer.listen({ port: new UsbPort(recordedPluto), at: { path: usbredir[1] }, onProblem }),
  ];
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
    problems,
    usbredir,
    usbipPort: Number(usbip.address.split(':')[1]),
    close: async () => {
      for (const server of [...servers, usbip]) await server.close();
    },
  };
}

/** Serial number of the n-th board. */
export function serialOf(n: number): string {
  return `0000000000000000e5c7${n.toString(16).padStart(12, '0')}`;
}
