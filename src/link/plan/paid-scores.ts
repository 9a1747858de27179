import type { SourcePlan } from '../../sct/codec/codec.ts';
import { STEPS_PER_OCTAVE, scoreWeight } from '../../sct/importance/scores.ts';
import { importantHalf } from './bits-policy.ts';

/** A score is raised so much at a time, a factor of 1.41, */
const STEP = STEPS_PER_OCTAVE / 2;
/** and so often at most, 32 times in all. */
const MOST_STEPS = 10;
/** Share of all importance that raising may add to what the others are divided by. */
const MOST_RAISED = 0.15;

/**
 * Scores that a budget is shared by. A packet has a least size whatever it holds, and the share of something small and important (a
 * sign of two cells) may not pay for it, while any large SFV's does. So scores of the more important half of the cells whose packets came out too
 * small are raised step by step until they get through, or cost the others too much. Only amounts change: the order of placement and
 * what is said of importance do not.
 */
export class PaidScores {
  /** [stream id] */
  readonly scores: Uint8Array;
  private readonly raisable: ReadonlySet<number>;
  private readonly steps: Uint8Array;
  private readonly most: number;
  private raised = 0;

  constructor(source: SourcePlan) {
    const { streams } = source;
    this.scores = Uint8Array.from(streams, (s) => s.score);
    this.steps = new Uint8Array(streams.length);
    const several = streams.filter((s) => s.kind === 'bits').length > 1;
    this.raisable = new Set(several ? [...importantHalf(source)].filter((id) => streams[id].kind === 'bits') : []);
    this.most = MOST_RAISED * this.scores.reduce((sum, score) => sum + scoreWeight(score), 0);
  }

  /**
   * Raises the scores of important streams that did not get enough.
   *
   * @param enough ids of those that did
   * @returns whether any was raised, so that all is to be shared out again
   */
  raise(enough: ReadonlySet<number>): boolean {
    let any = false;
    for (const id of this.raisable) {
      const score = this.scores[id];
      if (enough.has(id) || score === 0 || this.steps[id] >= MOST_STEPS) continue;
      const next = Math.min(255, score + STEP);
      const more = scoreWeight(next) - scoreWeight(score);
      if (next === score || this.raised + more > this.most) continue;
      this.scores[id] = next;
      this.raised += more;
      this.steps[id]++;
      any = true;
    }
    return any;
  }
}
