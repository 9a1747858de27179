import type { HostFacts, ProgramFacts } from '../../src/experiment/run/host-facts.ts';
import type { Processors } from './control.ts';

export const SWEEP_NATS_SCHEMA = 'sct.bench.sweep-nats/1';

/** What a point costs beside measuring it. */
export interface OverheadFigures {
  readonly points: number;
  readonly workers: number;
  readonly placesEach: number;
  /** Expansion and folder, before the first point; from then to the end. */
  readonly planS: number;
  readonly measureS: number;
  /** Wall clock a point, without and with expansion. */
  readonly overheadMs: number;
  readonly overheadWithPlanMs: number;
  /** Processor time a point. */
  readonly cpuMsEach: { readonly server: number; readonly workers: number; readonly sweep: number };
  /** At the server, a point. */
  readonly wireEach: {
    readonly inMessages: number;
    readonly outMessages: number;
    readonly inBytes: number;
    readonly outBytes: number;
  };
  /** In the server's store, a message of each stream. */
  readonly storedBytesEach: Readonly<Record<string, number>>;
  /** The most of them at once. */
  readonly storedAtOnce?: Readonly<Record<string, number>>;
  readonly residentMiB: { readonly server: number; readonly worker: number; readonly sweep: number };
}

/** One sweep through everything that can break. */
export interface FaultFigures {
  readonly seed: number;
  readonly points: number;
  readonly workers: number;
  readonly tookS: number;
  /** SIGKILL, then begun again. */
  readonly killed: { readonly worker: number; readonly sweep: number; readonly server: number };
  /** Of a worker's or the sweep's own cable to the server. */
  readonly network: { readonly broken: number; readonly stalled: number };
  /** Against the same sweep in threads. */
  readonly lost: number;
  readonly doubled: number;
  readonly different: number;
}

export interface SharingRound {
  readonly workers1S: number;
  readonly workers2S: number;
  readonly threads1S: number;
  readonly threads2S: number;
  readonly workersRatio: number;
  readonly threadsRatio: number;
  /** `sct sweep --jobs 1` without NATS, one and two at once with half of the points each: what two processors give. */
  readonly separate1S?: number;
  readonly separate2S?: number;
  readonly separateRatio?: number;
  /** Two processes of arithmetic without memory against one. */
  readonly arithmeticRatio?: number;
  /** Processors busy with everything that belongs to it, with one and with two. */
  readonly coresBusy?: { readonly workers: readonly number[]; readonly separate: readonly number[] };
}

export interface SharingFigures {
  readonly points: number;
  readonly processors?: Processors;
  readonly rounds: readonly SharingRound[];
  /** Workers' ratio over that of independent processes, mean of the rounds with its 95 % interval (Student's t). */
  readonly ofCeiling?: { readonly mean: number; readonly low: number | null; readonly high: number | null };
}

export interface SleepingFigures {
  readonly workers: number;
  readonly sleepMs: number;
  readonly pointsEach: number;
  readonly pointsPerS: { readonly one: number; readonly several: number };
  readonly ratio: number;
  /** Of what the workers would do without any overhead. */
  readonly ofIdeal: number;
}

/** Workers that wait: what a testbed costs that does nothing. */
export interface IdleFigures {
  readonly connections: number;
  readonly serverCpuMsPerS: number;
  readonly serverMiB: number;
  readonly serverMiBBefore: number;
  readonly bytesPerSEach: number;
  readonly messagesPerSEach: number;
}

/** Files through the object store. */
export interface StoreFigures {
  readonly megabytes: number;
  readonly putMBPerS: number;
  readonly getMBPerS: number;
  /** The same file for the second time: looked for and not sent. */
  readonly againMs: number;
  readonly serverCpuMsPerMB: { readonly put: number; readonly get: number };
  readonly storedBytesPerByte: number;
}

export interface PartMade {
  readonly commit: string | null;
  readonly dirty: boolean;
  /** null where nobody wrote it down. */
  readonly tookS: number | null;
}

export interface SweepNatsReport {
  readonly schema: typeof SWEEP_NATS_SCHEMA;
  readonly command: string;
  readonly quick: boolean;
  readonly machine: HostFacts & { readonly node: string };
  readonly program: ProgramFacts;
  /** nats-server --version. */
  readonly server: string;
  /** By which commit each part was made, where they were made apart. */
  readonly made?: Readonly<Record<string, PartMade>>;
  /** One-minute load before each part. */
  readonly load: Readonly<Record<string, number>>;
  readonly overhead: readonly OverheadFigures[];
  readonly faults: FaultFigures | null;
  readonly sharing: SharingFigures | null;
  readonly sleeping: readonly SleepingFigures[];
  readonly idle: readonly IdleFigures[];
  readonly store: StoreFigures | null;
}
