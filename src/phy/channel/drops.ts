import { inRange, UsageError } from '../../common/errors.ts';
import type { RandomStream } from '../../common/random.ts';
import { OutputBuffer } from '../frontend/sample-history.ts';
import type { ChannelStage } from './stage.ts';

/** Samples lost on the way: `length` samples from input sample `index` on are missing in the output. */
export interface Drop {
  index: number;
  length: number;
}

export interface DropOptions {
  /** Drops at known places, in input samples (sorted or not; overlapping ones merge). */
  at?: readonly Drop[];
  /** Mean number of random drops per second (Poisson). */
  perSecond?: number;
  /** Mean length of a random drop (geometric), samples. */
  meanLength?: number;
}

const MAX_LISTED = 100_000;

/** Removes stretches of samples and says where: `drops` and `droppedSamples` count what was lost so far. */
export class DropStage implements ChannelStage {
  readonly drops: Drop[] = [];
  droppedSamples = 0;
  private readonly planned: Drop[];
  private readonly probability: number;
  private readonly meanLength: number;
  private readonly parent: RandomStream;
  private rng: RandomStream;
  private readonly output = new OutputBuffer();
  private index = 0;
  private nextPlanned = 0;
  private nextRandom = 0;
  private dropUntil = 0;

  constructor(options: DropOptions, rateHz: number, random: RandomStream) {
    const perSecond = inRange('drops per second', options.perSecond ?? 0, 0, 1e4);
    this.meanLength = inRange('mean drop length', options.meanLength ?? 1000, 1, 1e8, 'samples');
    this.probability = perSecond / rateHz;
    inRange('number of listed drops', options.at?.length ?? 0, 0, MAX_LISTED);
    this.planned = [...(options.at ?? [])].sort((a, b) => a.index - b.index);
    for (const drop of this.planned) {
      inRange('drop index', drop.index, 0, Number.MAX_SAFE_INTEGER);
      inRange('drop length', drop.length, 1, Number.MAX_SAFE_INTEGER);
      if (!Number.isInteger(drop.index) || !Number.isInteger(drop.length)) {
        throw new UsageError(`drop of ${drop.length} samples at ${drop.index}: both must be whole numbers`);
      }
    }
    this.parent = random;
    this.rng = random;
    this.reset();
  }

  reset(): void {
    this.rng = this.parent.fork('drops');
    this.drops.length = 0;
    this.droppedSamples = 0;
    this.index = 0;
    this.nextPlanned = 0;
    this.dropUntil = 0;
    this.nextRandom = this.gap();
  }

  process(input: Float32Array): Float32Array {
    const n = input.length >> 1;
    const out = this.output.take(n);
    let kept = 0;
    for (let i = 0; i < n; i++, this.index++) {
      while (this.nextPlanned < this.planned.length && this.planned[this.nextPlanned].index === this.index) {
        this.extend(this.planned[this.nextPlanned++].length);
      }
      if (this.index === this.nextRandom) {
        this.extend(1 + Math.floor(-Math.log(1 - this.rng.uniform()) * (this.meanLength - 1)));
        this.nextRandom = this.index + this.gap();
      }
      if (this.index < this.dropUntil) {
        this.drops[this.drops.length - 1].length++;
        this.droppedSamples++;
      } else {
        out[2 * kept] = input[2 * i];
        out[2 * kept + 1] = input[2 * i + 1];
        kept++;
      }
    }
    return out.subarray(0, 2 * kept);
  }

  /** Starts a drop here, or lengthens the one under way. Its length in `drops` grows as samples are lost. */
  private extend(length: number): void {
    if (this.index >= this.dropUntil) {
      const last = this.drops[this.drops.length - 1];
      if (!last || last.index + last.length < this.index) this.drops.push({ index: this.index, length: 0 });
    }
    this.dropUntil = Math.max(this.dropUntil, this.index + length);
  }

  private gap(): number {
    if (this.probability === 0) return Number.POSITIVE_INFINITY;
    return 1 + Math.floor(-Math.log(1 - this.rng.uniform()) / this.probability);
  }

  describe(): string {
    return `drops: ${this.planned.length} planned, ${this.probability.toExponential(2)} random a sample`;
  }
}
