import { sideRePerSubband } from '../../phy/frame/side-block.ts';
import { type Numerology, RB_DATA_RE } from '../../phy/numerology.ts';
import type { SourcePlan } from '../../sct/codec/codec.ts';
import { reserveRe } from './budget-split.ts';
import type { ChannelKnowledge } from './channel-knowledge.ts';
import { controlRe } from './control-part.ts';
import { sideIsLikely, sideIsSafe, sideRateFor } from './side-rate.ts';

/** Most of a picture's budget that is kept for repeating side information that may be lost. */
const MOST_FOR_SIDE = 0.15;
/** The same where it is likely to be lost: a poorer picture is better than none (docs/adr/0016-pictures-of-many-streams.md). */
const MOST_FOR_LIKELY_LOSS = 0.45;

/**
 * RE kept for repetitions. Coded streams: the share by what is known of the channel (ADR 0004). A picture of analog streams
 * needs a repetition only where its side information was lost: room for one burst with it is kept where no fresh report
 * promises that it arrives, as far as that is worth it.
 *
 * @param timed whether the bursts say when the picture was captured
 */
export function reserveOf(
  n: Numerology,
  source: SourcePlan,
  csi: ChannelKnowledge,
  harq: number,
  budgetRe: number,
  leastBurstRe: number,
  timed = false,
): number {
  if (source.streams.some((s) => s.kind === 'bits')) return reserveRe(budgetRe, csi.reserve, leastBurstRe);
  if (harq === 0 || source.sideInfoBytes === 0 || sideIsSafe(n, csi)) return 0;
  const side = sideRePerSubband(n, source.sideInfoBytes, sideRateFor(n, csi));
  const slots = Math.ceil((side + 1) / RB_DATA_RE);
  const wanted =
    controlRe(n, { side: true, power: csi.power !== null, time: timed }) + slots * n.nSubbands * RB_DATA_RE;
  const most = sideIsLikely(n, csi) ? MOST_FOR_SIDE : MOST_FOR_LIKELY_LOSS;
  return wanted > most * budgetRe ? 0 : wanted;
}
