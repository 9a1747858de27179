/** Chapter of docs/results.md on sweeps: in threads (sweep.json), and over NATS (sweep-nats.json). */

import type {
  CoverageFigures,
  KillFigures,
  OverheadFigures,
  SpeedUpFigures,
  SweepBenchReport,
} from '../sweep/report.ts';
import type { SweepNatsReport } from '../sweep-nats/report.ts';
import { natsSection } from '../sweep-nats/section.ts';
import { figure, provenance, ranged, table, verdict } from './parts.ts';

/** What is asked. */
const ASKED_POINTS = 10_000;
const ASKED_OVERHEAD_MS = 5;
const ASKED_KILLS = 20;

/** null: that part was not measured. */
export function sweepsChapter(local: SweepBenchReport | null, nats: SweepNatsReport | null): string {
  return [
    '## Sweeps',
    'What `sct sweep` adds to its points ([sweeps.md](sweeps.md), [several-machines.md](several-machines.md)).',
    ...(local ? [threadsSection(local)] : []),
    ...(nats ? [natsSection(nats)] : []),
  ].join('\n\n');
}

function threadsSection(report: SweepBenchReport): string {
  const { overhead, real, speedUp, kills, coverage } = report;
  const load = Object.entries(report.load).map(([part, l]) => `${part} ${l}`);
  return [
    '### In threads',
    `\`${report.command}\`. ${provenance(report)}; load before each part: ${load.join(', ')}.${report.quick ? ' **A quick run: not for quotation.**' : ''}`,
    table(
      ['what', 'asked', 'measured', ''],
      [
        ...overhead.map(overheadRow),
        ...kills.map(killsRow),
        ...speedUp.map((s) => [speedUpName(s), '–', speedUpText(s), '']),
      ],
    ),
    ...real.map(
      ({ codec, points, pointMs, overheadMs }) =>
        `Beside ${points} real points (${codec}, the demo photo, median ${figure(pointMs, 3)} ms each) in one thread: ${figure(overheadMs, 2)} ms a point from the first result to the last.`,
    ),
    ...(speedUp.length > 0
      ? [
          `Two threads against one: whole sweeps on ${report.machine.cores} cores, threads and networks started anew in each; median of the pairs (lowest to highest). What a thread does first, loading networks and compiling its code, is in both.`,
        ]
      : []),
    ...(coverage.length > 0 ? [coverageText(coverage)] : []),
  ].join('\n\n');
}

function overheadRow({ points, jobs, overheadMs, cpuMs, planS, resultBytes }: OverheadFigures): string[] {
  return [
    `${points} points whose measuring costs nothing, ${jobs === 1 ? 'one thread' : `${jobs} threads`}; results of ${resultBytes} bytes`,
    points >= ASKED_POINTS ? `<= ${ASKED_OVERHEAD_MS} ms a point` : '–',
    `${figure(overheadMs, 3)} ms a point, all of it; ${figure(cpuMs, 3)} ms of processor time; of it plan ${figure(planS, 3)} s in all`,
    points >= ASKED_POINTS ? verdict(overheadMs <= ASKED_OVERHEAD_MS) : '',
  ];
}

function killsRow({ seed, kills, early, points, results, lost, doubled, different }: KillFigures): string[] {
  const exact = lost === 0 && doubled === 0 && different === 0;
  return [
    `SIGKILL at ${kills} random moments (seed ${seed}; ${early} before the first result of their run), then resumed: ${results} results of ${points} points, compared byte by byte with the same sweep left alone`,
    `exact after ${ASKED_KILLS}`,
    `${lost} lost, ${doubled} doubled, ${different} different`,
    kills >= ASKED_KILLS ? verdict(exact) : '',
  ];
}

function speedUpName({ codec, points, rounds }: SpeedUpFigures): string {
  return `${points} real points, ${codec}: time with one thread over time with two, ${rounds.length} pairs`;
}

function speedUpText({ ratio }: SpeedUpFigures): string {
  return `${figure(ratio.median, 3)} (${figure(ratio.low, 3)} to ${figure(ratio.high, 3)})`;
}

function coverageText(rows: readonly CoverageFigures[]): string {
  const percent = (share: number) => 100 * share;
  return [
    'How often the interval of a group that stopped early holds the true mean, which is promised in 95 %: drawn values through the rule itself. Last column: the same interval after as many seeds fixed beforehand, so what stopping costs is the difference.',
    table(
      ['values', 'rule: half width, min', 'seeds taken, mean', 'groups', 'held, %', 'seeds fixed, %'],
      rows.map((r) => [
        r.values,
        `${r.metric} ${r.halfWidth}, ${r.min}`,
        figure(r.meanSeeds, 3),
        String(r.groups),
        ranged({ value: percent(r.covered), low: percent(r.low), high: percent(r.high) }),
        figure(percent(r.fixedCovered), 3),
      ]),
    ),
  ].join('\n\n');
}
