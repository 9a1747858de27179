/** Latencies of the frames of a session: quantiles and a histogram, in bounded memory. */
export class LatencyLog {
  /** Counts of 0.5 ms each up to `MOST_MS`; the last one takes everything beyond. */
  private readonly bins = new Uint32Array(2 * MOST_MS + 1);
  count = 0;
  private most = 0;
  private sum = 0;

  add(ms: number): void {
    const at = Math.min(this.bins.length - 1, Math.max(0, Math.floor(2 * ms)));
    this.bins[at]++;
    this.count++;
    this.sum += ms;
    this.most = Math.max(this.most, ms);
  }

  get maxMs(): number | null {
    return this.count === 0 ? null : this.most;
  }

  get meanMs(): number | null {
    return this.count === 0 ? null : this.sum / this.count;
  }

  /** The latency that a share `q` of the frames does not exceed, to 0.5 ms upwards; null without frames. */
  quantileMs(q: number): number | null {
    if (this.count === 0) return null;
    const wanted = Math.max(1, Math.ceil(q * this.count));
    let seen = 0;
    for (let i = 0; i < this.bins.length; i++) {
      seen += this.bins[i];
      if (seen >= wanted) return i === this.bins.length - 1 ? this.most : Math.min(this.most, (i + 1) / 2);
    }
    return this.most;
  }

  /** Frames with a latency in each stretch of `widthMs` from 0 to the largest, [stretch]. */
  histogram(widthMs: number): number[] {
    const out = new Array<number>(Math.floor(this.most / widthMs) + 1).fill(0);
    for (let i = 0; i < this.bins.length; i++) {
      if (this.bins[i] > 0) out[Math.min(out.length - 1, Math.floor(i / 2 / widthMs))] += this.bins[i];
    }
    return out;
  }
}

/** Beyond this a quantile is only known to be at most the largest value. */
export const MOST_MS = 2000;
