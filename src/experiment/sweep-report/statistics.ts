import type { Design, Group } from './design.ts';
import { type ErrorLimits, eventsOf } from './error-events.ts';
import { type CrossedEstimate, crossed, crossedMean, crossedPercentile, crossedShare } from './intervals.ts';
import { MEASURES, RATIO_PARTS } from './measures.ts';
import type { Observation } from './observation.ts';
import { type CrossedRatio, crossedRatio } from './ratio.ts';

/** Percentile that stands beside every mean of quality. */
export const WORST_PERCENTILE = 10;

/** How the intervals of a report are made, said in it. */
export const METHODS = {
  mean: "95 % interval of a mean: Student's t; photos and seeds are two crossed random samples, variance by two-way analysis of variance where every photo has every seed [Satterthwaite46], by clusters where not [Cameron11]. With one photo (or one seed) it speaks of other seeds (photos) only.",
  share:
    '95 % interval of a share (outage, error events): Clopper-Pearson of as many independent trials as tell as much as these photos and seeds [Clopper34], [Korn98]. Where all pictures came out alike, each seed counts as one trial, on AWGN each photo.',
  ratio:
    'BLER is blocks in error over blocks sent, of all pictures of a group together; 95 % interval by linearisation of the ratio [Cochran77] over photos and seeds as two crossed samples, then Clopper-Pearson of as many independent blocks as tell as much [Korn98]. A burst that was not found has no blocks: see outage.',
  percentile:
    '95 % interval of a 10th percentile: pigeonhole bootstrap over photos and seeds, 1000 resamples, seeded [Owen07]; none below 20 pictures.',
  gain: 'A gain is the mean of differences between two pictures of the same photo and seed (Student\'s t as for a mean). All else is equal but what stands under "also differs".',
  outage:
    'A picture that could not be decoded, or was not sent because no coding of it fits its budget, is scored as flat grey and stays in every mean. null (an empty cell) is what was not measured.',
} as const;

/** All that is said of one group. */
export interface GroupStatistics {
  readonly group: Group;
  readonly photos: number;
  readonly seeds: number;
  /** By measure; absent where no picture has it. */
  readonly figures: Readonly<Record<string, CrossedEstimate>>;
  readonly worst: Readonly<Record<string, CrossedEstimate>>;
  /** P{ds > Ds or dx > Dx} and its marginals, by name; absent where no limits were given. */
  readonly events: Readonly<Record<string, CrossedEstimate>>;
}

/** O(groups x measures x pictures), and a thousand times that for percentiles. */
export async function statisticsOf(
  design: Design,
  limits: ErrorLimits | null,
  between: (what: string) => Promise<void>,
): Promise<GroupStatistics[]> {
  const all: GroupStatistics[] = [];
  for (const [i, group] of design.groups.entries()) {
    if (i % 16 === 0) await between(`statistics: ${i + 1}/${design.groups.length}`);
    all.push(groupStatistics(group, limits));
  }
  return all;
}

function groupStatistics(group: Group, limits: ErrorLimits | null): GroupStatistics {
  const { observations } = group;
  const figures: Record<string, CrossedEstimate> = {};
  const worst: Record<string, CrossedEstimate> = {};
  for (const { key, kind, range, worst: alsoWorst } of MEASURES) {
    if (kind === 'ratio') {
      const ratio = ratioOf(observations);
      if (ratio) figures[key] = ratio;
      continue;
    }
    const c = crossedOf(observations, (o) => o.figures[key]);
    if (c.values.length === 0) continue;
    figures[key] = kind === 'share' ? crossedShare(c) : crossedMean(c, range);
    if (alsoWorst) worst[key] = crossedPercentile(c, WORST_PERCENTILE, `${key} ${group.key}`);
  }
  const events: Record<string, CrossedEstimate> = {};
  if (limits) {
    for (const [name, of] of Object.entries(eventsOf(limits))) {
      const c = crossedOf(observations, of);
      if (c.values.length > 0) events[name] = crossedShare(c);
    }
  }
  const photos = new Set(observations.map((o) => o.photo)).size;
  const seeds = new Set(observations.map((o) => o.seed)).size;
  return { group, photos, seeds, figures, worst, events };
}

/** Blocks in error over blocks, of the pictures that have any; null where none has. */
function ratioOf(observations: readonly Observation[]): CrossedRatio | null {
  const { errors, trials } = RATIO_PARTS;
  const c = crossedOf(observations, (o) => ((o.figures[trials] ?? 0) > 0 ? o.figures[errors] : null));
  const blocks = observations.flatMap((o) => ((o.figures[trials] ?? 0) > 0 ? [o.figures[trials]!] : []));
  return blocks.length > 0 ? crossedRatio(c, blocks) : null;
}

/** Those observations for which `of` gives a number. */
export function crossedOf(observations: readonly Observation[], of: (o: Observation) => number | null) {
  const there = observations.filter((o) => of(o) !== null);
  const c = crossed(
    there.map((o) => of(o)!),
    there.map((o) => o.photo),
    there.map((o) => o.seed),
  );
  return { ...c, flat: there.every((o) => o.flat) };
}
