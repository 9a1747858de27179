import type { BurstEvent, Receiver } from '../../link/receiver.ts';
import type { LogEvent, RunEvent, SfvEvent, Telemetry } from '../../link/telemetry.ts';
import type { TransmissionPlan } from '../../link/transmission.ts';
import type { Numerology } from '../../phy/numerology.ts';
import type { SampleBlock } from '../../radio/radio.ts';
import type { DecodedImage, SfvOutcome } from '../../sct/codec/codec.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { BurstTrace } from '../metrics/burst-trace.ts';
import type { SemanticData } from '../report/semantic-data.ts';
import { type ComingPicture, pictureSoFar } from './build-up.ts';
import { burstTelemetry, rbsOf } from './burst-telemetry.ts';
import { picturesOf, sourceTelemetry } from './picture-telemetry.ts';
import { damageTexts, goodEnd, lossText, planText, repetitionText } from './sentences.ts';
import { type Band, SignalMeter, type SignalReading } from './signal-meter.ts';
import { type RadioState, StatusTeller, type StreamState } from './status-teller.ts';
import { Spare, Thrift } from './thrift.ts';

/** What is known of a run when it begins, and stays. */
export type RunFacts = Omit<RunEvent, 'topic' | 'state' | 'mappingReason' | 'exitCode' | 'outcome' | 'metrics'>;

/** Least time between spectra, ms of the wall clock. */
const SPECTRUM_MS = 33;
/** Longest that SFVs of one burst take to appear one after another, ms. */
const APPEAR_MS = 1200;
/** Lines about repetitions and losses; what comes after them is counted elsewhere. */
const MOST_LINES = 100;

/** Tells a Telemetry of one run: what its receiver hears, and what becomes of its picture. Driven by what happens; it has no timer. */
export class RunWatch {
  /**
   * Share of the time that may go into showing the picture while it comes: 0 where samples do not wait, 1 where the run is held back so that
   * somebody can watch, and SFVs may appear one after another.
   */
  patience: () => number = () => 0;
  private readonly telemetry: Telemetry;
  private readonly facts: RunFacts;
  private readonly meter: SignalMeter;
  private readonly status: StatusTeller;
  private radio: () => RadioState | null = () => null;
  private reportedDb: readonly number[] | null = null;
  private readonly spectra: Thrift;
  private readonly details: Thrift;
  private meteringMs = 0;
  private buildAtMs = 0;
  /** Where the samples of the next spectrum begin; null: with the next block. */
  private spectrumFromS: number | null = null;
  /** Times of the first and of the last sample that came. */
  private cameS: readonly [number, number] | null = null;
  private lossesTold = 0;
  private lines = 0;
  private state: RunEvent['state'] = 'starting';
  private mapping: Pick<RunEvent, 'mapping' | 'mappingReason'>;
  private latest: { readonly timeS: number; readonly stream: StreamState; readonly reading: SignalReading } | null =
    null;
  private coming: ComingPicture | null = null;
  /** Of each SFV of the picture. */
  private readonly rbs = new Map<number, number>();

  /** @param folder where the run records, for the room that is left */
  constructor(telemetry: Telemetry, facts: RunFacts, folder: string | null) {
    this.telemetry = telemetry;
    this.facts = facts;
    this.mapping = { mapping: facts.mapping, mappingReason: null };
    this.meter = new SignalMeter(bandOf(facts));
    this.status = new StatusTeller(telemetry, folder);
    const spare = new Spare();
    this.spectra = new Thrift(spare, SPECTRUM_MS);
    this.details = new Thrift(spare, 0);
    this.run('starting');
    this.log('note', beginText(facts));
  }

  /** Where counters and settings of the radios are read as they are now. */
  reads(radio: () => RadioState): void {
    this.radio = radio;
  }

  /** A block that is about to be received. */
  block(block: SampleBlock, stream: StreamState): void {
    if (this.state === 'starting') this.run('running');
    const fromMs = performance.now();
    this.meter.add(block);
    const nowMs = performance.now();
    this.meteringMs += nowMs - fromMs;
    const timeS = block.index / stream.deviceRateHz;
    this.spectrumFromS = Math.min(timeS, this.spectrumFromS ?? timeS);
    if (this.spectra.due(nowMs)) {
      const reading = this.meter.read();
      if (reading) {
        this.status.levels(reading);
        this.status.tell(nowMs, timeS, stream, reading, this.radio());
        this.latest = { timeS, stream, reading };
        const { meanDbfs, peakDbfs } = reading;
        const fromS = this.spectrumFromS;
        const durationS = timeS + (block.data.length >> 1) / stream.deviceRateHz - fromS;
        // Samples lie around the LO, the signal beside it.
        const centreHz = (this.facts.frequencyHz ?? 0) + this.facts.loOffsetHz;
        const spanHz = stream.deviceRateHz;
        this.telemetry.tell({ topic: 'spectrum', timeS: fromS, durationS, centreHz, spanHz, meanDbfs, peakDbfs });
        this.spectrumFromS = null;
        this.spectra.took(nowMs, this.meteringMs + performance.now() - nowMs);
        this.meteringMs = 0;
      }
    }
    const endS = timeS + (block.data.length >> 1) / stream.deviceRateHz;
    this.cameS = [this.cameS?.[0] ?? timeS, endS];
    this.tellLosses(stream, this.cameS);
  }

  /** Where nothing is received: what the transmitter has sent by now. */
  sent(timeS: number, samples: number): void {
    if (this.state === 'starting') this.run('running');
    const stream = { deviceRateHz: this.facts.deviceRateHz, samples, lostSamples: 0, losses: [] };
    this.status.tell(performance.now(), timeS, stream, null, this.radio());
  }

  /** A burst that was heard. */
  heard(event: BurstEvent, trace: BurstTrace, chain: StreamState & { readonly receiver: Receiver }): void {
    const { numerology } = chain.receiver;
    const fromMs = performance.now();
    const detailed = this.details.due(fromMs);
    const told = burstTelemetry(event, trace, numerology, chain.deviceRateHz, this.reportedDb, detailed);
    this.telemetry.tell(told);
    if (detailed) this.details.took(fromMs, performance.now() - fromMs);
    this.status.heard(linearMeanDb(told.subbandSnrDb));
    const repetition = repetitionText(told);
    if (repetition) this.line('note', repetition);
    if (told.suspect) this.line('warning', `burst ${told.burst}: ${told.suspect}`);
    this.carries(event, trace, numerology);
  }

  /** The picture as the sender sees it, before its bursts go out. */
  async sending(title: string, image: RgbImage, semantic: SemanticData | undefined): Promise<void> {
    this.telemetry.tell(await sourceTelemetry(title, image, semantic));
    if (this.coming === null)
      this.sfvs((semantic?.ranking ?? []).map((id) => ({ id, state: 'waiting', snrDb: null, rbs: 0 })));
  }

  /** What the channel report that the picture was sent by promised, dB [subband]; and how it is sent, where that is decided here. */
  planned(reportedDb: readonly number[] | null, plan?: TransmissionPlan): void {
    this.reportedDb = reportedDb;
    this.coming = null;
    this.rbs.clear();
    if (plan) this.maps(plan.map, plan.mapReason);
    this.run('running');
    if (!plan) return;
    this.log('note', planText(plan));
    for (const text of plan.warnings) this.log('warning', text);
  }

  /** The picture as far as it has come, where the run has time for it. */
  async building(receiver: Receiver): Promise<void> {
    const { coming } = this;
    if (!coming || coming.order.length === 0) return;
    const share = this.patience();
    const fromMs = performance.now();
    if (share <= 0 || fromMs < this.buildAtMs) return;
    this.coming = { ...coming, order: [] };
    const decoded = await pictureSoFar(receiver, coming);
    if (!decoded) return;
    for (const event of await picturesOf({ uncorrected: decoded.image, image: undefined })) this.telemetry.tell(event);
    if (share === 1) await this.appear(decoded.sfvs ?? [], coming.order);
    else this.sfvs((decoded.sfvs ?? []).map((sfv) => this.outcomeOf(sfv)));
    const nowMs = performance.now();
    this.buildAtMs = nowMs + (nowMs - fromMs) * (1 / share - 1);
  }

  /** What came of the picture. */
  async decoded(
    decoded: DecodedImage | undefined,
    quality: { psnrDb: number | null; msSsim: number | null },
  ): Promise<void> {
    for (const event of await picturesOf(decoded, quality)) this.telemetry.tell(event);
    const sfvs = decoded?.sfvs ?? [];
    this.sfvs(sfvs.map((sfv) => this.outcomeOf(sfv)));
    for (const text of damageTexts(sfvs)) this.log('warning', text);
    this.coming = null;
  }

  /** What is received next begins with a new receiver: a replay was sent elsewhere. */
  again(): void {
    this.lossesTold = 0;
    this.cameS = null;
    this.coming = null;
    this.rbs.clear();
    this.status.again();
  }

  log(level: LogEvent['level'], text: string): void {
    this.telemetry.tell({ topic: 'log', level, at: new Date().toISOString(), text });
  }

  /** @param outcome one sentence; null where it ended well and nothing more is to be said */
  ended(exitCode: number, outcome: string | null, metrics: Readonly<Record<string, unknown>> | null): void {
    if (this.latest) {
      const { timeS, stream, reading } = this.latest;
      this.status.tell(performance.now(), timeS, stream, reading, this.radio(), true);
    }
    const said = outcome ?? (exitCode === 0 ? goodEnd(metrics) : exitCode === 130 ? 'stopped' : 'ended badly');
    if (typeof metrics?.mapping === 'string') this.maps(metrics.mapping, metrics.mappingReason);
    // What went wrong has been said where it did.
    if (exitCode === 0 && outcome === null) this.log('note', said);
    this.run('ended', { exitCode, outcome: said, metrics });
  }

  private run(state: RunEvent['state'], end?: Pick<RunEvent, 'exitCode' | 'outcome' | 'metrics'>): void {
    this.state = state;
    const open = { exitCode: null, outcome: null, metrics: null };
    this.telemetry.tell({ topic: 'run', state, ...this.facts, ...this.mapping, ...open, ...end });
  }

  private maps(mapping: string, reason: unknown): void {
    this.mapping = { mapping, mappingReason: typeof reason === 'string' && reason !== '' ? reason : null };
  }

  private sfvs(sfvs: SfvEvent['sfvs']): void {
    if (sfvs.length > 0) this.telemetry.tell({ topic: 'sfvs', sfvs });
  }

  private outcomeOf({ id, state, snrDb }: SfvOutcome): SfvEvent['sfvs'][number] {
    return { id, state, snrDb, rbs: this.rbs.get(id) ?? 0 };
  }

  private carries({ picture }: BurstEvent, trace: BurstTrace, n: Numerology): void {
    if (!picture) return;
    if (this.coming?.picture !== picture) this.rbs.clear();
    const carried = trace.carried?.streams ?? [];
    // A repetition brings more of the SFVs that are known.
    const order = trace.use === 'data' ? carried.map(({ id }) => id) : [...this.rbs.keys()];
    this.coming = { picture, order };
    if (carried.length === 0) return;
    for (const [id, rbs] of rbsOf(trace, n)) this.rbs.set(id, (this.rbs.get(id) ?? 0) + rbs);
    this.sfvs([...this.rbs].map(([id, rbs]) => ({ id, state: 'heard', snrDb: null, rbs })));
  }

  /** SFVs take the state that they came in, in the order of their symbols. */
  private async appear(sfvs: readonly SfvOutcome[], order: readonly number[]): Promise<void> {
    const heard: SfvEvent['sfvs'][number]['state'] = 'heard';
    const states = new Map(sfvs.map((sfv) => [sfv.id, this.outcomeOf(sfv)]));
    const shown = new Map([...states].map(([id, s]) => [id, order.includes(id) ? { ...s, state: heard } : s]));
    for (const id of order) {
      const state = states.get(id);
      if (!state) continue;
      shown.set(id, state);
      this.sfvs([...shown.values()]);
      await new Promise((resolve) => setTimeout(resolve, Math.min(100, APPEAR_MS / order.length)));
    }
  }

  private tellLosses(stream: StreamState, cameS: readonly [number, number]): void {
    for (; this.lossesTold < stream.losses.length; this.lossesTold++) {
      const { deaf, from, to, min, max, exact } = stream.losses[this.lossesTold];
      if (deaf) continue;
      const [fromS, toS] = [from / stream.deviceRateHz, to / stream.deviceRateHz];
      const event = { topic: 'loss', fromS, toS, min, max, exact } as const;
      this.telemetry.tell(event);
      this.line('warning', lossText(event, cameS));
    }
  }

  /** A line of which there may be many. */
  private line(level: LogEvent['level'], text: string): void {
    this.lines++;
    if (this.lines < MOST_LINES) this.log(level, text);
    else if (this.lines === MOST_LINES) this.log('warning', `${text}; more of the kind is not listed`);
  }
}

function beginText({ command, title, channel, modelled, codec, seed, frequencyHz, directory }: RunFacts): string {
  const where = frequencyHz === null ? '' : ` at ${(frequencyHz / 1e6).toFixed(3)} MHz`;
  const how = [
    codec,
    channel && `${modelled ? 'modelled ' : ''}${channel}${where}`,
    seed === null ? null : `seed ${seed}`,
  ];
  return `${command}: ${[channel ? title : `${title}${where}`, ...how].filter(Boolean).join(', ')}${directory ? `; in ${directory}` : ''}`;
}

/** Where the signal lies in the device's stream. */
function bandOf({ carriers, modemRateHz, fftSize, loOffsetHz, deviceRateHz }: RunFacts): Band | undefined {
  if (carriers === 0) return undefined;
  const halfHz = (carriers * modemRateHz) / fftSize / 2;
  return { from: (-loOffsetHz - halfHz) / deviceRateHz, to: (-loOffsetHz + halfHz) / deviceRateHz };
}

/** Mean of the powers, dB: what a mean of dB would put too low where the channel fades. */
function linearMeanDb(values: Float32Array): number {
  const known = values.filter((db) => Number.isFinite(db));
  return 10 * Math.log10(known.reduce((sum, db) => sum + 10 ** (db / 10), 0) / Math.max(1, known.length));
}
