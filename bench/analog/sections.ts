import { RandomStream } from '../../src/common/random.ts';
import { clopperPearson, mean, percentile } from '../../src/experiment/metrics/stats.ts';
import { despreadSnr } from '../../src/phy/modulation/spreading.ts';
import { numerology, RB_DATA_RE } from '../../src/phy/numerology.ts';
import { type Digital, IDEAL } from './air.ts';
import { CANDIDATES, candidate, groupsOf } from './candidates.ts';
import { channelOf } from './channels.ts';
import { resourceCapacity } from './resource-capacity.ts';
import type { Shape } from './shapes.ts';
import { evmDb, send, slotsFor } from './trials.ts';

export interface ConverterRow {
  readonly subbands: number;
  readonly shape: string;
  readonly candidate: string;
  readonly digital: Digital;
  readonly symbols: number;
  readonly evmDb: number;
  /** RE limited to |RE| <= 4, share. */
  readonly limitedReShare: number;
  /** Samples beyond full scale: count, number of samples, exact 95 % interval of the share. */
  readonly overFullScale: {
    readonly count: number;
    readonly samples: number;
    readonly low: number;
    readonly high: number;
  };
  readonly unusedBinsDb: number | null;
}

/** What the digital transmitter alone does to a stream. */
export function converterRow(
  subbands: number,
  shape: Shape,
  name: string,
  digital: Digital,
  re: number,
  seed: number,
): ConverterRow {
  const n = numerology(subbands);
  const slots = slotsFor(n, re);
  const count = slots * subbands * RB_DATA_RE;
  const symbols = shape.draw(count, new RandomStream(seed).fork(`converter-${shape.name}`));
  const sent = send(n, slots, symbols, candidate(name), digital);
  const { samples, overFullScale, unusedBinsDb } = sent.air;
  const share = clopperPearson(overFullScale, samples);
  return {
    subbands,
    shape: shape.name,
    candidate: name,
    digital,
    symbols: count,
    evmDb: evmDb(n, slots, symbols, sent),
    limitedReShare: sent.limitedRe / count,
    overFullScale: { count: overFullScale, samples, low: share.low, high: share.high },
    unusedBinsDb,
  };
}

/** Settings of the digital transmitter that are compared. */
export const DIGITALS: readonly Digital[] = [
  ...[null, 12, 8].map((bits) => ({ ...IDEAL, bits })),
  { ...IDEAL, bits: 8, receiverBits: 8 },
  ...[-14, -12.5, -9.5, -8].map((levelDbfs) => ({ ...IDEAL, levelDbfs, bits: 8 })),
  ...[10, 9, 8, 7, 6].map((envelopeDb) => ({ ...IDEAL, envelopeDb })),
];

export interface SelectivityRow {
  readonly subbands: number;
  readonly snrDb: number;
  readonly candidate: string;
  readonly realisations: number;
  /** SNR after despreading less the RB's capacity-equivalent SNR, over RBs, dB: mean and 5th percentile. */
  readonly meanDb: number;
  readonly p5Db: number;
}

/** What despreading costs on EVA: the SNR it leaves against the one that the RB's capacity stands for. */
export function selectivity(subbands: number, snrsDb: readonly number[], realisations: number): SelectivityRow[] {
  const n = numerology(subbands);
  const spreading = CANDIDATES.filter((c) => c.group === 'row' || c.group === 'rb');
  const groups = spreading.map((c) => groupsOf(n, 1, c.group));
  const losses = spreading.map(() => snrsDb.map((): number[] => []));
  for (let seed = 1; seed <= realisations; seed++) {
    const h = channelOf('eva', n, seed);
    snrsDb.forEach((snrDb, q) => {
      const { snr, rbSnr } = resourceCapacity(n, h, snrDb);
      groups.forEach((list, c) => {
        for (const members of list) {
          const left = despreadSnr(Float64Array.from(members, (re) => snr[re]));
          losses[c][q].push(10 * Math.log10(left / rbSnr[Math.floor(members[0] / RB_DATA_RE)]));
        }
      });
    });
  }
  return spreading.flatMap((c, i) =>
    snrsDb.map((snrDb, q) => ({
      subbands,
      snrDb,
      candidate: c.name,
      realisations,
      meanDb: mean(losses[i][q]),
      p5Db: percentile(losses[i][q], 5),
    })),
  );
}
