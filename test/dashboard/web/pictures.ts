// Pictures of docs/dashboard.md, from real runs of the built program.
//   npm run build && node --import tsx test/dashboard/web/pictures.ts [NAME ...]
// With names (dashboard-video, say) only these are written; the runs are made all the same.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { launch } from './browser.ts';
import { frameJpeg } from './made-video.ts';
import { Program, reads, watchedPage } from './program.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SCREEN = { width: 1280, height: 800 };

const folder = await mkdtemp(join(tmpdir(), 'sct-pictures-'));
const ends: (() => unknown)[] = [];
const program = await Program.start(
  { after: (end: () => unknown) => void ends.push(end) } as unknown as TestContext,
  ['--captures', join(ROOT, 'captures')],
  folder,
);
const browser = await launch();

const only = process.argv.slice(2);

async function save(page: Page, name: string): Promise<void> {
  if (only.length > 0 && !only.includes(name)) return;
  const png = await page.screenshot();
  const path = join(ROOT, 'docs', 'images', `${name}.png`);
  const { size } = await sharp(png).png({ palette: true, quality: 90, effort: 10 }).toFile(path);
  process.stderr.write(`${name}.png ${(size / 1e3).toFixed(0)} kB\n`);
}

async function open(colorScheme: 'dark' | 'light', viewport: { width: number; height: number } = SCREEN) {
  const { page, context, wrong } = await watchedPage(browser, program.control, { viewport, colorScheme });
  await reads(page, 'sct-strip', 'link', 'connected');
  return { page, context, wrong };
}

/** A folder of frames: a window that goes over the demo photo. */
const FRAMES = 64;
async function makeFrames(): Promise<void> {
  await mkdir(join(folder, 'pictures'));
  for (let n = 0; n < FRAMES; n++) {
    await writeFile(join(folder, 'pictures', `${String(n).padStart(2, '0')}.jpg`), await frameJpeg(n, 95));
  }
}

// In real time at its 30 frames a second: on a machine that is busy with other things as well it would show late frames.
const STREAM = { to: 'loopback', channel: 'epa', snr: '10', fps: '30', duration: '25' };
const LOOPBACK = { demo: true, channel: 'eva', doppler: '5', snr: '12' };

try {
  // A second run over the same channel, to compare with.
  await program.run('loopback', { options: { ...LOOPBACK, mapping: 'uniform', pace: '0' } });

  const dark = await open('dark');
  const phone = await open('dark', { width: 390, height: 844 });
  const run = program.run('loopback', { options: LOOPBACK });
  await reads(dark.page, 'sct-strip', 'state', /modelled/);
  await dark.page.locator('sct-sfvs td', { hasText: 'heard' }).first().waitFor();
  await dark.page.locator('sct-sfvs td', { hasText: 'received' }).nth(3).waitFor();
  await save(dark.page, 'dashboard');
  await save(phone.page, 'dashboard-phone');
  await run;
  await dark.context.close();
  await phone.context.close();

  const light = await open('light');
  await reads(light.page, 'sct-strip', 'state', /ended/);
  await light.page.locator('sct-sfvs tbody tr').nth(2).hover();
  await light.page.waitForTimeout(1000);
  await save(light.page, 'dashboard-light');

  const boxes = light.page.locator('sct-runs tbody input[type="checkbox"]');
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await light.page.locator('sct-compare img').nth(1).waitFor();
  await light.page.locator('sct-compare').scrollIntoViewIfNeeded();
  await light.page.waitForTimeout(1000);
  await save(light.page, 'dashboard-compare');
  await light.context.close();

  await makeFrames();
  const video = await open('dark');
  const streamed = program.run('stream', { options: STREAM });
  await reads(video.page, 'sct-strip', 'state', /stream/);
  await reads(video.page, 'sct-video', 'frame', /^\d{3}$/);
  await video.page.waitForTimeout(3000);
  await save(video.page, 'dashboard-video');
  await streamed;
  await video.context.close();

  const replay = await open('light');
  await program.run('replay', { source: 'captures/emulated-interference' });
  await reads(replay.page, 'sct-strip', 'state', /ended/);
  await replay.page.waitForTimeout(1500);
  await save(replay.page, 'dashboard-replay');
  await replay.context.close();
} finally {
  await browser.close();
  for (const end of ends) end();
  await rm(folder, { recursive: true, force: true });
}
