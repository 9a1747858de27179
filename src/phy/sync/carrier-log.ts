/** Powers are counted in steps of 1 dB from this one on, dB of full scale; weaker and stronger ones at the ends. */
const LOWEST_DB = -200;
const STEPS = 256;
/** A carrier weaker than the bursts by more than this says nothing of the channel: the tail of a notch in silence does that. */
const MATTERS_DB = -20;

/**
 * Carriers that were taken out of a stream, and the power of the bursts between them. In a stream without noise the least
 * rest of a filter is "all there is" and is taken out; only carriers that are something beside the bursts are told of.
 */
export class CarrierLog {
  private readonly counts = new Uint32Array(STEPS);
  private weakestBurstDb = Number.POSITIVE_INFINITY;

  /** A carrier of this mean power, full scale = 1. */
  add(power: number): void {
    const step = Math.floor(decibels(power) - LOWEST_DB);
    this.counts[Math.min(STEPS - 1, Math.max(0, step))]++;
  }

  /** A burst was received with this mean power. */
  burst(power: number): void {
    this.weakestBurstDb = Math.min(this.weakestBurstDb, decibels(power));
  }

  /** Carriers at most 20 dB under the weakest burst; all of them where no burst was received. */
  get count(): number {
    const { weakestBurstDb } = this;
    const least = weakestBurstDb === Number.POSITIVE_INFINITY ? LOWEST_DB : weakestBurstDb + MATTERS_DB;
    const first = Math.min(STEPS, Math.max(0, Math.floor(least - LOWEST_DB)));
    let count = 0;
    for (let step = first; step < STEPS; step++) count += this.counts[step];
    return count;
  }
}

function decibels(power: number): number {
  return 10 * Math.log10(power + 1e-30);
}
