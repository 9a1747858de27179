import type { StreamPlan } from '../codec/codec.ts';
import { encodeScore, scoreWeight } from '../importance/scores.ts';
import { audibility } from './audibility.ts';
import { BANDS, bandPowers } from './bands.ts';
import { mdct } from './mdct.ts';
import { type SpeechSfv, segment } from './segments.ts';
import type { Speech } from './speech.ts';
import { type FrameSpan, fitModel, type SpeechModel, spansOf } from './speech-model.ts';
import { periodicity } from './voicing.ts';

/** Symbols a frame without which an SFV is not worth sending: 8 of its 320 coefficients. */
const LEAST_SYMBOLS_PER_FRAME = 4;

/** What is known of speech before its budget is. */
export interface SpeechAnalysis {
  readonly coefficients: Float32Array; // [frame][coefficient]
  readonly model: SpeechModel;
  readonly sfvs: readonly SpeechSfv[];
  readonly spans: readonly FrameSpan[];
  /** Share of the importance as its 8-bit code, [SFV]. */
  readonly scores: Uint8Array;
  /** SFVs of any importance, by importance a frame; all of them where none has any. */
  readonly ranking: readonly number[];
  /** Bits above what matters (audibility.ts): what other modalities are compared by. */
  readonly contentBits: number;
}

/** @throws UsageError for `mostSfvs` outside 1 to 255 */
export function analyseSpeech({ samples }: Speech, mostSfvs: number): SpeechAnalysis {
  const coefficients = mdct(samples);
  const powers = bandPowers(coefficients);
  const { importance, active, contentBits } = audibility(powers);
  const frames = powers.length / BANDS;
  const sfvs = segment(powers, active, periodicity(samples), Math.min(mostSfvs, frames));
  const model = fitModel({ samples: samples.length, sfvs: sfvs.map((s) => s.blocks) }, powers);
  const spans = spansOf(model);
  const total = importance.reduce((a, b) => a + b, 0);
  const scores = Uint8Array.from(spans, ({ from, frames: n }) => {
    const own = importance.subarray(from, from + n).reduce((a, b) => a + b, 0);
    return total > 0 ? encodeScore(own / total) : 0;
  });
  return { coefficients, model, sfvs, spans, scores, ranking: rankingOf(scores, spans), contentBits };
}

/** By importance a frame, in whole numbers; ties: the earlier one. */
function rankingOf(scores: Uint8Array, spans: readonly FrameSpan[]): number[] {
  const ids = [...scores.keys()];
  const some = ids.filter((id) => scores[id] > 0);
  const density = (a: number, b: number) =>
    scoreWeight(scores[b]) * spans[a].frames - scoreWeight(scores[a]) * spans[b].frames;
  return (some.length > 0 ? some : ids).sort((a, b) => density(a, b) || a - b);
}

/** The analog streams of an analysis: one an SFV. */
export function speechStreams({ spans, scores }: SpeechAnalysis): StreamPlan[] {
  return spans.map(
    ({ frames }, id): StreamPlan => ({
      id,
      kind: 'analog',
      score: scores[id],
      minSize: LEAST_SYMBOLS_PER_FRAME * frames,
      cells: frames,
    }),
  );
}
