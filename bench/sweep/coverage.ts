import { RandomStream } from '../../src/common/random.ts';
import { clopperPearson } from '../../src/experiment/metrics/stats.ts';
import { GroupStop, groupInterval, type StopRule } from '../../src/experiment/sweep/stop-rule.ts';
import { type CoverageFigures, rounded } from './report.ts';

interface Values {
  readonly name: string;
  readonly mean: number;
  draw(random: RandomStream): number;
}

const normal: Values = { name: 'normal, deviation 1 dB', mean: 0, draw: (random) => random.normal() };
/** As fading makes them: a long tail below. */
const skewed: Values = {
  name: 'skewed (minus exponential), deviation 1 dB',
  mean: -1,
  draw: (random) => Math.log(1 - random.uniform()),
};
/** Of a few pictures little arrives. */
const lossy: Values = {
  name: 'normal, deviation 1 dB; 5 % lost, 15 dB lower',
  mean: -0.75,
  draw: (random) => random.normal() - (random.uniform() < 0.05 ? 15 : 0),
};
const lost = (share: number): Values => ({
  name: `${100 * share} % lost`,
  mean: share,
  draw: (random) => (random.uniform() < share ? 1 : 0),
});

const COMMON = { confidence: 0.95 } as const;
const CASES: readonly (readonly [Values, Omit<StopRule, 'confidence'>])[] = [
  [normal, { metric: 'psnrDb', halfWidth: 0.3, min: 10 }],
  [normal, { metric: 'psnrDb', halfWidth: 0.6, min: 5 }],
  [normal, { metric: 'psnrDb', halfWidth: 1, min: 3 }],
  [skewed, { metric: 'psnrDb', halfWidth: 0.3, min: 10 }],
  [skewed, { metric: 'psnrDb', halfWidth: 0.6, min: 5 }],
  [lossy, { metric: 'psnrDb', halfWidth: 1, min: 5 }],
  [lossy, { metric: 'psnrDb', halfWidth: 1, min: 60 }],
  [lost(0.02), { metric: 'outage', halfWidth: 0.05, min: 5 }],
  [lost(0.2), { metric: 'outage', halfWidth: 0.1, min: 5 }],
];

/** Groups of drawn values through the rule itself: how often the interval at the stop holds the mean. */
export function measureCoverage(groups: number): CoverageFigures[] {
  return CASES.map(([values, rule]) => coverageOf(values, { ...rule, ...COMMON }, groups));
}

function coverageOf(values: Values, rule: StopRule, groups: number): CoverageFigures {
  const random = new RandomStream(`${values.name} ${rule.halfWidth} ${rule.min}`);
  const holds = (drawn: readonly number[]) => {
    const { low, high } = groupInterval(drawn, rule);
    return low <= values.mean && values.mean <= high;
  };
  let [covered, taken, fixedCovered] = [0, 0, 0];
  for (let g = 0; g < groups; g++) {
    const stop = new GroupStop(rule);
    const drawn: number[] = [];
    do drawn.push(values.draw(random));
    while (!stop.add(drawn.at(-1)!));
    taken += drawn.length;
    if (holds(drawn)) covered++;
  }
  const seeds = Math.max(rule.min, Math.round(taken / groups));
  for (let g = 0; g < groups; g++) if (holds(Array.from({ length: seeds }, () => values.draw(random)))) fixedCovered++;
  const { low, high } = clopperPearson(covered, groups);
  return {
    values: values.name,
    ...rule,
    groups,
    covered: rounded(covered / groups),
    low: rounded(low),
    high: rounded(high),
    meanSeeds: rounded(taken / groups),
    fixedCovered: rounded(fixedCovered / groups),
  };
}
