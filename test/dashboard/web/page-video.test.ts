import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { builtPage, launch, noBrowser, openPage } from './browser.ts';
import { Feeder } from './feeder.ts';
import { run, source, spectrum, status } from './made-run.ts';
import { video } from './made-video.ts';
import { distance, Pixels, rgbOf } from './pixels.ts';
import { furnish, pictureRun, videoRun } from './scenes.ts';
import { reads, until } from './waits.ts';

let folder: string;
let browser: Browser;
let feeder: Feeder;
const STREAM = run({ command: 'stream', commandLine: 'sct stream frames --to loopback', title: 'frames' });
const BAD = rgbOf('#a83a00');
/** Room for the axis of the latencies, and of the trend's margins. */
const [LEFT, TOP] = [46, 7];

before(async () => {
  if (noBrowser) return;
  folder = builtPage();
  browser = await launch();
  feeder = await Feeder.start(folder);
  await furnish(feeder);
});

after(async () => {
  if (noBrowser) return;
  await browser.close();
  await feeder.close();
  rmSync(folder, { recursive: true });
});

/** Mean difference of what the video's canvas shows from a picture, of 255. */
async function offPicture(page: Page, bytes: Uint8Array): Promise<number> {
  const shot = await Pixels.of(page, 'sct-video canvas');
  const side = Math.min(shot.width, shot.height);
  const [left, top] = [Math.round((shot.width - side) / 2), Math.round((shot.height - side) / 2)];
  const data = await sharp(bytes).resize(side, side, { kernel: 'linear' }).removeAlpha().raw().toBuffer();
  let sum = 0;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const i = 3 * (y * side + x);
      sum += distance(shot.at(left + x, top + y), [data[i], data[i + 1], data[i + 2]]);
    }
  }
  return sum / (3 * side * side);
}

test('a video takes the place of still pictures: its frames, counts, latency and deadline', {
  skip: noBrowser,
}, async () => {
  feeder.snapshot = await videoRun();
  const { page, complaints } = await openPage(browser, feeder.url, { colorScheme: 'light' });
  for (const [is, text] of [
    ['frame', '299'],
    ['fps', '29.7'],
    ['captured', '302'],
    ['sent', '300'],
    ['shown', '295'],
    ['late', '3'],
    ['lost', '2'],
    ['dropped', '2'],
    ['missed', '2.32 %'],
    ['conditioned', 'by the frame before'],
  ]) {
    await reads(page, 'sct-video', is, text);
  }
  await reads(page, 'sct-latency', 'p50', '58.2');
  await reads(page, 'sct-latency', 'p99', '71.4');
  await reads(page, 'sct-latency', 'deadline', '120 ms');
  for (const gone of ['sct-source', 'sct-received', 'sct-sfvs']) await page.locator(gone).waitFor({ state: 'hidden' });
  const last = await video(299);
  await until('the last frame is in the canvas', async () => (await offPicture(page, last.bytes)) < 8);
  assert.ok((await offPicture(page, (await video(275)).bytes)) > 12, 'and not another');
  assert.match(
    (await page.locator('sct-video canvas').getAttribute('aria-label')) ?? '',
    /^Frame 299 of the video; PSNR 3\d\.\d dB$/,
  );
  assert.match(
    (await page.locator('sct-latency canvas').getAttribute('aria-label')) ?? '',
    /240 frames.*deadline 120 ms/,
  );

  // Of what came 193 and 290 were late: crosses at 141 of 180 ms; 130 and 261 were lost: ticks at the bottom.
  const chart = await Pixels.of(page, 'sct-latency canvas');
  const right = Math.round(chart.width * 0.76) - 4;
  const x = (frame: number) => right - 3 - (299 - frame) * ((right - LEFT - 6) / 299);
  const height = chart.height - 2 * TOP;
  const late = TOP + height * (1 - 141 / 180);
  const near = (frame: number, y: number) =>
    [-2, -1, 0, 1, 2].some((dx) => [-2, -1, 0, 1, 2].some((dy) => distance(chart.at(x(frame) + dx, y + dy), BAD) < 60));
  for (const frame of [193, 290]) assert.ok(near(frame, late), `${frame} was late`);
  for (const frame of [130, 261]) assert.ok(near(frame, chart.height - TOP - 5), `${frame} was lost`);
  assert.ok(!near(240, late) && !near(240, chart.height - TOP - 5), '240 was shown');
  assert.equal(await page.locator('.fault').count(), 0);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('frames come and go; a late one leaves the picture as it is; a new run has none', {
  skip: noBrowser,
}, async () => {
  feeder.snapshot = [STREAM, status(1)];
  const { page } = await openPage(browser, feeder.url);
  await reads(page, 'sct-video', 'frame', '—');
  await page.locator('sct-latency [data-none="no frame yet"]').waitFor();
  await page.locator('sct-source').waitFor({ state: 'hidden' });
  assert.ok(await page.locator('sct-spectrum').isHidden(), 'nothing is told of the radio: the video has its room');
  const first = await video(0);
  feeder.tell(first);
  await until('the first frame is shown', async () => (await offPicture(page, first.bytes)) < 8);
  const late = { state: 'late', bytes: new Uint8Array(0), latencyMs: 133, psnrDb: null } as const;
  feeder.tell(await video(1, { ...late, conditioned: null, counts: { ...first.counts, late: 1 }, latencyP99Ms: 133 }));
  await reads(page, 'sct-video', 'late', '1');
  await page.locator('sct-latency [data-is="p99"].bad').waitFor();
  assert.ok((await offPicture(page, first.bytes)) < 8);
  await reads(page, 'sct-video', 'psnr', '31.4 dB');
  // Bytes that are no picture: nothing but an empty canvas, and the next frame is shown.
  feeder.tell(await video(2, { bytes: new Uint8Array(1000) }));
  const next = await video(40);
  feeder.tell(next);
  await until('the next frame is shown', async () => (await offPicture(page, next.bytes)) < 8);
  // At a remote receiver nobody knows what was sent, and there is no deadline.
  const counts = { captured: null, sent: null, shown: 3, late: 0, lost: 0, dropped: null };
  feeder.tell(await video(41, { counts, deadlineMs: null, psnrDb: null, conditioned: null, fps: null }));
  await reads(page, 'sct-video', 'captured', '—');
  await reads(page, 'sct-latency', 'deadline', '—');
  await reads(page, 'sct-video', 'psnr', '—');
  assert.equal(await page.locator('sct-video [data-is="conditioned"]').count(), 0);
  feeder.tell(spectrum(1));
  for (const seen of ['sct-spectrum', 'sct-rb-bars', 'sct-video']) await page.locator(seen).waitFor();
  feeder.tell(run({ startedAt: '2026-11-22T09:00:00.000Z' }), await source());
  await page.locator('sct-source').waitFor();
  await page.locator('sct-video').waitFor({ state: 'hidden' });
  assert.equal(await page.locator('.fault').count(), 0);
  await page.close();
});

test('the picture is painted when it has changed, the chart ten times a second at most', {
  skip: noBrowser,
}, async () => {
  feeder.snapshot = [STREAM, status(1), await video(0)];
  const { page } = await openPage(browser, feeder.url);
  await reads(page, 'sct-video', 'shown', '1');
  const frames = await Promise.all(Array.from({ length: 60 }, (_, n) => video(n + 1)));
  const painted = (panel: string) => page.evaluate(`document.querySelector('${panel}').painted`) as Promise<number>;
  const [before, beganMs] = [await painted('sct-latency'), performance.now()];
  for (const frame of frames) {
    feeder.tell(frame);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await reads(page, 'sct-video', 'frame', '60');
  const charts = (await painted('sct-latency')) - before;
  const tookS = (performance.now() - beganMs) / 1000;
  assert.ok(charts >= 2 && charts <= 10 * tookS + 2, `${charts} charts in ${tookS} s`);
  await page.close();
});

test('queues of a receiver in stages stand in the strip; what was left out is bad', { skip: noBrowser }, async () => {
  feeder.snapshot = await pictureRun();
  const { page } = await openPage(browser, feeder.url);
  await reads(page, 'sct-strip', 'queue', '3');
  assert.equal(await page.locator('sct-strip [data-is="queues"]').count(), 0, 'no stages');
  const queues = { samplesMs: 6.25, samplesShare: 0.1, bursts: 1, droppedBursts: 0, droppedSamples: 0 };
  feeder.tell(status(9, { queues }));
  await reads(page, 'sct-strip', 'queues', '6.3 ms, 1 burst');
  await reads(page, 'sct-strip', 'left-out', '0');
  const bar = page.locator('sct-strip .queues svg');
  assert.equal(await bar.getAttribute('aria-label'), 'Queue of samples: 10 % full');
  assert.equal(await bar.locator('.rms').getAttribute('width'), '10');
  assert.equal(await page.locator('sct-strip [data-is="queue"]').count(), 0, 'said by the bar');
  feeder.tell(
    status(10, { queues: { samplesMs: 310, samplesShare: 1.4, bursts: 8, droppedBursts: 1, droppedSamples: 20_000 } }),
  );
  await reads(page, 'sct-strip', 'queues', '310 ms, 8 bursts');
  await reads(page, 'sct-strip', 'left-out', '1 burst, 20 000 samples');
  await page.locator('sct-strip .queues svg.hot').waitFor();
  assert.equal(await bar.locator('.rms').getAttribute('width'), '100', 'no longer than its room');
  await page.locator('sct-strip .meters .bad [data-is="left-out"]').waitFor();
  await page.close();
});
