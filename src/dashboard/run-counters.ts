import type { Frame } from './frames.ts';

/** Subbands that are told of, and bytes of a word; a job is not trusted to have as many as an air interface has. */
const MOST_SUBBANDS = 110;
const MOST_WORD = 200;

type Facts = Readonly<Record<string, unknown>>;

/** What /metrics says of a run: the latest of what it told, and sums over all its bursts. A new run begins with nothing. */
export class RunCounters {
  run: Facts | null = null;
  status: Facts | null = null;
  burst: Facts | null = null;
  /** Of the latest frame of a video. */
  video: Facts | null = null;
  subbandSnrDb: readonly number[] = [];
  bursts = 0;
  blocks = 0;
  blocksLost = 0;

  take({ topic, data, arrays }: Frame): void {
    if (topic === 'run') {
      if (data.state === 'starting') this.clear();
      // The metrics document is long, and not told here.
      const { state, command, runId, exitCode } = data;
      this.run = { state, command: word(command), runId: word(runId), exitCode };
    } else if (topic === 'status') this.status = data;
    else if (topic === 'video') this.video = data;
    else if (topic === 'burst') {
      this.burst = data;
      this.subbandSnrDb = [...(arrays.subbandSnrDb?.subarray(0, MOST_SUBBANDS) ?? [])];
      this.bursts++;
      const [blocks, lost] = [count(data.blocks), count(data.blocksLost)];
      this.blocks += blocks;
      this.blocksLost += Math.min(lost, blocks);
    }
  }

  private clear(): void {
    this.status = null;
    this.burst = null;
    this.video = null;
    this.subbandSnrDb = [];
    this.bursts = 0;
    this.blocks = 0;
    this.blocksLost = 0;
  }
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}

function word(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MOST_WORD) : '';
}
