import { UsageError } from '../../common/errors.ts';
import { STEPS_PER_OCTAVE, scoreWeight } from '../importance/scores.ts';
import type { SourcePlan, StreamPlan } from './codec.ts';

/** One modality of a mixed source. */
export interface ModalityPlan {
  readonly plan: Pick<SourcePlan, 'streams' | 'ranking'>;
  /** Priority x bits of content: what modalities are compared by; from 0 on. */
  readonly importance: number;
  /** How much a bit of it matters: what orders are merged by, for a small modality is not a less important one. */
  readonly priority: number;
}

/**
 * Score of a stream among several modalities: that among its own plus 16 log2(share), rounded once for the whole modality, since scores
 * are logarithms; 0 stays 0 and nothing else becomes 0.
 *
 * @throws UsageError unless some modality has an importance and none a negative one
 */
export function scoreOffsets(importances: readonly number[]): number[] {
  const total = importances.reduce((a, b) => a + b, 0);
  if (!(total > 0) || !Number.isFinite(total) || importances.some((v) => !(v >= 0))) {
    throw new UsageError(`importances ${importances.join(', ')} of modalities: allowed numbers from 0 on, one above`);
  }
  return importances.map((v) => (v === 0 ? -255 : Math.round(STEPS_PER_OCTAVE * Math.log2(v / total))));
}

/**
 * All streams as one source: ids go on from modality to modality, scores are on one scale, and the orders of placement are merged by
 * importance a cell as a multiple of the modality's mean cell, times its priority, so that neither size nor unit of cells decides who has
 * the best RBs. Each keeps its own order; ties: the earlier modality.
 */
export function mergeModalities(modalities: readonly ModalityPlan[]): { streams: StreamPlan[]; ranking: number[] } {
  const offsets = scoreOffsets(modalities.map((m) => m.importance));
  const streams: StreamPlan[] = [];
  const queues = modalities.map(({ plan }, m) => {
    const first = streams.length;
    for (const s of plan.streams) {
      const score = s.score === 0 ? 0 : Math.max(1, s.score + offsets[m]);
      streams.push({ ...s, id: first + s.id, score });
    }
    const cells = plan.streams.reduce((sum, s) => sum + (s.cells ?? 1), 0);
    const weight = plan.streams.reduce((sum, s) => sum + scoreWeight(s.score), 0);
    const order =
      plan.ranking ??
      plan.streams.map((s) => s.id).sort((a, b) => plan.streams[b].score - plan.streams[a].score || a - b);
    return order.map((id) => {
      const { score, cells: own = 1 } = plan.streams[id];
      const relative = weight > 0 ? (scoreWeight(score) * cells) / (weight * own) : 1;
      return { id: first + id, density: relative * modalities[m].priority };
    });
  });
  const ranking: number[] = [];
  for (;;) {
    let best: (typeof queues)[number] | null = null;
    for (const q of queues) if (q.length > 0 && (best === null || q[0].density > best[0].density)) best = q;
    if (best === null) return { streams, ranking };
    ranking.push(best.shift()!.id);
  }
}
