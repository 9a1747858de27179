import { ExitCode, NoSignalError, SctError, UsageError } from '../../common/errors.ts';
import { DeadlinePolicy } from '../../link/video/deadline.ts';
import { FrameClock } from '../../link/video/frame-clock.ts';
import { type CodedFrame, VideoSender } from '../../link/video/video-sender.ts';
import { openRadio } from '../../radio/open-radio.ts';
import type { TxStream } from '../../radio/radio.ts';
import { transmitGuard } from '../../radio/safety/process-end.ts';
import { describePermission } from '../../radio/safety/transmit-permission.ts';
import { feedbackFacts, isSocket, openSocket, wayBackOf } from '../ota/feedback.ts';
import { permissionOf, permittedTx, radioEnd } from '../ota/radio-end.ts';
import { canonical } from '../run/canonical-json.ts';
import type { RunIo } from '../run/run-io.ts';
import type { CodedReply, EncodeReply, EncodeRequest, EncodeSetup } from './encode-worker.ts';
import type { SentFrame } from './loopback-session.ts';
import { utcNowMs, VideoThread } from './thread.ts';
import { checkAirTime, mostFrames, type StreamConfig, videoSession } from './video-config.ts';
import { parseMessage } from './video-feedback.ts';
import { videoMetrics } from './video-metrics.ts';
import { type VideoResult, VideoRun } from './video-run.ts';
import type { VideoSource } from './video-source.ts';
import { freeWaveform } from './waveform-slots.ts';

interface Coded extends CodedFrame<SentFrame> {
  readonly waveform: CodedReply;
}

/** The receiver on the other host is waited for, s. */
const PEER_S = 30;
/** Between two looks at what has come back, ms. */
const FEEDBACK_MS = 5;
const STAYS_LOW = 'the transmit gain stays as low as it starts; --tx-gain sets it';

/**
 * `sct stream SOURCE --to hackrf…|pluto…`: frames on the air in real time, under the same permissions and guards as `sct send`. The
 * transmitter is off when this ends, however it ends.
 */
export async function runRadioStream(config: StreamConfig, source: VideoSource, io: RunIo): Promise<VideoResult> {
  if (config.feedback === 'burst') {
    throw new UsageError(
      '--feedback burst: a video leaves no time for answers on its own frequency',
      'give ws://HOST:PORT',
    );
  }
  const answered = isSocket(config);
  const { video, source: _, to: __, ...link } = config;
  const session = videoSession(config);
  // Both ends must be asked before anything is switched on.
  const plain = radioEnd(config, config.to, 'tx', null);
  const permission = permissionOf(plain, null);
  const own = { ...link, ...plain.config, feedback: answered ? config.feedback : ('none' as const) };
  const run = await VideoRun.begin(
    {
      ...({ command: 'stream', name: config.source, channel: plain.uri.kind, modelled: false, config, video } as const),
      settings: { ...link, ...video },
      bothEnds: true,
      deadlineMs: video.deadlineMs,
      session,
      loOffsetHz: plain.setup.frontend.loOffsetHz,
      device: canonical({
        uri: config.to,
        ...plain.request,
        permission: permission && describePermission(permission),
      }) as object,
    },
    io,
  );
  const { book } = run;
  const { deviceRateHz: rate } = plain.setup.frontend;
  const policy = new DeadlinePolicy(video.deadlineMs);
  const socket = answered
    ? await openSocket(config, 'sender', { note: (text) => io.progress.note(text) }).catch(async (error) => {
        await run.failed(error);
        throw error;
      })
    : null;
  let failure: Error | null = null;
  const failed = (error: Error): void => {
    failure ??= error;
  };
  const coding = new Map<number, { frame: SentFrame; done: (coded: Coded) => void }>();
  const radio = await openRadio(plain.uri).catch(async (error) => {
    await socket?.close();
    await run.failed(error);
    throw error;
  });
  let encoder: VideoThread<EncodeRequest, EncodeReply> | null = null;
  let tx: TxStream | null = null;
  let listening: NodeJS.Timeout | undefined;
  const started = performance.now();
  try {
    encoder = await VideoThread.start<EncodeRequest, EncodeReply>(
      'encode-worker',
      { config: own, session, sizePx: video.sizePx } satisfies EncodeSetup,
      (reply) => {
        if (reply.kind !== 'coded') return;
        const { frame, done } = coding.get(reply.number)!;
        coding.delete(reply.number);
        done({ frame, waveform: reply, airMs: (reply.reIm.length / 2 / rate) * 1e3 });
      },
      failed,
    );
    if (socket) await peer(socket, config, io);
    transmitGuard().watch(io.signal);
    if (config.txGainDb === undefined) io.progress.note(STAYS_LOW);
    tx = permittedTx(plain, null, await radio.openTx(plain.request));
    await run.opened({ ...tx.settings, board: radio.boardIdentity ?? null });
    const { counters, settings } = tx;
    run.watch?.reads(() => ({
      clippedSamples: counters.clippedSamples,
      underruns: counters.underruns,
      rxGainsDb: null,
      txGainsDb: settings.gainsDb,
      wayBack: socket && wayBackOf(socket),
    }));
    const startMs = utcNowMs();
    const sentAtS = new Map<number, number>();
    let freeAtMs = startMs;
    let onAir: Promise<unknown> = Promise.resolve();
    const sender = new VideoSender<SentFrame, Coded>(
      {
        policy,
        coder: {
          code: (frame) =>
            new Promise((done) => {
              coding.set(frame.number, { frame, done });
              const nowS = (utcNowMs() - startMs + policy.coding.ms) / 1e3;
              const { number, image, capturedMs } = frame;
              encoder!.post({ kind: 'code', number, image, nowS, capturedAtMs: capturedMs });
            }),
        },
        air: {
          place: async ({ waveform, airMs }, latestMs) => {
            checkAirTime(airMs, video);
            const beginMs = Math.max(utcNowMs(), freeAtMs);
            if (beginMs > latestMs) {
              freeWaveform(waveform.reIm);
              return null;
            }
            freeAtMs = beginMs + airMs;
            const endS = (freeAtMs - startMs) / 1e3;
            for (const { burst } of waveform.bursts) sentAtS.set(burst, endS);
            // One after another, and handed over no earlier than the one before is in the air.
            onAir = onAir.then(() => tx!.write(waveform.reIm)).then(() => tx!.drain());
            await onAir;
            freeWaveform(waveform.reIm);
            return beginMs;
          },
        },
        nowMs: utcNowMs,
        sent: ({ frame, waveform }, onAirMs) => {
          const symbolsPerPixel = waveform.re / (video.sizePx * video.sizePx);
          const { map, csiAgeMs } = waveform;
          book.sent(map, csiAgeMs, symbolsPerPixel);
          const { number, capturedMs } = frame;
          book.ended(
            { frame: number, state: 'sent', capturedMs, onAirMs, map, csiAgeMs, symbolsPerPixel },
            null,
            utcNowMs(),
          );
        },
        dropped: ({ number, capturedMs }, reason) =>
          book.ended({ frame: number, capturedMs, state: 'dropped', reason }, null, utcNowMs()),
        failed: (error) => failed(error as Error),
      },
      500 / video.fps,
    );
    if (socket) {
      listening = setInterval(() => {
        for (const bytes of socket.receive()) {
          const report = parseMessage(bytes);
          const measuredAtS = report ? sentAtS.get(report.burst) : undefined;
          if (report && measuredAtS !== undefined) encoder!.post({ kind: 'report', report, measuredAtS });
        }
      }, FEEDBACK_MS);
    }
    const clock = new FrameClock(video.fps, utcNowMs());
    const most = mostFrames(config);
    let number = 0;
    for (let next = await source.next(); next && number < most && !io.signal.aborted; next = await source.next()) {
      const dueMs = clock.captureMs(number);
      for (let left = dueMs - utcNowMs(); left > 0 && !io.signal.aborted; left = dueMs - utcNowMs())
        await new Promise((resolve) => setTimeout(resolve, Math.min(left, 50)));
      if (failure && !io.signal.aborted) throw failure;
      book.captured();
      sender.offer({ number, capturedMs: next.capturedAtMs ?? dueMs, image: next.image });
      number++;
      run.progress(utcNowMs());
      run.watch?.sent((utcNowMs() - startMs) / 1e3, tx.counters.samples);
    }
    if (io.signal.aborted) sender.stop();
    await sender.idle();
    // An interruption switches the transmitter off at once, under whoever still writes: that is no failure.
    const ending = (error: Error): void => {
      if (!io.signal.aborted) throw error;
    };
    if (failure) ending(failure);
    await tx.close().catch(ending);
    await radio.close().catch(ending);
    const notes = config.txGainDb === undefined ? [STAYS_LOW] : [];
    const metrics = videoMetrics({
      ...({ command: 'stream', modelled: false, source: source.describe(), config: own, video, book } as const),
      board: radio.boardIdentity,
      durationS: number / video.fps,
      latencyOf: null,
      deadlineMs: video.deadlineMs,
      corrector: null,
      samples: tx.counters.samples,
      lostSamples: null,
      droppedBursts: null,
      cpuMs: null,
      airBehindMs: null,
      notes,
    });
    metrics.timings = { totalMs: Math.round(performance.now() - started) };
    if (socket) await run.opened({ feedback: feedbackFacts(socket) });
    return await run.end(metrics);
  } catch (error) {
    await tx?.close().catch(() => undefined);
    await run.failed(error);
    throw error;
  } finally {
    clearInterval(listening);
    await radio.close().catch(() => undefined);
    await socket?.close();
    await encoder?.stop();
  }
}

/** Waits for the receiver; without it nothing is sent. */
async function peer(
  socket: { readonly connected: boolean; readonly counters: { readonly refused: number }; describe(): string },
  { feedback }: StreamConfig,
  io: RunIo,
): Promise<void> {
  if (!socket.connected) io.progress.note(`waiting for the receiver: ${socket.describe()}`);
  const endMs = utcNowMs() + 1e3 * PEER_S;
  while (!socket.connected && socket.counters.refused === 0 && utcNowMs() < endMs) {
    if (io.signal.aborted) throw new SctError('interrupted while waiting for the receiver', ExitCode.interrupted);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (socket.connected) return;
  if (socket.counters.refused > 0)
    throw new UsageError(`--feedback ${feedback}: the receiver there holds another token`, 'give both ends the same');
  throw new NoSignalError(`no receiver: ${socket.describe()}; nothing was sent`, 'start sct watch there first');
}
