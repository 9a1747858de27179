/**
 * Counts the samples of a converter in the time of the air: sample `index` is taken at timeOf(index). The rate may change after
 * `rebase`, which fixes what was counted until then; at rate 0 the count stands still.
 */
export class SampleClock {
  private readonly rate: () => number;
  private baseIndex = 0;
  private baseS: number;

  /** @param rate true rate now, Hz; must change only right after rebase */
  constructor(rate: () => number, startS: number) {
    this.rate = rate;
    this.baseS = startS;
  }

  get rateHz(): number {
    return this.rate();
  }

  /** Samples taken before this time. A thousandth of a sample covers the rounding of times up to hours. */
  indexAt(timeS: number): number {
    return this.baseIndex + Math.max(0, Math.floor((timeS - this.baseS) * this.rate() + 1e-3));
  }

  timeOf(index: number): number {
    const rate = this.rate();
    return rate > 0 ? this.baseS + (index - this.baseIndex) / rate : Number.POSITIVE_INFINITY;
  }

  /** To be called before the rate changes. */
  rebase(nowS: number): void {
    const index = this.indexAt(nowS);
    this.baseS = this.rate() > 0 ? this.timeOf(index) : nowS;
    this.baseIndex = index;
  }
}
