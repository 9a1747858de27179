import type { PipelineQueues } from '../../link/telemetry.ts';
import { numerology } from '../../phy/numerology.ts';
import { openRadio } from '../../radio/open-radio.ts';
import { blockLength, type LossRecord, type RxStream, type SampleBlock } from '../../radio/radio.ts';
import { CaptureReader } from '../../radio/sigmf/capture-reader.ts';
import { parseRadioUri, type RadioUri } from '../../radio/uri.ts';
import { type LinkInput, resolveLinkConfig } from '../config/link-config.ts';
import type { BurstTrace } from '../metrics/burst-trace.ts';
import { GainKeeper } from '../ota/gain-keeper.ts';
import { gainForNoise } from '../ota/noise-gain.ts';
import { radioEnd } from '../ota/radio-end.ts';
import { shellCommand } from '../report/data.ts';
import { runCapture } from '../run/run-capture.ts';
import type { RunIo } from '../run/run-io.ts';
import { bandOf, budgetEnd, levelOfEnd } from '../telemetry/budget-ends.ts';
import { RunWatch } from '../telemetry/run-watch.ts';
import type { RadioState } from '../telemetry/status-teller.ts';
import { Thermometer } from '../telemetry/thermometer.ts';
import { captureHints, type ReceiveSettings, receiveStream } from './receive-stream.ts';

/** What was heard until the end; losses as the device tells them. */
export interface Monitored {
  readonly bursts: number;
  readonly samples: number;
  readonly lost: { readonly min: number; readonly max: number; readonly gaps: number };
}

/** Bursts that the receiver keeps: only what comes next matters. */
const MOST_BURSTS = 16;

/** A source of samples, open. */
interface Opened {
  readonly blocks: AsyncIterable<SampleBlock>;
  readonly settings: ReceiveSettings;
  readonly title: string;
  readonly frequencyHz: number | null;
  readonly state: () => RadioState;
  /** Told of every burst: between a sounding and what follows it there is time for another gain. */
  heard?(burst: BurstTrace): void;
  stop(): void;
  close(): Promise<void>;
}

/**
 * `sct monitor`: hands over every burst that is heard on a radio, in a recording or in a run's recording, decodes no picture and keeps
 * nothing, so that it can go on for ever.
 *
 * @param source URI of a radio, or path of a run
 */
export async function runMonitor(
  source: string,
  input: LinkInput,
  io: RunIo,
  burst: (trace: BurstTrace, settings: ReceiveSettings) => void,
): Promise<Monitored> {
  const uri = /^(file:|hackrf(?=$|[:?])|pluto:)/.test(source) ? parseRadioUri(source) : null;
  const opened = await openSource(source, uri, input, io);
  const { settings, stop } = opened;
  let queues: (() => PipelineQueues) | null = null;
  const watch = watchOf(opened, io, () => ({ ...opened.state(), queues: queues?.() ?? null }));
  io.signal.addEventListener('abort', stop, { once: true });
  const counted = { bursts: 0, samples: 0, lost: { min: 0, max: 0, gaps: 0 } };
  const last = (input.durationS ?? Number.POSITIVE_INFINITY) * settings.rateHz;
  try {
    await receiveStream(until(opened.blocks, io.signal, last, counted), settings, {
      watch,
      queues: (read) => {
        queues = read;
      },
      burst: (trace) => {
        counted.bursts++;
        burst(trace, settings);
        opened.heard?.(trace);
        return io.signal.aborted;
      },
      // Nobody decodes it.
      picture: async () => undefined,
    });
    const none = counted.bursts === 0;
    const said = `${none ? 'no burst was' : `${counted.bursts} ${counted.bursts === 1 ? 'burst' : 'bursts'}`} heard`;
    watch?.ended(none && !io.signal.aborted ? 4 : 0, said, null);
    return counted;
  } catch (error) {
    watch?.ended(1, (error as Error).message, null);
    throw error;
  } finally {
    io.signal.removeEventListener('abort', stop);
    await opened.close();
  }
}

async function openSource(source: string, uri: RadioUri | null, input: LinkInput, io: RunIo): Promise<Opened> {
  if (uri?.kind === 'file') return openFile(source, uri, input);
  if (uri) return openBoard(source, uri, input, io);
  const { capture, settings: recorded } = await runCapture(source);
  const reader = await CaptureReader.open(capture);
  const { numerology: subbands = recorded.numerology, estimator = recorded.estimator } = input;
  return {
    blocks: reader.blocks(),
    settings: { ...recorded, numerology: subbands, estimator, mostBursts: MOST_BURSTS },
    title: source,
    frequencyHz: reader.layout.segments[0]?.frequencyHz ?? null,
    state: () => ({ clippedSamples: 0, underruns: 0, rxGainsDb: null, txGainsDb: null }),
    stop: () => undefined,
    close: () => reader.close(),
  };
}

/** A recording that stands still, or still grows. */
async function openFile(source: string, uri: Extract<RadioUri, { kind: 'file' }>, input: LinkInput): Promise<Opened> {
  const hints = await captureHints(uri.path);
  const radio = await openRadio(uri);
  try {
    const rx = await radio.openRx(input.rateHz === undefined ? {} : { rateHz: input.rateHz });
    const subbands = input.numerology ?? hints.numerology ?? undefined;
    const config = resolveLinkConfig({ ...input, ...(subbands === undefined ? {} : { numerology: subbands }) });
    const { rateHz } = rx.settings;
    const { loOffsetHz } = hints;
    return {
      blocks: rx,
      settings: {
        numerology: config.numerology,
        estimator: config.estimator,
        mostBursts: MOST_BURSTS,
        rateHz,
        loOffsetHz,
      },
      title: source,
      frequencyHz: hints.frequencyHz,
      state: () => stateOf(rx),
      stop: () => void rx.close(),
      close: () => radio.close(),
    };
  } catch (error) {
    await radio.close();
    throw error;
  }
}

/** A board, tuned as `sct receive` tunes it: LO beside the signal, gain by what is heard unless one is asked for. */
async function openBoard(source: string, uri: RadioUri, input: LinkInput, io: RunIo): Promise<Opened> {
  const end = radioEnd(resolveLinkConfig(input), source, 'rx', null);
  const radio = await openRadio(uri);
  try {
    const stages = radio.capabilities.gains;
    const request = end.ownGain ? await gainForNoise(radio, end.request, stages, io.signal) : end.request;
    const rx = await radio.openRx(request);
    const keeper = end.ownGain && rx.setGains ? new GainKeeper(rx, stages) : null;
    const { rateHz, format, fullScale, frequencyHz } = rx.settings;
    io.progress.note(`${rx.describe()}, numerology ${end.config.numerology}`, true);
    const { numerology: subbands, estimator } = end.config;
    const level = await levelOfEnd(end);
    const thermometer = new Thermometer(radio);
    return {
      blocks: keeper ? keeper.watch(rx) : rx,
      settings: {
        numerology: subbands,
        estimator,
        rateHz,
        loOffsetHz: end.setup.frontend.loOffsetHz,
        pipeline: { format, fullScale, live: true },
        mostBursts: MOST_BURSTS,
      },
      title: source,
      frequencyHz: frequencyHz - end.setup.frontend.loOffsetHz,
      state: () => ({
        ...stateOf(rx),
        temperatureC: thermometer.celsius,
        budget: {
          tx: null,
          rx: budgetEnd(end, rx.settings, level),
          cabledDb: null,
          askedSnrDb: null,
          ...bandOf(end.setup),
        },
      }),
      heard: ({ use }) => {
        if (use === 'sounding') keeper?.settle(true).catch(() => undefined);
      },
      stop: () => void rx.close(),
      close: () => radio.close(),
    };
  } catch (error) {
    await radio.close();
    throw error;
  }
}

function stateOf({ counters, settings }: RxStream): RadioState {
  return { clippedSamples: counters.clippedSamples, underruns: 0, rxGainsDb: settings.gainsDb, txGainsDb: null };
}

function watchOf({ settings, title, frequencyHz }: Opened, io: RunIo, read: () => RadioState): RunWatch | null {
  if (!io.telemetry) return null;
  const n = numerology(settings.numerology);
  const { rateHz, loOffsetHz } = settings;
  const watch = new RunWatch(
    io.telemetry,
    {
      runId: null,
      command: 'monitor',
      commandLine: shellCommand(io.argv),
      title,
      startedAt: io.now().toISOString(),
      directory: null,
      modelled: false,
      channel: null,
      codec: null,
      mapping: null,
      seed: null,
      subbands: n.nSubbands,
      fftSize: n.fftSize,
      carriers: n.nCarriers,
      modemRateHz: n.sampleRateHz,
      deviceRateHz: rateHz,
      levelUnit: 'dBFS',
      frequencyHz,
      loOffsetHz,
    },
    null,
  );
  watch.reads(read);
  return watch;
}

/** The blocks until the signal aborts or the stream index passes `last`; samples and losses are counted. */
async function* until(
  blocks: AsyncIterable<SampleBlock>,
  signal: AbortSignal,
  last: number,
  counted: { samples: number; lost: { min: number; max: number; gaps: number } },
) {
  let first: number | null = null;
  for await (const block of blocks) {
    first ??= block.index;
    if (signal.aborted || block.index - first > last) return;
    counted.samples += blockLength(block);
    if (block.lostBefore) note(counted.lost, block.lostBefore);
    yield block;
    // Blocks of a file come without a pause: let signals and closed pipes be noticed.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function note(lost: { min: number; max: number; gaps: number }, { deaf, min, max }: LossRecord): void {
  if (deaf) return;
  lost.min += min;
  lost.max += max;
  lost.gaps++;
}
