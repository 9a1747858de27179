import { randomBytes } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inputSha256 } from '../../src/experiment/sweep/inputs.ts';
import { InputCache } from '../../src/experiment/sweep/nats/input-cache.ts';
import { InputUploads } from '../../src/experiment/sweep/nats/input-uploads.ts';
import { SweepSpace } from '../../src/experiment/sweep/nats/sweep-space.ts';
import { startCluster } from './cluster.ts';
import { serverCounters } from './monitor.ts';
import { rounded } from './overhead.ts';
import { cpuMsOf, Ends, pauseMs, residentMiBOf } from './processes.ts';
import type { IdleFigures, StoreFigures } from './report.ts';

/** A file of random bytes into the object store and out of it, as photos, models and captures travel. */
export async function measureStore(megabytes: number): Promise<StoreFigures> {
  const ends = new Ends();
  try {
    const { nats, folder, program, monitorPort } = await startCluster(ends);
    const space = await openSpace(nats.url, program, ends);
    const path = join(folder, 'capture.sigmf-data');
    await writeFile(path, randomBytes(megabytes * 1e6));
    const input = { use: 'photo', path, sha256: await inputSha256('photo', path) } as const;
    const timed = async (what: () => Promise<unknown>): Promise<{ s: number; cpuMs: number }> => {
      const [cpu, started] = [cpuMsOf(nats.pid), performance.now()];
      await what();
      return { s: (performance.now() - started) / 1e3, cpuMs: cpuMsOf(nats.pid) - cpu };
    };
    const put = await timed(() => new InputUploads(space).put(input));
    const again = await timed(() => new InputUploads(space).put(input));
    const { storedBytes } = await serverCounters(monitorPort);
    const get = await timed(async () => {
      const there = await new InputCache(space, join(folder, 'cache')).get(input);
      if ((await stat(there)).size !== megabytes * 1e6) throw new Error('not what was put');
    });
    return {
      megabytes,
      putMBPerS: rounded(megabytes / put.s),
      getMBPerS: rounded(megabytes / get.s),
      againMs: rounded(1e3 * again.s),
      serverCpuMsPerMB: { put: rounded(put.cpuMs / megabytes), get: rounded(get.cpuMs / megabytes) },
      storedBytesPerByte: rounded(storedBytes / (1e6 * megabytes)),
    };
  } finally {
    await ends.all();
  }
}

/** So many workers of one place each that wait for points, as connections of this process: the server's share of it. */
export async function measureIdle(connections: number, seconds: number): Promise<IdleFigures> {
  const ends = new Ends();
  const end = new AbortController();
  try {
    const { nats, program, monitorPort } = await startCluster(ends);
    const serverMiBBefore = residentMiBOf(nats.pid);
    const spaces: SweepSpace[] = [];
    for (let i = 0; i < connections; i++) spaces.push(await openSpace(nats.url, program, ends));
    const waiting = spaces.map(async (space) => {
      const consumer = await space.consumer();
      // As a worker's place asks: again and again for at most 5 s.
      while (!end.signal.aborted) await consumer.next({ expires: 5000 }).catch(() => null);
    });
    await pauseMs(6000);
    const before = { counters: await serverCounters(monitorPort), cpu: cpuMsOf(nats.pid), at: performance.now() };
    await pauseMs(1e3 * seconds);
    const after = { counters: await serverCounters(monitorPort), cpu: cpuMsOf(nats.pid), at: performance.now() };
    const s = (after.at - before.at) / 1e3;
    const serverMiB = residentMiBOf(nats.pid);
    end.abort();
    await Promise.all(waiting);
    const grown = (key: 'inBytes' | 'outBytes' | 'inMessages' | 'outMessages') =>
      after.counters[key] - before.counters[key];
    return {
      connections,
      serverCpuMsPerS: rounded((after.cpu - before.cpu) / s),
      serverMiB,
      serverMiBBefore,
      bytesPerSEach: rounded((grown('inBytes') + grown('outBytes')) / s / connections),
      messagesPerSEach: rounded((grown('inMessages') + grown('outMessages')) / s / connections),
    };
  } finally {
    await ends.all();
  }
}

async function openSpace(url: string, program: string, ends: Ends): Promise<SweepSpace> {
  const signal = new AbortController().signal;
  const space = await SweepSpace.open({ url, program, signal, client: 'bench', note: () => undefined });
  ends.after(() => space.close());
  return space;
}
