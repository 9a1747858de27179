import { basename, dirname } from 'node:path';
import type { Telemetry } from '../../link/telemetry.ts';
import { blockLength, type LossRecord, type Radio, type RxStream } from '../../radio/radio.ts';
import type { CaptureWriter } from '../../radio/sigmf/capture-writer.ts';
import { shellCommand } from '../report/data.ts';
import { RunWatch } from './run-watch.ts';
import { Thermometer } from './thermometer.ts';

/** A recording that is watched. */
export interface WatchedRecording {
  /** The same stream; what it delivers is told. */
  readonly rx: RxStream;
  /** Blocks that wait for the disk. */
  queued(blocks: number): void;
  ended(exitCode: number, outcome: string | null, result: Readonly<Record<string, unknown>> | null): void;
}

/** Begins to tell of a recording: no modem looks at it, so there are levels, losses and the disk, but no bursts. */
export function watchRecording(
  telemetry: Telemetry,
  argv: readonly string[],
  from: string,
  radio: Pick<Radio, 'uri' | 'temperatureC'>,
  rx: RxStream,
  writer: CaptureWriter,
): WatchedRecording {
  const { settings } = rx;
  const { base } = writer.paths;
  const facts = {
    ...{ runId: null, command: 'record', commandLine: shellCommand(argv), title: basename(base) },
    ...{
      startedAt: new Date().toISOString(),
      directory: null,
      modelled: false,
      channel: from,
      levelUnit: 'dBFS' as const,
    },
    ...{ codec: null, mapping: null, seed: null, subbands: 0, fftSize: 0, carriers: 0, modemRateHz: settings.rateHz },
    ...{ deviceRateHz: settings.rateHz, frequencyHz: settings.frequencyHz || null, loOffsetHz: 0 },
  };
  const watch = new RunWatch(telemetry, facts, dirname(base));
  const thermometer = new Thermometer(radio);
  let waiting = 0;
  watch.reads(() => ({
    ...{ clippedSamples: rx.counters.clippedSamples, underruns: 0, txGainsDb: null, rxGainsDb: rx.settings.gainsDb },
    ...{ recordedBytes: writer.bytes, queued: waiting, temperatureC: thermometer.celsius },
  }));
  const stream = { deviceRateHz: settings.rateHz, samples: 0, lostSamples: 0, losses: [] as LossRecord[] };
  const watched: RxStream = {
    ...{ settings, counters: rx.counters, close: () => rx.close(), describe: () => rx.describe() },
    get ended() {
      return rx.ended;
    },
    get warning() {
      return rx.warning ?? null;
    },
    async *[Symbol.asyncIterator]() {
      for await (const block of rx) {
        if (block.lostBefore) {
          stream.losses.push(block.lostBefore);
          if (!block.lostBefore.deaf) stream.lostSamples += block.lostBefore.max;
        }
        stream.samples += blockLength(block);
        watch.block(block, stream);
        yield block;
      }
    },
  };
  return {
    rx: watched,
    queued: (blocks) => {
      waiting = blocks;
    },
    ended: (exitCode, outcome, result) => watch.ended(exitCode, outcome, result),
  };
}
