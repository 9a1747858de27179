import type { PreambleEstimate } from '../channel-est/delay-window.ts';
import { DftEstimator } from '../channel-est/dft.ts';
import type { ChannelEstimator, EstimatorName } from '../channel-est/estimator.ts';
import { LmmseEstimator } from '../channel-est/lmmse.ts';
import { LsEstimator } from '../channel-est/ls.ts';
import { estimateFromTraining } from '../channel-est/training.ts';
import { EXTENSION_RATES, EXTENSION_UNIT_BYTES, type Header } from '../frame/header.ts';
import { type Numerology, SLOT_SYMBOLS } from '../numerology.ts';
import { type BurstLayout, burstLayout, extensionSymbols } from '../resource-grid.ts';
import { Acquirer, type Acquisition } from '../sync/acquire.ts';
import { CleanWindow } from '../sync/clean-window.ts';
import { withoutMean } from '../sync/dc.ts';
import { type Detection, Detector } from '../sync/detect.ts';
import { controlLlrs, readExtension, readHeader } from './control-reader.ts';
import { hidesOthers, suspicion } from './disturbance.ts';
import { FloatPool } from './float-pool.ts';
import { readPayload } from './payload-reader.ts';
import type { BurstRecord, MissRecord, ReceiverRecord, SkipRecord } from './record.ts';
import { Scratch } from './scratch.ts';
import { slotTurns } from './slot-turns.ts';
import { SymbolTracker } from './symbol-tracker.ts';

/** Search for a preamble; acquire = wait for all of it and its header; collect = wait for the burst's last sample. */
export type ReceiverState = 'search' | 'acquire' | 'collect';

const ESTIMATOR_CLASSES = { lmmse: LmmseEstimator, dft: DftEstimator, ls: LsEstimator };

export interface BurstReceiverOptions {
  /** Default lmmse. */
  readonly estimator?: EstimatorName;
}

interface Found {
  readonly detection: Detection;
  readonly acquisition: Acquisition;
  /** Sample of the stream that `acquisition` counts from. */
  readonly origin: number;
  readonly header: Header;
  readonly preamble: PreambleEstimate;
}

/**
 * The receiver of one numerology: a synchronous state machine from samples at the modem rate to records. It performs
 * no I/O, holds no clock, and gives the same records for any cutting of the stream into blocks.
 */
export class BurstReceiver {
  readonly numerology: Numerology;
  private readonly detector: Detector;
  private readonly acquirer: Acquirer;
  private readonly estimator: ChannelEstimator;
  private readonly tracker: SymbolTracker;
  private readonly window = new CleanWindow();
  private readonly scratch = new Scratch();
  /** Arrays of records that have been released. */
  private readonly pool = new FloatPool();
  private current: ReceiverState = 'search';
  private pending: Detection | null = null;
  private found: Found | null = null;
  /** Preambles seen and not decoded, for statistics. */
  misses = 0;
  /** Symbols of each slot (0 to 13) whose channel the records keep in `channelDetail`; set before the first push. */
  keptSymbols: readonly number[] = [];
  /** True: bursts are located and their headers read, nothing more (a receiver that cannot keep up); may change between two pushes. */
  headersOnly = false;

  constructor(numerology: Numerology, options: BurstReceiverOptions = {}) {
    this.numerology = numerology;
    this.detector = new Detector(numerology);
    this.acquirer = new Acquirer(numerology);
    this.tracker = new SymbolTracker(numerology);
    this.estimator = new ESTIMATOR_CLASSES[options.estimator ?? 'lmmse']();
  }

  get state(): ReceiverState {
    return this.current;
  }

  /** Samples taken so far, i.e. the stream index of the next one. */
  get position(): number {
    return this.window.end;
  }

  /** Samples that were not finite and were set to 0. */
  get nonFiniteSamples(): number {
    return this.window.nonFinite;
  }

  /** Carriers taken out of the stream, but for those far below the bursts. */
  get carriersRemoved(): number {
    return this.window.carriers.count;
  }

  /** Takes the next samples, [n][re, im], and returns what they completed. */
  push(samples: Float32Array): ReceiverRecord[] {
    this.window.take(samples);
    return this.run(false);
  }

  /** The stream has ended (or broken): decodes what there is of a burst in progress, then starts anew. */
  flush(): ReceiverRecord[] {
    // Silence lets a detection near the end become certain.
    const tail = this.detector.lookahead + this.numerology.preambleLength;
    const end = this.window.end;
    this.window.takeSilence(tail);
    const records = this.run(true, end);
    this.current = 'search';
    this.pending = null;
    this.found = null;
    this.window.discardTo(this.window.end);
    this.detector.reset(this.window.end);
    return records;
  }

  /** Takes a record's large arrays back, for records to come: nobody may read them from now on. Need not be called. */
  release({ payload, payloadSnr, channel }: BurstRecord): void {
    this.pool.give(channel);
    this.pool.give(payloadSnr);
    this.pool.give(payload);
  }

  private run(ended: boolean, realEnd = this.window.end): ReceiverRecord[] {
    const records: ReceiverRecord[] = [];
    for (;;) {
      let progressed: boolean;
      switch (this.current) {
        case 'search':
          progressed = this.search();
          break;
        case 'acquire':
          progressed = this.acquire(records, ended, realEnd);
          break;
        case 'collect':
          progressed = this.collect(records, ended, realEnd);
          break;
      }
      if (!progressed) return records;
    }
  }

  /** Examines hop after hop until a preamble shows; keeps enough history to look back on it. */
  private search(): boolean {
    for (;;) {
      const found = this.detector.scan(this.window.flat, this.window.start);
      if (found === null) break;
      if (found !== 'tone') {
        this.pending = found;
        this.current = 'acquire';
        return true;
      }
      const { toneShare, stretchStart, nextIndex } = this.detector;
      if (this.window.removeTone(stretchStart, nextIndex, toneShare)) this.detector.reset(stretchStart);
    }
    const keep = this.detector.lookahead + this.acquirer.margin.before + 2 * this.numerology.symbolLength;
    this.window.discardTo(Math.max(this.window.start, this.detector.nextIndex - keep));
    return false;
  }

  /** Reads preamble and header at a detection. On failure the search goes on where it stood: nothing is skipped. */
  private acquire(records: ReceiverRecord[], ended: boolean, realEnd: number): boolean {
    const n = this.numerology;
    const detection = this.pending!;
    const headerEnd = detection.index + this.acquirer.margin.after + n.headerSymbols * n.symbolLength + n.cpLength;
    if (headerEnd > this.window.end && !ended) return false;
    if (ended && (headerEnd > this.window.end || detection.index + n.preambleLength > realEnd)) {
      // Too late in the stream to be anything but a fragment; a fragment without its preamble is not counted.
      if (detection.index + n.preambleLength <= realEnd) this.miss(records, detection, 'stream ended');
      else this.tryRunnerUp();
      return true;
    }
    const from = Math.max(this.window.start, detection.index - this.acquirer.margin.before);
    const samples = this.window.samples.subarray(2 * this.window.at(from), 2 * this.window.at(headerEnd));
    const flat = this.window.flat.subarray(2 * this.window.at(from), 2 * this.window.at(headerEnd));
    const acquisition = this.acquirer.acquire(samples, detection.index - from, detection, flat);
    if (!acquisition || acquisition.start + from < this.window.start) {
      this.miss(records, detection, 'no preamble');
      return true;
    }
    const { channel, noiseVariance, backoff, subbandNoise } = acquisition;
    const preamble = estimateFromTraining(n, channel, noiseVariance, backoff, subbandNoise);
    const tracker = this.tracker.begin(acquisition, preamble, n.headerSymbols);
    const rows = this.scratch.take('control', 2 * n.nCarriers * n.headerSymbols);
    const pilots = this.scratch.take('control pilots', 2 * n.nSubbands * n.headerSymbols);
    if (tracker.endOf(n.headerSymbols - 1) > samples.length / 2 || acquisition.start < 0) {
      this.miss(records, detection, 'no preamble');
      return true;
    }
    tracker.demodulate(samples, 0, n.headerSymbols, rows, pilots);
    const llr = controlLlrs(n, rows, 0, n.headerSymbols, preamble.channel, acquisition, preamble, tracker.phases(0));
    const header = readHeader(n, llr);
    if (!header) {
      this.miss(records, detection, 'no header');
      return true;
    }
    if ('otherVersion' in header) {
      this.miss(records, detection, 'other version', header.otherVersion);
      return true;
    }
    this.found = { detection, acquisition, origin: from, header, preamble };
    this.pending = null;
    this.current = 'collect';
    return true;
  }

  private miss(
    records: ReceiverRecord[],
    detection: Detection,
    reason: MissRecord['reason'],
    version: number | null = null,
  ): void {
    this.misses++;
    records.push({ type: 'miss', startSample: detection.index, detectionRho: detection.rho, reason, version });
    this.tryRunnerUp();
  }

  /** The strongest peak may have been a pulse's edge or another burst's end, and the true one beside it. */
  private tryRunnerUp(): void {
    this.pending = this.detector.takeRunnerUp();
    this.current = this.pending ? 'acquire' : 'search';
  }

  /** Waits for the burst's last sample, decodes the rest of it and searches on from its end. */
  private collect(records: ReceiverRecord[], ended: boolean, realEnd: number): boolean {
    const n = this.numerology;
    const { acquisition, origin, header } = this.found!;
    const bytes = header.extensionUnits * EXTENSION_UNIT_BYTES;
    const layout = burstLayout(n, header.slots, extensionSymbols(n, bytes, EXTENSION_RATES[header.extensionMcs]));
    const start = origin + acquisition.start;
    // The other end's clock may be slow: half a prefix more for each 10 000 samples is beyond any crystal.
    const slack = n.cpLength + Math.ceil(layout.samples * 120e-6);
    const end = start + layout.samples + slack;
    if (end > this.window.end && !ended) return false;
    const available = Math.min(this.window.end, ended ? realEnd + n.cpLength : this.window.end);
    const { samples: lengthSamples } = layout;
    const record: BurstRecord | SkipRecord = this.headersOnly
      ? { type: 'skip', startSample: start, lengthSamples, header, reason: 'overload' }
      : this.readBurst(this.found!, layout, available);
    records.push(record);
    // Where another burst may lie on top, the search goes on behind the header, else behind the burst.
    const again = record.type === 'burst' && hidesOthers(n, record);
    const covered = again ? n.preambleLength + n.headerSymbols * n.symbolLength : layout.samples;
    const resume = Math.min(start + covered - n.cpLength, this.window.end);
    this.window.discardTo(resume);
    this.detector.reset(resume, again ? start + layout.samples : resume);
    this.found = null;
    this.current = 'search';
    return true;
  }

  private readBurst(found: Found, layout: BurstLayout, available: number): BurstRecord {
    const n = this.numerology;
    const { acquisition, origin, header, detection, preamble } = found;
    const start = origin + acquisition.start;
    const symbolsEnd = (symbols: number) =>
      start + n.preambleLength + symbols * n.symbolLength + Math.ceil(symbols * n.symbolLength * 120e-6);
    let slots = header.slots;
    while (slots > 0 && symbolsEnd(layout.controlSymbols + slots * SLOT_SYMBOLS) > available) slots--;
    const extensionThere = layout.extensionSymbols > 0 && symbolsEnd(layout.controlSymbols) <= available;

    const from = Math.max(this.window.start, start);
    const stop = Math.min(this.window.end, start + layout.samples + n.cpLength + Math.ceil(layout.samples * 120e-6));
    const ends = [start, start + layout.samples] as const;
    const base = origin - from;
    const begin = start - from;
    const { samples, dcDb, power, changes } = withoutMean(this.window, [from, stop], ends, n, this.scratch);
    this.window.carriers.burst(power);

    const tracker = this.tracker.begin(acquisition, preamble, layout.symbols);
    const control = extensionThere ? layout.controlSymbols : layout.headerSymbols;
    const controlRows = this.scratch.take('control', 2 * n.nCarriers * control);
    const controlPilots = this.scratch.take('control pilots', 2 * n.nSubbands * control);
    tracker.demodulateControl(samples, base, control, controlRows, controlPilots);
    const { headerSymbols, extensionSymbols: count } = layout;
    const channelAt = (symbol: number) => tracker.controlChannel.at(symbol);
    const llrs = () =>
      controlLlrs(n, controlRows, headerSymbols, count, channelAt, acquisition, preamble, tracker.phases(0));
    const extension = extensionThere ? readExtension(header, llrs()) : null;

    tracker.beginSlots(slots);
    for (let slot = 0; slot < slots; slot++) tracker.takeSlot(samples, base);
    const phase = tracker.phases(0);
    const received = tracker.finishSlots(phase);
    const payload = readPayload(
      n,
      slots,
      layout.controlSymbols,
      received,
      phase,
      preamble,
      acquisition.noiseVariance,
      this.estimator,
      this.keptSymbols,
      this.pool,
    );
    const suspect = suspicion({
      numerology: n,
      samples,
      slots,
      start: begin,
      changes,
      cfo: acquisition.cfo + tracker.residualCfo,
      backoff: acquisition.backoff,
      clockOffset: tracker.clockOffset,
      clockJumpAt: tracker.clockJumpAt,
      controlSymbols: layout.controlSymbols,
      noiseVariance: acquisition.noiseVariance,
      power: preamble.power,
      preambleChannel: preamble.channel,
      rbNoise: payload.rbNoise,
      rbSnrDb: payload.rbSnrDb,
      slotChannels: payload.channel,
    });
    return {
      type: 'burst',
      startSample: start,
      lengthSamples: layout.samples,
      header,
      extension,
      extensionOk: layout.extensionSymbols === 0 || extension !== null,
      slots,
      truncated: slots < header.slots,
      suspect,
      detectionRho: detection.rho,
      cfoHz: (acquisition.cfo + tracker.residualCfo) * n.sampleRateHz,
      sfoPpm: tracker.clockOffset * 1e6,
      dcDb,
      payload: payload.payload,
      payloadSnr: payload.payloadSnr,
      rbSnrDb: payload.rbSnrDb,
      rbSnrErrorDb: payload.rbSnrErrorDb,
      subbandSnrDb: payload.subbandSnrDb,
      subbandSnrErrorDb: payload.subbandSnrErrorDb,
      channel: payload.channel,
      channelDetail: payload.channelDetail,
      channelError: payload.channelError,
      noiseVariance: payload.noiseVariance,
      rbNoise: payload.rbNoise,
      rbNoiseError: payload.rbNoiseError,
      snrDb: payload.snrDb,
      estimator: payload.estimator,
      slotTurn: slotTurns(n, acquisition, tracker, layout.controlSymbols, payload.slotPhase),
      phase,
    };
  }

  describe(): string {
    const n = this.numerology;
    return `burst receiver, ${n.nSubbands} subbands, ${this.detector.describe()}, ${this.estimator.name} channel estimate`;
  }
}
