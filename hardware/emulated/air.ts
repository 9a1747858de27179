/**
 * The air between emulated boards. Samples are in square roots of a milliwatt at the antenna connector, so that |x|^2 is a power in
 * mW; time is that of one clock for all boards, s, on which a board's own clock runs fast or slow.
 */

/** The clock of the emulation. */
export interface AirClock {
  /** Seconds since the emulation began; advances with the wall clock times `speed`. */
  nowS(): number;
  /** Emulated seconds in a second of the wall clock; 1 unless a slow machine asked for less. */
  readonly speed: number;
  /** Resolves when nowS() has reached this time, or when `signal` is aborted. */
  at(timeS: number, signal?: AbortSignal): Promise<void>;
}

/** What a board puts on the air: a stretch of samples of its own clock; silence everywhere else. */
export interface Emission {
  /** True values: what was set, times (1 + the clock's error). */
  readonly rateHz: number;
  readonly frequencyHz: number;
  readonly startS: number;
  /** [sample][re, im], sqrt(mW). Not to be changed afterwards. */
  readonly reIm: Float32Array;
}

/** Where a board listens. */
export interface Reception {
  readonly rateHz: number;
  readonly frequencyHz: number;
  readonly startS: number;
  readonly samples: number;
}

/** A board's antenna connector. */
export interface Antenna {
  /** Consecutive stretches of one transmission follow each other without gap or overlap. */
  emit(emission: Emission): void;
  /**
   * What arrives there from the others through their channels, [sample][re, im], sqrt(mW), without the board's own noise. To be asked for in
   * ascending time, up to now; what is emitted later for a time that was already heard is lost.
   */
  hear(reception: Reception): Float32Array;
}

/** The sending side of a board, as the air sees it. */
export interface Transmitter {
  /**
   * Emits what it has up to this time, which may be earlier than what was emitted already. Called before another board hears up to then,
   * so that nothing need be emitted ahead of time. It must not hear.
   */
  transmitTo(timeS: number): void;
}

export interface Air {
  readonly clock: AirClock;
  /** The connector of a board of this name; names are unique. */
  attach(name: string, transmitter?: Transmitter): Antenna;
  describe(): string;
}
