/**
 * By how much the clocks of two hosts differ, by the exchange of four timestamps of NTP (RFC 5905, section 8): a request leaves at t0
 * by the own clock, arrives at t1 and is answered at t2 by the other's, the answer arrives at t3. Either end asks for itself.
 *
 *     request  0x21, t0                 both far below any report: their first two bits are 0, a type that reports do not have,
 *     answer   0x22, t0, t1, t2         so that an end without this takes them for damaged reports and goes on
 *
 * Times are microseconds since 1970 in 8 bytes, by the wall clock as it was when the process began and the monotonic clock since, so
 * that none goes back. The ends trust each other (every message is sealed); what a faulty one says can be wrong, but costs nothing.
 */
const REQUEST = 0x21;
const ANSWER = 0x22;
const TIME_BYTES = 8;
const REQUEST_BYTES = 1 + TIME_BYTES;
const ANSWER_BYTES = 1 + 3 * TIME_BYTES;
/** Latest time that is believed: the year 2200. */
const MOST_US = Date.UTC(2200) * 1e3;
/** Exchanges of which the best counts. */
const MOST_SAMPLES = 8;
/** The first exchanges follow one another so soon, then so often, ms; a peer that never answers is asked seldom. */
const FIRST = { count: 4, everyMs: 250 } as const;
const EVERY_MS = 4000;
const SILENT = { after: 4, everyMs: 60_000 } as const;
/** Requests that come sooner after the last are not answered, ms. */
const LEAST_BETWEEN_MS = 50;
/** What two clocks may drift apart, s/s: two crystals of 50 ppm. */
export const MOST_DRIFT = 100e-6;
/** Rounding of four timestamps, ms. */
const PRECISION_MS = 0.002;

/** The other host's clock less this one's, ms: within offset ± uncertainty however unlike the ways there and back are. */
export interface ClockEstimate {
  readonly offsetMs: number;
  /** Half the round trip's delay, and what the clocks may have drifted apart since. */
  readonly uncertaintyMs: number;
  /** Of the exchange that counts, there and back, without the other end's own time. */
  readonly delayMs: number;
  /** Exchanges since the peer came. */
  readonly samples: number;
}

export interface HostClockOptions {
  /** Sends a message to the peer there is. */
  say(message: Uint8Array): void;
  /** The own clock, ms since 1970; injected in tests. */
  readonly nowMs?: (() => number) | undefined;
  /** One line once the first exchanges are through. */
  note?(text: string): void;
}

interface Sample {
  readonly offsetMs: number;
  readonly delayMs: number;
  /** When it was taken. */
  readonly uncertaintyMs: number;
  readonly atMs: number;
}

/** Wall clock that never goes back: it follows no step that the system's clock makes after the process began. */
export function steadyNowMs(): number {
  return performance.timeOrigin + performance.now();
}

export class HostClock {
  readonly counters = { asked: 0, answered: 0, refused: 0 };
  private readonly options: HostClockOptions;
  private readonly nowMs: () => number;
  private samples: Sample[] = [];
  private taken = 0;
  /** t0 of the request that is under way, microseconds. */
  private askedUs: number | null = null;
  private silent = 0;
  private answeredMs = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | null = null;

  constructor(options: HostClockOptions) {
    this.options = options;
    this.nowMs = options.nowMs ?? steadyNowMs;
  }

  /** A peer has come, maybe another host: what was known is forgotten, and it is asked. */
  begin(): void {
    this.stop();
    this.samples = [];
    this.taken = this.silent = 0;
    this.answeredMs = Number.NEGATIVE_INFINITY;
    this.ask();
  }

  /** The peer has gone: nobody is asked; what is known of its clock stays, and ages. */
  stop(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.askedUs = null;
  }

  /** Takes a message of the peer; false where it is none of these. */
  take(message: Uint8Array): boolean {
    const arrivedUs = this.nowUs();
    const times = parseClockMessage(message);
    if (times === null) return false;
    if (times.length === 1) this.answer(times[0], arrivedUs);
    else if (!this.measured(times, arrivedUs)) this.counters.refused++;
    return true;
  }

  /** The best of the last exchanges as it is now; null before the first. */
  estimate(): ClockEstimate | null {
    const nowMs = this.nowMs();
    const aged = ({ uncertaintyMs, atMs }: Sample) => uncertaintyMs + MOST_DRIFT * Math.max(0, nowMs - atMs);
    let best: Sample | null = null;
    for (const sample of this.samples) if (!best || aged(sample) <= aged(best)) best = sample;
    if (!best) return null;
    const { offsetMs, delayMs } = best;
    return { offsetMs, uncertaintyMs: aged(best), delayMs, samples: this.taken };
  }

  private nowUs(): number {
    return Math.round(1e3 * this.nowMs());
  }

  private ask(): void {
    this.silent = this.askedUs === null ? 0 : this.silent + 1;
    // Every request has a time of its own, by which its answer is known.
    this.askedUs = Math.max(this.nowUs(), (this.askedUs ?? -1) + 1);
    this.counters.asked++;
    this.options.say(clockMessage(REQUEST, [this.askedUs]));
    this.again(this.silent < SILENT.after ? EVERY_MS : SILENT.everyMs);
  }

  private again(ms: number): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), ms);
    // A process may end while the next exchange is waited for.
    this.timer.unref();
  }

  private answer(t0: number, t1: number): void {
    const nowMs = this.nowMs();
    if (t0 > MOST_US || nowMs - this.answeredMs < LEAST_BETWEEN_MS) {
      this.counters.refused++;
      return;
    }
    this.answeredMs = nowMs;
    this.counters.answered++;
    this.options.say(clockMessage(ANSWER, [t0, t1, Math.max(t1, this.nowUs())]));
  }

  /** False for an answer to nothing that is under way, and for times that cannot be. */
  private measured([t0, t1, t2]: readonly number[], t3: number): boolean {
    if (t0 !== this.askedUs || t1 > t2 || t2 > MOST_US) return false;
    const roundTripMs = (t3 - t0) / 1e3;
    const driftMs = MOST_DRIFT * roundTripMs;
    const delayMs = roundTripMs - (t2 - t1) / 1e3;
    // The other end cannot have had the request for longer than it was away.
    if (roundTripMs < 0 || delayMs < -driftMs - PRECISION_MS) return false;
    this.askedUs = null;
    this.taken++;
    this.samples.push({
      offsetMs: (t1 - t0 + (t2 - t3)) / 2e3,
      delayMs: Math.max(0, delayMs),
      uncertaintyMs: Math.max(0, delayMs) / 2 + PRECISION_MS + 2 * driftMs,
      atMs: t3 / 1e3,
    });
    if (this.samples.length > MOST_SAMPLES) this.samples.shift();
    this.again(this.taken < FIRST.count ? FIRST.everyMs : EVERY_MS);
    if (this.taken === FIRST.count) this.options.note?.(`feedback: ${describeClock(this.estimate()!)}`);
    return true;
  }
}

/** What is certainly between the clocks, ms: 0 where they may as well agree. To be added to the own time to have the other host's. */
export function provenOffsetMs(estimate: ClockEstimate | null): number {
  return estimate && Math.abs(estimate.offsetMs) > estimate.uncertaintyMs ? estimate.offsetMs : 0;
}

export function describeClock({ offsetMs, uncertaintyMs }: ClockEstimate): string {
  const side = offsetMs < 0 ? 'behind' : 'ahead';
  return `the other host's clock is ${Math.abs(offsetMs).toFixed(2)} ms ${side}, ± ${uncertaintyMs.toFixed(2)} ms`;
}

/** The times of a request (one) or an answer (three), microseconds; null for anything else. A time too large for a number is beyond every limit. */
export function parseClockMessage(message: Uint8Array): readonly number[] | null {
  const [kind] = message;
  const request = kind === REQUEST && message.length === REQUEST_BYTES;
  if (!request && !(kind === ANSWER && message.length === ANSWER_BYTES)) return null;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  return Array.from({ length: request ? 1 : 3 }, (_, i) => Number(view.getBigUint64(1 + TIME_BYTES * i)));
}

function clockMessage(kind: number, timesUs: readonly number[]): Uint8Array {
  const out = new Uint8Array(1 + TIME_BYTES * timesUs.length);
  const view = new DataView(out.buffer);
  out[0] = kind;
  for (const [i, us] of timesUs.entries()) view.setBigUint64(1 + TIME_BYTES * i, BigInt(us));
  return out;
}
