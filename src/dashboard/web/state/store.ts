import { decodeFrame, FrameError } from '../../frames.ts';
import {
  type BurstTelemetry,
  eventOf,
  type LogEvent,
  type LossEvent,
  type OverviewEvent,
  type PictureEvent,
  type ReplayEvent,
  type RunEvent,
  type SfvEvent,
  type SourceEvent,
  type SpectrumEvent,
  type StatusEvent,
  type TelemetryEvent,
  type VideoEvent,
} from './events.ts';
import { Ring } from './ring.ts';

/** What came of a frame of a video; its picture is kept of the latest alone. */
export type VideoFrame = Pick<VideoEvent, 'frame' | 'state' | 'latencyMs'>;

/** Frames by which one may be overtaken. */
const OVERTAKEN = 60;

/** What can change: a topic of the wire, or the page's own. */
export type Change = TelemetryEvent['topic'] | 'connection' | 'selection' | 'theme';

/**
 * What the page knows: the latest of each topic and a bounded history. A new run, and a new connection (which begins with a snapshot), begin with
 * an empty one.
 */
export class Store {
  run: RunEvent | null = null;
  status: StatusEvent | null = null;
  source: SourceEvent | null = null;
  sfvs: SfvEvent | null = null;
  replay: ReplayEvent | null = null;
  overview: OverviewEvent | null = null;
  readonly pictures: { before: PictureEvent | null; after: PictureEvent | null } = { before: null, after: null };
  /** The latest frame of a video, and the latest with a picture. */
  readonly video: { latest: VideoEvent | null; shown: VideoEvent | null } = { latest: null, shown: null };
  readonly frames = new Ring<VideoFrame>(300);
  readonly spectra = new Ring<SpectrumEvent>(512);
  readonly bursts = new Ring<BurstTelemetry>(600);
  readonly losses = new Ring<LossEvent>(200);
  readonly log = new Ring<LogEvent>(400);
  /** Bytes that were no frame of this version. */
  unreadable = 0;
  /** When the last frame came, by the page's clock, ms. */
  heardAtMs = 0;
  private readonly listeners = new Map<Change, Set<() => void>>();

  on(changes: readonly Change[], listener: () => void): () => void {
    for (const change of changes) {
      const set = this.listeners.get(change) ?? new Set();
      this.listeners.set(change, set.add(listener));
    }
    return () => {
      for (const change of changes) this.listeners.get(change)?.delete(listener);
    };
  }

  say(change: Change): void {
    for (const listener of this.listeners.get(change) ?? []) listener();
  }

  /** @param bytes one frame */
  take(bytes: Uint8Array, nowMs: number): void {
    let event: TelemetryEvent;
    try {
      event = eventOf(decodeFrame(bytes));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.unreadable++;
      this.say('connection');
      return;
    }
    this.heardAtMs = nowMs;
    this.apply(event);
    this.say(event.topic);
  }

  /** Forgets everything: a snapshot follows. */
  reset(): void {
    this.run = null;
    this.log.clear();
    this.forgetRun();
    this.sayAll();
  }

  private apply(event: TelemetryEvent): void {
    switch (event.topic) {
      case 'run':
        if (this.run && isAnother(this.run, event)) {
          this.forgetRun();
          this.run = event;
          this.sayAll();
        }
        this.run = event;
        break;
      case 'picture':
        this.pictures[event.stage] = event;
        // What comes before correction belongs to a picture that was not corrected yet.
        if (event.stage === 'before') this.pictures.after = null;
        break;
      case 'video':
        this.video.latest = event;
        if (event.bytes.length > 0 && !isBefore(event, this.video.shown)) this.video.shown = event;
        this.frames.push({ frame: event.frame, state: event.state, latencyMs: event.latencyMs });
        break;
      case 'spectrum':
        this.spectra.push(event);
        break;
      case 'burst':
        this.bursts.push(event);
        break;
      case 'loss':
        this.losses.push(event);
        break;
      case 'log':
        this.log.push(event);
        break;
      case 'source':
        if (this.source) this.forgetPicture();
        this.source = event;
        break;
      case 'status':
        this.status = event;
        break;
      case 'sfvs':
        this.sfvs = event;
        break;
      case 'replay':
        this.replay = event;
        break;
      case 'overview':
        this.overview = event;
        break;
    }
  }

  private forgetRun(): void {
    this.status = this.source = this.replay = this.overview = null;
    this.video.latest = this.video.shown = null;
    this.frames.clear();
    this.forgetPicture();
    this.spectra.clear();
    this.bursts.clear();
    this.losses.clear();
  }

  private forgetPicture(): void {
    this.sfvs = this.pictures.before = this.pictures.after = null;
    this.say('sfvs');
    this.say('picture');
  }

  private sayAll(): void {
    for (const change of this.listeners.keys()) this.say(change);
  }
}

/** A frame that was overtaken, as its picture took longer to be made; much earlier ones are of a sender that began anew. */
function isBefore({ frame }: VideoEvent, shown: VideoEvent | null): boolean {
  return shown !== null && frame < shown.frame && frame > shown.frame - OVERTAKEN;
}

function isAnother(old: RunEvent, next: RunEvent): boolean {
  return old.startedAt !== next.startedAt || old.command !== next.command;
}

export const store = new Store();
