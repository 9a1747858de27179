import type {
  BurstTelemetry,
  LogEvent,
  LossEvent,
  OverviewEvent,
  PictureEvent,
  ReplayEvent,
  RunEvent,
  SfvEvent,
  SourceEvent,
  SpectrumEvent,
  StatusEvent,
  TelemetryEvent,
  VideoEvent,
} from '../../../link/telemetry.ts';
import type { Frame, FrameArray, Topic } from '../../frames.ts';

export type {
  BurstTelemetry,
  LogEvent,
  LossEvent,
  OverviewEvent,
  PictureEvent,
  ReplayEvent,
  RunEvent,
  SfvEvent,
  SourceEvent,
  SpectrumEvent,
  StatusEvent,
  TelemetryEvent,
  VideoEvent,
};

export type SourceSfv = SourceEvent['sfvs'][number];
export type SfvOutcome = SfvEvent['sfvs'][number];
export type SfvState = SfvOutcome['state'];

/** Arrays that panels count on: what a frame leaves out is empty, not undefined. */
const ARRAYS: Partial<Record<Topic, readonly string[]>> = {
  spectrum: ['meanDbfs', 'peakDbfs'],
  burst: [
    ...['rbSnrDb', 'subbandSnrDb', 'subbandSnrErrorDb', 'reportedDb', 'codeRate', 'owner'],
    ...['riderCount', 'riders', 'riderShares'],
    ...['channel', 'impulseDb', 'points'],
  ],
  source: ['bytes', 'importance'],
  picture: ['bytes'],
  video: ['bytes'],
  overview: ['rmsDbfs', 'peakDbfs'],
};
const EMPTY = new Float32Array(0);

/** The command of a run without the program's name and without its options: `sct sound --period=50` is "sound". */
export function commandWord(command: string): string {
  const words = command.split(' ').filter((word) => word !== '' && word !== 'sct');
  return words[0] ?? '';
}

/** What a frame tells: its data and arrays as one object. */
export function eventOf(frame: Frame): TelemetryEvent {
  const arrays: Record<string, FrameArray> = {};
  for (const name of ARRAYS[frame.topic] ?? []) arrays[name] = EMPTY;
  return { ...frame.data, ...arrays, ...frame.arrays, topic: frame.topic } as unknown as TelemetryEvent;
}
