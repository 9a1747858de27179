import { requiredMutualInformation } from '../../phy/fec/required-mutual-information.ts';
import { LARGEST_BLOCK_BITS } from '../../phy/fec/segmentation.ts';
import { mutualInformation, totalInformation } from '../../phy/modulation/mutual-information.ts';
import type { ModulationOrder } from '../../phy/modulation/qam.ts';

/** Modulation of every subband and the code rate that the blocks spread over them can have. */
export interface Loading {
  /** Bits per RE of each subband, 2, 4, 6 or 8, [nSubbands]. */
  readonly qm: Uint8Array;
  readonly codeRate: number;
  /** Information bits per RE, mean over the subbands; 0 where not even the least rate fits. */
  readonly efficiency: number;
}

/**
 * What adaptation takes off the measured SNR, dB, for channel estimation and the error of the report itself. Without
 * repetitions a single lost block loses the picture, so the margin is wider.
 */
export const MARGIN_DB = { withRepetition: 0.3, without: 0.6 } as const;
export const LEAST_RATE = 0.1;
const HIGHEST_RATE = 0.92;
/** Information bits of the largest code block. */
const LARGEST_BLOCK = LARGEST_BLOCK_BITS[1];
const ORDERS: readonly ModulationOrder[] = [2, 4, 6, 8];

/**
 * Bit loading for one code rate across the band: for a threshold x each subband takes the largest constellation whose
 * bits still carry x of information each; the code rate is the largest that the mean information supports
 * [Brueninghaus05]. The threshold with the highest throughput wins.
 *
 * @param snrDb expected SNR of each subband, dB, margins already taken off
 * @param infoBits typical code block size, for the decoder's gap to capacity
 */
export function chooseLoading(snrDb: ArrayLike<number>, infoBits: number, targetBler: number): Loading {
  let best: Loading | null = null;
  for (let threshold = 0.3; threshold <= 0.96; threshold += 0.03) {
    const qm = new Uint8Array(snrDb.length);
    for (let s = 0; s < qm.length; s++) {
      qm[s] = 2;
      for (const order of ORDERS) if (mutualInformation(order, snrDb[s]) / order >= threshold) qm[s] = order;
    }
    const candidate = loadingFor(qm, snrDb, infoBits, targetBler);
    if (!best || candidate.efficiency > best.efficiency) best = candidate;
  }
  return best!;
}

/**
 * The same modulation everywhere, for the robust map: an unequal loading would need to know the subbands. Its rate is at least 1/10, so that a
 * file can be made of its bits: a mean is all that is known, and the channel may be better.
 */
export function chooseUniformLoading(snrDb: ArrayLike<number>, infoBits: number, targetBler: number): Loading {
  let best: Loading | null = null;
  for (const order of ORDERS) {
    const candidate = loadingFor(new Uint8Array(snrDb.length).fill(order), snrDb, infoBits, targetBler);
    if (!best || candidate.efficiency > best.efficiency) best = candidate;
  }
  return { ...best!, codeRate: Math.max(LEAST_RATE, best!.codeRate) };
}

function loadingFor(qm: Uint8Array, snrDb: ArrayLike<number>, infoBits: number, targetBler: number): Loading {
  const { perCodedBit, codedBits } = totalInformation(snrDb, qm);
  const fits = (rate: number) => requiredMutualInformation(rate, infoBits, targetBler) <= perCodedBit;
  let low = LEAST_RATE / 4;
  let high = HIGHEST_RATE;
  // More bits a symbol at a rate that does not fit would seem to carry more.
  if (!fits(low)) return { qm, codeRate: low, efficiency: 0 };
  for (let i = 0; i < 20; i++) {
    const rate = (low + high) / 2;
    if (fits(rate)) low = rate;
    else high = rate;
  }
  return { qm, codeRate: low, efficiency: (low * codedBits) / qm.length };
}

/** Each subband has the constellation with the most throughput at its own SNR: for streams that lie on few subbands each. */
export function chooseOwnModulation(snrDb: ArrayLike<number>, infoBits: number, targetBler: number): Uint8Array {
  return Uint8Array.from(snrDb, (snr) => chooseUniformLoading([snr], infoBits, targetBler).qm[0]);
}

/**
 * Highest code rate that RE of these modulations and SNRs support, by the mutual information that they carry together; small blocks
 * need more of it. 0 where not even the least rate fits.
 *
 * @param count RE of each subband, [nSubbands]
 * @param snrDb expected SNR of each subband, dB, margins already taken off
 */
export function codeRateFor(
  count: ArrayLike<number>,
  qm: ArrayLike<number>,
  snrDb: ArrayLike<number>,
  targetBler: number,
): number {
  const { perCodedBit, codedBits } = totalInformation(snrDb, qm, count);
  if (codedBits === 0) return 0;
  const fits = (rate: number) =>
    requiredMutualInformation(rate, Math.min(LARGEST_BLOCK, Math.max(1, rate * codedBits)), targetBler) <= perCodedBit;
  let low = LEAST_RATE / 4;
  let high = HIGHEST_RATE;
  if (!fits(low)) return 0;
  for (let i = 0; i < 20; i++) {
    const rate = (low + high) / 2;
    if (fits(rate)) low = rate;
    else high = rate;
  }
  return low;
}
