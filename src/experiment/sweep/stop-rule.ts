import { clopperPearson, type Estimate, meanInterval } from '../metrics/stats.ts';
import type { PointMetrics } from './point.ts';

/** What a group may be stopped by: numbers of every picture that is lost or not, with a mean that means something. */
export const STOP_METRICS = [
  'psnrDb',
  'msSsim',
  'ssim',
  'roiPsnrDb',
  'importanceWeightedPsnrDb',
  'lpips',
  'mIoU',
  'outage',
  'stoi',
  'segmentalSnrDb',
] as const;
export type StopMetric = (typeof STOP_METRICS)[number];

/** When the seeds of a group are enough. */
export interface StopRule {
  readonly metric: StopMetric;
  /** Largest half width of the interval, in the metric's own unit. */
  readonly halfWidth: number;
  /** Of the interval, 0.5 to 0.999. */
  readonly confidence: number;
  /** Least number of seeds, 3 or more. */
  readonly min: number;
}

/**
 * The interval of a group's mean after some seeds: Student's t, for `outage` the exact one of a proportion [Clopper34], whose width is not
 * nought when all outcomes are alike.
 */
export function groupInterval(values: readonly number[], { metric, confidence }: StopRule): Estimate {
  if (metric !== 'outage') return meanInterval(values, confidence);
  const lost = values.reduce((sum, v) => sum + (v > 0 ? 1 : 0), 0);
  return clopperPearson(lost, values.length, confidence);
}

/**
 * Decides for one group, from its seeds in the order of the sweep's file and nothing else: it stops at the first n >= min whose interval is at
 * most 2 x halfWidth wide. This is the sequential rule of [Chow65]: its coverage tends to the confidence asked for as the half width
 * becomes small, and lies a little below it where few seeds are enough.
 */
export class GroupStop {
  private readonly rule: StopRule;
  private readonly values: number[] = [];
  /** The metric was null once (no truth was given): such a group takes all its seeds. */
  private unmeasured = false;
  private fired = false;

  constructor(rule: StopRule) {
    this.rule = rule;
  }

  get stopped(): boolean {
    return this.fired;
  }

  /** The next seed's value; true where the group is done with it. */
  add(value: number | null): boolean {
    if (value === null || !Number.isFinite(value)) this.unmeasured = true;
    if (this.unmeasured) return false;
    this.values.push(value as number);
    if (this.values.length < this.rule.min) return false;
    const { low, high } = groupInterval(this.values, this.rule);
    this.fired = high - low <= 2 * this.rule.halfWidth;
    return this.fired;
  }
}

/** The value of a rule's metric; of speech alone an outage is that of the speech. */
export function stopValue({ metric }: StopRule, metrics: PointMetrics): number | null {
  if (metric === 'stoi' || metric === 'segmentalSnrDb') return metrics.speech?.[metric] ?? null;
  return metrics[metric] ?? (metric === 'outage' ? (metrics.speech?.outage ?? null) : null);
}
