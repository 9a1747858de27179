import { statfs } from 'node:fs/promises';
import type { LinkBudget, PipelineQueues, Telemetry, WayBack } from '../../link/telemetry.ts';
import type { LossRecord } from '../../radio/radio.ts';
import { type BudgetFacts, type BudgetReading, linkBudget } from './link-budget.ts';
import type { SignalReading } from './signal-meter.ts';

/** Counters and settings of the radios, where the run has them at hand. */
export interface RadioState {
  readonly clippedSamples: number;
  readonly underruns: number;
  readonly rxGainsDb: Readonly<Record<string, number>> | null;
  readonly txGainsDb: Readonly<Record<string, number>> | null;
  /** Absent: each gap of the stream is one. */
  readonly overruns?: number;
  readonly temperatureC?: number | null;
  /** In all recordings of the run so far. */
  readonly recordedBytes?: number;
  /** Blocks that wait. */
  readonly queued?: number;
  /** Of a receiver in stages. */
  readonly queues?: PipelineQueues | null;
  readonly budget?: BudgetFacts;
  readonly wayBack?: WayBack | null;
}

/** What is known of a stream while it is received; a receiver's chain is one. */
export interface StreamState {
  readonly deviceRateHz: number;
  readonly samples: number;
  readonly lostSamples: number;
  readonly losses: readonly LossRecord[];
}

/** Least time between two, ms of the wall clock. */
const STATUS_MS = 500;

/** Tells counters, levels and the link budget about twice a second. */
export class StatusTeller {
  private readonly telemetry: Telemetry;
  private readonly folder: string | null;
  private last = { atMs: 0, samples: 0, cpuUs: 0, recordedBytes: 0 };
  private lossesCounted = 0;
  private lostMin = 0;
  private gaps = 0;
  private level: BudgetReading = NOTHING;
  private diskFreeBytes: number | null = null;
  /** Of the latest burst. */
  private received: Pick<LinkBudget, 'rxDbm' | 'rxDbfs'> = { rxDbm: null, rxDbfs: null };

  /** @param folder where the run records, for the room that is left */
  constructor(telemetry: Telemetry, folder: string | null) {
    this.telemetry = telemetry;
    this.folder = folder;
  }

  /** A burst was heard: what is loud now is one. */
  heard(snrDb: number): void {
    this.level = { ...this.level, burst: true, snrDb };
  }

  /** Levels of the windows that were looked at since the last call. */
  levels({ loudDbfs, quietDbfs }: Pick<SignalReading, 'loudDbfs' | 'quietDbfs'>): void {
    const { loudDb, quietDb } = this.level;
    this.level = {
      ...this.level,
      loudDb: Math.max(loudDb ?? loudDbfs, loudDbfs),
      quietDb: Math.min(quietDb ?? quietDbfs, quietDbfs),
    };
  }

  /** What is received next begins with a new receiver. */
  again(): void {
    this.last = { ...this.last, atMs: 0, samples: 0 };
    this.lossesCounted = this.lostMin = this.gaps = 0;
  }

  /** Tells, where it is time or nothing comes any more (`last`); `level` of the latest windows, null where nothing was received. */
  tell(
    nowMs: number,
    timeS: number,
    stream: StreamState,
    level: Pick<SignalReading, 'rmsDbfs' | 'peakSampleDbfs'> | null,
    radio: RadioState | null,
    last = false,
  ): void {
    const sinceMs = nowMs - this.last.atMs;
    if (sinceMs < STATUS_MS && !last) return;
    const first = this.last.atMs === 0;
    const perS = (now: number, before: number) => (first ? 0 : (1e3 * (now - before)) / sinceMs);
    const { user, system } = process.cpuUsage();
    const cpuUs = user + system;
    const recordedBytes = radio?.recordedBytes ?? 0;
    this.count(stream.losses);
    this.telemetry.tell({
      topic: 'status',
      timeS,
      samples: stream.samples,
      lostMin: this.lostMin,
      lostMax: stream.lostSamples,
      gaps: this.gaps,
      clippedSamples: radio?.clippedSamples ?? 0,
      underruns: radio?.underruns ?? 0,
      overruns: radio?.overruns ?? this.gaps,
      rmsDbfs: level?.rmsDbfs ?? null,
      peakDbfs: level?.peakSampleDbfs ?? null,
      rxGainsDb: radio?.rxGainsDb ?? null,
      txGainsDb: radio?.txGainsDb ?? null,
      samplesPerS: perS(stream.samples, this.last.samples),
      cpu: perS(cpuUs, this.last.cpuUs) / 1e6,
      queued: radio?.queued ?? null,
      queues: radio?.queues ?? null,
      diskFreeBytes: this.diskFreeBytes,
      bytesPerS: radio?.recordedBytes === undefined ? null : perS(recordedBytes, this.last.recordedBytes),
      temperatureC: radio?.temperatureC ?? null,
      budget: radio?.budget ? this.budget(radio.budget) : null,
      wayBack: radio?.wayBack ?? null,
    });
    this.last = { atMs: nowMs, samples: stream.samples, cpuUs, recordedBytes };
    // What is loud next need not be a burst.
    this.level = { ...NOTHING, snrDb: this.level.snrDb };
    this.lookForRoom();
  }

  /** The budget; while no burst comes the level of the latest one stands. */
  private budget(facts: BudgetFacts): LinkBudget {
    const budget = linkBudget(facts, this.level);
    if (budget.rxDbfs !== null) this.received = { rxDbm: budget.rxDbm, rxDbfs: budget.rxDbfs };
    return { ...budget, ...this.received };
  }

  private count(losses: readonly LossRecord[]): void {
    for (; this.lossesCounted < losses.length; this.lossesCounted++) {
      const { deaf, min } = losses[this.lossesCounted];
      if (deaf) continue;
      this.lostMin += min;
      this.gaps++;
    }
  }

  private lookForRoom(): void {
    if (this.folder === null) return;
    statfs(this.folder).then(
      ({ bavail, bsize }) => {
        this.diskFreeBytes = bavail * bsize;
      },
      () => {},
    );
  }
}

const NOTHING: BudgetReading = { loudDb: null, quietDb: null, burst: false, snrDb: null };
