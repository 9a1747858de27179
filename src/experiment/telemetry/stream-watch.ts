import { basename, dirname } from 'node:path';
import type { Telemetry } from '../../link/telemetry.ts';
import { blockLength, type LossRecord, type Radio, type RxStream } from '../../radio/radio.ts';
import type { CaptureWriter } from '../../radio/sigmf/capture-writer.ts';
import { shellCommand } from '../report/data.ts';
import { RunWatch } from './run-watch.ts';
import { Thermometer } from './thermometer.ts';

/** A stream that is looked at and not received. */
export interface WatchedStream {
  /** The same stream; what it delivers is told. */
  readonly rx: RxStream;
  /** Blocks that wait for the disk. */
  queued(blocks: number): void;
  ended(exitCode: number, outcome: string | null, result: Readonly<Record<string, unknown>> | null): void;
}

/** Begins to tell of a stream that no modem looks at: there are levels, losses and, where it is recorded, the disk, but no bursts. */
export function watchStream(
  telemetry: Telemetry,
  command: 'record' | 'spectrum',
  argv: readonly string[],
  from: string,
  radio: Pick<Radio, 'uri' | 'temperatureC'>,
  rx: RxStream,
  writer: CaptureWriter | null,
): WatchedStream {
  const { settings } = rx;
  const base = writer?.paths.base ?? null;
  const facts = {
    runId: null,
    command,
    commandLine: shellCommand(argv),
    title: base === null ? from : basename(base),
    startedAt: new Date().toISOString(),
    directory: null,
    modelled: false,
    // Without a recording the radio is the title.
    channel: base === null ? null : from,
    levelUnit: 'dBFS' as const,
    codec: null,
    mapping: null,
    seed: null,
    subbands: 0,
    fftSize: 0,
    carriers: 0,
    modemRateHz: settings.rateHz,
    deviceRateHz: settings.rateHz,
    frequencyHz: settings.frequencyHz || null,
    loOffsetHz: 0,
  };
  const watch = new RunWatch(telemetry, facts, base === null ? null : dirname(base));
  const thermometer = new Thermometer(radio);
  let waiting = 0;
  watch.reads(() => ({
    clippedSamples: rx.counters.clippedSamples,
    underruns: 0,
    txGainsDb: null,
    rxGainsDb: rx.settings.gainsDb,
    ...(writer ? { recordedBytes: writer.bytes, queued: waiting } : {}),
    temperatureC: thermometer.celsius,
  }));
  const stream = { deviceRateHz: settings.rateHz, samples: 0, lostSamples: 0, losses: [] as LossRecord[] };
  const watched: RxStream = {
    settings,
    counters: rx.counters,
    close: () => rx.close(),
    describe: () => rx.describe(),
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
