import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RandomStream } from '../../src/common/random.ts';
import { canonical } from '../../src/experiment/run/canonical-json.ts';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';
import { encodePng } from '../../src/sct/image/save.ts';
import { newId, TestCable } from '../nats-peer.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { rounded } from './overhead.ts';
import { type Child, Ends, pauseMs, SCT, startNode } from './processes.ts';
import type { FaultFigures } from './report.ts';

const WORKERS = 2;
/** Between faults, and how long the network is away, ms: least and most. */
const GAP_MS = { least: 500, most: 2500 } as const;
const CUT_MS = { least: 300, most: 9000 } as const;

type Fault = 'worker' | 'sweep' | 'server' | 'broken' | 'stalled';

/** A process that is begun again when it is killed, behind a cable of its own. */
interface Actor {
  readonly cable: TestCable;
  child: Child;
  start(): Child;
}

/**
 * One sweep of real points on `sct worker` processes while processes are killed with SIGKILL, the server as well, and cables to the server are cut
 * or stalled, at times and in an order drawn from the seed. Its results against those of the same sweep in threads.
 */
export async function measureFaults(seed: number, points: number, faults: readonly Fault[]): Promise<FaultFigures> {
  const ends = new Ends();
  try {
    const cluster = await startCluster(ends);
    const { folder } = cluster;
    await writeFile(join(folder, 'photo.png'), await photo());
    await writeFile(join(folder, 'sweep.yaml'), yamlOf(points));
    const alone = await startNode([SCT, 'sweep', 'sweep.yaml', '-o', 'alone', '--json'], folder).ended;
    if (alone.code !== 0) throw new Error(`the sweep in threads ended with ${alone.code}: ${alone.stderr.slice(-500)}`);
    const random = new RandomStream(seed);
    const order = shuffled(faults, random);
    const started = performance.now();
    const sweep = await actor(cluster, (url) => [
      'sweep',
      'sweep.yaml',
      '-o',
      'shared',
      '--nats',
      url,
      '--resume',
      '--json',
    ]);
    const workers: Actor[] = [];
    for (let i = 0; i < WORKERS; i++) {
      const cache = join(folder, `cache-${i}`);
      workers.push(await actor(cluster, (url) => ['worker', '--nats', url, '--jobs', '1', '--cache', cache]));
    }
    const all = [sweep, ...workers];
    for (const fault of order) {
      await pauseMs(between(GAP_MS, random));
      if (sweep.child.process.exitCode !== null)
        throw new Error('the sweep ended before all faults: give it more points');
      await happen(fault, cluster, { sweep, workers, one: all[Math.floor(all.length * random.uniform())] }, random);
    }
    const { code, stderr } = await sweep.child.ended;
    if (code !== 0) throw new Error(`the sweep ended with ${code}: ${stderr.slice(-2000)}`);
    const tookS = rounded((performance.now() - started) / 1e3);
    const count = (kind: Fault) => order.filter((fault) => fault === kind).length;
    return {
      seed,
      points,
      workers: WORKERS,
      tookS,
      killed: { worker: count('worker'), sweep: count('sweep'), server: count('server') },
      network: { broken: count('broken'), stalled: count('stalled') },
      ...(await compared(join(folder, 'alone'), join(folder, 'shared'))),
    };
  } finally {
    await ends.all();
  }
}

/** Small pictures of many settings: points of some 50 ms, as a process that is killed often needs. */
function yamlOf(points: number): string {
  const seeds = Math.ceil(points / 4);
  return `photo: photo.png\ncodec: classical\nformat: jpeg\nnumerology: 6\ncbr: 1\nsnr: [8, 11, 14, 20]\nseed: 1..${seeds}\n`;
}

async function photo(): Promise<Uint8Array> {
  const random = new RandomStream(7);
  const [width, height] = [160, 96];
  const data = Uint8Array.from(
    { length: 3 * width * height },
    (_, i) => 100 + 60 * Math.sin(i / 400) + 8 * random.uniform(),
  );
  return encodePng(rgbImage(width, height, data));
}

async function actor({ nats, folder, ends }: Cluster, args: (url: string) => string[]): Promise<Actor> {
  const cable = await TestCable.lay(ends, nats.port);
  const start = () => startNode([SCT, ...args(`${cable.url}/${'faults'}`)], folder);
  const out: Actor = { cable, start, child: start() };
  ends.after(() => out.child.kill('SIGKILL'));
  return out;
}

async function happen(
  fault: Fault,
  { nats }: Cluster,
  { sweep, workers, one }: { sweep: Actor; workers: Actor[]; one: Actor },
  random: RandomStream,
): Promise<void> {
  if (fault === 'server') {
    await nats.kill();
    await pauseMs(between({ least: 0, most: CUT_MS.most / 3 }, random));
    await nats.restart();
    return;
  }
  if (fault === 'broken' || fault === 'stalled') {
    if (fault === 'broken') one.cable.break();
    else one.cable.stall();
    await pauseMs(between(CUT_MS, random));
    one.cable.mend();
    return;
  }
  const victim = fault === 'sweep' ? sweep : workers[Math.floor(workers.length * random.uniform())];
  victim.child.kill('SIGKILL');
  await victim.child.ended;
  victim.child = victim.start();
}

interface Line {
  readonly id: string;
}

/** Points without a result, ids that come twice, and results that are not those of the threads. */
async function compared(alone: string, shared: string): Promise<Pick<FaultFigures, 'lost' | 'doubled' | 'different'>> {
  const truth = await linesOf(alone);
  const found = await linesOf(shared);
  const byId = new Map(found);
  const different = truth.filter(([id, text]) => byId.has(id) && byId.get(id) !== text).length;
  const lost = truth.filter(([id]) => !byId.has(id)).length;
  return {
    lost,
    doubled: found.length - byId.size,
    different: different + found.filter(([id]) => !truth.some(([t]) => t === id)).length,
  };
}

/** Id, and everything but the time it took. */
async function linesOf(folder: string): Promise<[string, string][]> {
  const lines = (await readFile(join(folder, 'results.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => {
    const { timings: _, ...rest } = JSON.parse(line) as Line & { timings: unknown };
    return [rest.id, JSON.stringify(canonical(rest))];
  });
}

function between({ least, most }: { readonly least: number; readonly most: number }, random: RandomStream): number {
  return least + (most - least) * random.uniform();
}

function shuffled<T>(values: readonly T[], random: RandomStream): T[] {
  const out = [...values];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor((i + 1) * random.uniform());
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

/** So many of each. */
export function faultsOf(counts: Readonly<Record<Fault, number>>): Fault[] {
  return (Object.keys(counts) as Fault[]).flatMap((fault) => Array<Fault>(counts[fault]).fill(fault));
}

export function newSeed(): number {
  return Number.parseInt(newId().slice(0, 6), 16);
}
