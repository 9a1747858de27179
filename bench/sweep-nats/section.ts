/** Part of the chapter of docs/results.md on sweeps: those over NATS, from sweep-nats.json. */
import { figure, provenance, table, verdict } from '../chapters/parts.ts';
import type {
  FaultFigures,
  OverheadFigures,
  SharingFigures,
  SharingRound,
  SleepingFigures,
  SweepNatsReport,
} from './report.ts';

/** What is asked. */
export const ASKED_OVERHEAD_MS = 5;
export const ASKED_KILLS = 20;

export function natsSection(report: SweepNatsReport): string {
  const { overhead, sharing, sleeping, faults, idle, store } = report;
  return [
    '### Over NATS',
    `${report.server}, on the same machine as the workers and the sweep.${report.quick ? ' **A quick run: not for quotation.**' : ''}`,
    ...(overhead.length > 0 ? [overheadTable(overhead), ...storedText(overhead)] : []),
    ...(faults ? [faultsText(faults)] : []),
    ...(sharing ? [sharingTable(sharing)] : []),
    ...(sleeping.length > 0 ? [sleepingTable(sleeping)] : []),
    ...idle.map(
      (i) =>
        `${i.connections} workers that wait: ${figure(i.serverCpuMsPerS, 3)} ms of processor time a second at the server, ${figure(i.serverMiB)} MiB (${figure(i.serverMiBBefore)} before), ${figure(i.bytesPerSEach, 3)} bytes a second each.`,
    ),
    ...(store
      ? [
          `A file of ${store.megabytes} MB through the object store, hashed at both ends: in ${figure(store.putMBPerS, 3)} MB/s, out ${figure(store.getMBPerS, 3)} MB/s; the server takes ${figure(store.serverCpuMsPerMB.put, 3)} and ${figure(store.serverCpuMsPerMB.get, 3)} ms a MB. What is there already is looked for in ${figure(store.againMs, 3)} ms.`,
        ]
      : []),
    `    ${report.command}`,
    `${provenance(report)}; load before each part: ${Object.entries(report.load)
      .map(([part, l]) => `${part} ${l}${ofOther(report, part)}`)
      .join(', ')}.`,
  ].join('\n\n');
}

/** The commit of a part that was made by another than the report's. */
function ofOther({ made, program }: SweepNatsReport, part: string): string {
  const commit = made?.[part]?.commit;
  return !commit || commit === program.git?.commit ? '' : ` (commit ${commit.slice(0, 10)})`;
}

function overheadTable(rows: readonly OverheadFigures[]): string {
  return table(
    [
      'points that take no time',
      'workers x places',
      'ms a point',
      'with the plan',
      'asked',
      '',
      'CPU ms: server',
      'workers',
      'sweep',
    ],
    rows.map((r) => [
      ...[String(r.points), `${r.workers} x ${r.placesEach}`, figure(r.overheadMs, 3), figure(r.overheadWithPlanMs, 3)],
      ...[`<= ${ASKED_OVERHEAD_MS}`, verdict(r.overheadWithPlanMs <= ASKED_OVERHEAD_MS)],
      ...[figure(r.cpuMsEach.server, 3), figure(r.cpuMsEach.workers, 3), figure(r.cpuMsEach.sweep, 3)],
    ]),
  );
}

function storedText(rows: readonly OverheadFigures[]): string[] {
  const last = rows[rows.length - 1];
  const outcomes = last.storedAtOnce?.outcome;
  if (outcomes === undefined) return [];
  const bytes = last.storedBytesEach.outcome ?? 0;
  return [
    `Results leave the server once they are on the sweep’s disk, about once a second: of the ${last.points} of the last row at most ${outcomes} (${figure((outcomes * bytes) / 1e6, 3)} MB, ${figure(bytes)} bytes each) were there at once, looked at every 250 ms.`,
  ];
}

function faultsText(f: FaultFigures): string {
  const kills = f.killed.worker + f.killed.sweep;
  const exact = f.lost + f.doubled + f.different === 0;
  return `One sweep of ${f.points} real points on ${f.workers} workers, seed ${f.seed}: ${f.killed.worker} times a worker and ${f.killed.sweep} times the sweep ended by SIGKILL at random moments (${kills} of ${ASKED_KILLS} asked), the server ${f.killed.server} times, a cable to it broken ${f.network.broken} times and stalled ${f.network.stalled} times, in ${figure(f.tookS)} s: ${f.lost} points lost, ${f.doubled} doubled, ${f.different} other than in threads: ${verdict(exact && kills >= ASKED_KILLS)}.`;
}

/** A ratio of one round; a dash where it was not measured. */
const two = (value: number | undefined) => figure(value, 3);

function sharingTable({ points, rounds, processors, ofCeiling }: SharingFigures): string {
  return [
    `${points} real points (integrated codec), workers of one thread as processes of their own, pairs in alternating order. Threads and separate processes (\`sct sweep --jobs 1\`, one with all points and two with half of them each) are what the machine gives without NATS; arithmetic is two processes that touch no memory against one:`,
    table(
      [
        '1 worker, s',
        '2 workers, s',
        'ratio',
        '1 thread, s',
        '2 threads, s',
        'ratio',
        '1 separate, s',
        '2 separate, s',
        'ratio',
        'arithmetic',
      ],
      rounds.map((r) => [
        ...[figure(r.workers1S), figure(r.workers2S), two(r.workersRatio)],
        ...[figure(r.threads1S), figure(r.threads2S), two(r.threadsRatio)],
        ...[figure(r.separate1S), figure(r.separate2S), two(r.separateRatio), two(r.arithmeticRatio)],
      ]),
    ),
    ...(ofCeiling ? [ceilingText(rounds, ofCeiling, processors)] : []),
  ].join('\n\n');
}

function ceilingText(
  rounds: readonly SharingRound[],
  { mean, low, high }: NonNullable<SharingFigures['ofCeiling']>,
  processors: SharingFigures['processors'],
): string {
  const meanOf = (of: (round: SharingRound) => number | undefined) =>
    rounds.reduce((sum, round) => sum + (of(round) ?? Number.NaN), 0) / rounds.length;
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  const interval =
    low === null || high === null ? 'one round, no interval' : `95 % interval ${percent(low)} to ${percent(high)}`;
  const [one, both] = [0, 1].map((i) => meanOf((r) => r.coresBusy?.workers[i]));
  const [oneAlone, bothAlone] = [0, 1].map((i) => meanOf((r) => r.coresBusy?.separate[i]));
  return `Asked: twice as fast, ratio 2. Two workers are ${two(meanOf((r) => r.workersRatio))} times as fast as one; two processes that have nothing to do with each other ${two(meanOf((r) => r.separateRatio))} times: workers over NATS reach ${percent(mean)} (${interval}) of what this machine gives two processes. ${busyText([one, both], [oneAlone, bothAlone])} ${processorText(
    meanOf((r) => r.arithmeticRatio),
    processors,
  )}`;
}

function busyText([one, both]: readonly number[], [oneAlone, bothAlone]: readonly number[]): string {
  return `Processors busy: ${two(one)} with one worker (sweep and server among it), ${two(both)} with two; ${two(oneAlone)} and ${two(bothAlone)} with separate processes.`;
}

function processorText(arithmetic: number, processors: SharingFigures['processors']): string {
  const said =
    processors?.threadsACore === 1
      ? 'The system says that each of its processors is a core of its own'
      : `The system says that ${processors?.threadsACore ?? 'an unknown number of'} of its processors are one core`;
  const virtual = processors?.virtual ? ', which in a virtual machine says nothing of the machine below' : '';
  const found =
    arithmetic > 1.9
      ? 'what two processes lack is memory, cache or clock, not a core'
      : 'so a second processor is less than a second core even for arithmetic without memory, as with two threads of one core or a core that others use';
  return `${said}${virtual}; arithmetic without memory is ${two(arithmetic)} times as fast on two: ${found}.`;
}

function sleepingTable(rows: readonly SleepingFigures[]): string {
  return table(
    ['points that sleep', 'workers', 'points/s: one', 'all', 'ratio', 'of what they could'],
    rows.map((r) => [
      ...[`${r.sleepMs} ms`, String(r.workers), figure(r.pointsPerS.one, 3), figure(r.pointsPerS.several, 3)],
      ...[figure(r.ratio, 3), `${(100 * r.ofIdeal).toFixed(0)} %`],
    ]),
  );
}
