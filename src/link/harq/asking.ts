import { inRange } from '../../common/errors.ts';

/** Which of the damaged streams a receiver asks for again. */
export const HARQ_RULES = ['importance', 'uniform'] as const;
export type HarqRule = (typeof HARQ_RULES)[number];

/** How a receiver chooses what it asks for again. */
export interface AskingOptions {
  /** `importance`: most important first, up to `share`. `uniform`: all that is damaged, alike. Default importance. */
  readonly by?: HarqRule;
  /** Part of the picture's importance beyond which nothing is asked for again, 0..1; default 0.9 (ADR 0011). */
  readonly share?: number;
  /** An analog stream this far below what it was granted is damaged, dB; default 3. */
  readonly shortDb?: number;
  /** An analog stream below this SNR is asked for again even if it came as granted, dB; default none. */
  readonly belowDb?: number;
}

/** Half of the granted power: well above what estimates and reports are wrong by (RMS 1 dB at 0 dB). */
const SHORT_DB = 3;
const ASKED_SHARE = 0.9;

/** One stream of a part as it stands, in the part's order: most important first. */
export interface StreamStanding {
  readonly id: number;
  /** Importance, whole numbers (`scoreWeight`). */
  readonly weight: number;
  /** A coded stream with blocks missing; undefined for an analog one. */
  readonly missing?: boolean | undefined;
  /** Capacity-equivalent SNR of an analog one after combining, and what it was granted, dB. */
  readonly snrDb?: number | undefined;
  readonly grantedDb?: number | undefined;
}

export type Asking = Required<Omit<AskingOptions, 'belowDb'>> & { readonly belowDb: number };

/** UsageError for a share or margin out of range. */
export function askingOf(options: AskingOptions = {}): Asking {
  return {
    by: options.by ?? 'importance',
    share: inRange('HARQ share', options.share ?? ASKED_SHARE, 0, 1),
    shortDb: inRange('HARQ shortfall', options.shortDb ?? SHORT_DB, 0, 60, 'dB'),
    belowDb: options.belowDb ?? Number.NEGATIVE_INFINITY,
  };
}

/**
 * Ids of the streams to be asked for: the damaged ones, by importance those that begin within the first `share` of the importance that
 * the picture's known streams have; at most `most` of them. A stream that is the only one is always asked for.
 *
 * @param streams of one part, most important first
 * @param before importance of the streams of earlier parts
 * @param total importance of all known streams of the picture
 */
export function askedStreams(
  streams: readonly StreamStanding[],
  before: number,
  total: number,
  asking: Asking,
  most: number,
): number[] {
  const asked: number[] = [];
  let sum = before;
  for (const stream of streams) {
    const within = asking.by === 'uniform' || sum === 0 || sum < asking.share * total;
    if (within && isDamaged(stream, asking)) asked.push(stream.id);
    sum += stream.weight;
  }
  if (asking.by === 'uniform') asked.sort((a, b) => a - b);
  return asked.slice(0, most);
}

function isDamaged({ missing, snrDb, grantedDb }: StreamStanding, { shortDb, belowDb }: Asking): boolean {
  if (missing !== undefined) return missing;
  if (snrDb === undefined) return false;
  return snrDb < belowDb || (grantedDb !== undefined && snrDb < grantedDb - shortDb);
}
