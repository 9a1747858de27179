import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { NoSignalError, UsageError } from '../../../src/common/errors.ts';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { Progress } from '../../../src/experiment/report/progress.ts';
import type { RunIo } from '../../../src/experiment/run/run-io.ts';
import type { FrameLine } from '../../../src/experiment/video/frame-book.ts';
import { runStream } from '../../../src/experiment/video/stream-run.ts';
import { resolveVideo, VIDEO_LINK_DEFAULTS, type VideoInput } from '../../../src/experiment/video/video-config.ts';
import { runWatch } from '../../../src/experiment/video/watch-run.ts';
import type { TelemetryEvent, VideoEvent } from '../../../src/link/telemetry.ts';
import { flatImage } from '../../../src/sct/image/rgb-image.ts';
import { savePng } from '../../../src/sct/image/save.ts';

let folder = '';
let frames = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sct-video-'));
  frames = join(folder, 'frames');
  await mkdir(frames);
  // A bright square that moves over a ramp.
  for (let i = 0; i < 4; i++) {
    const image = flatImage(256, 256, 0);
    for (let y = 0; y < 256; y++) {
      for (let x = 0; x < 256; x++) {
        const inside = x >= 40 + 24 * i && x < 120 + 24 * i && y >= 80 && y < 160;
        image.data.set(inside ? [230, 200, 60] : [x >> 1, y >> 1, 90], 3 * (y * 256 + x));
      }
    }
    await savePng(join(frames, `${i}.png`), image);
  }
});
after(() => rm(folder, { recursive: true, force: true }));

function io(name: string, told?: TelemetryEvent[], signal = new AbortController().signal): RunIo {
  return {
    progress: new Progress({ stream: process.stderr, now: () => 0, quiet: true }),
    argv: ['sct', 'test'],
    now: () => new Date(),
    outputDirectory: join(folder, name),
    json: true,
    signal,
    ...(told ? { telemetry: { tell: (event) => void told.push(event) } } : {}),
  };
}

const link = (more: object = {}) => resolveLinkConfig({ ...VIDEO_LINK_DEFAULTS, symbolsPerPixel: 0.3, ...more });
const video = (more: VideoInput = {}) => resolveVideo(more);

async function lines(directory: string): Promise<FrameLine[]> {
  const text = await readFile(join(directory, 'frames.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as FrameLine);
}

describe('sct stream into a file, sct watch of it', () => {
  it('brings every frame, on the grid of its time', async () => {
    const air = join(folder, 'air');
    const sent = await runStream(
      { ...link({ count: 6, assumeSnrDb: 12 }), source: frames, to: `file:${air}`, video: video({ fps: 20 }) },
      io('sent'),
    );
    assert.equal(sent.exitCode, 0);
    assert.deepEqual([sent.metrics.counts.captured, sent.metrics.counts.sent], [6, 6]);
    // Whole slots: 2310 of 65 536 pixels each.
    const r = sent.metrics.symbolsPerPixel!;
    assert.ok(r <= 0.3 && r > 0.3 - 2310 / 65_536, `${r}`);
    const out = await lines(sent.directory);
    assert.deepEqual(
      out.map((l) => l.frame),
      [0, 1, 2, 3, 4, 5],
    );
    for (const [i, l] of out.entries()) assert.ok(Math.abs(l.onAirMs! - out[0].onAirMs! - 50 * i) < 1);

    const shown = join(folder, 'shown.mkv');
    const film = spawnSync('ffmpeg', ['-version']).status === 0 ? { videoFile: shown } : {};
    const told: TelemetryEvent[] = [];
    const watched = await runWatch(
      { ...link(), from: `file:${air}`, video: video({ keepFrames: 2, ...film }) },
      io('watched', told),
    );
    const { counts, latencyMs, lateShare } = watched.metrics;
    assert.deepEqual([watched.metrics.codec, watched.metrics.size], ['integrated', 'live']);
    assert.equal(watched.exitCode, 0);
    assert.deepEqual([counts.shown, counts.late, counts.lost], [6, 0, 0]);
    assert.equal(lateShare, 0);
    assert.equal(latencyMs.of, 'air-time');
    assert.ok(latencyMs.p50! > 5 && latencyMs.p50! < 20);
    for (const name of ['run.json', 'metrics.json', 'report.html', 'frame-000000.png', 'frame-000001.png']) {
      assert.ok((await stat(join(watched.directory, name))).size > 0, name);
    }
    await assert.rejects(stat(join(watched.directory, 'frame-000002.png')));
    if ('videoFile' in film) {
      const raw = spawnSync('ffmpeg', ['-v', 'error', '-i', shown, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], {
        maxBuffer: 2 ** 24,
      });
      assert.equal(raw.stdout.length, 6 * 256 * 256 * 3);
      const again = { ...link(), from: `file:${air}`, video: video(film) };
      await assert.rejects(runWatch(again, io('again')), /exists already/);
    }
    const page = await readFile(join(watched.directory, 'report.html'), 'utf8');
    assert.match(page, /latency/);
    assert.doesNotMatch(page, /<script/);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const events = told.filter((e): e is VideoEvent => e.topic === 'video');
    assert.equal(events.length, 6);
    assert.ok(events.some((e) => e.bytes.length > 0));
    assert.equal(events.at(-1)!.counts.captured, null);
  });

  it('ends after the frames that were asked for; another numerology hears nothing and says why', async () => {
    const from = `file:${join(folder, 'air')}`;
    const some = await runWatch({ ...link({ count: 2 }), from, video: video() }, io('some'));
    assert.equal(some.metrics.counts.shown, 2);
    await assert.rejects(
      runWatch({ ...link({ numerology: 6 }), from, video: video() }, io('deaf')),
      (error: unknown) => {
        assert.ok(error instanceof NoSignalError);
        assert.match(String(error.hint), /--numerology 15/);
        return true;
      },
    );
    assert.equal(JSON.parse(await readFile(join(folder, 'deaf', 'run.json'), 'utf8')).exit.code, 4);
  });

  it('says below --min-psnr only what it can know, and refuses what cannot be', async () => {
    const to = 'file:x';
    const stream = (more: object, given: VideoInput = {}, uri = to) =>
      runStream({ ...link({ count: 1, ...more }), source: frames, to: uri, video: video(given) }, io('refused'));
    await assert.rejects(stream({}, { keepFrames: 3 }), /nothing is shown/);
    await assert.rejects(stream({ symbolsPerPixel: 3 }, { fps: 60 }, `file:${join(folder, 'long')}`), /on the air/);
    await assert.rejects(stream({}, {}, 'hackrf'), /no frequency/);
    await assert.rejects(
      runWatch({ ...link(), from: 'loopback', video: video() }, io('refused')),
      (error: unknown) => error instanceof UsageError && /sct stream SOURCE --to loopback/.test(String(error.hint)),
    );
    const named = { ...link(), from: `file:${join(folder, 'air')}`, video: video({ videoFile: 'x.exe' }) };
    await assert.rejects(runWatch(named, io('named')), /allowed .mp4/);
    assert.throws(() => video({ sizePx: 300 }), /allowed 256, 512/);
    assert.throws(() => video({ fps: 0 }), /--fps/);
    assert.throws(() => video({ deadlineMs: 5 }), /--deadline/);
    assert.throws(() => video({ keepFrames: 1.5 }), /whole number/);
  });
});

describe('sct stream --to loopback', () => {
  it('gives every captured frame exactly one end, whatever the machine has time for', async () => {
    const told: TelemetryEvent[] = [];
    const result = await runStream(
      {
        ...link({ count: 8, channel: 'awgn', snrDb: 20 }),
        source: frames,
        to: 'loopback',
        video: video({ fps: 4, deadlineMs: 10_000 }),
      },
      io('loopback', told),
    );
    const { counts, channel, modelled, psnrDb, files } = result.metrics;
    assert.equal(counts.captured, 8);
    assert.equal(counts.shown + counts.late + counts.lost + counts.dropped!, 8);
    assert.equal(counts.sent, 8 - counts.dropped!);
    assert.ok(modelled && channel === 'awgn');
    assert.ok(counts.shown > 0, JSON.stringify(result.metrics));
    assert.ok(psnrDb! > 20, `${psnrDb}`);
    const out = await lines(result.directory);
    assert.deepEqual(
      out.map((l) => l.frame).sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    for (const line of out.filter((l) => l.state === 'shown')) {
      assert.ok(line.latencyMs! > 0 && line.onAirMs! >= line.capturedMs! && line.shownMs! > line.onAirMs!);
    }
    assert.match(await readFile(files.report, 'utf8'), /no radio was involved/);
    assert.ok(told.some((e) => e.topic === 'video' && e.state === 'shown'));
    assert.ok(told.some((e) => e.topic === 'run' && e.state === 'ended' && e.modelled));
  });

  it('stops when it is told to, with what it has', async () => {
    const controller = new AbortController();
    const told: TelemetryEvent[] = [];
    const running = runStream(
      {
        ...link({ durationS: 600, channel: 'awgn', snrDb: 20, codec: 'integrated' }),
        source: frames,
        to: 'loopback',
        video: video({ fps: 4, deadlineMs: 10_000 }),
      },
      { ...io('stopped', undefined, controller.signal), telemetry: { tell: (e) => void told.push(e) } },
    );
    const timer = setInterval(() => {
      if (told.some((e) => e.topic === 'video')) controller.abort();
    }, 20);
    const result = await running;
    clearInterval(timer);
    assert.equal(result.exitCode, 130);
    assert.ok(result.metrics.counts.captured! >= 1);
  });
});
