import { RandomStream } from '../../../common/random.ts';
import { numerology, SUBCARRIER_SPACING_HZ } from '../../../phy/numerology.ts';
import type { LinkInput } from '../../config/link-config.ts';
import type { Scale } from './part.ts';
import { type Conditions, cbrText } from './series.ts';

/** The channel and budget of a row. */
export interface Air {
  readonly channel: 'awgn' | 'epa' | 'eva' | 'tdl-c';
  readonly snrDb: number;
  readonly cbr: number;
  readonly dopplerHz?: number;
  readonly csiDelayMs?: number;
  /** Interference on 30 % of the subbands, dB over the signal there; where it lies follows from the seed. */
  readonly jammerDb?: number;
  /** Numerology of its own: bursts have whole slots, and narrow ones waste less of a small budget. */
  readonly subbands?: number;
}

/**
 * Budget of the street pictures (480x360) with 25 subbands: 22 540 symbols, five slots of payload and up to 3289 of control. With 1/24 control of
 * many streams would cost a whole slot in one scheme and not in the next.
 */
export const STREET_CBR = 1 / 23;

/** Share of the subbands that the interferer covers. */
export const JAMMED_SHARE = 0.3;

/** As the tables show it. */
export function conditionsOf(air: Air): Conditions {
  return {
    channel: air.channel.toUpperCase(),
    'SNR, dB': air.snrDb,
    CBR: cbrText(air.cbr),
    ...(air.dopplerHz === undefined ? {} : { 'Doppler, Hz': air.dopplerHz }),
    ...(air.csiDelayMs === undefined ? {} : { 'CSI, ms': air.csiDelayMs }),
    ...(air.jammerDb === undefined ? {} : { 'jammer, dB': air.jammerDb }),
  };
}

/** Settings of the link for one seed: no repetitions, everything else as the product's defaults. */
export function linkOf(air: Air, seed: number, scale: Pick<Scale, 'subbands'>): LinkInput {
  const { channel, snrDb, cbr, dopplerHz, csiDelayMs, jammerDb } = air;
  const subbands = air.subbands ?? scale.subbands;
  return {
    channel,
    snrDb,
    cbr,
    seed,
    harq: 0,
    numerology: subbands,
    ...(dopplerHz === undefined ? {} : { dopplerHz }),
    ...(csiDelayMs === undefined ? {} : { csiDelayMs }),
    ...(jammerDb === undefined ? {} : { jammer: jammerOf(subbands, jammerDb, seed) }),
  };
}

/** The same link without a way back: a sender that goes by one SNR for ever. */
export function blindLinkOf(air: Air, seed: number, scale: Pick<Scale, 'subbands'>, assumeSnrDb: number): LinkInput {
  return { ...linkOf(air, seed, scale), feedback: 'none', assumeSnrDb };
}

/**
 * Gaussian noise over 30 % of the subbands (the next whole number), `overDb` over the signal's density there, as noise of one
 * piece at a place drawn from the seed. Its power per sample over the signal's is overDb times its share of the band.
 */
export function jammerOf(subbands: number, overDb: number, seed: number): NonNullable<LinkInput['jammer']> {
  const n = numerology(subbands);
  const count = Math.ceil(JAMMED_SHARE * subbands);
  const first = new RandomStream(seed).fork('bench-jammer').integer(subbands - count + 1);
  const widthHz = (count / subbands) * n.nCarriers * SUBCARRIER_SPACING_HZ;
  const lowestHz = (-n.nCarriers / 2 + (first / subbands) * n.nCarriers) * SUBCARRIER_SPACING_HZ;
  return {
    kind: 'subband',
    powerDb: overDb + 10 * Math.log10(count / subbands),
    centreHz: lowestHz + widthHz / 2,
    widthHz,
  };
}
