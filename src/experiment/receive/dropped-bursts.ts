import type { CaptureReader } from '../../radio/sigmf/capture-reader.ts';

/** How a burst that was heard and not decoded for want of time is marked in the received capture. */
export const DROPPED_LABEL = 'burst dropped';
/** Marks stand at whole samples. */
const TOLERANCE_SAMPLES = 2;

/** Bursts that the receiver of a recording dropped, by the marks in its capture. */
export class DroppedBursts {
  /** Device indices of the first samples, by burst id. */
  private readonly starts = new Map<number, number[]>();
  readonly count: number;

  constructor(marks: readonly { readonly burst: number; readonly index: number }[]) {
    this.count = marks.length;
    for (const { burst, index } of marks) {
      const known = this.starts.get(burst);
      if (known) known.push(index);
      else this.starts.set(burst, [index]);
    }
  }

  static of(reader: CaptureReader): DroppedBursts {
    const { sampleCount } = reader.layout;
    return new DroppedBursts(
      reader.meta.annotations.flatMap((a) => {
        const { 'core:label': label, 'core:sample_start': at } = a;
        const burst = (a as Record<string, unknown>)['sct:burst_id'];
        if (label !== DROPPED_LABEL || typeof burst !== 'number' || at >= sampleCount) return [];
        return [{ burst, index: reader.indexOf(at) }];
      }),
    );
  }

  /** @param index device sample of its beginning */
  has(burst: number, index: number): boolean {
    return this.starts.get(burst)?.some((start) => Math.abs(start - index) <= TOLERANCE_SAMPLES) ?? false;
  }
}
