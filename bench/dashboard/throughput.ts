import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PageClient } from './page-client.ts';
import { median, metrics, note, type Running, sleep } from './running.ts';

const POLL_MS = 25;
/** Watched receptions are stopped from outside when they take so long, ms. */
const LONGEST_MS = 120_000;

/** A recording of sounding bursts over a fading channel: of some seconds, repeated. Returns its length in samples. */
export async function makeRecording(sct: string, folder: string, name: string, repeats: number): Promise<number> {
  const words = ['sound', '--channel', 'eva', '--snr', '20', '-n', '100', '--period', '20', '-o', join(folder, 'made')];
  const child = spawn(process.execPath, [sct, ...words, '--json', '-q'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`sct sound ended with ${code}`);
  const captures = join(folder, 'captures');
  await mkdir(captures, { recursive: true });
  const samples = await readFile(join(folder, 'made', 'rx.sigmf-data'));
  await copyFile(join(folder, 'made', 'rx.sigmf-data'), join(captures, `${name}.sigmf-data`));
  for (let i = 1; i < repeats; i++) await appendFile(join(captures, `${name}.sigmf-data`), samples);
  const meta = JSON.parse(await readFile(join(folder, 'made', 'rx.sigmf-meta'), 'utf8')) as {
    global: Record<string, unknown>;
    annotations: unknown[];
  };
  // What was said of the one part does not hold of the whole.
  for (const key of ['core:sha512', 'sct:sample_count']) delete meta.global[key];
  meta.annotations = [];
  await writeFile(join(captures, `${name}.sigmf-meta`), JSON.stringify(meta));
  return (repeats * samples.length) / 8;
}

/** One reception of the recording as fast as it goes, started from the dashboard while nobody watches; what `meanwhile` starts goes on until it ends. Seconds. */
export async function reception(
  { control }: Running,
  folder: string,
  recording: string,
  meanwhile: () => Promise<() => void> = async () => () => {},
): Promise<number> {
  const end = await meanwhile();
  const owner = await PageClient.open(control);
  const startMs = performance.now();
  await owner.ask({ do: 'start', command: 'receive', options: { from: `file:${recording}` } });
  owner.close();
  while ((await metrics(control)).get('sct_dashboard_job_active') === 1) {
    if (performance.now() - startMs > LONGEST_MS) throw new Error('the reception does not end');
    await sleep(POLL_MS);
  }
  const lastedS = (performance.now() - startMs) / 1000;
  end();
  for (const name of await readdir(join(folder, 'runs'))) await rm(join(folder, 'runs', name), { recursive: true });
  return lastedS;
}

/** Speed of a reception with five pages that watch against that with none, in alternating rounds. */
export async function throughput(server: Running, folder: string, recording: string, samples: number, rounds: number) {
  const five = async () => {
    const pages = await Promise.all(Array.from({ length: 5 }, () => PageClient.open(server.read)));
    return () => {
      for (const page of pages) page.close();
    };
  };
  const ratios: number[] = [];
  const seconds = { none: [] as number[], five: [] as number[] };
  await reception(server, folder, recording); // files are in memory from now on
  for (let round = 0; round < rounds; round++) {
    // Which comes first changes from round to round.
    for (const first of [round % 2 === 0, round % 2 !== 0]) {
      if (first) seconds.none.push(await reception(server, folder, recording));
      else seconds.five.push(await reception(server, folder, recording, five));
    }
    ratios.push(seconds.none.at(-1)! / seconds.five.at(-1)!);
    note(`receiver with 5 pages / with none: ${ratios.at(-1)!.toFixed(4)} (${seconds.none.at(-1)!.toFixed(2)} s)`);
  }
  const [low, high] = interval(ratios);
  return {
    samples,
    samplesPerS: { none: samples / median(seconds.none), five: samples / median(seconds.five) },
    ratio: median(ratios),
    ratioInterval: { low, high, level: signLevel(ratios.length) },
    ratios,
    seconds,
  };
}

/** Interval of the median that holds for any distribution: all but the outermost of the sorted values, as long as there are some. */
function interval(values: readonly number[]): [number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  const cut = values.length >= 7 ? 1 : 0;
  return [sorted[cut], sorted.at(-1 - cut)!];
}

/** Its level: 1 - 2 P(at most `cut` of n fair coins are heads). */
function signLevel(n: number): number {
  const few = n >= 7 ? 1 + n : 1;
  return 1 - (2 * few) / 2 ** n;
}
