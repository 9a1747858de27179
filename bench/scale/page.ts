import { figure, provenance, table } from '../chapters/parts.ts';
import type { SweepNatsReport } from '../sweep-nats/report.ts';
import { ASSUMED, type Costs, costsOf, type Limit, limits, type Scaled, scaled } from './model.ts';
import type { ScaleReport } from './report.ts';

/** docs/scale.md. */
export function scalePage(nats: SweepNatsReport, scale: ScaleReport): string {
  const costs = costsOf(nats, scale);
  const sizes = ASSUMED.radios.map((radios) => scaled(radios, costs));
  const found = limits(costs);
  return `${[
    '# From two radios to a city’s testbed',
    `What NATS, its object store and the run format carry, and what breaks first. The costs are **measured** on one machine of ${scale.machine.cores} cores; everything for more than a few radios is **calculated** from them, with the arithmetic beside it, and has been run by nobody. Written by \`node --import tsx bench/scale-page.ts\` from bench/results/sweep-nats.json and scale.json.`,
    shortText(found),
    '## Measured',
    measuredTable(nats, scale, costs),
    notesOf(nats, scale),
    '## Assumed',
    assumedText(costs),
    '## Calculated',
    calculatedTable(sizes),
    arithmeticText(costs, sizes),
    '## What breaks first',
    limitsTable(found),
    structureText(),
  ].join('\n\n')}\n`;
}

function shortText(found: readonly Limit[]): string {
  const [first, second] = found;
  const last = found[found.length - 1];
  return `In short: the ways back, the sweeps and the files of twenty radios need nothing beyond one small server. What goes first is ${first.what} (at ${whole(first.radios)} radios), then ${second.what} (${whole(second.radios)}); last of all ${last.what} (${whole(last.radios)}).`;
}

function measuredTable(nats: SweepNatsReport, scale: ScaleReport, costs: Costs): string {
  const sweep = `\`${nats.command}\``;
  const other = `\`${scale.command}\``;
  const overhead = nats.overhead[nats.overhead.length - 1];
  const feedback = scale.feedback[scale.feedback.length - 1];
  const { store } = nats;
  const idle = nats.idle[nats.idle.length - 1];
  return table(
    ['what', 'cost', 'by'],
    [
      [
        'a point of a sweep, processor time',
        `server ${figure(costs.serverMs, 3)} ms, sweep ${figure(costs.coordinatorMs, 3)} ms, worker ${figure(overhead.cpuMsEach.workers, 3)} ms beside measuring`,
        sweep,
      ],
      [
        'points that take no time, everything on this machine',
        `${figure(1e3 / overhead.overheadMs, 3)} a second (${overhead.points}, ${overhead.workers} workers of ${overhead.placesEach} places)`,
        sweep,
      ],
      [
        'a point, at the server',
        `${figure(overhead.wireEach.inMessages, 3)} messages in, ${figure(overhead.wireEach.outMessages, 3)} out, ${figure((overhead.wireEach.inBytes + overhead.wireEach.outBytes) / 1e3, 3)} kB`,
        sweep,
      ],
      [
        'a point, in the server’s store',
        `${figure((overhead.storedBytesEach.point ?? 0) / 1e3, 3)} kB until it is measured, its result ${figure(costs.outcomeBytes / 1e3, 3)} kB until it is on the sweep’s disk, about a second`,
        sweep,
      ],
      [
        'a worker’s place that waits',
        `server ${figure(costs.workerIdleUsPerS, 3)} us/s, ${figure(idle.bytesPerSEach, 3)} B/s, ${figure(1024 * costs.workerMiB, 3)} KiB (${idle.connections} of them)`,
        sweep,
      ],
      [
        'a file through the object store',
        `in ${figure(store?.putMBPerS, 3)} MB/s, out ${figure(store?.getMBPerS, 3)} MB/s, hashed at both ends; server ${figure(store?.serverCpuMsPerMB.put, 3)} and ${figure(store?.serverCpuMsPerMB.get, 3)} ms/MB`,
        sweep,
      ],
      [
        'what a receiver says back',
        `${scale.link.messages} messages about ${scale.link.bursts} bursts of one photo, ${figure(costs.messagesPerBurst, 2)} a burst, ${figure(scale.link.meanMessageBytes, 2)} B on average, at most ${scale.link.largestMessageBytes}`,
        other,
      ],
      [
        `a message of the way back (${feedback.messageBytes} B, ${feedback.links} links)`,
        `server ${figure(costs.messageUs, 3)} us, both ends together ${figure(feedback.bothEndsCpuUsEach, 3)} us, ${figure(costs.messageBytes, 3)} B in and out`,
        other,
      ],
      [
        'a way back that is silent',
        `server ${figure(1e3 * feedback.idle.serverCpuMsPerSEach, 3)} us/s, ${figure(feedback.idle.wireBytesPerSEach, 3)} B/s`,
        other,
      ],
      [
        'a dashboard’s page, 30 updates a second',
        `${figure(scale.telemetry.bytesPerS / 1e6, 3)} MB/s, its server ${figure(scale.telemetry.serverCpuMsPerS, 3)} ms/s`,
        other,
      ],
      [
        'a run directory of one photo',
        `${figure(scale.run.all / 1e6, 3)} MB in ${scale.run.files} files: captures ${figure(scale.run.captures / 1e6, 3)}, pictures ${figure(scale.run.pictures / 1e6, 3)}, report ${figure(scale.run.report / 1e6, 3)}, records ${figure(scale.run.records / 1e6, 2)}`,
        other,
      ],
    ],
  );
}

function notesOf(nats: SweepNatsReport, scale: ScaleReport): string {
  const loads = [...Object.values(nats.load), ...Object.values(scale.load)];
  const lost = scale.feedback.some(({ said, heard }) => said !== heard);
  const said = scale.feedback.map((f) => `${f.heard} of ${f.said}`).join(' and ');
  return `${provenance(nats)} (${nats.server}) and ${commitOf(scale)}; server, workers and sweep on the same machine, one-minute load ${figure(Math.min(...loads), 3)} to ${figure(Math.max(...loads), 3)} before the parts: processor times suffer little from load, times and MB/s much.${nats.quick || scale.quick ? ' **Quick runs: not for quotation.**' : ''} ${lost ? `Of the messages back ${said} came: a channel that loses is what the link is made for.` : `All messages back came (${said}).`}`;
}

function commitOf({ program }: ScaleReport): string {
  return program.git ? `commit ${program.git.commit.slice(0, 10)}` : 'no commit recorded';
}

function assumedText(costs: Costs): string {
  return [
    `- Two radios are one link. A link sends ${ASSUMED.burstsPerS} bursts a second (a sounding each 20 ms, data among them); the receiver answers ${figure(costs.messagesPerBurst, 2)} messages a burst.`,
    `- A link makes one run directory each ${ASSUMED.secondsARun} s, day and night.`,
    `- A receiver’s samples: ${ASSUMED.rateHz / 1e6} Msps of ${ASSUMED.sampleBytes} B.`,
    `- Each radio’s host measures points of sweeps on ${ASSUMED.coresAHost} cores, ${ASSUMED.pointS} s a point (the integrated codec’s on one core here).`,
    '- One dashboard a radio, all watched from one place, 30 updates a second.',
    '- One NATS server on one core; it uses more where there are more.',
  ].join('\n');
}

function calculatedTable(sizes: readonly Scaled[]): string {
  const row = (name: string, of: (s: Scaled) => number) => [name, ...sizes.map((s) => figure(of(s), 3))];
  return table(
    ['radios', ...sizes.map((s) => String(s.radios))],
    [
      row('ways back: messages a second', (s) => s.feedback.messagesPerS),
      row('their share of a server’s core', (s) => s.feedback.cores),
      row('their MB/s at the server', (s) => s.feedback.MBPerS),
      row('workers’ places', (s) => s.sweep.places),
      row('waiting: share of a server’s core', (s) => s.idle.cores),
      row('waiting: MiB at the server', (s) => s.idle.MiB),
      row('sweep: points a second', (s) => s.sweep.pointsPerS),
      row('sweep: cores of its own process', (s) => s.sweep.coordinatorCores),
      row('sweep: cores of the server', (s) => s.sweep.serverCores),
      row('sweep: results a day, GB', (s) => s.sweep.resultGBADay),
      row('run directories a day, TB', (s) => s.runsTBADay),
      row('files a day', (s) => s.filesADay),
      row('all samples, MB/s', (s) => s.rawMBPerS),
      row('all samples, of one object store', (s) => s.rawOfStore),
      row('all dashboards, MB/s', (s) => s.telemetryMBPerS),
    ],
  );
}

/** Each line of the table for the second size, step by step. */
function arithmeticText(c: Costs, sizes: readonly Scaled[]): string {
  const s = sizes[1];
  const f = (value: number) => figure(value, 3);
  return [
    `For ${s.radios} radios:`,
    `- ways back: ${s.links} links x ${ASSUMED.burstsPerS} bursts/s x ${f(c.messagesPerBurst)} = ${f(s.feedback.messagesPerS)} messages/s; x ${f(c.messageUs)} us = ${f(s.feedback.cores)} cores; x ${f(c.messageBytes)} B = ${f(s.feedback.MBPerS)} MB/s`,
    `- waiting: ${s.radios} x ${ASSUMED.coresAHost} = ${s.sweep.places} places; x ${f(c.workerIdleUsPerS)} us/s = ${f(s.idle.cores)} cores; x ${f(1024 * c.workerMiB)} KiB = ${f(s.idle.MiB)} MiB`,
    `- sweep: ${s.sweep.places} places / ${ASSUMED.pointS} s = ${f(s.sweep.pointsPerS)} points/s; x ${f(c.coordinatorMs)} ms = ${f(s.sweep.coordinatorCores)} cores of the sweep; x ${f(c.serverMs)} ms = ${f(s.sweep.serverCores)} of the server; x 86400 s x ${f(c.outcomeBytes / 1e3)} kB = ${f(s.sweep.resultGBADay)} GB a day`,
    `- runs: ${s.links} links x 86400 s / ${ASSUMED.secondsARun} s x ${f(c.runBytes / 1e6)} MB = ${f(s.runsTBADay)} TB a day, x ${c.runFiles} files = ${f(s.filesADay)} files`,
    `- samples: ${s.links} receivers x ${ASSUMED.rateHz / 1e6} Msps x ${ASSUMED.sampleBytes} B = ${f(s.rawMBPerS)} MB/s; / ${f(c.storeMBPerS)} MB/s = ${f(s.rawOfStore)} object stores`,
    `- dashboards: ${s.radios} x ${f(c.telemetryBytesPerS / 1e6)} MB/s = ${f(s.telemetryMBPerS)} MB/s`,
  ].join('\n');
}

function limitsTable(found: readonly Limit[]): string {
  return table(
    ['used up', 'at radios', 'calculated', 'instead'],
    found.map((l) => [l.what, whole(l.radios), l.arithmetic, l.instead]),
  );
}

/** What is not a matter of figures. */
function structureText(): string {
  return [
    'Bounds in the program itself, whatever the machine: a sweep has at most 100 000 points and 4096 of them on the server at once (2048 places without waiting); 65 536 points may be under way; an input has at most 16 GiB and 2000 files; results stay 14 days, files 30. One server is one point of failure for speed, not for results ([ADR 0034](adr/0034-sweeps-over-nats.md)).',
    'Not calculated, because nothing here measured it: the air itself (who may send when, and on what frequency: nothing in the testbed coordinates links), clocks of many hosts, networks slower or longer than one machine’s own, a cluster of servers, more than one core for the server.',
  ].join('\n\n');
}

function whole(value: number): string {
  return value >= 10 ? String(Math.floor(Number(value.toPrecision(2)))) : value.toFixed(1);
}
