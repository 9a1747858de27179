import { fileURLToPath } from 'node:url';
import { PageClient } from './page-client.ts';
import { median, metrics, note, running, sleep } from './running.ts';

const SERVER = fileURLToPath(new URL('fed-server.ts', import.meta.url));
const UPDATES_PER_S = 30;

/** Share of one core that the server takes while all panels are told of 30 times a second, with none, one and five pages that watch. */
export async function serverCost(folder: string, rounds: number, seconds: number) {
  const server = await running(['--import', 'tsx', SERVER, folder], folder);
  try {
    const owner = await PageClient.open(server.control);
    await owner.ask({ do: 'start', command: 'loopback', options: { rate: UPDATES_PER_S } });
    owner.close();
    await sleep(2000);
    const cores: Record<string, number[]> = { 0: [], 1: [], 5: [] };
    const updates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const [count, of] of Object.entries(cores)) {
        const pages = await Promise.all(Array.from({ length: Number(count) }, () => PageClient.open(server.read)));
        await sleep(700); // what was known before has been sent
        const [before, seen, startMs] = [await metrics(server.read), pages.map((p) => p.frames), performance.now()];
        await sleep(1000 * seconds);
        const [after, lastedS] = [await metrics(server.read), (performance.now() - startMs) / 1000];
        const cpu = 'process_cpu_seconds_total';
        of.push((after.get(cpu)! - before.get(cpu)!) / lastedS);
        for (const [i, page] of pages.entries()) updates.push((page.frames - seen[i]) / lastedS);
        for (const page of pages) page.close();
      }
      note(`server, cores with 0, 1, 5 pages: ${Object.values(cores).map((of) => of.at(-1)!.toFixed(4))}`);
    }
    const medians = Object.fromEntries(Object.entries(cores).map(([count, of]) => [count, median(of)]));
    return {
      updatesPerS: UPDATES_PER_S,
      secondsEach: seconds,
      framesPerSOfAPage: median(updates),
      medianCores: medians,
      cores,
    };
  } finally {
    await server.end();
  }
}
