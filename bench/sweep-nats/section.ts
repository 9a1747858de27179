/** Part of the chapter of docs/results.md on sweeps: those over NATS, from sweep-nats.json. */
import { figure, provenance, table, verdict } from '../chapter-parts.ts';
import type { FaultFigures, OverheadFigures, SharingFigures, SleepingFigures, SweepNatsReport } from './report.ts';

/** What is asked. */
export const ASKED_OVERHEAD_MS = 5;
export const ASKED_KILLS = 20;

export function natsSection(report: SweepNatsReport): string {
  const { overhead, sharing, sleeping, faults, idle, store } = report;
  return [
    '### Over NATS',
    `${report.server}, on the same machine as the workers and the sweep.${report.quick ? ' **A quick run: not for quotation.**' : ''}`,
    ...(overhead.length > 0 ? [overheadTable(overhead)] : []),
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
      .map(([part, l]) => `${part} ${l}`)
      .join(', ')}.`,
  ].join('\n\n');
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

function faultsText(f: FaultFigures): string {
  const kills = f.killed.worker + f.killed.sweep;
  const exact = f.lost + f.doubled + f.different === 0;
  return `One sweep of ${f.points} real points on ${f.workers} workers, seed ${f.seed}: ${f.killed.worker} times a worker and ${f.killed.sweep} times the sweep ended by SIGKILL at random moments (${kills} of ${ASKED_KILLS} asked), the server ${f.killed.server} times, a cable to it broken ${f.network.broken} times and stalled ${f.network.stalled} times, in ${figure(f.tookS)} s: ${f.lost} points lost, ${f.doubled} doubled, ${f.different} other than in threads: ${verdict(exact && kills >= ASKED_KILLS)}.`;
}

function sharingTable({ points, rounds }: SharingFigures): string {
  return [
    `${points} real points (integrated codec), workers of one thread as processes of their own, pairs in alternating order; threads are what the machine gives without NATS:`,
    table(
      ['1 worker, s', '2 workers, s', 'ratio', '1 thread, s', '2 threads, s', 'ratio'],
      rounds.map((r) => [
        ...[figure(r.workers1S), figure(r.workers2S), figure(r.workersRatio, 3)],
        ...[figure(r.threads1S), figure(r.threads2S), figure(r.threadsRatio, 3)],
      ]),
    ),
  ].join('\n\n');
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
