import type { SweepNatsReport } from '../sweep-nats/report.ts';
import type { ScaleReport } from './report.ts';

/** What is assumed of a testbed; the page says each beside its figures. */
export const ASSUMED = {
  radios: [2, 20, 200, 2000],
  /** A sounding each 20 ms is what a link sends that has nothing else to send. */
  burstsPerS: 50,
  /** A photo with everything kept, every 2 s. */
  secondsARun: 2,
  /** Of the default link, with 16 bits a component as a Pluto gives them. */
  rateHz: 7.68e6,
  sampleBytes: 4,
  /** Cores of a radio's host that measure points of a sweep, and how long one takes a point. */
  coresAHost: 4,
  pointS: 0.7,
  networkMBPerS: 125,
  diskTB: 20,
} as const;

const DAY_S = 86_400;

/** What the figures come to for so many radios; two radios are one link. */
export interface Scaled {
  readonly radios: number;
  readonly links: number;
  readonly feedback: { readonly messagesPerS: number; readonly cores: number; readonly MBPerS: number };
  readonly idle: { readonly cores: number; readonly MBPerS: number; readonly MiB: number };
  readonly telemetryMBPerS: number;
  readonly rawMBPerS: number;
  /** Of what one object store takes. */
  readonly rawOfStore: number;
  readonly runsTBADay: number;
  readonly filesADay: number;
  readonly sweep: {
    readonly places: number;
    readonly pointsPerS: number;
    readonly coordinatorCores: number;
    readonly serverCores: number;
    readonly resultGBADay: number;
  };
}

/** Costs as they were measured, in the units that are calculated with. */
export interface Costs {
  readonly messagesPerBurst: number;
  readonly messageUs: number;
  readonly messageBytes: number;
  readonly workerIdleUsPerS: number;
  readonly workerIdleBytesPerS: number;
  readonly workerMiB: number;
  readonly telemetryBytesPerS: number;
  readonly storeMBPerS: number;
  readonly runBytes: number;
  readonly runFiles: number;
  readonly coordinatorMs: number;
  readonly serverMs: number;
  readonly outcomeBytes: number;
}

export function costsOf(nats: SweepNatsReport, scale: ScaleReport): Costs {
  const many = <T>(list: readonly T[]): T => list[list.length - 1];
  const [feedback, idle, overhead] = [many(scale.feedback), many(nats.idle), many(nats.overhead)];
  const { store } = nats;
  if (!feedback || !idle || !overhead || !store) throw new Error('bench/results/sweep-nats.json lacks a part');
  return {
    messagesPerBurst: scale.link.messagesPerBurst,
    messageUs: feedback.serverCpuUsEach,
    messageBytes: feedback.wireBytesEach,
    workerIdleUsPerS: (1e3 * idle.serverCpuMsPerS) / idle.connections,
    workerIdleBytesPerS: idle.bytesPerSEach,
    workerMiB: (idle.serverMiB - idle.serverMiBBefore) / idle.connections,
    telemetryBytesPerS: scale.telemetry.bytesPerS,
    storeMBPerS: store.putMBPerS,
    runBytes: scale.run.all,
    runFiles: scale.run.files,
    coordinatorMs: overhead.cpuMsEach.sweep,
    serverMs: overhead.cpuMsEach.server,
    outcomeBytes: overhead.storedBytesEach.outcome ?? 0,
  };
}

export function scaled(radios: number, costs: Costs): Scaled {
  const links = radios / 2;
  const messagesPerS = links * ASSUMED.burstsPerS * costs.messagesPerBurst;
  const places = radios * ASSUMED.coresAHost;
  const pointsPerS = places / ASSUMED.pointS;
  const rawMBPerS = (links * ASSUMED.rateHz * ASSUMED.sampleBytes) / 1e6;
  const runsADay = (links * DAY_S) / ASSUMED.secondsARun;
  return {
    radios,
    links,
    rawMBPerS,
    rawOfStore: rawMBPerS / costs.storeMBPerS,
    feedback: {
      messagesPerS,
      cores: (messagesPerS * costs.messageUs) / 1e6,
      MBPerS: (messagesPerS * costs.messageBytes) / 1e6,
    },
    idle: {
      cores: (places * costs.workerIdleUsPerS) / 1e6,
      MBPerS: (places * costs.workerIdleBytesPerS) / 1e6,
      MiB: places * costs.workerMiB,
    },
    telemetryMBPerS: (radios * costs.telemetryBytesPerS) / 1e6,
    runsTBADay: (runsADay * costs.runBytes) / 1e12,
    filesADay: runsADay * costs.runFiles,
    sweep: {
      places,
      pointsPerS,
      coordinatorCores: (pointsPerS * costs.coordinatorMs) / 1e3,
      serverCores: (pointsPerS * costs.serverMs) / 1e3,
      resultGBADay: (pointsPerS * DAY_S * costs.outcomeBytes) / 1e9,
    },
  };
}

/** Radios at which something is used up. */
export interface Limit {
  readonly what: string;
  readonly radios: number;
  readonly arithmetic: string;
  readonly instead: string;
}

/** What breaks, the first first. */
export function limits(costs: Costs): Limit[] {
  const one = scaled(2, costs);
  const until = (share: number) => 2 / share;
  const n = (value: number) => Number(value.toPrecision(3)).toString();
  const run = `${n(costs.runBytes / 1e6)} MB`;
  const out: Limit[] = [
    {
      what: 'samples of every receiver through one object store',
      radios: until(one.rawOfStore),
      arithmetic: `${n(costs.storeMBPerS)} MB/s / (${ASSUMED.rateHz / 1e6} Msps x ${ASSUMED.sampleBytes} B) x 2 radios`,
      instead: 'keep captures where they were made; bring the ones that matter (`sct capture cut`)',
    },
    {
      what: `a disk of ${ASSUMED.diskTB} TB with every run directory of a day`,
      radios: until(one.runsTBADay / ASSUMED.diskTB),
      arithmetic: `${ASSUMED.diskTB} TB / (${DAY_S / ASSUMED.secondsARun} runs x ${run}) x 2 radios`,
      instead: 'a sweep keeps a line a point; run directories for what somebody looks at',
    },
    {
      what: `a network of ${ASSUMED.networkMBPerS} MB/s with a dashboard of every radio, all in one room`,
      radios: until(one.telemetryMBPerS / ASSUMED.networkMBPerS),
      arithmetic: `${ASSUMED.networkMBPerS} MB/s / ${n(costs.telemetryBytesPerS / 1e6)} MB/s`,
      instead: 'dashboards stay with their radios, a page is opened at the one that matters; /metrics for the rest',
    },
    {
      what: 'one core of the sweep’s own process, with every host’s cores measuring points',
      radios: until(one.sweep.coordinatorCores),
      arithmetic: `1000 ms / ${n(costs.coordinatorMs)} ms x ${ASSUMED.pointS} s / ${ASSUMED.coresAHost} cores a host`,
      instead: 'a sweep in parts, each with its own process and NAME; points that take longer',
    },
    {
      what: 'places that can wait for points at one server (max_waiting 8192)',
      radios: 8192 / ASSUMED.coresAHost,
      arithmetic: `8192 / ${ASSUMED.coresAHost} cores a host`,
      instead: 'another NAME for each part',
    },
    {
      what: 'one core of the NATS server, with points',
      radios: until(one.sweep.serverCores),
      arithmetic: `1000 ms / ${n(costs.serverMs)} ms x ${ASSUMED.pointS} s / ${ASSUMED.coresAHost} cores a host`,
      instead: 'the server uses several cores; then a server a part',
    },
    {
      what: 'one core of the NATS server, with ways back',
      radios: until(one.feedback.cores),
      arithmetic: `1 / (${ASSUMED.burstsPerS} bursts x ${n(costs.messagesPerBurst)} messages x ${n(costs.messageUs)} us) x 2 radios`,
      instead: 'the server uses several cores; links whose ends reach each other need no server (ws://)',
    },
  ];
  return out.sort((a, b) => a.radios - b.radios);
}
