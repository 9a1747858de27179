import { sideReOf } from '../../link/resource-map.ts';
import type { TransmissionPlan } from '../../link/transmission.ts';
import type { Extension } from '../../phy/frame/extension.ts';
import type { Numerology } from '../../phy/numerology.ts';
import type { DecodedImage, SourcePlan } from '../../sct/codec/codec.ts';
import type { SideParts } from '../../sct/codec/side-budget.ts';
import type { SemanticAnalysis } from '../../sct/semantics/analysis.ts';
import type { PlacedBurst, SemanticData } from '../report/semantic-data.ts';

/** What a burst's extension says of the streams in it: plain data, kept for every data burst of a run. */
export interface BurstStreams {
  /** RE of each subband that side information takes first. */
  readonly sideRe: number;
  readonly interleaved: boolean;
  /** Subbands in the order in which they are filled; null = ascending. */
  readonly order: readonly number[] | null;
  /** In the order of placement. */
  readonly streams: readonly { readonly id: number; readonly re: number; readonly score: number }[];
}

export function burstStreams(n: Numerology, e: Extension): BurstStreams {
  return {
    sideRe: sideReOf(n, e),
    interleaved: e.interleaved === 1,
    order: e.order,
    streams: e.streams.map(({ id, re, score }) => ({ id, re, score })),
  };
}

/** The same as an RB map. */
export function placedBurst(n: Numerology, burst: number, slots: number, s: BurstStreams): PlacedBurst {
  return {
    burst,
    subbands: n.nSubbands,
    slots,
    reservedRe: s.sideRe,
    map: {
      layout: s.interleaved ? 'interleaved' : 'ordered',
      subbandOrder: s.order ? Uint8Array.from(s.order) : Uint8Array.from({ length: n.nSubbands }, (_, i) => i),
      sfvOrder: Uint8Array.from(s.streams, (stream) => stream.id),
      reCounts: Uint32Array.from(s.streams, (stream) => stream.re),
    },
  };
}

/** A plan of a codec with SFVs: what it was made of. */
interface SemanticPlan {
  readonly analysis: SemanticAnalysis;
  readonly parts: SideParts;
}

/** The plan as one of a codec with SFVs; undefined for any other. */
function semanticPlan(plan: SourcePlan): SemanticPlan | undefined {
  return 'analysis' in plan && 'parts' in plan ? (plan as SourcePlan & SemanticPlan) : undefined;
}

/** What the sender knows of the SFVs of a picture; undefined for a codec without them. */
export function sentSemantics(
  n: Numerology,
  labels: SemanticData['labels'],
  source: SourcePlan,
  sent: Pick<TransmissionPlan, 'bursts' | 'settings' | 'timingsMs'>,
  decoded?: DecodedImage | undefined,
): SemanticData | undefined {
  const plan = semanticPlan(source);
  if (!plan) return undefined;
  const { partition, scores, ranking, split } = plan.parts;
  return {
    labels,
    partition,
    scores,
    ranking,
    importance: plan.analysis.importance.data,
    bursts: sent.bursts.flatMap((b) =>
      b.use === 'data' && b.extension ? [placedBurst(n, b.burst, b.slots, burstStreams(n, b.extension))] : [],
    ),
    sideSplit: split,
    settings: sent.settings,
    timingsMs: { ...sent.timingsMs, ...decoded?.timingsMs },
  };
}

/** What a receiver alone knows: partition from the side information, order and scores from the bursts' extensions. */
export function heardSemantics(
  n: Numerology,
  labels: SemanticData['labels'],
  heard: readonly { readonly burst: number; readonly slotsSent: number; readonly carried: BurstStreams | null }[],
  decoded: DecodedImage | undefined,
): SemanticData {
  const partition = decoded?.partition;
  const bursts = heard.flatMap((b) => (b.carried ? [placedBurst(n, b.burst, b.slotsSent, b.carried)] : []));
  const streams = heard.flatMap((b) => b.carried?.streams ?? []);
  const largest = streams.reduce((most, s) => Math.max(most, s.id), (partition?.sfvs.length ?? 0) - 1);
  const scores = new Uint8Array(largest + 1);
  for (const s of streams) scores[s.id] = s.score;
  return {
    labels,
    partition,
    scores,
    ranking: [...new Set(streams.map((s) => s.id))],
    importance: undefined,
    bursts,
    sideSplit: undefined,
    settings: {},
    timingsMs: { ...decoded?.timingsMs },
  };
}
