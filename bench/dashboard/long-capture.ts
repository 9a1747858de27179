import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PageClient } from './page-client.ts';
import { median, note, type Running, sleep } from './running.ts';

const BYTES = 10 * 2 ** 30;

/**
 * From "replay it" to the first events of a recording of 10 GiB, s, and the memory of its job, MB.
 *
 * @param withDashboard gives a new one to each round: an older one tells a page that comes what it knows already
 */
export async function longCapture(
  withDashboard: (use: (server: Running) => Promise<void>) => Promise<void>,
  folder: string,
  rounds: number,
) {
  const base = join(folder, 'captures', 'long');
  const file = await open(`${base}.sigmf-data`, 'w');
  await file.truncate(BYTES);
  await file.close();
  const global = { 'core:datatype': 'ci8', 'core:sample_rate': 8e6, 'core:version': '1.2.5', 'sct:numerology': 25 };
  const captures = [{ 'core:sample_start': 0, 'core:frequency': 868e6 }];
  await writeFile(`${base}.sigmf-meta`, JSON.stringify({ global, captures, annotations: [] }));
  const seconds: Record<string, number[]> = { replay: [], overview: [], spectrum: [] };
  let residentMB = 0;
  for (let round = 0; round < rounds; round++) {
    await withDashboard(async ({ child, control }) => {
      const page = await PageClient.open(control, true);
      const startMs = performance.now();
      const firsts = Object.keys(seconds).map(async (topic) => {
        await page.next(topic);
        seconds[topic].push((performance.now() - startMs) / 1000);
      });
      await page.ask({ do: 'start', command: 'replay', source: 'captures/long' });
      await Promise.all(firsts);
      await sleep(1000);
      residentMB = Math.max(residentMB, await childrenMB(child.pid!));
      await page.ask({ do: 'stop' });
      page.close();
      note(`10 GiB: ${Object.entries(seconds).map(([topic, of]) => `${topic} ${of.at(-1)!.toFixed(2)} s`)}`);
    });
  }
  const medians = Object.fromEntries(Object.entries(seconds).map(([topic, of]) => [topic, median(of)]));
  return { bytes: BYTES, medianS: medians, jobResidentMB: residentMB, seconds };
}

/** Resident memory of the processes that a process started, MB (Linux). */
async function childrenMB(parent: number): Promise<number> {
  let most = 0;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    if (Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) !== parent) continue;
    most = Math.max(most, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1e3);
  }
  return most;
}
