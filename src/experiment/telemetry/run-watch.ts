import { statfs } from 'node:fs/promises';
import type { RxChain } from '../../link/chains.ts';
import type { BurstEvent } from '../../link/receiver.ts';
import type { LogEvent, RunEvent, SfvEvent, Telemetry } from '../../link/telemetry.ts';
import type { SampleBlock } from '../../radio/radio.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { BurstTrace } from '../link-trace.ts';
import type { SemanticData } from '../report/semantic-data.ts';
import { burstTelemetry } from './burst-telemetry.ts';
import { receivedPictures, sourceTelemetry } from './picture-telemetry.ts';
import { SignalMeter } from './signal-meter.ts';

/** What is known of a run when it begins, and stays. */
export type RunFacts = Omit<RunEvent, 'topic' | 'state' | 'exitCode' | 'outcome' | 'metrics'>;

/** Counters and settings of the radios, where the run has them at hand. */
export interface RadioState {
  readonly clippedSamples: number;
  readonly underruns: number;
  readonly overruns?: number;
  readonly temperatureC?: number | null;
  readonly rxGainsDb: Readonly<Record<string, number>> | null;
  readonly txGainsDb: Readonly<Record<string, number>> | null;
}

/** Least time between spectra, and between states, ms of the wall clock. */
const SPECTRUM_MS = 40;
const STATUS_MS = 500;

/** Tells a Telemetry of one run: what its receiver hears, and what becomes of its picture. Driven by what happens; it has no timer. */
export class RunWatch {
  private readonly telemetry: Telemetry;
  private readonly facts: RunFacts;
  private readonly folder: string | null;
  private readonly meter = new SignalMeter();
  private radio: () => RadioState | null = () => null;
  private reportedDb: readonly number[] | null = null;
  private spectrumAtMs = 0;
  private spectrumFromS = 0;
  private status = { atMs: 0, samples: 0, cpuUs: 0 };
  private lossesTold = 0;
  private state: RunEvent['state'] = 'starting';
  private diskFreeBytes: number | null = null;

  /** @param folder where the run records, for the room that is left */
  constructor(telemetry: Telemetry, facts: RunFacts, folder: string | null) {
    this.telemetry = telemetry;
    this.facts = facts;
    this.folder = folder;
    this.run('starting');
  }

  /** Where counters and settings of the radios are read as they are now. */
  reads(radio: () => RadioState): void {
    this.radio = radio;
  }

  /** A block that is about to be received. */
  block(block: SampleBlock, chain: RxChain): void {
    if (this.state === 'starting') this.run('running');
    this.meter.add(block);
    const nowMs = performance.now();
    const timeS = block.index / chain.deviceRateHz;
    if (nowMs - this.spectrumAtMs >= SPECTRUM_MS) {
      const reading = this.meter.read();
      if (reading) {
        this.tellStatus(nowMs, timeS, chain, reading);
        this.telemetry.tell({
          topic: 'spectrum',
          timeS,
          durationS: Math.max(0, timeS - this.spectrumFromS),
          centreHz: this.facts.frequencyHz ?? 0,
          spanHz: chain.deviceRateHz,
          meanDbfs: reading.meanDbfs,
          peakDbfs: reading.peakDbfs,
        });
        this.spectrumAtMs = nowMs;
        this.spectrumFromS = timeS;
      }
    }
    this.tellLosses(chain);
  }

  /** A burst that was heard. */
  heard(event: BurstEvent, trace: BurstTrace, chain: RxChain): void {
    const { numerology } = chain.receiver;
    this.telemetry.tell(burstTelemetry(event, trace, numerology, chain.deviceRateHz, this.reportedDb));
    const carried = trace.carried?.streams ?? [];
    if (carried.length > 0) {
      this.sfvs(carried.map(({ id }) => ({ id, state: 'heard', snrDb: null, rbs: 0 })));
    }
  }

  /** The picture as the sender sees it, before its bursts go out. */
  async sending(title: string, image: RgbImage, semantic: SemanticData | undefined): Promise<void> {
    this.telemetry.tell(await sourceTelemetry(title, image, semantic));
    this.sfvs((semantic?.ranking ?? []).map((id) => ({ id, state: 'waiting', snrDb: null, rbs: 0 })));
  }

  /** What the channel report that the picture was sent by promised, dB [subband]. */
  planned(reportedDb: readonly number[] | null): void {
    this.reportedDb = reportedDb;
    this.run('running');
  }

  /** What came of the picture. */
  async decoded(
    decoded: DecodedImage | undefined,
    quality: { psnrDb: number | null; msSsim: number | null },
  ): Promise<void> {
    for (const event of await receivedPictures(decoded, quality)) this.telemetry.tell(event);
    this.sfvs((decoded?.sfvs ?? []).map(({ id, state, snrDb }) => ({ id, state, snrDb, rbs: 0 })));
  }

  /** What is received next begins with a new receiver: a replay was sent elsewhere. */
  again(): void {
    this.lossesTold = 0;
    this.status = { ...this.status, atMs: 0, samples: 0 };
  }

  log(level: LogEvent['level'], text: string): void {
    this.telemetry.tell({ topic: 'log', level, at: new Date().toISOString(), text });
  }

  ended(exitCode: number, outcome: string | null, metrics: Readonly<Record<string, unknown>> | null): void {
    this.run('ended', { exitCode, outcome, metrics });
  }

  private run(state: RunEvent['state'], end?: Pick<RunEvent, 'exitCode' | 'outcome' | 'metrics'>): void {
    this.state = state;
    this.telemetry.tell({ topic: 'run', state, ...this.facts, exitCode: null, outcome: null, metrics: null, ...end });
  }

  private sfvs(sfvs: SfvEvent['sfvs']): void {
    if (sfvs.length > 0) this.telemetry.tell({ topic: 'sfvs', sfvs });
  }

  private tellStatus(
    nowMs: number,
    timeS: number,
    chain: RxChain,
    level: { readonly rmsDbfs: number; readonly peakSampleDbfs: number },
  ): void {
    const sinceMs = nowMs - this.status.atMs;
    if (sinceMs < STATUS_MS) return;
    const { user, system } = process.cpuUsage();
    const first = this.status.atMs === 0;
    const radio = this.radio();
    this.telemetry.tell({
      topic: 'status',
      timeS,
      samples: chain.samples,
      lostMin: chain.losses.reduce((sum, l) => sum + (l.deaf ? 0 : l.min), 0),
      lostMax: chain.lostSamples,
      gaps: chain.losses.filter((l) => !l.deaf).length,
      clippedSamples: radio?.clippedSamples ?? 0,
      underruns: radio?.underruns ?? 0,
      overruns: radio?.overruns ?? 0,
      rmsDbfs: level.rmsDbfs,
      peakDbfs: level.peakSampleDbfs,
      rxGainsDb: radio?.rxGainsDb ?? null,
      txGainsDb: radio?.txGainsDb ?? null,
      samplesPerS: first ? 0 : (1e3 * (chain.samples - this.status.samples)) / sinceMs,
      cpu: first ? 0 : (user + system - this.status.cpuUs) / 1e3 / sinceMs,
      queued: null,
      diskFreeBytes: this.diskFreeBytes,
      bytesPerS: null,
      temperatureC: radio?.temperatureC ?? null,
      budget: null,
    });
    this.status = { atMs: nowMs, samples: chain.samples, cpuUs: user + system };
    if (this.folder !== null) {
      statfs(this.folder).then(
        ({ bavail, bsize }) => {
          this.diskFreeBytes = bavail * bsize;
        },
        () => {},
      );
    }
  }

  private tellLosses(chain: RxChain): void {
    for (; this.lossesTold < chain.losses.length; this.lossesTold++) {
      const { deaf, from, to, min, max, exact } = chain.losses[this.lossesTold];
      if (deaf) continue;
      const [fromS, toS] = [from / chain.deviceRateHz, to / chain.deviceRateHz];
      this.telemetry.tell({ topic: 'loss', fromS, toS, min, max, exact });
    }
  }
}
