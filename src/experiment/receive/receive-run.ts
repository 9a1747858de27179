import { ExitCode, NoSignalError, SctError, UsageError } from '../../common/errors.ts';
import { TurningReceiver } from '../../link/session/turning-receiver.ts';
import type { PipelineQueues } from '../../link/telemetry.ts';
import { numerology } from '../../phy/numerology.ts';
import { openRadio } from '../../radio/open-radio.ts';
import type { Radio, RxStream } from '../../radio/radio.ts';
import { lostAtEnd, tapRx } from '../../radio/recorder.ts';
import { radiates } from '../../radio/safety/transmit-permission.ts';
import { CaptureWriter } from '../../radio/sigmf/capture-writer.ts';
import { clockField } from '../../radio/sigmf/meta.ts';
import { parseRadioUri, type RadioUri } from '../../radio/uri.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { Speech } from '../../sct/speech/speech.ts';
import { ReceiverCodecs } from '../config/link-codecs.ts';
import { predictionOf } from '../config/link-setup.ts';
import { openQualityInputs } from '../config/quality-inputs.ts';
import { tooWeak } from '../metrics/exit-code.ts';
import type { LinkTrace } from '../metrics/link-trace.ts';
import { type Answers, openAnswers } from '../ota/answers.ts';
import { GainKeeper } from '../ota/gain-keeper.ts';
import { gainForNoise } from '../ota/noise-gain.ts';
import { describePower, type PowerKeeper, powerOf } from '../ota/power-keeper.ts';
import { permissionOf, permittedTx, type RadioEnd, radioEnd, withGains } from '../ota/radio-end.ts';
import { beginRun } from '../run/begin-run.ts';
import { canonical } from '../run/canonical-json.ts';
import { endManifest } from '../run/manifest.ts';
import { loadPhoto } from '../run/photo.ts';
import { annotateBurst, annotateTrace, RUN_FILES, writeFrame } from '../run/run-files.ts';
import type { ReceiveConfig, RunIo, RunResult } from '../run/run-io.ts';
import { isSpeechPath, loadSpeech } from '../speech/speech-file.ts';
import { bandOf, budgetEnd, levelOfEnd } from '../telemetry/budget-ends.ts';
import { watchRun } from '../telemetry/run-facts.ts';
import { Thermometer } from '../telemetry/thermometer.ts';
import { PictureLedger } from './picture-ledger.ts';
import { captureHints, mostLost, receiveStream } from './receive-stream.ts';
import { writeReceiverRun } from './receiver-report.ts';

/**
 * `sct receive`: listens until the stream ends, `--duration` or `-n` pictures, knowing only what comes over the air;
 * everything heard is recorded to rx.sigmf. Exit 4 when no burst was found; the recording is kept.
 */
export async function runReceive(config: ReceiveConfig, io: RunIo): Promise<RunResult> {
  const uri = parseRadioUri(config.from);
  if (uri.kind === 'loopback') {
    throw new UsageError(
      'receive --from loopback would hear nothing: both ends are in one process',
      'use sct loopback',
    );
  }
  const { reference: path } = config;
  const speech = path !== undefined && isSpeechPath(path) ? await loadSpeech(path) : undefined;
  const reference = path && !speech ? (await loadPhoto({ kind: 'file', path })).image : undefined;
  await openQualityInputs(config, reference); // a wrong file is said before listening
  const answers = await openAnswers(config, io);
  try {
    const radio = await openRadio(uri);
    try {
      return await receiveFrom(radio, uri, config, { reference, speech }, io, answers);
    } finally {
      await radio.close();
    }
  } finally {
    await answers?.close();
  }
}

async function receiveFrom(
  radio: Radio,
  uri: RadioUri,
  config: ReceiveConfig,
  { reference, speech }: { reference: RgbImage | undefined; speech: Speech | undefined },
  io: RunIo,
  answers: Answers | null,
): Promise<RunResult> {
  const end = radiates(uri) ? radioEnd(config, config.from, 'rx', null) : null;
  const back = config.feedback === 'burst' ? answeringEnd(config, end) : null;
  const power = back && powerOf(back, null);
  const listening = end?.ownGain ? gainForNoise(radio, end.request, radio.capabilities.gains, io.signal) : null;
  const request = (await listening) ?? end?.request ?? {};
  const turning = end && back ? turningReceiver(radio, { ...end, request }, back, power) : null;
  const opened: RxStream = await unlessAborted<RxStream>(turning ?? radio.openRx(request), io.signal);
  if (opened instanceof TurningReceiver) answers?.by(opened, power);
  const rx: RxStream = opened;
  const hints = uri.kind === 'file' ? await captureHints(uri.path) : null;
  const loOffsetHz = hints?.loOffsetHz ?? end?.setup.frontend.loOffsetHz ?? 0;
  const { rateHz, format, fullScale } = rx.settings;
  const live = radio.capabilities.realtime;
  const resolved = { ...config, rateHz, sampleFormat: rx.settings.format };
  const board = radio.boardIdentity;
  const device = { ...rx.settings, gainsDb: { ...rx.settings.gainsDb }, ...(board ? { board } : {}) };
  const begun = await beginRun(
    { name: config.from, channel: 'receive', directory: io.outputDirectory, seed: null, config: resolved, device },
    io,
  );
  const { run, manifest } = begun;
  const channel = uri.kind;
  const n = numerology(config.numerology);
  const told = { config: resolved, numerology: n, title: config.from, channel, modelled: false, loOffsetHz };
  const watch = watchRun(io.telemetry, told, begun);
  const capture = await CaptureWriter.create(run.file(RUN_FILES.rx), {
    format: rx.settings.format,
    fullScale: rx.settings.fullScale,
    rateHz,
    frequencyHz: rx.settings.frequencyHz || null,
    gainsDb: rx.settings.gainsDb,
    hardware: `sct receive from ${config.from}`,
    overwrite: true,
    fields: { 'sct:numerology': config.numerology, 'sct:lo_offset_hz': loOffsetHz, ...clockField(rx.settings) },
  });
  const recorded = tapRx(rx, capture);
  const thermometer = new Thermometer(radio);
  const level = watch && end ? await levelOfEnd(end) : null;
  let queues: (() => PipelineQueues) | null = null;
  watch?.reads(() => ({
    queues: queues?.() ?? null,
    clippedSamples: rx.counters.clippedSamples,
    underruns: 0,
    rxGainsDb: rx.settings.gainsDb,
    txGainsDb: power?.gainsDb ?? null,
    recordedBytes: capture.bytes,
    temperatureC: thermometer.celsius,
    wayBack: answers?.wayBack ?? null,
    ...(end
      ? {
          budget: {
            tx: null,
            rx: budgetEnd(end, rx.settings, level),
            cabledDb: null,
            askedSnrDb: null,
            ...bandOf(end.setup),
          },
        }
      : {}),
  }));
  const keeper = end?.ownGain && rx.setGains ? new GainKeeper(recorded, radio.capabilities.gains) : null;
  const stop = () => void rx.close();
  io.signal.addEventListener('abort', stop, { once: true });
  const limit = config.durationS !== undefined ? config.durationS * rateHz : Number.POSITIVE_INFINITY;
  const codecs = new ReceiverCodecs(config, answers?.growing ?? null);
  const ledger = new PictureLedger({
    config: resolved,
    reference,
    speech,
    codecs,
    write: (name, bytes) => run.write(name, bytes),
    note: (text) => io.progress.note(text),
    watch,
  });
  let complete = false;
  try {
    if (reference) await watch?.sending(config.from, reference, undefined);
    const stream = await receiveStream(
      keeper ? keeper.watch(recorded) : recorded,
      {
        numerology: config.numerology,
        rateHz,
        loOffsetHz,
        estimator: config.estimator,
        codecs,
        ...(answers ? { prediction: predictionOf(config) } : {}),
        // Of a file that waits, no more is to be taken than what -n pictures come in.
        ...(live || config.count === undefined ? { pipeline: { format, fullScale, live } } : {}),
      },
      {
        watch,
        queues: (read) => {
          queues = read;
        },
        heard: (event) => {
          answers?.to(event);
          // Between a sounding and what follows it there is time for another gain.
          if (event.type === 'burst' && event.use === 'sounding') keeper?.settle(true).catch(() => undefined);
        },
        burst: (b, receiver) => {
          io.progress.update(`receive  burst ${b.burst} (${b.use})  SNR ${b.snrDb.toFixed(1)} dB`);
          complete = config.count !== undefined && receiver.completed >= config.count;
          return complete && (answers?.said ?? true);
        },
        picture: (heard, receiver) => ledger.settle(heard, receiver),
        leaves: (burst) => {
          writeFrame(run, burst);
          annotateBurst(capture, burst, n, loOffsetHz, rx.settings.frequencyHz);
        },
        progress: (samples) => {
          io.progress.update(`receive  ${(samples / rateHz).toFixed(1)} s`);
          if (samples >= limit || (complete && answers?.said)) stop();
        },
      },
    );
    await radio.close();
    await ledger.finish(stream);
    annotateTrace(capture, stream.trace, stream.numerology, loOffsetHz, rx.settings.frequencyHz);
    const atEnd = lostAtEnd(rx.counters, capture.lost);
    await capture.close({ ...atEnd, 'sct:clipped_samples': rx.counters.clippedSamples });
    if (answers) stream.trace.takeSoundingsForGains();
    const warnings = rx.warning ? [rx.warning] : [];
    if (rx.ended === 'source-silent') warnings.push('the source went silent without saying that it had ended');
    for (const warning of warnings) io.progress.note(warning);
    const result = await writeReceiverRun(
      run,
      {
        ...manifest,
        device: {
          ...manifest.device,
          ...(power ? { power: { ...power.facts() } } : {}),
          ...(answers ? { soundingsForGains: stream.trace.forGains } : {}),
          ...(answers?.facts ? { feedback: canonical(answers.facts) } : {}),
        },
      },
      {
        config: resolved,
        title: config.from,
        stream,
        facts: null,
        reference,
        speech,
        ledger,
        modelled: false,
        clippedSamples: rx.counters.clippedSamples,
        lostAtEnd: mostLost(atEnd['sct:lost_at_end']),
        capturePath: run.file(RUN_FILES.rx),
        warnings,
        watch,
        notes: power ? [describePower(power.facts())] : [],
      },
      io,
    );
    if (!io.signal.aborted && result.exitCode === ExitCode.noSignal)
      throw nothingFound(stream.trace, config.numerology, run.path, hints?.numerology);
    const exitCode = io.signal.aborted ? ExitCode.interrupted : result.exitCode;
    watch?.ended(exitCode, result.outcome ?? null, { ...result.metrics });
    return { ...result, exitCode };
  } catch (error) {
    await capture.close().catch(() => undefined);
    const code = error instanceof SctError ? error.exitCode : ExitCode.internal;
    await run.writeManifest(endManifest(manifest, io.now(), code, (error as Error).message));
    watch?.ended(code, (error as Error).message, null);
    throw error;
  } finally {
    io.signal.removeEventListener('abort', stop);
    run.close();
  }
}

/** The transmitter of a receiver that answers over the air. UsageError without a board, and where it may not transmit. */
function answeringEnd(config: ReceiveConfig, end: RadioEnd | null): RadioEnd {
  if (!end) throw new UsageError('--feedback burst: a file cannot answer over the air', 'leave it out');
  const back = radioEnd(config, config.from, 'tx', null);
  permissionOf(back, null);
  return back;
}

function turningReceiver(
  radio: Radio,
  end: RadioEnd,
  back: RadioEnd,
  power: PowerKeeper | null,
): Promise<TurningReceiver> {
  const { numerology, frontend } = end.setup;
  const now = () => (power ? withGains(back, power.gainsDb) : back);
  return TurningReceiver.open({
    radio,
    rx: end.request,
    numerology,
    frontend,
    get tx() {
      return now().request;
    },
    tap: (tx) => permittedTx(now(), null, tx),
  });
}

/** The error for a stream in which no header could be read. */
export function nothingFound(
  trace: Pick<LinkTrace, 'misses' | 'missRho'>,
  subbands: number,
  directory: string,
  said: number | null = null,
): NoSignalError {
  const kept = `The recording is in ${directory}`;
  const weak = tooWeak(trace);
  const why = weak ? `: ${weak}` : '';
  const seen = trace.misses > 0 ? ` (${trace.misses} preambles without a readable header${why})` : '';
  return new NoSignalError(
    `no burst of ${subbands} subbands was found${seen}`,
    said !== null && said !== subbands
      ? `the capture says that it was sent with --numerology ${said}. ${kept}`
      : weak
        ? `give the sender a higher --tx-gain, or put less attenuation between the boards. ${kept}`
        : `is --numerology right, the level high enough and the frequency the sender's? ${kept}`,
  );
}

/** The promise's value, or an interruption as soon as the signal is aborted. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new SctError('interrupted while waiting for the source', ExitCode.interrupted));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
