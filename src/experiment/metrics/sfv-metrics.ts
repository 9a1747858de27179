import type { ReceivedPicture } from '../../link/receiver.ts';
import { numerology, RB_DATA_RE } from '../../phy/numerology.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';
import { scoreWeight } from '../../sct/importance/scores.ts';
import { labelName } from '../analyze/record.ts';
import { placementOf } from '../report/rb-shares.ts';
import type { BurstTrace } from './burst-trace.ts';
import type { LinkTrace } from './link-trace.ts';
import type { SfvMetrics } from './metrics.ts';
import { placedBurst } from './semantic-collect.ts';

/** Importance of a picture that a score of 255 stands for. */
const WHOLE = 2 ** 30;

/** Share of the picture's importance that a score stands for. */
export function scoreShare(score: number): number {
  return scoreWeight(score) / WHOLE;
}

/** What the extensions of a picture's data bursts say of one SFV. */
interface OnAir {
  symbols: number;
  score: number;
  readonly rbs: Set<number>;
}

/**
 * One entry for each SFV of a decoded picture, [id]: what it is, what it was given by the bursts that were heard, and what came of it.
 * Resource blocks count on over the data bursts that were heard, slot by slot. Empty for a codec without SFVs.
 */
export function sfvMetrics(
  subbands: number,
  trace: Pick<LinkTrace, 'dataBursts'>,
  picture: ReceivedPicture | undefined,
  decoded: DecodedImage | undefined,
  labels: { readonly names: readonly string[] } | null,
): SfvMetrics[] {
  if (!decoded?.sfvs) return [];
  const air = onAir(subbands, burstsOf(trace, picture));
  return decoded.sfvs.map(({ id, label, state, snrDb }): SfvMetrics => {
    const own = air.get(id);
    return {
      id,
      label: labels ? labelName(label, { labels }) : `label ${label}`,
      importance: own ? scoreShare(own.score) : null,
      symbols: own?.symbols ?? 0,
      rbs: own ? [...own.rbs].sort((a, b) => a - b) : [],
      snrDb,
      state,
    };
  });
}

/** The data bursts of this picture, in order; all, where it is not known which they are. */
export function burstsOf(
  { dataBursts }: Pick<LinkTrace, 'dataBursts'>,
  picture: ReceivedPicture | undefined,
): BurstTrace[] {
  if (!picture) return dataBursts;
  const numbers = new Set(picture.parts.map((part) => part?.burst));
  return dataBursts.filter((b) => b.session === picture.session && numbers.has(b.burst));
}

function onAir(subbands: number, bursts: readonly BurstTrace[]): Map<number, OnAir> {
  const out = new Map<number, OnAir>();
  let slots = 0;
  for (const { burst, slotsSent, carried } of bursts) {
    if (!carried) continue;
    const placed = placedBurst(numerology(subbands), burst, slotsSent, carried);
    const { rb, start } = placementOf(placed, RB_DATA_RE);
    carried.streams.forEach(({ id, score }, i) => {
      const own = out.get(id) ?? { symbols: 0, score, rbs: new Set<number>() };
      own.symbols += start[i + 1] - start[i];
      for (let k = start[i]; k < start[i + 1]; k++) own.rbs.add(slots * subbands + rb[k]);
      out.set(id, own);
    });
    slots += slotsSent;
  }
  return out;
}
