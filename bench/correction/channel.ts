import type { RandomStream } from '../../src/common/random.ts';
import { powerDelayProfile } from '../../src/phy/channel/power-delay-profiles.ts';
import { allocate, type Mapping } from '../../src/sct/allocation/allocate.ts';
import { encodeCsi } from '../../src/sct/allocation/csi-code.ts';
import { reportedChannels } from '../../src/sct/allocation/effective-snr.ts';
import { type Placement, placeSymbols } from '../../src/sct/allocation/rb-map.ts';
import type { SourcePlan, StreamGrant } from '../../src/sct/codec/codec.ts';

/** Subbands of the band and their subcarriers, 15 kHz apart. */
const SUBBANDS = 25;
const CARRIERS = 12;
const SPACING_HZ = 15e3;
/** Data RE of a resource block. */
const RE_PER_RB = 154;
/** Correlation of the channel with the one that was reported: J0(2 pi 5 Hz 20 ms) = 0.90. */
const CSI_CORRELATION = 0.9;
/** Where a resource block is lost for good. */
const LOST = Number.NEGATIVE_INFINITY;

export interface Condition {
  readonly name: string;
  /** Power delay profile; absent: flat. */
  readonly profile?: string;
  readonly snrDb: number;
  readonly mapping: Mapping;
  /** Probability that a resource block (a code block of 477 bytes, for coded bits) is lost. */
  readonly lostBlocks?: number;
  /** Probability that nothing of an SFV comes. */
  readonly lostSfvs?: number;
}

/** Which symbols of a stream see which SNR, dB. */
export interface Air {
  readonly grants: StreamGrant[];
  /** SNR of each place of a stream; [SFV id][place] */
  readonly snrDb: ReadonlyMap<number, Float32Array>;
}

/** Capacity-equivalent SNR of each subband of one realisation, linear; its mean over realisations is `snr`. */
function subbandSnr(taps: readonly number[][], delaysNs: readonly number[], snr: number): number[] {
  return Array.from({ length: SUBBANDS }, (_, s) => {
    let bits = 0;
    for (let c = 0; c < CARRIERS; c++) {
      let [re, im] = [0, 0];
      taps.forEach(([a, b], i) => {
        const angle = -2 * Math.PI * SPACING_HZ * 1e-9 * (s * CARRIERS + c) * delaysNs[i];
        re += a * Math.cos(angle) - b * Math.sin(angle);
        im += a * Math.sin(angle) + b * Math.cos(angle);
      });
      bits += Math.log2(1 + (re * re + im * im) * snr) / CARRIERS;
    }
    return 2 ** bits - 1;
  });
}

/**
 * A burst of one picture, its symbols placed as the link places them by a report of the channel 20 ms ago; every resource block has
 * one SNR, constant over the burst.
 */
export function drawAir(plan: SourcePlan, symbols: number, condition: Condition, random: RandomStream): Air {
  const { profile, mapping, lostBlocks = 0, lostSfvs = 0 } = condition;
  const mean = 10 ** (condition.snrDb / 10);
  let now: number[] = new Array(SUBBANDS).fill(mean);
  let reported = now;
  if (profile !== undefined) {
    const { delaysNs, powers } = powerDelayProfile(profile);
    const draw = () => powers.map((p) => [Math.sqrt(p / 2) * random.normal(), Math.sqrt(p / 2) * random.normal()]);
    const before = draw();
    const fresh = draw();
    const mix = Math.sqrt(1 - CSI_CORRELATION ** 2);
    const after = before.map((t, i) => t.map((v, j) => CSI_CORRELATION * v + mix * fresh[i][j]));
    reported = subbandSnr(before, delaysNs, mean);
    now = subbandSnr(after, delaysNs, mean);
  }
  const nSlots = Math.max(1, Math.round(symbols / SUBBANDS / RE_PER_RB));
  const blocks = SUBBANDS * nSlots;
  const shape = {
    nSubbands: SUBBANDS,
    nSlots,
    rePerRb: new Uint16Array(blocks).fill(Math.min(168, Math.floor(symbols / blocks))),
  };
  const csi = Uint8Array.from(reported, (s) => encodeCsi(10 * Math.log10(s)));
  const scores = Uint8Array.from(plan.streams, (s) => s.score);
  const minRe = plan.streams.map((s) => (s.kind === 'analog' ? s.minSize : 1));
  const { map } = allocate({ shape, csi, scores, ranking: plan.ranking, minRe, mapping });
  const placement: Placement = placeSymbols(map, shape);
  const told = reportedChannels(placement, csi, SUBBANDS);
  const dead = Uint8Array.from({ length: blocks }, () => (random.uniform() < lostBlocks ? 1 : 0));
  const snrDb = new Map<number, Float32Array>();
  const grants: StreamGrant[] = [];
  [...map.sfvOrder].forEach((id, at) => {
    const from = placement.start[at];
    const size = placement.start[at + 1] - from;
    const gone = random.uniform() < lostSfvs;
    grants.push({ id, size, snrDb: told[at].snrDb });
    snrDb.set(
      id,
      Float32Array.from({ length: size }, (_, p) => {
        const rb = placement.rb[from + p];
        return gone || dead[rb] ? LOST : 10 * Math.log10(now[rb % SUBBANDS]);
      }),
    );
  });
  return { grants, snrDb };
}
