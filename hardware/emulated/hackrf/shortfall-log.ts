/** One shortfall as it really was; a driver only sees count and longest. */
export interface Shortfall {
  /** Samples that went through the buffer before it, since the operation began. */
  readonly atSample: number;
  /** Samples lost (RX) or replaced by zeros (TX). */
  readonly samples: number;
  /** When it began, s of the air. */
  readonly startS: number;
}

const MOST_ENTRIES = 100_000;

/** What the board really lost in an operation, for tests that check what a driver claims. */
export class ShortfallLog {
  /** The first 100 000 of them. */
  readonly entries: Shortfall[] = [];
  /** All of them. */
  count = 0;
  samples = 0;
  private lastAt = -1;

  /** Consecutive pieces of one shortfall, at the same sample, are joined. */
  add(atSample: number, samples: number, startS: number): void {
    this.samples += samples;
    const last = this.entries.at(-1);
    if (last && this.lastAt === atSample) {
      if (last.atSample === atSample)
        this.entries[this.entries.length - 1] = { ...last, samples: last.samples + samples };
      return;
    }
    this.lastAt = atSample;
    this.count++;
    if (this.entries.length < MOST_ENTRIES) this.entries.push({ atSample, samples, startS });
  }

  /** The operation ends at this sample: a shortfall that lasts is no loss inside it (the board forgets it, too). */
  end(atSample: number): void {
    const last = this.entries.at(-1);
    if (last?.atSample !== atSample) return;
    this.entries.pop();
    this.count--;
    this.samples -= last.samples;
  }
}
