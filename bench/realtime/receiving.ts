import { readdirSync, readFileSync } from 'node:fs';
import { occupiedHz } from '../../src/experiment/config/link-config.ts';
import { ReceivePipeline } from '../../src/link/pipeline/receive-pipeline.ts';
import { Receiver } from '../../src/link/receiver.ts';
import { RxBack } from '../../src/link/rx-back.ts';
import { frontendFor } from '../../src/phy/frontend/frontend.ts';
import { numerology } from '../../src/phy/numerology.ts';
import { openRadio } from '../../src/radio/open-radio.ts';

/** One reception, done in a process of its own. */
export interface ReceivingSpec {
  readonly uri: string;
  readonly subbands: number;
  /** Time wasted on each burst beside its decoding, ms: a decoder that cannot keep up. */
  readonly slowMs: number;
}

export interface MemorySample {
  readonly atS: number;
  readonly rssMiB: number;
}

export interface Received {
  readonly wallS: number;
  /** Of the stream: samples that came over the device rate. */
  readonly streamS: number;
  readonly samples: number;
  readonly lostSamples: number;
  /** Of these before the pipeline (the source), and in it. */
  readonly lostAtSource: number;
  readonly droppedSamples: number;
  /** Bursts whose blocks were all decoded, with an error left, heard and dropped, preambles without a header. */
  readonly decoded: number;
  readonly damaged: number;
  readonly dropped: number;
  readonly misses: number;
  /** Bursts that were decoded as new data: none that was known before. */
  readonly fresh: number;
  readonly blocks: number;
  /** CPU time of the process and of its busiest threads, s. */
  readonly cpuS: number;
  readonly threadsCpuS: readonly number[];
  readonly memory: readonly MemorySample[];
  readonly mostQueuedMs: number;
  readonly mostQueuedBursts: number;
}

/** Receives all that the URI gives through the pipeline, every block decoded, and counts. */
export async function receive(spec: ReceivingSpec): Promise<Received> {
  const n = numerology(spec.subbands);
  const radio = await openRadio(spec.uri);
  const live = radio.capabilities.realtime;
  const rx = await radio.openRx({});
  const { rateHz, format, fullScale } = rx.settings;
  const back = new RxBack(
    frontendFor(n.sampleRateHz, occupiedHz(n), rateHz, 0),
    new Receiver({ numerology: n, codecs: [], passing: true }),
  );
  const pipeline = await ReceivePipeline.start({
    subbands: spec.subbands,
    estimator: 'lmmse',
    occupiedHz: occupiedHz(n),
    rateHz,
    loOffsetHz: 0,
    format,
    fullScale,
    live,
    passing: true,
  });
  const count = { decoded: 0, damaged: 0, dropped: 0, misses: 0, fresh: 0, blocks: 0 };
  const memory: MemorySample[] = [];
  let [mostQueuedMs, mostQueuedBursts] = [0, 0];
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  const threads = new ThreadTimes();
  const look = () => {
    const { samplesMs, bursts } = pipeline.depths();
    mostQueuedMs = Math.max(mostQueuedMs, samplesMs);
    mostQueuedBursts = Math.max(mostQueuedBursts, bursts);
    threads.look();
  };
  const remember = () => {
    const atS = (performance.now() - startMs) / 1e3;
    memory.push({ atS, rssMiB: process.memoryUsage().rss / 2 ** 20 });
  };
  const looking = setInterval(look, 100);
  const remembering = setInterval(remember, 5000);
  try {
    const heard = (async () => {
      for await (const record of pipeline) {
        const event = back.take(record);
        if (event?.type === 'miss') count.misses++;
        else if (event?.type === 'skip') count.dropped++;
        else if (event) {
          const blocks = event.ack?.blocks ?? [];
          count.blocks += blocks.length;
          if (event.outcome === 'new') count.fresh++;
          if (blocks.length > 0 && blocks.every(Boolean)) count.decoded++;
          else count.damaged++;
          waste(spec.slowMs);
        }
      }
    })();
    for await (const block of rx) await pipeline.push(block);
    await pipeline.flush();
    await heard;
  } finally {
    clearInterval(looking);
    clearInterval(remembering);
    await pipeline.close();
    await radio.close();
  }
  remember();
  const { user, system } = process.cpuUsage(cpu);
  const { droppedSamples } = pipeline.depths();
  return {
    wallS: (performance.now() - startMs) / 1e3,
    streamS: (back.samples + back.lostSamples) / rateHz,
    samples: back.samples,
    lostSamples: back.lostSamples,
    lostAtSource: rx.counters.lostMax,
    droppedSamples,
    ...count,
    cpuS: (user + system) / 1e6,
    threadsCpuS: threads.busiest,
    memory,
    mostQueuedMs,
    mostQueuedBursts,
  };
}

function waste(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

/** CPU time of the threads of this process: Linux tells it, elsewhere there is none. */
class ThreadTimes {
  private readonly first = ticks();
  /** Of threads that have ended what was seen last. */
  private readonly latest = new Map<string, number>();

  look(): void {
    for (const [id, count] of ticks()) this.latest.set(id, count - (this.first.get(id) ?? 0));
  }

  /** Of the four busiest, s. */
  get busiest(): number[] {
    return [...this.latest.values()]
      .map((count) => count / 100)
      .sort((a, b) => b - a)
      .slice(0, 4);
  }
}

/** Ticks of 10 ms, by the thread's number. */
function ticks(): Map<string, number> {
  const out = new Map<string, number>();
  try {
    for (const id of readdirSync('/proc/self/task')) {
      // The name in brackets may have spaces; utime and stime are fields 14 and 15.
      const fields = readFileSync(`/proc/self/task/${id}/stat`, 'utf8').split(') ')[1].split(' ');
      out.set(id, Number(fields[11]) + Number(fields[12]));
    }
  } catch {
    return out;
  }
  return out;
}
