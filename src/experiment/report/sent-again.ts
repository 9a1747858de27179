import type { LinkMetrics } from '../metrics/metrics.ts';

export interface SentAgain {
  /** null: not known at this end. */
  count: number | null;
  unit: 'block' | 'SFV';
}

/** How much was repeated: code blocks; analog symbols have none, of them SFVs, each as often as it was repeated. */
export function sentAgain({ retransmissions, harq }: Pick<LinkMetrics, 'retransmissions' | 'harq'>): SentAgain {
  const streams = harq?.streams;
  return retransmissions === 0 && streams ? { count: streams, unit: 'SFV' } : { count: retransmissions, unit: 'block' };
}
