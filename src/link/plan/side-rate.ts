import { SIDE_RATES } from '../../phy/frame/side-block.ts';
import type { Numerology } from '../../phy/numerology.ts';
import { codeRateFor } from './adaptation.ts';
import { type ChannelKnowledge, TARGET_BLER } from './channel-knowledge.ts';

/** Index of the lowest code rate of side information, for all that no fresh report speaks for. */
const ROBUST_SIDE_RATE = 0;
/** What the whole band may be worse than expected, beyond the report's own margins, where side information has a higher rate, dB. */
const MARGIN_DB = 6;
/** The same where it has the lowest and is still taken for safe, dB. */
const SAFE_MARGIN_DB = 3;
/** Coded bits of some 100 bytes of side information. */
const USUAL_CODED_BITS = 2000;
/** Relative error of prediction beyond which a report says too little of the band: control and side information stay robust. */
export const MOST_UNCERTAINTY = 0.7;

/**
 * Code rate of side information, an index in SIDE_RATES: with it all is lost, so the highest one that the band still supports when
 * it is 6 dB worse than the report promises after its margins; without a fresh report the lowest.
 */
export function sideRateFor(n: Numerology, csi: ChannelKnowledge): number {
  if (csi.codes === null || csi.uncertainty > MOST_UNCERTAINTY) return ROBUST_SIDE_RATE;
  const rate = rateAt(n, csi.codedSnrDb, MARGIN_DB);
  return Math.max(
    ROBUST_SIDE_RATE,
    SIDE_RATES.findLastIndex((r) => r <= rate),
  );
}

/** Whether a fresh report puts the band 3 dB over what side information at the lowest rate needs; higher rates have more to spare. */
export function sideIsSafe(n: Numerology, csi: ChannelKnowledge): boolean {
  return csi.codes !== null && rateAt(n, csi.codedSnrDb, SAFE_MARGIN_DB) >= SIDE_RATES[ROBUST_SIDE_RATE];
}

/** Whether the band is expected to carry side information at the lowest rate, after the margins and with nothing to spare. */
export function sideIsLikely(n: Numerology, csi: ChannelKnowledge): boolean {
  return rateAt(n, csi.codedSnrDb, 0) >= SIDE_RATES[ROBUST_SIDE_RATE];
}

/** Highest rate of one QPSK block all over the band when every subband is `worseDb` below its expected SNR. */
function rateAt(n: Numerology, snrDb: readonly number[], worseDb: number): number {
  const each = new Float64Array(n.nSubbands).fill(USUAL_CODED_BITS / 2 / n.nSubbands);
  const qpsk = new Uint8Array(n.nSubbands).fill(2);
  return codeRateFor(
    each,
    qpsk,
    snrDb.map((snr) => snr - worseDb),
    TARGET_BLER,
  );
}
