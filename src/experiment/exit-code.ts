import { ExitCode } from '../common/errors.ts';
import type { LinkMetrics } from './metrics.ts';

/** Exit code of a link run by the contract: was anything heard, did the picture arrive, how good, what was lost. */
export function exitCodeOf(
  metrics: LinkMetrics,
  limits: { readonly minPsnrDb?: number | undefined; readonly maxDrops?: number | undefined },
  heard: boolean,
): ExitCode {
  if (!heard) return ExitCode.noSignal;
  if (!metrics.ok) return ExitCode.quality;
  const { minPsnrDb, maxDrops } = limits;
  if (minPsnrDb !== undefined && metrics.psnrDb !== null && metrics.psnrDb < minPsnrDb) return ExitCode.quality;
  if (maxDrops !== undefined && (metrics.lostSamples ?? 0) > maxDrops) return ExitCode.samplesLost;
  return ExitCode.ok;
}
