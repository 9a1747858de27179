/** A command to start, as the page asks for it; nothing of it is trusted. */
export interface JobRequest {
  readonly command: string;
  /** Long flags without dashes, and their values; true for a flag without one. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What stands without a flag: a picture, a run or a recording, by its name. */
  readonly source?: string;
}

/** Where what a job says goes to. Called in order; `ended` is last. */
export interface JobListener {
  /** Bytes of frames, divided anywhere. False: not more for a while, please; `Job.more` asks for it again. */
  bytes(chunk: Uint8Array): boolean;
  /** A line that the command wrote for people. */
  line(text: string): void;
  ended(end: JobEnd): void;
}

export interface JobEnd {
  readonly exitCode: number;
  /** It was asked to stop, or something ended it before it could end by itself. */
  readonly how: 'ended' | 'stopped' | 'killed';
  /** The one object of `--json`; null where there was none. */
  readonly result: unknown;
  /** One sentence where it failed, and what to do. */
  readonly error: { readonly message: string; readonly hint: string | null } | null;
}

export interface Job {
  readonly command: string;
  /** A command for the job itself: pause, seek, step. It is left out where the job does not listen. */
  tell(message: Readonly<Record<string, unknown>>): void;
  /** What the job tells is read again. */
  more(): void;
  /** Asks it to stop (transmitter silent, recordings closed), and ends it where it does not; resolves once it is gone. */
  stop(): Promise<void>;
}

/** A part of what a replay plays, by its times: lost samples take theirs. */
export interface RangeRequest {
  /** As in the request of the replay. */
  readonly source: string;
  readonly fromS: number;
  readonly toS: number;
}

/** A recording that was made of a part of another. */
export interface MadeCapture {
  /** As in the list of recordings. */
  readonly name: string;
  readonly files: readonly string[];
  readonly samples: number;
}

/** Starts what a dashboard's page asks for, in processes of their own; the command line gives one to the dashboard. */
export interface Controller {
  /** Commands that may be started. */
  readonly commands: readonly string[];
  /** JSON schema of a command's options. UsageError for one that may not be started. */
  optionsOf(command: string): object;
  /** Boards of this machine. */
  devices(): Promise<unknown>;
  /** Size of a picture file, pixels. UsageError, which calls it by its name, where it is none that can be sent. */
  pictureSize(path: string, name: string): Promise<{ readonly width: number; readonly height: number }>;
  /** UsageError where the request is no good. */
  start(request: JobRequest, listener: JobListener): Job;
  /** Writes a part of a recording as a new one; of one that is stopped or fails nothing stays. UsageError or DeviceError where it fails. */
  exportRange(request: RangeRequest, signal: AbortSignal): Promise<MadeCapture>;
}
