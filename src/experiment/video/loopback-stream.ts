import { FrameClock } from '../../link/video/frame-clock.ts';
import { psnrDb } from '../../sct/quality/psnr.ts';
import { setupLink } from '../config/link-setup.ts';
import { checkModelledFeedback } from '../loopback/loopback-run.ts';
import type { RunIo } from '../run/run-io.ts';
import { GainMeter } from './corrector-gain.ts';
import { LoopbackSession, type SentFrame } from './loopback-session.ts';
import { utcNowMs } from './thread.ts';
import { mostFrames, type StreamConfig, videoSession } from './video-config.ts';
import { type VideoMetrics, videoMetrics } from './video-metrics.ts';
import { type VideoResult, VideoRun } from './video-run.ts';
import type { SourceFrame, VideoSource } from './video-source.ts';

/** Frames before the first that counts, one after another: code is compiled, and the usual times are known. */
const WARM_UP_FRAMES = 60;
/** Fewer where a frame takes long: no more is begun after this time. */
const WARM_UP_MOST_MS = 15_000;
/** One that does not come is not waited for longer, ms. */
const WARM_UP_WAIT_MS = 1000;
/** They are captured so far in the future that none is too late, ms. */
const AHEAD_MS = 60_000;
/** Every so manyeth frame that the one before helped to restore is decoded again without it. */
const COMPARE_EVERY = 1;
/** A frame that has not come when one so many after it has is lost. */
const LOST_BEHIND = 8;

const NO_RADIO = { clippedSamples: 0, underruns: 0, rxGainsDb: null, txGainsDb: null } as const;

/** What is known of a frame that is on its way. */
interface Underway {
  readonly frame: SentFrame;
  readonly onAirMs: number;
  readonly map: string;
  readonly csiAgeMs: number | null;
  readonly symbolsPerPixel: number;
}

/**
 * `sct stream SOURCE --to loopback`: sender, modelled air and receiver in real time in one process. Ends with the source, after
 * `--duration` or `-n` frames.
 */
export async function runLoopbackStream(config: StreamConfig, source: VideoSource, io: RunIo): Promise<VideoResult> {
  checkModelledFeedback(config);
  const { video, ...link } = config;
  const { deadlineMs, sizePx } = video;
  const { loOffsetHz } = setupLink(config, null, null).frontend;
  const started = performance.now();
  const run = await VideoRun.begin(
    {
      ...({ command: 'stream', name: config.source, channel: config.channel, modelled: true, config, video } as const),
      settings: { ...link, ...video },
      bothEnds: true,
      deadlineMs,
      loOffsetHz,
    },
    io,
  );
  const { book, keeper } = run;
  const underway = new Map<number, Underway>();
  const gain = new GainMeter();
  const facts = ({ frame, onAirMs, map, csiAgeMs, symbolsPerPixel }: Underway) => ({
    frame: frame.number,
    capturedMs: frame.capturedMs,
    onAirMs,
    map,
    csiAgeMs,
    symbolsPerPixel,
  });
  /** Frames from `before` back that are still under way never came. */
  const lost = (before: number, reason: string): void => {
    for (const [number, sent] of underway) {
      if (number >= before) break;
      underway.delete(number);
      book.ended({ ...facts(sent), state: 'lost', reason }, null, utcNowMs());
    }
  };
  let warmed: () => void = () => undefined;
  const counts = ({ number }: SentFrame) => number >= 0;
  let session: LoopbackSession | null = null;
  try {
    session = await LoopbackSession.open(config, videoSession(config), COMPARE_EVERY, {
      placed: (frame, coded, onAirMs) => {
        if (!counts(frame)) return;
        const symbolsPerPixel = coded.re / (sizePx * sizePx);
        book.sent(coded.map, coded.csiAgeMs, symbolsPerPixel);
        underway.set(frame.number, { frame, onAirMs, map: coded.map, csiAgeMs: coded.csiAgeMs, symbolsPerPixel });
      },
      dropped: (frame, reason) => {
        if (!counts(frame)) return;
        const { number, capturedMs } = frame;
        book.ended({ frame: number, capturedMs, state: 'dropped', reason }, null, utcNowMs());
      },
      skipped: (frame, { snrDb }) => {
        const sent = underway.get(frame.number);
        if (!sent) return;
        underway.delete(frame.number);
        book.ended({ ...facts(sent), state: 'late', reason: 'not-decoded', snrDb }, null, utcNowMs());
      },
      arrived: (frame, reply) => {
        if (!counts(frame)) warmed();
        const shownMs = utcNowMs();
        const sent = underway.get(frame.number);
        if (!sent) return;
        underway.delete(frame.number);
        lost(frame.number - LOST_BEHIND, 'never-came');
        const { snrDb, damagedShare, remembered, image, decodable, key, damage, columns } = reply;
        if (!image || !decodable) {
          book.ended({ ...facts(sent), state: 'lost', reason: 'not-decodable', snrDb }, null, shownMs);
          return;
        }
        const latencyMs = shownMs - frame.capturedMs;
        const late = latencyMs > deadlineMs;
        const known = { ...facts(sent), latencyMs, snrDb, damagedShare, remembered };
        if (late) {
          book.ended({ ...known, state: 'late', reason: 'after-its-deadline' }, null, shownMs);
          return;
        }
        if ((remembered ?? 0) > 0 && key % COMPARE_EVERY === 0 && damage)
          gain.keep(key, { original: frame.image, shown: image, damage, columns });
        book.ended({ ...known, state: 'shown', shownMs, psnrDb: psnrDb(frame.image, image) }, image, shownMs);
        keeper.shown(frame.number, image);
      },
      compared: (key, without) => gain.compared(key, without),
    });
    io.progress.note(`the air is modelled: ${session.channel}`);
    const { watch } = run;
    watch?.reads(() => ({ ...NO_RADIO, queues: session?.queues ?? null }));
    const began = performance.now();
    const first = await source.next();
    let warmUps = 0;
    const late = () => performance.now() - began > WARM_UP_MOST_MS;
    for (let i = WARM_UP_FRAMES; i > 0 && first && !io.signal.aborted && !late(); i--) {
      session.check();
      const image = { ...first.image, data: first.image.data.slice() };
      const came = new Promise<void>((resolve) => {
        warmed = resolve;
      });
      session.sender.offer({ number: -i, capturedMs: utcNowMs() + AHEAD_MS, image });
      await Promise.race([came, new Promise((resolve) => setTimeout(resolve, WARM_UP_WAIT_MS))]);
      await session.sender.idle();
      warmUps++;
      io.progress.update(`stream  warming up, ${i - 1} frames left`);
    }
    const cpuBefore = process.cpuUsage();
    const seconds = await play(config, first, source, session, io, () => {
      book.captured();
      run.progress(utcNowMs());
      watch?.sent(session!.airS, Math.round(session!.airS * config.rateHz));
    });
    const cpu = process.cpuUsage(cpuBefore);
    await session.finish();
    lost(Number.POSITIVE_INFINITY, 'never-came');
    if (!io.signal.aborted) await session.compare();
    const { received } = session;
    const metrics: VideoMetrics = videoMetrics({
      ...({ command: 'stream', modelled: true, source: source.describe(), config, video, book } as const),
      ...({ durationS: seconds, latencyOf: 'capture-to-shown', deadlineMs } as const),
      corrector: gain.result,
      samples: received?.samples ?? null,
      lostSamples: received?.lostSamples ?? null,
      droppedBursts: received?.droppedBursts ?? null,
      cpuMs: (cpu.user + cpu.system) / 1e3,
      airBehindMs: session.mostBehindMs,
      notes: [`modelled air: ${session.channel}`, `${warmUps} times the first frame before the first that counts`],
    });
    metrics.timings = {
      startMs: Math.round(began - started),
      totalMs: Math.round(performance.now() - started),
    };
    return await run.end(metrics);
  } catch (error) {
    await run.failed(error);
    throw error;
  } finally {
    await session?.close();
  }
}

/** Offers frames on their grid until there are no more; returns how long it was. */
async function play(
  config: StreamConfig,
  first: SourceFrame | null,
  source: VideoSource,
  session: LoopbackSession,
  io: RunIo,
  captured: () => void,
): Promise<number> {
  const most = mostFrames(config);
  const clock = new FrameClock(config.video.fps, utcNowMs());
  let next = first;
  let number = 0;
  for (; number < most && next && !io.signal.aborted; number++) {
    const dueMs = clock.captureMs(number);
    await until(dueMs, io.signal);
    if (io.signal.aborted) break;
    session.check();
    session.sender.offer({ number, capturedMs: next.capturedAtMs ?? dueMs, image: next.image });
    captured();
    next = await source.next();
  }
  return number / config.video.fps;
}

async function until(dueMs: number, signal: AbortSignal): Promise<void> {
  for (let left = dueMs - utcNowMs(); left > 0 && !signal.aborted; left = dueMs - utcNowMs()) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, 50)));
  }
}
