import type { HostFacts, ProgramFacts } from '../../src/experiment/run/host-facts.ts';

export const SCALE_SCHEMA = 'sct.bench.scale/1';

/** One photo over the default link. */
export interface LinkFigures {
  readonly bursts: number;
  readonly airS: number;
  readonly samples: number;
  readonly messages: number;
  readonly messagesPerBurst: number;
  readonly meanMessageBytes: number;
  readonly largestMessageBytes: number;
}

/** Bytes of a run directory. */
export interface RunFigures {
  readonly captures: number;
  readonly pictures: number;
  readonly report: number;
  readonly records: number;
  readonly all: number;
  readonly files: number;
}

/** Ways back over one server. */
export interface FeedbackFigures {
  readonly links: number;
  readonly messageBytes: number;
  readonly messagesPerSEach: number;
  readonly said: number;
  readonly heard: number;
  /** Processor time a message, beyond what silence costs. */
  readonly serverCpuUsEach: number;
  readonly bothEndsCpuUsEach: number;
  /** In and out of the server together. */
  readonly wireBytesEach: number;
  /** A link that says nothing but that it is there. */
  readonly idle: { readonly serverCpuMsPerSEach: number; readonly wireBytesPerSEach: number };
  readonly serverMiB: number;
}

export interface TelemetryFigures {
  readonly updatesPerS: number;
  readonly framesPerS: number;
  readonly bytesPerS: number;
  readonly serverCpuMsPerS: number;
}

export interface ScaleReport {
  readonly schema: typeof SCALE_SCHEMA;
  readonly command: string;
  readonly quick: boolean;
  readonly machine: HostFacts & { readonly node: string };
  readonly program: ProgramFacts;
  /** One-minute load before each part. */
  readonly load: Readonly<Record<string, number>>;
  readonly link: LinkFigures;
  readonly run: RunFigures;
  readonly feedback: readonly FeedbackFigures[];
  readonly telemetry: TelemetryFigures;
}
