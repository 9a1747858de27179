import { ExitCode, UsageError } from '../../common/errors.ts';
import { asObject, type JsonObject } from '../../common/json-input.ts';
import { type ReceiverOutcome, receiverMetrics, withImages } from '../receive/receiver-report.ts';
import { compareMetrics, type MetricDifference } from '../run/compare-metrics.ts';
import type { StoredRun } from '../run/run-directory.ts';

const LOST_BEHIND_RECORDER = 'samples that the run lost at overload behind its recorder are in the recording';

/** Where the metrics of a recording received again differ from those of its run. */
export async function check(run: StoredRun, outcome: ReceiverOutcome): Promise<MetricDifference[]> {
  if (!run.metrics) throw new UsageError(`${run.directory} has no metrics.json to check against`);
  const { metrics, images, earlier } = await receiverMetrics(outcome);
  const differences = compareMetrics(
    withoutPaths(run.metrics),
    withoutPaths(JSON.parse(JSON.stringify(withImages(metrics, images, earlier)))),
  );
  return differences.map((d) =>
    d.path === 'lostSamples' && Number(d.a) > Number(d.b) ? { ...d, reason: LOST_BEHIND_RECORDER } : d,
  );
}

/** Metrics without the paths and times of several pictures, which no two runs share. */
function withoutPaths(metrics: JsonObject): JsonObject {
  if (!Array.isArray(metrics.images)) return metrics;
  return {
    ...metrics,
    images: metrics.images.map((m: unknown) => ({ ...asObject('images', m), files: {}, timings: {} })),
  };
}

/** A run that ended badly and does so again has been reproduced: that is what --check asks. */
export function checkedCode(exitCode: number, differences: readonly MetricDifference[] | null): number {
  if (!differences) return exitCode;
  return differences.length > 0 ? ExitCode.replayDiffers : ExitCode.ok;
}

/** Differences in one sentence. */
export function verdictOf(differences: readonly MetricDifference[]): string {
  if (differences.length === 0) return 'the replay gives the metrics of the run';
  const named = differences.slice(0, 3).map((d) => `${d.path} ${short(d.a)} in the run, ${short(d.b)} now`);
  const more = differences.length > 3 ? `; ${differences.length - 3} more` : '';
  const why = differences.some((d) => d.reason === LOST_BEHIND_RECORDER) ? `; ${LOST_BEHIND_RECORDER}` : '';
  return `the replay does not give the metrics of the run: ${named.join('; ')}${more}${why}`;
}

function short(value: MetricDifference['a']): string {
  return String(JSON.stringify(value)).slice(0, 40);
}
