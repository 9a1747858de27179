import type { WaitClock } from '../../common/wait-clock.ts';
import type { ReplayEvent } from '../../link/telemetry.ts';
import type { SampleBlock, SampleData } from '../../radio/radio.ts';
import { parseReplayCommand, type ReplayCommand } from './replay-command.ts';

/** Samples between two looks at what was asked: what the receiver processes at a time. */
const PART_SAMPLES = 1 << 12;
/** Longest wait between two looks, ms. */
const TICK_MS = 25;
/** Between two events, ms. */
const TELL_MS = 200;
/** A replay that is later than this does not hurry to make up for it, ms. */
const LATE_MS = 200;
/** Speed at which there is time to look at each burst; and the share of the time for it from there to the capture's own pace. */
const SLOW = 0.25;
const AT_PACE = 0.2;
/** Commands that make no sense and are noted, at most. */
const MOST_NOTED = 20;

export interface SteeringOptions {
  readonly rateHz: number;
  /** Index of the first sample of the capture, and the one behind its last. */
  readonly startIndex: number;
  readonly endIndex: number;
  /** Pace at first. */
  readonly speed: number;
  readonly clock: WaitClock;
  readonly signal: AbortSignal;
  tell(event: ReplayEvent): void;
  note(text: string): void;
}

/** Thrown out of a pass over the capture that another follows: what it has received so far is of no use. */
export class PassGivenUp extends Error {}

/** Lets a replay go at the pace, and from the place, that commands ask for. Speed 1 is the capture's own time, 0 as fast as it goes. */
export class ReplaySteering {
  /** The last pass ran from the first sample to the end, so that what it heard is what the capture holds. */
  whole = false;
  private readonly options: SteeringOptions;
  private readonly lengthS: number;
  private positionS: number;
  private speed: number;
  private paused = false;
  private stepping = false;
  private loop: readonly [number, number] | null = null;
  private target: number | null = 0;
  private fromStart = false;
  /** Place and time from which the pace is reckoned; null: from the next samples on. */
  private pace: { readonly atMs: number; readonly atS: number } | null = null;
  private toldAtMs = Number.NEGATIVE_INFINITY;
  private noted = 0;

  constructor(options: SteeringOptions) {
    this.options = options;
    this.lengthS = options.endIndex / options.rateHz;
    this.positionS = options.startIndex / options.rateHz;
    this.speed = options.speed;
  }

  /** Whether a pass over the capture is wanted: at first, and after every jump. */
  get wanted(): boolean {
    return this.target !== null && !this.options.signal.aborted;
  }

  /** Index at which the wanted pass begins. */
  begin(): number {
    const { startIndex, endIndex, rateHz } = this.options;
    const from = Math.max(startIndex, Math.min(endIndex, Math.round((this.target ?? 0) * rateHz)));
    this.target = null;
    this.pace = null;
    this.whole = false;
    this.fromStart = from === startIndex;
    this.positionS = from / rateHz;
    this.tell();
    return from;
  }

  /** One JSON object: {action, value}. One that makes no sense is noted, and ignored. */
  command(line: string): void {
    const command = parseReplayCommand(line, this.lengthS);
    if (typeof command !== 'string') this.obey(command);
    else if (this.noted < MOST_NOTED) {
      this.noted++;
      const last = this.noted === MOST_NOTED ? '; others are not noted any more' : '';
      this.options.note(`a command to the replay was ignored: ${command}${last}`);
    }
  }

  /** Nobody can steer any more: what would never end goes on to the end. */
  commandsEnded(): void {
    this.loop = null;
    this.paused = false;
    this.stepping = false;
    this.pace = null;
  }

  /** Share of the time that may go into showing a picture while it comes: all where it stands or goes slowly, nothing where it hurries. */
  get patience(): number {
    if (this.paused || (this.speed > 0 && this.speed <= SLOW)) return 1;
    return this.speed === 0 || this.speed > 1 ? 0 : AT_PACE;
  }

  /** A burst was heard. */
  heard(): void {
    if (!this.stepping) return;
    this.stepping = false;
    this.paused = true;
  }

  /** The blocks of one pass, when they are due. @throws PassGivenUp where a seek interrupts it; a loop just ends it. */
  async *paced(blocks: AsyncIterable<SampleBlock>): AsyncGenerator<SampleBlock> {
    for await (const block of blocks) {
      for (const part of partsOf(block)) {
        await this.due(part.index / this.options.rateHz);
        if (this.target !== null || this.options.signal.aborted) return;
        yield part;
        this.positionS = (part.index + part.data.length / 2) / this.options.rateHz;
        this.tellSometimes();
      }
    }
    // A replay that is held at its end can still be sent elsewhere.
    await this.due(this.lengthS);
    this.whole = this.fromStart && this.target === null && !this.options.signal.aborted;
  }

  /** Waits until samples of this time are due, the replay is sent elsewhere, or the run is to stop. */
  private async due(timeS: number): Promise<void> {
    const { clock, signal } = this.options;
    while (!signal.aborted) {
      if (this.target !== null) throw new PassGivenUp();
      if (this.loop && timeS >= this.loop[1]) {
        this.jump(this.loop[0]);
        return;
      }
      const waitMs = this.paused ? TICK_MS : this.waitMs(timeS);
      if (!(waitMs > 0)) return;
      this.tellSometimes();
      await clock.sleep(Math.min(waitMs, TICK_MS));
    }
  }

  private waitMs(timeS: number): number {
    if (this.speed === 0 || this.stepping) return 0;
    const nowMs = this.options.clock.nowMs();
    this.pace ??= { atMs: nowMs, atS: timeS };
    const waitMs = this.pace.atMs + (1e3 * (timeS - this.pace.atS)) / this.speed - nowMs;
    if (waitMs < -LATE_MS) this.pace = { atMs: nowMs, atS: timeS };
    return waitMs;
  }

  private obey({ action, value }: ReplayCommand): void {
    if (action === 'seek') this.jump(value);
    else if (action === 'speed') this.speed = value;
    else if (action === 'loop') this.loop = value;
    else {
      this.paused = action === 'pause';
      this.stepping = action === 'step';
    }
    this.pace = null;
    this.tell();
  }

  private jump(toS: number): void {
    this.target = toS;
    this.positionS = toS;
  }

  private tellSometimes(): void {
    if (this.options.clock.nowMs() - this.toldAtMs >= TELL_MS) this.tell();
  }

  private tell(): void {
    const { positionS, lengthS, speed, paused, loop } = this;
    this.toldAtMs = this.options.clock.nowMs();
    this.options.tell({ topic: 'replay', positionS, lengthS, speed, paused, loop });
  }
}

/** A block in small pieces; the first has its loss and time. */
function* partsOf(block: SampleBlock): Generator<SampleBlock> {
  const samples = block.data.length / 2;
  for (let at = 0; at < samples; at += PART_SAMPLES) {
    const data = block.data.subarray(2 * at, 2 * (at + PART_SAMPLES)) as SampleData;
    yield at === 0
      ? { ...block, data }
      : { ...block, data, index: block.index + at, lostBefore: null, timestampNs: null };
  }
}
