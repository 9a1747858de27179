import { rankingByScore } from '../../sct/allocation/weights.ts';
import type { SourcePlan } from '../../sct/codec/codec.ts';
import { chooseOwnModulation, chooseUniformLoading } from './adaptation.ts';
import { type ChannelKnowledge, TARGET_BLER, TYPICAL_BITS } from './channel-knowledge.ts';

/**
 * Relative error of prediction up to which streams of bits are placed by the report, each on few subbands. Beyond it a subband may be
 * anywhere by the time it is used, and only the mean over many of them holds.
 */
const MOST_UNCERTAINTY = 0.1;
/** A subband below it, dB, makes a poor place for a packet of its own: short blocks of low rate are far from capacity. */
const LEAST_SUBBAND_DB = 0;
/** Share of the back-off for an old report that blocks spread over the band take: one that is lost costs its cells, not the picture. */
const SPREAD_AGING = 0.25;
/** Extra margin of the more important half of the cells where nothing is known of the present, dB; less as a report predicts more. */
const PROTECTION_DB = 2.5;

/** How a picture's streams of bits are placed, loaded and protected. */
export interface BitsPolicy {
  /** Why every stream lies over all subbands though a fresh report would give them an order; null: it does not. */
  readonly interleaved: 'uncertain' | 'weak subband' | null;
  /** Bits of each subband's modulation, [nSubbands]. */
  readonly qm: Uint8Array;
  /** One code rate for all of them; null: each by its own RE. */
  readonly codeRate: number | null;
  /** What their rates go by, margins taken off, dB, [nSubbands]; and what the more important half takes off besides. */
  readonly snrDb: readonly number[];
  readonly protectionDb: number;
}

/** What a user or an experiment asks for in place of the rules below. */
export interface BitsWishes {
  /** The mapping holds whatever is known of the channel. Default false. */
  readonly mappingForced?: boolean | undefined;
  /** Extra margin of the more important half of the cells in the code rate of streams of bits, dB; default by what a report can tell. */
  readonly protectionDb?: number | undefined;
  /** One modulation and one code rate for all streams of bits of a picture, as for a band without order; default their own. */
  readonly oneMcs?: boolean | undefined;
  /** Somebody answers, so that a report is of this channel and is renewed. Default true. */
  readonly answers?: boolean | undefined;
}

/**
 * Placement and rates of streams of bits (ADR 0016). A picture of one such stream has its blocks all over the band and one rate, and
 * of analog streams nothing is asked.
 */
export function bitsPolicy({ streams }: SourcePlan, csi: ChannelKnowledge, wishes: BitsWishes): BitsPolicy {
  const { codes, agingDb, loading, codedSnrDb } = csi;
  const alone = streams.length === 1;
  const several = streams.filter((s) => s.kind === 'bits').length > 1;
  const ordered = codes !== null && csi.map !== 'robust' && !alone;
  const free = ordered && !wishes.mappingForced && streams.every((s) => s.kind === 'bits');
  const interleaved = free ? whyInterleaved(csi) : null;
  const spread = interleaved !== null || (ordered && csi.map === 'uniform');
  const snrDb = spread ? codedSnrDb.map((v) => v + (1 - SPREAD_AGING) * agingDb) : codedSnrDb;
  const one = wishes.oneMcs && !alone ? chooseUniformLoading(codedSnrDb, TYPICAL_BITS, TARGET_BLER) : null;
  const own = ordered && interleaved === null ? chooseOwnModulation(snrDb, TYPICAL_BITS, TARGET_BLER) : loading.qm;
  return {
    interleaved,
    qm: one?.qm ?? own,
    codeRate: alone ? loading.codeRate : (one?.codeRate ?? null),
    snrDb,
    protectionDb: several
      ? (wishes.protectionDb ?? PROTECTION_DB * (wishes.answers === false ? 1 : csi.uncertainty))
      : 0,
  };
}

function whyInterleaved({ uncertainty, codedSnrDb }: ChannelKnowledge): BitsPolicy['interleaved'] {
  if (uncertainty > MOST_UNCERTAINTY) return 'uncertain';
  return Math.min(...codedSnrDb) < LEAST_SUBBAND_DB ? 'weak subband' : null;
}

/**
 * Extra margin of each stream's code rate, dB: those that come first in the order of placement have it, up to the one that reaches half of
 * the cells; [stream id]. Where the channel is worse than reported the less important half is lost first.
 */
export function protectionOf(source: SourcePlan, protectionDb: number): number[] {
  const important = importantHalf(source);
  return source.streams.map((s) => (important.has(s.id) ? protectionDb : 0));
}

/** Streams that come first in the order of placement, up to the one that reaches half of the cells. */
export function importantHalf({ streams, ranking }: SourcePlan): Set<number> {
  const out = new Set<number>();
  const half = streams.reduce((sum, s) => sum + (s.cells ?? 1), 0) / 2;
  let cells = 0;
  for (const id of ranking ?? rankingByScore(Uint8Array.from(streams, (s) => s.score))) {
    if (cells >= half) break;
    out.add(id);
    cells += streams[id].cells ?? 1;
  }
  return out;
}

/** Which map is used. */
export function mapOf(
  csi: ChannelKnowledge,
  { interleaved }: Pick<BitsPolicy, 'interleaved'>,
): ChannelKnowledge['map'] {
  return interleaved === null ? csi.map : 'uniform';
}

/** Why this map, in words for a run's files and report. */
export function mapReason(
  csi: ChannelKnowledge,
  { interleaved }: Pick<BitsPolicy, 'interleaved'>,
  forced: boolean,
): string {
  if (csi.codes === null) return csi.ageS === null ? 'no CSI report' : 'the CSI report is too old';
  if (forced) return 'asked for';
  const error = `relative error ${csi.uncertainty.toFixed(2)}`;
  if (interleaved === 'uncertain') return `the CSI report predicts too little for packets on few subbands, ${error}`;
  if (interleaved === 'weak subband') return `a subband below ${LEAST_SUBBAND_DB} dB, too weak for packets of its own`;
  // Where no Doppler is known no error can be told; where one is it is never 0.
  return csi.uncertainty === 0 ? 'fresh CSI report of a channel taken to stand still' : `fresh CSI report, ${error}`;
}
