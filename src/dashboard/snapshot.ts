import type { Frame, Topic } from './frames.ts';

/** How many frames of each topic a page that connects is given; 1 where a frame says all that holds. */
export const KEPT: Readonly<Record<Topic, number>> = {
  run: 1,
  status: 1,
  spectrum: 200,
  burst: 600,
  source: 1,
  sfvs: 1,
  picture: 2, // before and after correction
  video: 2, // the latest frame, and the latest that has a picture
  loss: 200,
  overview: 1,
  replay: 1,
  log: 200,
};
/** Of each topic, bytes: whatever was kept first goes first. */
const MOST_BYTES = 1 << 26;

interface Kept {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** What a page must be told to show all that is known: the latest of each topic, and some of what went before. */
export class Snapshot {
  private readonly topics = new Map<Topic, { frames: Kept[]; bytes: number }>();

  /** Takes a frame and its bytes. A new run begins a new snapshot. */
  add(frame: Frame, bytes: Uint8Array): void {
    if (frame.topic === 'run' && frame.data.state === 'starting') this.clear();
    const kept = this.topics.get(frame.topic) ?? { frames: [], bytes: 0 };
    this.topics.set(frame.topic, kept);
    const key = stateKey(frame);
    const same = key === null ? -1 : kept.frames.findIndex((k) => k.key === key);
    if (same >= 0) kept.bytes -= kept.frames.splice(same, 1)[0].bytes.length;
    kept.frames.push({ key: key ?? '', bytes });
    kept.bytes += bytes.length;
    while (kept.frames.length > KEPT[frame.topic] || (kept.bytes > MOST_BYTES && kept.frames.length > 1)) {
      kept.bytes -= kept.frames.shift()!.bytes.length;
    }
  }

  clear(): void {
    this.topics.clear();
  }

  /** Frames in an order in which each makes sense: the run first. */
  frames(): Uint8Array[] {
    const order = Object.keys(KEPT) as Topic[];
    return order.flatMap((topic) => (this.topics.get(topic)?.frames ?? []).map(({ bytes }) => bytes));
  }
}

/** What a frame says the state of: a later one with the same key takes its place. Null: each frame stands for itself. */
export function stateKey({ topic, data, arrays }: Frame): string | null {
  if (topic === 'video') return arrays.bytes?.length ? 'shown' : 'told';
  if (topic === 'picture') return `picture ${String(data.stage)}`;
  return KEPT[topic] === 1 ? topic : null;
}
