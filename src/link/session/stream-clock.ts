/** Wall time between two blocks from which the stream's pace is measured, s. */
const LEAST_SPAN_S = 0.05;
/** Paces that are believed: emulated boards may run slower than real time. */
const PACE = { min: 1e-3, max: 4 } as const;

/**
 * Time of a sample stream: its sample count, and between blocks the wall clock at the pace that the stream has shown. So CSI
 * ages are those of the board's own clock, on a slow machine and on an emulated board that runs slower than real time
 * alike. Never goes back.
 */
export class StreamClock {
  private readonly rateHz: number;
  private readonly wallS: () => number;
  private first: { streamS: number; wallS: number } | null = null;
  private last = { streamS: 0, wallS: 0 };
  private latestS = 0;

  /** @param wallS a monotonic clock, s */
  constructor(rateHz: number, wallS: () => number) {
    this.rateHz = rateHz;
    this.wallS = wallS;
  }

  /**
   * Samples up to `endIndex` are there.
   *
   * @param wallS when the last of them was taken, if the source can tell; default now
   */
  observe(endIndex: number, wallS = this.wallS()): void {
    this.last = { streamS: endIndex / this.rateHz, wallS: Math.min(wallS, this.wallS()) };
    this.first ??= this.last;
  }

  /** Stream seconds in a second of wall time: 1 until enough has been seen. */
  get pace(): number {
    const { first, last } = this;
    if (!first || last.wallS - first.wallS < LEAST_SPAN_S) return 1;
    const measured = (last.streamS - first.streamS) / (last.wallS - first.wallS);
    return Math.min(PACE.max, Math.max(PACE.min, measured));
  }

  /** s since the stream's sample 0. */
  get nowS(): number {
    const { streamS, wallS } = this.last;
    const sinceS = this.first ? Math.max(0, this.wallS() - wallS) : 0;
    this.latestS = Math.max(this.latestS, streamS + this.pace * sinceS);
    return this.latestS;
  }
}

/** A monotonic clock of the process, s since 1970. */
export function wallClockS(): number {
  return (performance.timeOrigin + performance.now()) / 1e3;
}
