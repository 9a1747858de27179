/**
 * What a running command tells whoever watches it: plain data. Numbers that are not known are null; arrays of numbers are typed and row-major.
 * Telling never waits and never fails: a watcher that cannot keep up misses something, the radio does not.
 */
export interface Telemetry {
  tell(event: TelemetryEvent): void;
}

export type TelemetryEvent =
  | RunEvent
  | StatusEvent
  | SpectrumEvent
  | BurstTelemetry
  | SourceEvent
  | SfvEvent
  | PictureEvent
  | VideoEvent
  | LossEvent
  | ReplayEvent
  | LogEvent
  | OverviewEvent;

/** The run as a whole; told when it begins, when what is known of it changes, and at its end. */
export interface RunEvent {
  readonly topic: 'run';
  readonly state: 'starting' | 'running' | 'ended';
  readonly runId: string | null;
  /** The command alone: "loopback". */
  readonly command: string;
  /** All that was typed. */
  readonly commandLine: string;
  /** Name of the picture or capture. */
  readonly title: string;
  /** UTC, ISO 8601. */
  readonly startedAt: string;
  /** Name of the run's directory, without its path. */
  readonly directory: string | null;
  /** The channel is modelled: no radio is involved. */
  readonly modelled: boolean;
  readonly channel: string | null;
  readonly codec: string | null;
  /** What was asked for, and as soon as it is known what was done, with the reason. */
  readonly mapping: string | null;
  readonly mappingReason: string | null;
  readonly seed: number | null;
  readonly subbands: number;
  readonly fftSize: number;
  readonly carriers: number;
  readonly modemRateHz: number;
  readonly deviceRateHz: number;
  /** What levels are relative to: full scale of a converter, or, where a model's floats have none, a mean power of 1. */
  readonly levelUnit: 'dBFS' | 'dB';
  /** Centre of the signal on the air; null at baseband. */
  readonly frequencyHz: number | null;
  readonly loOffsetHz: number;
  /** At the end: exit code, one sentence that says how it went (well, too), and the metrics document (docs/metrics.md). */
  readonly exitCode: number | null;
  readonly outcome: string | null;
  readonly metrics: Readonly<Record<string, unknown>> | null;
}

/** Counters and levels, about twice a second. */
export interface StatusEvent {
  readonly topic: 'status';
  /** Of the received stream, s. */
  readonly timeS: number;
  readonly samples: number;
  readonly lostMin: number;
  readonly lostMax: number;
  readonly gaps: number;
  readonly clippedSamples: number;
  /** Times that the transmitter ran out of samples inside a burst, and that the receiver's side did not take them in time. */
  readonly underruns: number;
  readonly overruns: number;
  /** Since the last status, in the run's levelUnit. */
  readonly rmsDbfs: number | null;
  readonly peakDbfs: number | null;
  readonly rxGainsDb: Readonly<Record<string, number>> | null;
  readonly txGainsDb: Readonly<Record<string, number>> | null;
  readonly samplesPerS: number;
  /** Share of one core that the run's process used since the last status. */
  readonly cpu: number;
  /** Blocks that wait to be received. */
  readonly queued: number | null;
  /** Of a receiver in stages; null where there are none. */
  readonly queues: PipelineQueues | null;
  readonly diskFreeBytes: number | null;
  /** Written to the run's recordings since the last status, per second; null where nothing is recorded. */
  readonly bytesPerS: number | null;
  /** Of the receiving board, else of the transmitting one. */
  readonly temperatureC: number | null;
  readonly budget: LinkBudget | null;
  /** To and from another host; null where there is no such way back. */
  readonly wayBack: WayBack | null;
}

/** The way back between two hosts, as it is now; counts since the run began. */
export interface WayBack {
  /** Whether a peer is there that holds the token. */
  readonly connected: boolean;
  readonly connections: number;
  /** Peers without the token, and wrong messages. */
  readonly refused: number;
  /** Reports and acknowledgements that this end said and heard, and those that found no room. */
  readonly sent: number;
  readonly received: number;
  readonly dropped: number;
  /** Messages of the peer that never came. */
  readonly lost: number;
  /** The other host's clock less this one's, within offset ± uncertainty, ms; null before the first exchange. */
  readonly clock: { readonly offsetMs: number; readonly uncertaintyMs: number; readonly delayMs: number } | null;
}

/** What waits between the stages of a receiver, and what was left out because one could not follow. */
export interface PipelineQueues {
  /** Samples that wait to be demodulated, ms of the stream, and as a share of the room for them, 0 to 1. */
  readonly samplesMs: number;
  readonly samplesShare: number;
  /** Bursts that wait to be decoded. */
  readonly bursts: number;
  /** Since the beginning: bursts left out whole, and samples for which there was no room. */
  readonly droppedBursts: number;
  readonly droppedSamples: number;
}

/** From the transmitter's connector to the SNR; each part null where it is not known. */
export interface LinkBudget {
  /** What the dBm rest on: a calibration of these boards, or the typical values of their profiles; null where there are none. */
  readonly basis: 'calibrated' | 'typical' | null;
  /** Mean power of a burst at the transmitter's connector. */
  readonly txDbm: number | null;
  /** As it is known beforehand (a cable, an attenuator), else what was sent less what was received. */
  readonly pathLossDb: number | null;
  readonly pathLossFrom: 'cable' | 'measured' | null;
  /** Mean power of a burst at the receiver's connector, and at its converter in the run's levelUnit. */
  readonly rxDbm: number | null;
  readonly rxDbfs: number | null;
  /** Noise in the band of the signal at the receiver's connector, as measured between bursts; thermal noise and noise figure without bursts. */
  readonly noiseDbm: number | null;
  readonly noiseDbfs: number | null;
  /** What power, path and noise figure promise; in a model the SNR asked for. */
  readonly predictedSnrDb: number | null;
  /** Of the last burst: linear mean (of power ratios, not of dB) of the subbands. */
  readonly measuredSnrDb: number | null;
}

/** Power spectrum of what was received since the last one. */
export interface SpectrumEvent {
  readonly topic: 'spectrum';
  /** From the first of its samples to the end of the last. */
  readonly timeS: number;
  readonly durationS: number;
  /** Of the middle bin: the LO, or at baseband what it is beside the signal. */
  readonly centreHz: number;
  readonly spanHz: number;
  readonly meanDbfs: Float32Array; // [bin], lowest frequency first
  readonly peakDbfs: Float32Array; // [bin]
}

/** One burst as the receiver saw it. Channel, impulse response and points are empty where bursts come faster than there is time to tell of them. */
export interface BurstTelemetry {
  readonly topic: 'burst';
  readonly use: 'sounding' | 'data' | 'retransmission' | 'reverse';
  readonly burst: number;
  readonly session: number;
  readonly startS: number;
  readonly durationS: number;
  readonly cfoHz: number;
  readonly sfoPpm: number;
  readonly snrDb: number;
  readonly evmDb: number | null;
  readonly csiNumber: number;
  readonly csiAgeMs: number | null;
  readonly subbands: number;
  readonly slots: number;
  readonly modulation: readonly number[] | null; // [subband], as in the extension
  /** Information bits for each coded bit; 0 where no coded bits ride, empty where the burst has none of its own. */
  readonly codeRate: Float32Array; // [subband]
  /** Coded blocks after this burst. */
  readonly blocks: number;
  readonly blocksLost: number;
  readonly harq: { readonly process: number; readonly redundancyVersion: number; readonly outcome: string } | null;
  readonly suspect: string | null;
  readonly rbSnrDb: Float32Array; // [slot][subband]
  readonly subbandSnrDb: Float32Array; // [subband]
  readonly subbandSnrErrorDb: Float32Array; // [subband], standard error
  /** What the report promised of each subband; empty without one. */
  readonly reportedDb: Float32Array; // [subband]
  /** SFV with most symbols in each RB; 255: none. Empty where the burst carries none. */
  readonly owner: Uint8Array; // [slot][subband]
  /** SFVs that have symbols in each RB, most symbols first; as many entries as `riderCount` says in all. */
  readonly riderCount: Uint8Array; // [slot][subband]
  readonly riders: Uint8Array; // [entry], id
  /** Part of the RB's data RE, 255: all of them; 1 or more. */
  readonly riderShares: Uint8Array; // [entry]
  readonly channel: Float32Array; // [carrier][re, im], middle slot
  /** Power of the impulse response relative to its peak, from -1/8 to 3/8 of the transform. */
  readonly impulseDb: Float32Array; // [tap]
  readonly impulseStartS: number;
  readonly impulseStepS: number;
  readonly points: Float32Array; // [point][re, im], equalised, unit mean power
  readonly pointsOf: string | null;
}

/** The picture that is sent: pixels, importance, objects. */
export interface SourceEvent {
  readonly topic: 'source';
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly mediaType: 'image/png' | 'image/jpeg' | 'image/webp';
  readonly bytes: Uint8Array;
  readonly grid: { readonly rows: number; readonly columns: number; readonly cellPx: number } | null;
  readonly importance: Float32Array; // [row][column], against the mean cell; empty where the codec knows none
  readonly sfvs: readonly {
    readonly id: number;
    readonly label: string;
    readonly colour: string; // "#rrggbb"
    readonly importance: number; // share of the picture's
    readonly symbols: number;
    /** Rings of its outline, pixels. */
    readonly outline: readonly (readonly (readonly [number, number])[])[];
  }[];
}

/** What came of SFVs so far. */
export interface SfvEvent {
  readonly topic: 'sfvs';
  readonly sfvs: readonly {
    readonly id: number;
    readonly state: 'waiting' | 'heard' | 'received' | 'repaired' | 'synthesised' | 'lost';
    readonly snrDb: number | null;
    readonly rbs: number;
  }[];
}

/** The picture as it was received. */
export interface PictureEvent {
  readonly topic: 'picture';
  /** Before the receiver's correction, or after it. */
  readonly stage: 'before' | 'after';
  readonly width: number;
  readonly height: number;
  readonly mediaType: 'image/png' | 'image/jpeg' | 'image/webp';
  readonly bytes: Uint8Array;
  readonly psnrDb: number | null;
  readonly msSsim: number | null;
}

/** One frame of a video: told when it is shown, or when it is known that it will not be. */
export interface VideoEvent {
  readonly topic: 'video';
  /** Number of the frame since the video began. */
  readonly frame: number;
  /** Late: decoded after its deadline. Lost: never decoded. Dropped: the sender left it out. */
  readonly state: 'shown' | 'late' | 'lost' | 'dropped';
  readonly width: number;
  readonly height: number;
  readonly mediaType: 'image/png' | 'image/jpeg' | 'image/webp';
  /** The frame as a file; empty where it was not shown, and where frames come faster than there is time to tell of them. */
  readonly bytes: Uint8Array;
  /** UTC, ms since 1970: by the sender's clock and by the receiver's; null where the frame does not say, or was not shown. */
  readonly capturedAtMs: number | null;
  readonly shownAtMs: number | null;
  /** From capture to picture, of late frames too. */
  readonly latencyMs: number | null;
  /** Latency beyond which a frame is late; null where there is none. */
  readonly deadlineMs: number | null;
  /** Against the frame as it was captured; null where the receiver does not have it. */
  readonly psnrDb: number | null;
  /** Whether the corrector used the frame before; null without a corrector. */
  readonly conditioned: boolean | null;
  /** Since the video began; null where this end does not know. */
  readonly counts: {
    readonly captured: number | null;
    readonly sent: number | null;
    readonly shown: number;
    readonly late: number;
    readonly lost: number;
    /** By the sender: captured while the one before was still being coded or sent. */
    readonly dropped: number | null;
  };
  /** Frames shown in the last second. */
  readonly fps: number | null;
  /** Of the last frames that have a latency, late ones too. */
  readonly latencyP50Ms: number | null;
  readonly latencyP99Ms: number | null;
}

/** Samples that never came. */
export interface LossEvent {
  readonly topic: 'loss';
  readonly fromS: number;
  readonly toS: number;
  readonly min: number;
  readonly max: number;
  readonly exact: boolean;
}

/** Where a replay stands. */
export interface ReplayEvent {
  readonly topic: 'replay';
  readonly positionS: number;
  readonly lengthS: number;
  readonly speed: number;
  readonly paused: boolean;
  readonly loop: readonly [number, number] | null;
}

/** What a whole capture looks like, from sparse reads of it; told when a replay begins. Times as those of bursts: lost samples take theirs. */
export interface OverviewEvent {
  readonly topic: 'overview';
  /** Times of the first sample, and of the end; positions of the replay lie between. */
  readonly startS: number;
  readonly lengthS: number;
  /** Equal parts of the time from first sample to end. */
  readonly bins: number;
  /** Bursts and other marks that the capture's annotations tell of, in order; `use` is the annotation's label. */
  readonly bursts: readonly { readonly startS: number; readonly durationS: number; readonly use: string }[];
  /** Where no samples are; an inexact loss may have begun earlier. `toS` is where they go on. */
  readonly losses: readonly { readonly fromS: number; readonly toS: number }[];
  /** Annotations and losses that are left out of the lists above. */
  readonly left: number;
  /** Of what was read in each part; NaN where there are no samples or none were read yet, -Infinity where all are zero. */
  readonly rmsDbfs: Float32Array; // [bin]
  readonly peakDbfs: Float32Array; // [bin]
}

export interface LogEvent {
  readonly topic: 'log';
  readonly level: 'note' | 'warning' | 'error';
  /** UTC, ISO 8601. */
  readonly at: string;
  readonly text: string;
}
