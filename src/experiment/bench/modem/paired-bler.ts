import { RandomStream } from '../../../common/random.ts';
import type { Estimate } from '../../metrics/stats.ts';
import type { BenchContext } from './measurement.ts';

/** Share of a burst's code blocks that came out wrong, 0 to 1, by the receiver with the true channel and by the real one. */
export interface PairedErrors {
  readonly genie: number;
  readonly real: number;
}

export interface PairedOptions {
  /** Bursts drawn: seeds 0 to bursts - 1. */
  readonly bursts: number;
  /** Of the bursts whose outcome is foretold one in so many is received all the same. */
  readonly checkEvery: number;
  /** What the burst's channel says of its blocks at this SNR, or null where it is too close to tell. */
  readonly foretell?: (seed: number, snrDb: number) => 'right' | 'wrong' | null;
  /** Makes the burst and returns what both receivers make of it at an SNR, always with the same noise. */
  readonly open: (seed: number) => (snrDb: number) => PairedErrors;
}

interface Point {
  readonly snrDb: number;
  /** Estimates of each seed's errors (see below), [bursts]. */
  readonly genie: Float32Array;
  readonly real: Float32Array;
  /** 1: not foretold, and both receivers had every block right. */
  readonly allRight: Uint8Array;
  received: number;
  checked: number;
  exceptions: number;
}

const REPLICATES = 500;
const MOST_POINTS = 16;

/**
 * Block error rates of two receivers on the same bursts and noise, by the difference estimator [Cochran77] §7: the
 * outcome of most bursts is foretold, by their channel or because both receivers had every block right at a lower SNR.
 * Those count as foretold, and one in `checkEvery` of them is received all the same: its difference from what was foretold
 * counts `checkEvery` times. The estimate is unbiased however good the foretelling is; bad foretelling shows as a wide interval.
 */
export class PairedBler {
  readonly bursts: number;
  private readonly options: PairedOptions;
  private readonly list: Point[] = [];

  constructor(options: PairedOptions) {
    this.options = options;
    this.bursts = options.bursts;
  }

  get points(): readonly Point[] {
    return this.list;
  }

  /** Measures the SNRs that are not measured yet. */
  async measure(snrsDb: readonly number[], context: BenchContext): Promise<void> {
    const { bursts, checkEvery, foretell, open } = this.options;
    const fresh = snrsDb
      .filter((snrDb) => !this.list.some((p) => Math.abs(p.snrDb - snrDb) < 1e-6))
      .map((snrDb) => ({
        snrDb,
        genie: new Float32Array(bursts),
        real: new Float32Array(bursts),
        allRight: new Uint8Array(bursts),
        received: 0,
        checked: 0,
        exceptions: 0,
      }));
    if (fresh.length === 0) return;
    this.list.push(...fresh);
    this.list.sort((a, b) => a.snrDb - b.snrDb);
    fresh.sort((a, b) => a.snrDb - b.snrDb);
    for (let seed = 0; seed < bursts; seed++) {
      const check = seed % checkEvery === (checkEvery >> 1) % checkEvery;
      let receive: ((snrDb: number) => PairedErrors) | null = null;
      for (const p of fresh) {
        const told = this.list.some((q) => q.snrDb < p.snrDb && q.allRight[seed] === 1)
          ? 'right'
          : (foretell?.(seed, p.snrDb) ?? null);
        const assumed = told === 'wrong' ? 1 : 0;
        p.genie[seed] = assumed;
        p.real[seed] = assumed;
        if (told && !check) continue;
        receive ??= open(seed);
        const { genie, real } = receive(p.snrDb);
        p.received++;
        const weight = told ? checkEvery : 1;
        p.genie[seed] += weight * (genie - assumed);
        p.real[seed] += weight * (real - assumed);
        if (told) {
          p.checked++;
          if (genie !== assumed || real !== assumed) p.exceptions++;
        } else if (genie === 0 && real === 0) p.allRight[seed] = 1;
      }
      await context.step(seed + 1, bursts);
    }
  }

  /**
   * Adds SNRs at both ends, `stepDb` apart, until both receivers' curves cross every target clearly, so that resampled
   * curves do too (or the curve has 16 points).
   */
  async bracket(targets: readonly number[], stepDb: number, context: BenchContext): Promise<void> {
    const highest = 1.25 * Math.max(...targets);
    const lowest = Math.min(...targets) / 1.25;
    while (this.list.length < MOST_POINTS) {
      const first = this.list[0];
      const last = this.list[this.list.length - 1];
      if (total(first.genie) / this.bursts < highest) await this.measure([first.snrDb - stepDb], context);
      else if (total(last.real) / this.bursts > lowest) await this.measure([last.snrDb + stepDb], context);
      else return;
    }
  }

  /**
   * SNR at which the curve crosses the target, log BLER taken as straight between points; Infinity when it ends above the
   * target, NaN when it begins below.
   */
  crossing(which: 'genie' | 'real', target: number): number {
    return this.crossingOf(
      this.list.map((p) => total(p[which])),
      target,
    );
  }

  bler(which: 'genie' | 'real'): number[] {
    return this.list.map((p) => Math.max(0, total(p[which]) / this.bursts));
  }

  /** SNR that the real receiver needs more than the genie at this BLER; the interval by bootstrap over the bursts. */
  loss(target: number): Estimate {
    const value = this.crossing('real', target) - this.crossing('genie', target);
    const losses = this.resample(
      REPLICATES,
      (genie, real) => this.crossingOf(real, target) - this.crossingOf(genie, target),
    );
    return { value, ...spread(losses), n: this.bursts };
  }

  /** Crossings of one curve in bootstrap samples of the bursts. */
  replicates(which: 'genie' | 'real', target: number, count: number): Float64Array {
    return this.resample(count, (genie, real) => this.crossingOf(which === 'genie' ? genie : real, target));
  }

  private resample(count: number, what: (genie: Float64Array, real: Float64Array) => number): Float64Array {
    const random = new RandomStream('bootstrap of bursts');
    const genie = new Float64Array(this.list.length);
    const real = new Float64Array(this.list.length);
    return Float64Array.from({ length: count }, () => {
      genie.fill(0);
      real.fill(0);
      for (let k = 0; k < this.bursts; k++) {
        const seed = random.integer(this.bursts);
        for (let i = 0; i < this.list.length; i++) {
          genie[i] += this.list[i].genie[seed];
          real[i] += this.list[i].real[seed];
        }
      }
      return what(genie, real);
    });
  }

  private crossingOf(wrong: ArrayLike<number>, target: number): number {
    // None wrong stands for a third of a burst, or for half the target where that is less.
    const least = Math.min(0.33, 0.5 * target * this.bursts);
    const log = (i: number) => Math.log(Math.max(wrong[i], least) / this.bursts);
    const wanted = Math.log(target);
    for (let i = this.list.length - 2; i >= 0; i--) {
      const a = log(i);
      const b = log(i + 1);
      if (a >= wanted && b < wanted) {
        const { snrDb } = this.list[i];
        return snrDb + ((a - wanted) / (a - b)) * (this.list[i + 1].snrDb - snrDb);
      }
    }
    return log(this.list.length - 1) >= wanted ? Number.POSITIVE_INFINITY : Number.NaN;
  }
}

/** 95 % of the replicates by nearest rank (they may be infinite); NaN when more than 2.5 % of them are no numbers. */
export function spread(replicates: Float64Array): { low: number; high: number } {
  const known = replicates.filter((v) => !Number.isNaN(v)).sort();
  if (known.length < 0.975 * replicates.length) return { low: Number.NaN, high: Number.NaN };
  const at = (q: number) => known[Math.round(q * (known.length - 1))];
  return { low: at(0.025), high: at(0.975) };
}

function total(values: Float32Array): number {
  let sum = 0;
  for (const v of values) sum += v;
  return sum;
}
