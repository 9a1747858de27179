import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { DeviceError, NoSignalError, UsageError } from '../../common/errors.ts';
import { systemWords } from '../../common/system-words.ts';
import { RxChain } from '../../link/chains.ts';
import { Receiver } from '../../link/receiver.ts';
import { burstChannel, TRACE_SYMBOLS } from '../../phy/channel/burst-channel.ts';
import { type ChannelTrace, checkCoverage, MAX_TRACE_VALUES, traceSnrDb } from '../../phy/channel/channel-trace.ts';
import { FADING_CHANNELS, powerDelayProfile } from '../../phy/channel/power-delay-profiles.ts';
import { type BurstChannel, buildTrace } from '../../phy/channel/trace-builder.ts';
import { frontendFor } from '../../phy/frontend/frontend.ts';
import { numerology, SUBCARRIER_SPACING_HZ } from '../../phy/numerology.ts';
import { CaptureReader } from '../../radio/sigmf/capture-reader.ts';
import { type LinkConfig, occupiedHz, tracePath } from '../config/link-config.ts';
import type { ReceiveSettings } from '../receive/receive-stream.ts';
import type { RunManifest } from '../run/manifest.ts';
import { runCapture } from '../run/run-capture.ts';

/** A run's channel, ready to send through, and what run.json says of it. */
export interface RecordedChannel {
  readonly trace: ChannelTrace;
  /** Doppler of the run's own model, where it was one; null otherwise. */
  readonly dopplerHz: number | null;
  readonly facts: {
    /** As it was given. */
    readonly run: string;
    readonly runId: string;
    /** SHA-256 of the capture's samples. */
    readonly captureSha256: string;
    readonly numerology: number;
    readonly bursts: number;
    readonly slots: number;
    readonly durationS: number;
    /** Mean |H|^2 over mean noise, dB, as recorded. */
    readonly snrDb: number;
  };
}

/** The recorded channel that a configuration names; null where it names a model. */
export async function recordedChannel(config: LinkConfig): Promise<RecordedChannel | null> {
  const path = tracePath(config.channel);
  if (path === null) return null;
  const recorded = await loadRecordedChannel(path);
  const carriers = numerology(config.numerology).carriers;
  checkCoverage(
    recorded.trace,
    Float64Array.from(carriers, (k) => k * SUBCARRIER_SPACING_HZ),
  );
  return recorded;
}

/**
 * Receives a run's capture again and makes a channel trace of its bursts.
 *
 * UsageError where the path is no run or has no capture, FormatError where run.json or capture are damaged or too long,
 * NoSignalError where no burst can be decoded.
 */
export async function loadRecordedChannel(path: string): Promise<RecordedChannel> {
  const { capture, settings, manifest } = await runCapture(path);
  const reader = await CaptureReader.open(capture);
  let bursts: BurstChannel[];
  try {
    const all = await measureChannel(reader, settings);
    // Those by which gains were set show the transmitter's gain, not the channel.
    bursts = all.slice(Math.min(soundingsForGains(manifest), Math.max(0, all.length - 1)));
  } finally {
    await reader.close();
  }
  const slots = bursts.reduce((sum, b) => sum + b.slotStartS.length, 0);
  if (slots === 0) {
    throw new NoSignalError(`${path}: no burst could be decoded in its capture`, 'sct replay RUN says what was seen');
  }
  const n = numerology(settings.numerology);
  const trace = buildTrace(
    Float64Array.from(n.carriers, (k) => k * SUBCARRIER_SPACING_HZ),
    bursts,
  );
  return {
    trace,
    dopplerHz: modelledDopplerHz(manifest),
    facts: {
      run: path,
      runId: manifest.runId,
      captureSha256: await fileSha256(`${capture}.sigmf-data`),
      numerology: settings.numerology,
      bursts: bursts.length,
      slots,
      durationS: trace.endS,
      snrDb: traceSnrDb(trace),
    },
  };
}

async function measureChannel(reader: CaptureReader, settings: ReceiveSettings): Promise<BurstChannel[]> {
  const n = numerology(settings.numerology);
  const frontend = frontendFor(n.sampleRateHz, occupiedHz(n), settings.rateHz, settings.loOffsetHz);
  // No codec: nothing is decoded to a picture. Always the default estimator, whose H has a bounded delay.
  const receiver = new Receiver({ numerology: n, codecs: [] });
  receiver.phy.keptSymbols = TRACE_SYMBOLS;
  const chain = new RxChain(frontend, receiver);
  const bursts: BurstChannel[] = [];
  let values = 0;
  const take = (events: ReturnType<RxChain['push']>) => {
    for (const event of events) {
      if (event.type !== 'burst' || event.use === 'reverse') continue;
      values += event.record.channelDetail.length / 2;
      if (values > MAX_TRACE_VALUES) {
        throw new UsageError(
          `channel trace: the capture holds more than ${MAX_TRACE_VALUES} values of H(f,t)`,
          'cut it first: sct capture cut',
        );
      }
      const burst = burstChannel(n, event.record, (sample) => chain.deviceIndexOf(sample) / settings.rateHz);
      bursts.push(atGain(burst, gainDbAt(reader, chain.deviceIndexOf(event.record.startSample))));
    }
  };
  for await (const block of reader.blocks()) take(chain.push(block));
  take(chain.flush());
  return bursts;
}

/** Receive gain with which a sample was recorded, dB; 0 where the capture does not say. */
function gainDbAt(reader: CaptureReader, index: number): number {
  const segment = reader.layout.segments.findLast((s) => s.index <= index);
  return Object.values(segment?.gainsDb ?? {}).reduce((sum, gainDb) => sum + gainDb, 0);
}

/** What the burst would have been with no gain: so bursts that were received with other gains are one channel. */
function atGain(burst: BurstChannel, gainDb: number): BurstChannel {
  const amplitude = 10 ** (-gainDb / 20);
  return {
    ...burst,
    response: burst.response.map((v) => v * amplitude),
    errorVariance: burst.errorVariance * amplitude ** 2,
    noise: burst.noise.map((v) => v * amplitude ** 2),
  };
}

/** How many of the first bursts of a run by radio were soundings by which gains were set. */
function soundingsForGains({ device }: RunManifest): number {
  const count = device?.soundingsForGains;
  return typeof count === 'number' && Number.isInteger(count) && count > 0 ? count : 0;
}

/** Doppler that the run's configuration states for a fading model; what another program wrote there is not believed. */
function modelledDopplerHz(manifest: RunManifest): number | null {
  const { channel, dopplerHz } = manifest.config;
  if (typeof channel !== 'string' || !FADING_CHANNELS.includes(channel)) return null;
  if (dopplerHz === undefined) return powerDelayProfile(channel).defaultDopplerHz;
  return typeof dopplerHz === 'number' && dopplerHz >= 0 && dopplerHz <= 2000 ? dopplerHz : null;
}

async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (cause) {
    throw new DeviceError(`cannot read ${path} (${systemWords(cause)})`);
  }
  return hash.digest('hex');
}

/** What a run should warn of: the transmission went on where the record had ended; null where it did not. */
export function traceWarning(recorded: RecordedChannel | undefined, sentS: number): string | null {
  if (!recorded || sentS <= recorded.trace.endS) return null;
  const { endS } = recorded.trace;
  return `the channel trace is ${endS.toFixed(3)} s long, the transmission ${sentS.toFixed(3)} s: it was run backwards and forwards`;
}
