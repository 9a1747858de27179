import { UsageError } from '../../src/common/errors.ts';
import { type LinkInput, resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { type Estimate, mean, meanInterval, pairedDifference } from '../../src/experiment/metrics/stats.ts';
import type { SpeechMetrics } from '../../src/experiment/speech/speech-metrics.ts';
import { runSpeech, type SpeechRunInput } from '../../src/experiment/speech/speech-run.ts';

/** What is kept of one transmission. */
export type Heard = Pick<
  SpeechMetrics,
  'stoi' | 'segmentalSnrDb' | 'psnrDb' | 'outage' | 'symbols' | 'speechSymbols' | 'speechSnrDb' | 'pictureSnrDb'
>;

/** Silence, and a picture of flat grey: what does not fit by the report of the day is not sent. */
const NOT_SENT: Heard = {
  stoi: 0,
  segmentalSnrDb: 0,
  psnrDb: null,
  outage: 1,
  symbols: 0,
  speechSymbols: null,
  speechSnrDb: null,
  pictureSnrDb: null,
};

/** One transmission without repetitions. */
export async function heardOf(words: LinkInput, input: SpeechRunInput): Promise<Heard> {
  try {
    return (await runSpeech(resolveLinkConfig({ harq: 0, ...words }), input)).metrics;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return NOT_SENT;
  }
}

export const stois = (heard: readonly Heard[]) => heard.map((h) => h.stoi ?? 0);
export const outages = (heard: readonly Heard[]) => heard.reduce((sum, h) => sum + h.outage, 0);

/** Mean of a figure over those that have it, or null. */
export function meanOf(heard: readonly Heard[], key: keyof Heard): number | null {
  const values = heard.map((h) => h[key]).filter((v) => v !== null);
  return values.length > 0 ? mean(values) : null;
}

/** A mean with 95 % by Student's t, as it stands in the results. */
export interface Shown {
  readonly mean: number;
  readonly half: number;
}

export function interval(values: readonly number[]): Shown {
  return shownOf(meanInterval(values));
}

export function difference(a: readonly number[], b: readonly number[]): Shown {
  return shownOf(pairedDifference(a, b));
}

function shownOf({ value, high }: Estimate): Shown {
  return { mean: rounded(value), half: rounded(high - value) };
}

export function rounded(value: number): number {
  return Math.round(1e4 * value) / 1e4;
}

export function text({ mean: value, half }: Shown, digits = 3): string {
  return `${value.toFixed(digits)} ± ${half.toFixed(digits)}`;
}
