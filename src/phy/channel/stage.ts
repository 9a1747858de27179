import { OutputBuffer } from '../frontend/sample-history.ts';

/**
 * One effect on a sample stream. Every stage counts samples from its last reset, and its output, blocks put together,
 * does not depend on how the input was cut into blocks.
 */
export interface ChannelStage {
  /** One line for logs and run.json. */
  describe(): string;
  /** Back to sample 0: the same input then gives the same output again. */
  reset(): void;
  /**
   * input [n][re, im] -> output, perhaps of another length. The input is left as it is; the output is a view of an
   * internal buffer (or the input itself) and valid until the next call.
   */
  process(input: Float32Array): Float32Array;
  /** Constant delay in samples (0 where not given) beside what the stage models. */
  readonly delaySamples?: number;
  /** After so many zeros at its input only zeros come out; absent or null: never, or nobody knows. */
  readonly silentAfter?: number | null;
  /**
   * Lets n zeros pass without computing them; `silentAfter` zeros have been processed before. There where that is a number. Returns
   * how many zeros come out where that is not n.
   */
  passSilence?(n: number): number | undefined;
}

/** Stages one after another. */
export class ChannelChain implements ChannelStage {
  readonly stages: readonly ChannelStage[];
  /** Zeros that were skipped since the last input. */
  private skipped = 0;

  constructor(stages: readonly ChannelStage[]) {
    this.stages = stages;
  }

  process(input: Float32Array): Float32Array {
    this.skipped = 0;
    return this.through(input);
  }

  /**
   * Lets time pass with nothing on the air: pushes n zero samples and throws the output away, so that fading, clock and
   * noise stand where they would have stood. Where every stage falls silent, only the zeros until then are computed.
   *
   * @returns samples that would have come out
   */
  skip(n: number): number {
    const computed = Math.min(n, Math.max(0, this.silentAfter - this.skipped));
    const zeros = new Float32Array(2 * Math.min(computed, 16384));
    let out = 0;
    for (let left = computed; left > 0; left -= 16384) {
      out += this.through(zeros.subarray(0, 2 * Math.min(left, 16384))).length >> 1;
    }
    this.skipped += n;
    if (n === computed) return out;
    // A clock makes more or fewer of them.
    return out + this.stages.reduce((count, stage) => stage.passSilence?.(count) ?? count, n - computed);
  }

  reset(): void {
    this.skipped = 0;
    for (const stage of this.stages) stage.reset();
  }

  /** Infinity where one of the stages is never silent. */
  get silentAfter(): number {
    return this.stages.reduce((sum, stage) => sum + (stage.silentAfter ?? Number.POSITIVE_INFINITY), 0);
  }

  /** Sum of the stages' constant delays. */
  get delaySamples(): number {
    return this.stages.reduce((sum, stage) => sum + (stage.delaySamples ?? 0), 0);
  }

  describe(): string {
    return this.stages.length > 0 ? this.stages.map((stage) => stage.describe()).join(' > ') : 'nothing';
  }

  private through(input: Float32Array): Float32Array {
    let samples = input;
    for (const stage of this.stages) samples = stage.process(samples);
    return samples;
  }
}

/** A stage whose output has as many samples as its input. */
export abstract class SameLengthStage implements ChannelStage {
  private readonly output = new OutputBuffer();

  process(input: Float32Array): Float32Array {
    const out = this.output.take(input.length >> 1);
    this.apply(input, out);
    return out;
  }

  abstract describe(): string;
  abstract reset(): void;
  /** Writes the whole of `out`, [n][re, im] like `input`. */
  protected abstract apply(input: Float32Array, out: Float32Array): void;
}
