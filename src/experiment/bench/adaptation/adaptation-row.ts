import { TARGET_BLER } from '../../../link/plan/channel-knowledge.ts';
import { clopperPearson, type Estimate, mean, meanInterval, percentile } from '../../metrics/stats.ts';
import type { AdaptationSetting, AdaptationTrial } from './adaptation-trial.ts';

type Interval = readonly [number, number];

/** One channel and SNR. Rates in information bits per RE. */
export interface AdaptationRow {
  readonly channel: string;
  readonly dopplerHz: number | null;
  /** Ensemble mean Es/N0. */
  readonly snrDb: number;
  readonly trials: number;
  readonly seeds: Interval;
  /** Delivered by the first transmission over its RE, control included; mean over trials and its 95 % interval. */
  readonly throughput: number;
  readonly throughputInterval: Interval;
  /** The same over payload RE alone: what modulation and code make of them. */
  readonly payloadThroughput: number;
  /** Delivered in the end over all RE that count, repetitions and their control included. */
  readonly harqThroughput: number;
  readonly harqThroughputInterval: Interval;
  /** Mean of log2(1 + |H|^2 Es/N0) over the data bursts' RE, and over trials (ergodic). */
  readonly capacity: number;
  /** Rates that 10 % and 1 % of these bursts could not carry. */
  readonly outageCapacity10: number;
  readonly outageCapacity1: number;
  /** Code blocks of first transmissions that failed, and its 95 % interval. */
  readonly firstBler: number;
  readonly firstBlerInterval: Interval;
  readonly targetBler: number;
  /** missed: the interval lies above the target; met: below; open: it holds it. */
  readonly target: 'met' | 'missed' | 'open';
  readonly blocks: number;
  readonly failedBlocks: number;
  /** Bursts of which a block was lost at first, and in the end. */
  readonly burstsWithLoss: number;
  readonly burstsNeverWhole: number;
}

/**
 * Failed share of blocks. On AWGN every block is a trial of its own (exact interval). A fade takes the blocks of a burst
 * together, so there the bursts are: linearised ratio of means, sd of failed - share x blocks; and no better than the
 * exact interval of no loss in so many bursts.
 */
function blerOf(trials: readonly AdaptationTrial[], together: boolean): Estimate {
  const failed = trials.reduce((n, t) => n + t.failedBlocks, 0);
  const blocks = trials.reduce((n, t) => n + t.blocks, 0);
  if (!together) return clopperPearson(failed, blocks);
  const value = failed / blocks;
  const { low, high } = meanInterval(trials.map((t) => (t.failedBlocks - value * t.blocks) * (trials.length / blocks)));
  if (failed === 0) return clopperPearson(0, trials.length);
  return { value, low: Math.max(0, value + low), high: Math.min(1, value + high), n: trials.length };
}

export function adaptationRow(
  setting: Omit<AdaptationSetting, 'seed'>,
  firstSeed: number,
  trials: readonly AdaptationTrial[],
): AdaptationRow {
  const first = meanInterval(trials.map((t) => t.firstBits / t.firstRe));
  const harq = meanInterval(trials.map((t) => t.deliveredBits / t.countedRe));
  const capacities = trials.map((t) => t.capacity);
  const bler = blerOf(trials, setting.channel !== 'awgn');
  return {
    channel: setting.channel,
    dopplerHz: setting.dopplerHz ?? null,
    snrDb: setting.snrDb,
    trials: trials.length,
    seeds: [firstSeed, firstSeed + trials.length - 1],
    throughput: first.value,
    throughputInterval: [first.low, first.high],
    payloadThroughput: mean(trials.map((t) => t.firstBits / t.payloadRe)),
    harqThroughput: harq.value,
    harqThroughputInterval: [harq.low, harq.high],
    capacity: mean(capacities),
    outageCapacity10: percentile(capacities, 0.1),
    outageCapacity1: percentile(capacities, 0.01),
    firstBler: bler.value,
    firstBlerInterval: [bler.low, bler.high],
    targetBler: TARGET_BLER,
    target: bler.low > TARGET_BLER ? 'missed' : bler.high <= TARGET_BLER ? 'met' : 'open',
    blocks: trials.reduce((n, t) => n + t.blocks, 0),
    failedBlocks: trials.reduce((n, t) => n + t.failedBlocks, 0),
    burstsWithLoss: trials.filter((t) => t.failedBlocks > 0).length,
    burstsNeverWhole: trials.filter((t) => t.deliveredBits < t.offeredBits).length,
  };
}
