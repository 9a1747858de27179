import { FrameClock } from '../../link/video/frame-clock.ts';
import { FileRadio } from '../../radio/file/file-radio.ts';
import type { RunIo } from '../run/run-io.ts';
import { FrameCoder } from './frame-coder.ts';
import { recordingOptions } from './recording.ts';
import { utcNowMs } from './thread.ts';
import { checkAirTime, mostFrames, type StreamConfig, videoSession } from './video-config.ts';
import { videoMetrics } from './video-metrics.ts';
import { type VideoResult, VideoRun } from './video-run.ts';
import type { VideoSource } from './video-source.ts';

/** Silence before the first burst and after the last, s: a receiver can see its noise floor. */
const LEAD_S = 5e-3;
const TAIL_S = 10e-3;

/**
 * `sct stream SOURCE --to file:PATH`: a recording of the frames on the grid of their time, made as fast as it can. Nothing comes
 * back from a file: every frame is sent with the robust map for `--assume-snr`.
 */
export async function runFileStream(
  config: StreamConfig,
  path: string,
  source: VideoSource,
  io: RunIo,
): Promise<VideoResult> {
  const { video, ...link } = config;
  const session = videoSession(config);
  const coder = await FrameCoder.open({ ...config, feedback: 'none' }, session);
  const { frontend } = coder.setup;
  const rate = frontend.deviceRateHz;
  const run = await VideoRun.begin(
    {
      ...({ command: 'stream', name: config.source, channel: 'file', modelled: false, config, video } as const),
      settings: { ...link, ...video },
      bothEnds: true,
      deadlineMs: null,
      loOffsetHz: frontend.loOffsetHz,
      session,
    },
    io,
  );
  const { book } = run;
  const started = performance.now();
  const cpuBefore = process.cpuUsage();
  const radio = new FileRadio(path, recordingOptions(coder.setup, config));
  try {
    const tx = await radio.openTx({
      rateHz: rate,
      ...(config.frequencyHz === undefined ? {} : { frequencyHz: config.frequencyHz }),
    });
    // Of the recording: when it would have begun, had it been sent now.
    const clock = new FrameClock(video.fps, utcNowMs());
    const most = mostFrames(config);
    let number = 0;
    let end = 0;
    for (let next = await source.next(); next && number < most && !io.signal.aborted; next = await source.next()) {
      const inS = (clock.captureMs(number) - clock.startMs) / 1e3;
      const capturedMs = clock.captureMs(number);
      const waveform = await coder.code(next.image, inS, capturedMs);
      book.captured();
      checkAirTime((waveform.reIm.length / 2 / rate) * 1e3, video);
      const placed = await tx.write(waveform.reIm, Math.ceil((LEAD_S + inS) * rate));
      end = placed.index + placed.samples;
      const symbolsPerPixel = waveform.re / (video.sizePx * video.sizePx);
      book.sent(waveform.map, waveform.csiAgeMs, symbolsPerPixel);
      const onAirMs = clock.startMs + (1e3 * placed.index) / rate;
      book.ended(
        { frame: number, state: 'sent', capturedMs, onAirMs, map: waveform.map, symbolsPerPixel },
        null,
        capturedMs,
      );
      number++;
      if (number % 10 === 0) io.progress.update(`stream  ${number} frames written`);
    }
    await tx.write(new Float32Array(2 * Math.ceil(TAIL_S * rate)), end);
    await tx.drain();
    await radio.close();
    const cpu = process.cpuUsage(cpuBefore);
    const metrics = videoMetrics({
      ...({ command: 'stream', modelled: false, source: source.describe(), config, video, book } as const),
      durationS: number / video.fps,
      latencyOf: null,
      deadlineMs: null,
      corrector: null,
      samples: end,
      lostSamples: null,
      droppedBursts: null,
      cpuMs: (cpu.user + cpu.system) / 1e3,
      airBehindMs: null,
      notes: [`written to ${path}; robust map for ${config.assumeSnrDb} dB`],
    });
    metrics.timings = { totalMs: Math.round(performance.now() - started) };
    return await run.end(metrics);
  } catch (error) {
    await radio.close().catch(() => undefined);
    await run.failed(error);
    throw error;
  }
}
