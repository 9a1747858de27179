import { ExitCode, NoSignalError, SctError, UsageError } from '../../common/errors.ts';
import { provenOffsetMs } from '../../link/clock-offset.ts';
import type { HostFeedback } from '../../link/host-feedback.ts';
import { ReceivePipeline } from '../../link/pipeline/receive-pipeline.ts';
import { encodeCsiMessage } from '../../link/reverse/reverse-messages.ts';
import { ArrivalLedger } from '../../link/video/arrival-ledger.ts';
import { UsualTime } from '../../link/video/deadline.ts';
import { sinceCaptureMs } from '../../phy/frame/capture-time.ts';
import { frontendFor } from '../../phy/frontend/frontend.ts';
import { numerology } from '../../phy/numerology.ts';
import type { BoardIdentity } from '../../radio/board-identity.ts';
import { openRadio } from '../../radio/open-radio.ts';
import { blockLength, type RxStream } from '../../radio/radio.ts';
import { radiates } from '../../radio/safety/transmit-permission.ts';
import { parseRadioUri } from '../../radio/uri.ts';
import { shippedModelsDir } from '../../sct/semantics/model-files.ts';
import { readModelSets } from '../../sct/semantics/model-set.ts';
import { modelSetNumber, type ReceiverCodecs } from '../config/link-codecs.ts';
import { occupiedHz } from '../config/link-config.ts';
import { feedbackFacts, isSocket, openSocket, wayBackOf } from '../ota/feedback.ts';
import { gainForNoise } from '../ota/noise-gain.ts';
import { radioEnd } from '../ota/radio-end.ts';
import { captureHints } from '../receive/receive-stream.ts';
import type { RunIo } from '../run/run-io.ts';
import { FrameDecoder, type HeardFrame, rehearse, videoCodecs } from './frame-decoder.ts';
import { utcNowMs } from './thread.ts';
import { VIDEO_LINK_DEFAULTS, type WatchConfig } from './video-config.ts';
import { videoMetrics } from './video-metrics.ts';
import { type VideoResult, VideoRun } from './video-run.ts';

/** How a source's time goes: as it likes (a file), like the wall clock from its beginning on (a paced file), or it is the wall clock. */
type Time = 'none' | 'played' | 'live';

const LATENCY_OF = { none: 'air-time', played: 'air-to-shown', live: 'capture-to-shown' } as const;
const FIRST_DECODE_MS = 20;

/**
 * `sct watch`: receives a video until the source ends, `--duration` or `-n` frames. From a file that waits for its reader every
 * frame is decoded; else what cannot be shown by its deadline is left out. Exit 4 where no frame came.
 */
export async function runWatch(config: WatchConfig, io: RunIo): Promise<VideoResult> {
  const uri = parseRadioUri(config.from);
  if (uri.kind === 'loopback') {
    throw new UsageError(
      'watch --from loopback would see nothing: both ends are in one process',
      'use sct stream SOURCE --to loopback',
    );
  }
  if (config.feedback === 'burst') {
    throw new UsageError(
      '--feedback burst: a video leaves no time for answers on its own frequency',
      'give ws://HOST:PORT',
    );
  }
  if (config.minPsnrDb !== undefined) {
    throw new UsageError('--min-psnr: the originals of the frames are not here', 'sct stream --to loopback has both');
  }
  const time: Time = uri.kind !== 'file' ? 'live' : uri.pace === undefined ? 'none' : 'played';
  // What is wrong with the words is said before anything is opened.
  const end = radiates(uri) ? radioEnd(config, config.from, 'rx', null) : null;
  // Networks and tables are made before samples come: the first frames would wait for them.
  const codecs = videoCodecs(config);
  if (time !== 'none') await rehearse(codecs, config, await likelySet(config), config.video.sizePx);
  const socket = isSocket(config)
    ? await openSocket(config, 'receiver', { note: (text) => io.progress.note(text) })
    : null;
  if (socket) io.progress.note(socket.describe());
  const radio = await openRadio(uri).catch(async (error) => {
    await socket?.close();
    throw error;
  });
  let rx: RxStream | null = null;
  const stop = () => void rx?.close();
  try {
    const listening = end?.ownGain ? gainForNoise(radio, end.request, radio.capabilities.gains, io.signal) : null;
    rx = await radio.openRx((await listening) ?? end?.request ?? {});
    io.signal.addEventListener('abort', stop, { once: true });
    if (io.signal.aborted) stop();
    const hints = uri.kind === 'file' ? await captureHints(uri.path) : null;
    const said = hints?.numerology ?? null;
    const wrong =
      said !== null && said !== config.numerology
        ? `the capture says that it was sent with --numerology ${said}`
        : null;
    const loOffsetHz = hints?.loOffsetHz ?? end?.setup.frontend.loOffsetHz ?? 0;
    const resolved = { ...config, rateHz: rx.settings.rateHz, sampleFormat: rx.settings.format };
    const pace = uri.kind === 'file' ? (uri.pace ?? 1) : 1;
    const source = { rx, loOffsetHz, time, pace, board: radio.boardIdentity };
    const result = await watch(resolved, source, codecs, io, socket).catch((error) => {
      // A rate that does not go with the numerology, say.
      if (wrong === null || !(error instanceof SctError) || error.exitCode !== ExitCode.usage) throw error;
      throw new UsageError(`--numerology ${config.numerology}: ${error.message}`, wrong);
    });
    const came = result.metrics.counts.shown + result.metrics.counts.late;
    if (came === 0 && !io.signal.aborted) {
      throw new NoSignalError(
        'no frame of a video came',
        wrong ?? "is --numerology right, the level high enough and the frequency the sender's?",
      );
    }
    return result;
  } finally {
    io.signal.removeEventListener('abort', stop);
    await radio.close();
    await socket?.close();
  }
}

/** UTC by the sender's clock; null where the frame does not say. */
function capturedAt({ capturedCode }: HeardFrame, nowMs: number): number | null {
  if (capturedCode === null) return null;
  return nowMs - sinceCaptureMs(capturedCode, nowMs);
}

/** First 32 bits of the hash of the set that videos are sent with by default; 0 where it is not here. */
async function likelySet({ modelsDir }: WatchConfig): Promise<number> {
  const sets = await readModelSets(modelsDir ?? shippedModelsDir());
  const set = sets.find(({ name }) => name === VIDEO_LINK_DEFAULTS.size);
  return set ? modelSetNumber(set.id) : 0;
}

/** What is listened to. */
interface Source {
  readonly rx: RxStream;
  readonly loOffsetHz: number;
  readonly time: Time;
  readonly board: BoardIdentity | undefined;
  /** Stream time that passes in one second of the wall clock, where it is played. */
  readonly pace: number;
}

async function watch(
  config: WatchConfig,
  { rx, loOffsetHz, time, pace, board }: Source,
  codecs: ReceiverCodecs,
  io: RunIo,
  socket: HostFeedback | null,
): Promise<VideoResult> {
  const { video, from, ...link } = config;
  const n = numerology(config.numerology);
  const { rateHz } = config;
  const deadlineMs = time === 'none' ? null : video.deadlineMs;
  const run = await VideoRun.begin(
    {
      ...({ command: 'watch', name: from, channel: 'watch', modelled: false, config, video } as const),
      settings: { ...link, from, ...video },
      bothEnds: false,
      deadlineMs,
      loOffsetHz,
      device: { ...rx.settings, ...(board ? { board } : {}) },
    },
    io,
  );
  const { book } = run;
  const pipeline = await ReceivePipeline.start({
    subbands: n.nSubbands,
    estimator: config.estimator,
    occupiedHz: occupiedHz(n),
    rateHz,
    loOffsetHz,
    format: rx.settings.format,
    fullScale: rx.settings.fullScale,
    live: time !== 'none',
  }).catch(async (error) => {
    await run.failed(error);
    throw error;
  });
  const decoder = new FrameDecoder(config, n, frontendFor(n.sampleRateHz, occupiedHz(n), rateHz, loOffsetHz), codecs);
  const ledger = new ArrivalLedger();
  const usual = new UsualTime(FIRST_DECODE_MS);
  const limit = config.durationS === undefined ? Number.POSITIVE_INFINITY : config.durationS * rateHz;
  run.watch?.reads(() => ({
    clippedSamples: rx.counters.clippedSamples,
    underruns: 0,
    rxGainsDb: rx.settings.gainsDb,
    txGainsDb: null,
    queues: pipeline.depths(),
    wayBack: socket && wayBackOf(socket),
  }));
  /** When the first sample was there, UTC. */
  let beganMs = 0;
  let samples = 0;
  let number = -1;
  let session = -1;
  let frames = 0;
  /** Frames of a session that had come before. */
  let again = 0;
  const started = performance.now();
  const cpuBefore = process.cpuUsage();

  /** The sender's clock, as far as the way back proves that it is another. */
  const bySender = (nowMs: number): number => nowMs + provenOffsetMs(socket?.clock() ?? null);
  /** Since the frame was captured, or since its first sample was there. */
  const latencyAt = (frame: HeardFrame, nowMs: number): number => {
    if (time === 'none') return 1e3 * (frame.endS - frame.startS);
    if (time === 'live' && frame.capturedCode !== null) return sinceCaptureMs(frame.capturedCode, bySender(nowMs));
    return nowMs - beganMs - (1e3 * frame.startS) / pace;
  };
  const show = async (frame: HeardFrame): Promise<void> => {
    if (frame.session !== session) {
      session = frame.session;
      ledger.reset();
    }
    const gap = ledger.arrived(frame.airNumber, 1e3 * frame.startS);
    if (gap === null) {
      again++;
      return;
    }
    for (let i = 0; i < gap; i++)
      book.ended({ frame: ++number, state: 'lost', reason: 'never-came' }, null, utcNowMs());
    number++;
    const capturedMs = time === 'live' ? capturedAt(frame, bySender(utcNowMs())) : null;
    const facts = { frame: number, capturedMs, snrDb: frame.snrDb };
    if (deadlineMs !== null && latencyAt(frame, utcNowMs()) + usual.ms > deadlineMs) {
      usual.relax();
      book.ended({ ...facts, state: 'late', reason: 'not-decoded' }, null, utcNowMs());
      return;
    }
    const { image, decodable, decodeMs, damagedShare, remembered } = await decoder.decode(frame);
    usual.add(decodeMs);
    const shownMs = utcNowMs();
    if (!image || !decodable) {
      book.ended({ ...facts, state: 'lost', reason: 'not-decodable' }, null, shownMs);
      return;
    }
    const latencyMs = latencyAt(frame, shownMs);
    const known = { ...facts, latencyMs, damagedShare, remembered };
    if (deadlineMs !== null && latencyMs > deadlineMs) {
      book.ended({ ...known, state: 'late', reason: 'after-its-deadline' }, null, shownMs);
      return;
    }
    book.ended({ ...known, state: 'shown', shownMs: time === 'none' ? null : shownMs }, image, shownMs);
    run.keeper.shown(number, image);
    frames++;
    run.progress(shownMs);
    if (config.count !== undefined && frames >= config.count) await rx.close();
  };
  try {
    const feeding = (async () => {
      for await (const block of rx) {
        if (samples === 0) beganMs = utcNowMs() - (1e3 * blockLength(block)) / (rateHz * pace);
        run.watch?.block(block, decoder.back);
        await pipeline.push(block);
        samples += blockLength(block);
        if (samples >= limit) await rx.close();
      }
      await pipeline.flush();
    })();
    feeding.catch(() => pipeline.close());
    for await (const record of pipeline) {
      const { report, frames: heard } = decoder.take(record);
      if (report) socket?.send(encodeCsiMessage(report));
      for (const frame of heard) if (config.count === undefined || frames < config.count) await show(frame);
    }
    await feeding;
    if (config.count === undefined || frames < config.count) for (const frame of decoder.end()) await show(frame);
    const cpu = process.cpuUsage(cpuBefore);
    const { lostSamples, droppedBursts } = decoder.back;
    const warnings = rx.warning ? [rx.warning] : [];
    if (again > 0) warnings.push(`${again} frames came again (their numbers had been there a moment before): left out`);
    for (const warning of warnings) io.progress.note(warning);
    const metrics = videoMetrics({
      ...({ command: 'watch', modelled: false, source: from, config, video, book, board } as const),
      ...({ durationS: samples / rateHz, latencyOf: LATENCY_OF[time], deadlineMs, corrector: null } as const),
      sentWith: decoder.sentWith,
      samples,
      lostSamples: Math.max(lostSamples, rx.counters.lostMax),
      droppedBursts,
      cpuMs: (cpu.user + cpu.system) / 1e3,
      airBehindMs: null,
      notes: warnings,
    });
    metrics.timings = { totalMs: Math.round(performance.now() - started) };
    if (socket) await run.opened({ feedback: feedbackFacts(socket) });
    return await run.end(metrics);
  } catch (error) {
    await run.failed(error);
    throw error;
  } finally {
    await pipeline.close();
  }
}
