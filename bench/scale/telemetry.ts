import { fileURLToPath } from 'node:url';
import { PageClient } from '../dashboard/page-client.ts';
import { running } from '../dashboard/running.ts';
import { rounded } from '../sweep-nats/overhead.ts';
import { cpuMsOf, pauseMs } from '../sweep-nats/processes.ts';
import type { TelemetryFigures } from './report.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SERVER = fileURLToPath(new URL('../dashboard/fed-server.ts', import.meta.url));

/** What one radio's dashboard sends to one page that watches everything, panels of a link of 25 subbands told of so often a second. */
export async function measureTelemetry(
  folder: string,
  updatesPerS: number,
  seconds: number,
): Promise<TelemetryFigures> {
  const server = await running(['--import', 'tsx', SERVER, folder], ROOT);
  try {
    const owner = await PageClient.open(server.control);
    await owner.ask({ do: 'start', command: 'loopback', options: { rate: updatesPerS } });
    owner.close();
    const page = await PageClient.open(server.read);
    await pauseMs(2000);
    const before = { bytes: page.bytes, frames: page.frames, cpu: cpuMsOf(server.child.pid!), at: performance.now() };
    await pauseMs(1e3 * seconds);
    const s = (performance.now() - before.at) / 1e3;
    const out = {
      updatesPerS,
      framesPerS: rounded((page.frames - before.frames) / s),
      bytesPerS: rounded((page.bytes - before.bytes) / s),
      serverCpuMsPerS: rounded((cpuMsOf(server.child.pid!) - before.cpu) / s),
    };
    page.close();
    return out;
  } finally {
    await server.end();
  }
}
