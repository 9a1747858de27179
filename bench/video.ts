/**
 * Video in real time over a modelled channel: late frames, latency, PSNR at the rate of a published testbed.
 *
 *   npm run --silent build && node --import tsx bench/video.ts --data DIR [--seconds 600] [--quick] [-o FILE]
 *
 * Runs the built program (`sct stream … --to loopback`) in a process of its own: 256x256, 30 frames/s, R = 0.5 symbols per pixel, EPA at
 * 10 dB; then short runs over AWGN at other SNRs for PSNR. There is no film at hand: DIR (or SCT_DATA) holds kodak/ and camvid/test/, and the frames are pans over
 * these photos; without it pans over the demo photo. JSON on stdout and in bench/results/video.json (--quick: on stdout alone).
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostFacts, programFacts } from '../src/experiment/run/host-facts.ts';
import type { VideoMetrics } from '../src/experiment/video/video-metrics.ts';
import { loadDemoPhoto } from '../src/sct/image/demo.ts';
import { listImages } from '../src/sct/image/list.ts';
import { loadImage } from '../src/sct/image/load.ts';
import type { RgbImage } from '../src/sct/image/rgb-image.ts';
import { cropImage, resizeImage, savePng } from '../src/sct/image/save.ts';
import type { MeasuredRuns, RunFigure } from './chapters/real-time.ts';
import { benchWords, numberIn } from './words.ts';

const SIZE_PX = 256;
const FPS = 30;
const R = 0.5;
/** Frames of a pan over one photo, and photos of each set. */
const PAN_FRAMES = 30;
const KODAK_PHOTOS = 8;
const CAMVID_PHOTOS = 8;
/** Street frames are scaled to this height, so that a pan sees cars and signs, not a patch of road. */
const CAMVID_HEIGHT_PX = 384;
/** [Two FPGAs with DeepJSCC-Q, 2026]: 30 frames/s, 71.5 ms, at 0.5 symbols per pixel. */
const TESTBED = {
  latencyMs: 71.5,
  psnr: [
    [5.5, 26.5],
    [32, 32.0],
  ],
} as const;
const AWGN_SNRS_DB = [5.5, 10, 20, 32] as const;

const FILE = import.meta.filename;
const { values } = benchWords(FILE, {
  options: {
    data: { type: 'string' },
    seconds: { type: 'string', default: '600' },
    quick: { type: 'boolean', default: false },
    output: { type: 'string', short: 'o' },
  },
});
const seconds = numberIn(FILE, '--seconds', values.seconds, 5);

const text = `${JSON.stringify(await bench(values.quick ? 20 : seconds, values.quick), null, 2)}\n`;
const output = values.output ?? (values.quick ? null : fileURLToPath(new URL('results/video.json', import.meta.url)));
if (output) writeFileSync(output, text);
process.stdout.write(text);

async function bench(seconds: number, quick: boolean): Promise<MeasuredRuns> {
  const folder = mkdtempSync(join(tmpdir(), 'sct-video-'));
  const before = loadavg()[0];
  try {
    const frames = join(folder, 'frames');
    const material = await makeFrames(frames, values.data ?? process.env.SCT_DATA ?? null);
    const epa = await stream(frames, folder, ['--channel', 'epa', '--snr', '10'], seconds);
    const runs: MeasuredRuns['runs'][number][] = [timing(epa, material)];
    const points: (readonly [number, VideoMetrics])[] = [];
    for (const snrDb of quick ? AWGN_SNRS_DB.slice(0, 1) : AWGN_SNRS_DB) {
      points.push([snrDb, await stream(frames, folder, ['--channel', 'awgn', '--snr', String(snrDb)], quick ? 5 : 20)]);
    }
    runs.push(quality(points, material));
    return {
      schema: 'sct.bench.video/1',
      quick,
      command: `node --import tsx bench/video.ts --data DIR${quick ? ' --quick' : ` --seconds ${seconds}`}`,
      machine: hostFacts(),
      program: await programFacts(),
      node: process.version,
      load: [before, loadavg()[0]],
      method:
        'The built program sends and receives in one process, in real time: coder, modelled air, demodulator and decoder in a thread each; latency is from the time at which a frame is captured to that at which its picture is there',
      runs,
    } as MeasuredRuns;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function timing(m: VideoMetrics, material: string): MeasuredRuns['runs'][number] {
  const { counts, latencyMs: l, corrector } = m;
  const late = m.lateShare === null ? null : 100 * m.lateShare;
  const atMost = (what: string, value: number | null, unit: string, most: number): RunFigure => ({
    ...{ what, value, unit, asked: `<= ${most}`, met: value === null ? null : value <= most },
  });
  const plain = (what: string, value: number | null, unit = ''): RunFigure => ({ what, value, unit });
  return {
    name: `Video ${SIZE_PX}x${SIZE_PX}, ${FPS} frames/s, EPA 10 dB (modelled)`,
    about: `${Math.round(m.durationS)} s of ${material}; ${m.codec} (${m.size}), numerology ${m.numerology}, deadline ${m.deadlineMs} ms; frames left out by the sender for want of time count as late. The two-FPGA testbed has ${TESTBED.latencyMs} ms`,
    figures: [
      atMost('frames not in time', late, '%', 0.1),
      atMost('latency, half of the frames', l.p50, 'ms', 72),
      atMost('latency, 99 %', l.p99, 'ms', 120),
      plain('latency, largest', l.max, 'ms'),
      plain('frames captured', counts.captured),
      plain('shown', counts.shown),
      plain('late at the receiver', counts.late),
      plain('left out by the sender', counts.dropped),
      plain('lost in the air', counts.lost),
      plain('frames shown a second', m.shownFps),
      plain('PSNR', m.psnrDb, 'dB'),
      plain('symbols per pixel', m.symbolsPerPixel),
      plain('CPU time of a frame, all threads', m.cpuMsPerFrame, 'ms'),
      plain('damaged frames', m.damagedFrames),
      plain('of these restored with the frame before', m.rememberedFrames),
      plain(`PSNR of damaged places with it (${corrector?.frames ?? 0} frames)`, corrector?.withDb ?? null, 'dB'),
      plain('PSNR of damaged places without it', corrector?.withoutDb ?? null, 'dB'),
      plain('gain of the frame before', corrector?.gainDb ?? null, 'dB'),
    ],
    ...{ metrics: m },
  } as MeasuredRuns['runs'][number];
}

function quality(points: readonly (readonly [number, VideoMetrics])[], material: string): MeasuredRuns['runs'][number] {
  return {
    name: `PSNR of video at R = ${R}, AWGN (modelled)`,
    about: `The testbed's own film is not at hand, so that its figures (${TESTBED.psnr.map(([s, p]) => `${p} dB at ${s} dB SNR`).join(', ')}) are of other pictures than these, ${material}`,
    figures: points.flatMap(([snrDb, m]): RunFigure[] => [
      { what: `PSNR at ${snrDb} dB`, value: m.psnrDb, unit: 'dB' },
      { what: `symbols per pixel at ${snrDb} dB`, value: m.symbolsPerPixel, unit: '' },
    ]),
    ...{ metrics: points.map(([, m]) => m) },
  } as MeasuredRuns['runs'][number];
}

/** Runs the built program; its JSON. Its exit code says how good it was, and is no failure of the measurement. */
async function stream(
  frames: string,
  folder: string,
  channel: readonly string[],
  seconds: number,
): Promise<VideoMetrics> {
  const program = fileURLToPath(new URL('../bin/sct.js', import.meta.url));
  const words = [
    ...['stream', frames, '--to', 'loopback', ...channel, '--symbols-per-pixel', String(R)],
    ...['--size-px', String(SIZE_PX), '--fps', String(FPS), '--duration', String(seconds), '--json', '-q'],
    ...['-o', join(folder, 'run')],
  ];
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const out: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
  await new Promise((resolve) => child.once('close', resolve));
  const result = JSON.parse(Buffer.concat(out).toString('utf8')) as VideoMetrics;
  if (result.schema !== 'sct.video/1') throw new Error(`sct stream failed: ${JSON.stringify(result).slice(0, 500)}`);
  return result;
}

/** Writes the frames; says what they are. */
async function makeFrames(folder: string, data: string | null): Promise<string> {
  mkdirSync(folder);
  const photos: RgbImage[] = [];
  if (data === null) photos.push(await loadDemoPhoto());
  else {
    const kodak = await listImages(join(data, 'kodak'));
    for (const path of spread(kodak, KODAK_PHOTOS)) photos.push(await loadImage(path));
    const street = (await listImages(join(data, 'camvid', 'test'))).filter((f) => extname(f).toLowerCase() === '.jpg');
    for (const path of spread(street, CAMVID_PHOTOS)) {
      const image = await loadImage(path);
      photos.push(
        await resizeImage(image, Math.round((image.width * CAMVID_HEIGHT_PX) / image.height), CAMVID_HEIGHT_PX),
      );
    }
  }
  let n = 0;
  for (const photo of photos) {
    for (let i = 0; i < PAN_FRAMES; i++) {
      const part = i / (PAN_FRAMES - 1);
      const left = Math.round(part * (photo.width - SIZE_PX));
      const top = Math.round(part * (photo.height - SIZE_PX));
      await savePng(join(folder, `${String(n++).padStart(5, '0')}.png`), cropImage(photo, left, top, SIZE_PX, SIZE_PX));
    }
  }
  return data === null
    ? `pans over the demo photo (${n} frames, again and again)`
    : `pans over ${KODAK_PHOTOS} Kodak photos and ${CAMVID_PHOTOS} CamVid street frames (${n} frames, again and again; no film)`;
}

function spread<T>(all: readonly T[], count: number): T[] {
  return Array.from({ length: Math.min(count, all.length) }, (_, i) => all[Math.floor((i * all.length) / count)]);
}
