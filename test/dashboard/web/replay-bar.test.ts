import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import type { Browser, Locator, Page } from 'playwright-core';
import type { OverviewEvent, ReplayEvent, TelemetryEvent } from '../../../src/link/telemetry.ts';
import { builtPage, launch, noBrowser, openPage } from './browser.ts';
import { Feeder } from './feeder.ts';
import { run } from './made-run.ts';
import { furnish, pictureRun } from './scenes.ts';
import { until } from './waits.ts';

/** A capture of 8 s: loud from 2 to 4 s, a burst marked there, samples lost from 6 to 7 s. */
const OVERVIEW: OverviewEvent = {
  topic: 'overview',
  startS: 0,
  lengthS: 8,
  bins: 80,
  left: 0,
  bursts: [
    { startS: 2, durationS: 2, use: 'data' },
    { startS: 5, durationS: 0.4, use: 'radar' },
  ],
  losses: [{ fromS: 6, toS: 7 }],
  rmsDbfs: Float32Array.from({ length: 80 }, (_, i) =>
    i >= 60 && i < 70 ? Number.NaN : i >= 20 && i < 40 ? -10 : -50,
  ),
  peakDbfs: Float32Array.from({ length: 80 }, (_, i) => (i >= 20 && i < 40 ? -10 : -50)),
};
const AT: ReplayEvent = { topic: 'replay', positionS: 4.2, lengthS: 8, speed: 1, paused: false, loop: null };

let folder: string;
let scene: TelemetryEvent[];
let browser: Browser;
let feeder: Feeder;
let page: Page;
let map: Locator;
let box: { x: number; y: number; width: number; height: number };

before(async () => {
  if (noBrowser) return;
  folder = builtPage();
  browser = await launch();
  feeder = await Feeder.start(folder);
  await furnish(feeder);
  scene = [...(await pictureRun()), OVERVIEW, AT];
});

after(async () => {
  if (noBrowser) return;
  await browser.close();
  await feeder.close();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  if (noBrowser) return;
  await page?.close();
  feeder.snapshot = scene;
  feeder.asked.length = 0;
  feeder.result = undefined;
  ({ page } = await openPage(browser, feeder.url));
  map = page.locator('sct-minimap canvas');
  await said('position').waitFor();
  await until('the map is painted', async () => (await colourAt(3, 0.9)) !== (await colourAt(1, 0.3)));
  box = (await map.boundingBox())!;
});

const said = (is: string) => page.locator(`sct-replay [data-is="${is}"]`);
const last = () => feeder.asked.at(-1) ?? { id: -1, do: 'nothing' };
const near = (a: unknown, b: number) => Math.abs(Number(a) - b) < 0.03;
const xOf = (timeS: number) => box.x + (box.width * timeS) / 8;

/** Colour of the map at a time and a share of its height. */
function colourAt(timeS: number, height: number): Promise<string> {
  const read = `(() => { const c = document.querySelector('sct-minimap canvas');
    return [...c.getContext('2d').getImageData(Math.floor(c.width * ${timeS / 8}), Math.floor(c.height * ${height}), 1, 1).data].join(); })()`;
  return page.evaluate(read) as Promise<string>;
}

async function drag(fromS: number, toS: number, key?: 'Shift'): Promise<void> {
  if (key) await page.keyboard.down(key);
  await page.mouse.move(xOf(fromS), box.y + 24);
  await page.mouse.down();
  await page.mouse.move(xOf((fromS + toS) / 2), box.y + 24);
  await page.mouse.move(xOf(toS), box.y + 24);
  await page.mouse.up();
  if (key) await page.keyboard.up(key);
}

test('the map shows levels, marks, losses and what was heard where they are', { skip: noBrowser }, async () => {
  const [empty, level, lost] = [await colourAt(1, 0.3), await colourAt(3, 0.9), await colourAt(6.5, 0.4)];
  assert.equal(await colourAt(3, 0.4), level, 'loud: a high bar');
  assert.notEqual(await colourAt(1, 0.97), empty, 'quiet: a low one');
  assert.ok(lost !== empty && lost !== level);
  assert.equal(await colourAt(6.05, 0.4), lost);
  assert.equal(await colourAt(5.9, 0.4), empty);
  // The mark of a burst is an outline.
  const outline = await colourAt(2.01, 0);
  assert.notEqual(outline, empty);
  assert.equal(await colourAt(3, 0.06), empty);
  assert.equal(await colourAt(5.2, 0), outline);
  await page.mouse.move(xOf(3), box.y + 30);
  const told = async () => (await map.getAttribute('title')) ?? '';
  await until('what is there is told', async () => /^3\.0.*−10\.0 dBFS · data$/.test(await told()));
  await page.mouse.move(xOf(6.5), box.y + 30);
  await until('a loss is told', async () => /samples lost$/.test(await told()));
});

test('a click and a drag seek; with Shift a drag picks a range, whose edges move', { skip: noBrowser }, async () => {
  assert.equal(await said('position').textContent(), '4.200 s');
  await map.click({ position: { x: box.width / 4, y: 20 } });
  await until('seek', () => last().action === 'seek' && near(last().value, 2));
  await drag(1, 7);
  await until('dragged', () => last().action === 'seek' && near(last().value, 7));
  const seeks = feeder.asked.length;
  await drag(4, 6, 'Shift');
  const shown = async () => /^range ([\d.]+) s to ([\d.]+) s$/.exec((await said('range').textContent()) ?? '');
  await until('range', async () => {
    const found = await shown();
    return near(found?.[1], 4) && near(found?.[2], 6);
  });
  await drag(6, 5);
  await said('loop').click();
  await until('loop', () => last().action === 'loop');
  const [from, to] = last().value as [number, number];
  assert.ok(near(from, 4) && near(to, 5), `${from} to ${to}`);
  assert.equal(feeder.asked.length, seeks + 1, 'edges do not seek');
});

test('keys seek, step, begin and end the range, loop', { skip: noBrowser }, async () => {
  await map.focus();
  await page.keyboard.press('ArrowRight');
  await until('right', () => near(last().value, 4.28));
  await page.keyboard.press('Shift+ArrowLeft');
  await until('left', () => near(last().value, 4.192));
  await page.keyboard.press('Home');
  await until('home', () => last().value === 0);
  await page.keyboard.press(']');
  await until('range', async () => (await said('range').textContent()) === 'range 0.000 s to 4.200 s');
  await page.keyboard.press('[');
  await until('range', async () => (await said('range').textContent()) === 'range 4.200 s to 8.000 s');
  await page.keyboard.press('l');
  await until('loop', () => last().action === 'loop');
  await page.keyboard.press('.');
  await until('step', () => last().action === 'step');
  // The burst that ended last began at 2 s: to just before it, and one step.
  await page.keyboard.press(',');
  await until('back', () => feeder.asked.length > 2 && last().action === 'step' && near(feeder.asked.at(-2)!.value, 2));
  await page.locator('body').click({ position: { x: 4, y: 300 } });
  await page.keyboard.press('Space');
  await until('pause', () => last().action === 'pause');
  await page.keyboard.press('Escape');
  await until('let go', async () => (await said('range').textContent())!.startsWith('drag'));
});

test('speed, export with what it made, receive again with other settings', { skip: noBrowser }, async () => {
  for (const speed of ['0.001', '100', '0']) {
    await said('speed').selectOption(speed);
    await until('speed', () => last().action === 'speed' && last().value === Number(speed));
  }
  await drag(1, 2, 'Shift');
  const files = ['air_part.sigmf-meta', 'air_part.sigmf-data'];
  feeder.result = { name: 'air_part', files, samples: 1000 };
  await said('export').click();
  await until('export', () => last().do === 'export');
  const [from, to] = last().value as [number, number];
  assert.ok(near(from, 1) && near(to, 2), `${from} to ${to}`);
  await said('exported').waitFor();
  assert.match((await said('exported').textContent()) ?? '', /air_part: 1000 samples/);
  assert.equal(await said('exported').locator('button').count(), 2);

  feeder.rest.set('/api/options/replay', {
    properties: {
      estimator: { type: 'string', enum: ['lmmse', 'dft', 'ls'] },
      perceptual: { type: 'boolean' },
      'min-psnr': { type: 'number', minimum: 0 },
      reference: { type: 'string' },
    },
  });
  await said('again').click();
  await page.locator('#sct-again-estimator').selectOption('ls');
  await page.locator('#sct-again-perceptual').check();
  assert.equal(await page.locator('#sct-again-reference').count(), 0);
  await page.locator('#sct-again-min-psnr').fill('x');
  await until('refused', async () => said('again-go').isDisabled());
  await page.locator('#sct-again-min-psnr').fill('20');
  await said('again-go').click();
  await until('again', () => last().do === 'again');
  assert.deepEqual(last().options, { estimator: 'ls', perceptual: true, 'min-psnr': 20 });
  await page.locator('sct-again').waitFor({ state: 'hidden' });
});

test('a replay that has ended begins again where it is sent; one that is only watched has no controls', {
  skip: noBrowser,
}, async () => {
  feeder.tell(run({ ...(feeder.snapshot[0] as object), state: 'ended', exitCode: 0, outcome: 'done' }));
  await said('restart').waitFor();
  // A new run is told of as soon as it is asked for.
  const begun = run({ ...(feeder.snapshot[0] as object), state: 'running', startedAt: '2026-01-02T00:00:00.000Z' });
  const words = () => feeder.asked.map((a) => (a.do === 'replay' ? a.action : a.do));
  await map.click({ position: { x: box.width / 2, y: 20 } });
  await until('again', () => words().includes('again') && words().includes('pause'));
  feeder.tell(begun, { ...AT, paused: true });
  await until('and there', () => words().at(-1) === 'seek' && near(last().value, 4));
  assert.deepEqual(words().slice(0, 3), ['again', 'pause', 'seek']);
  feeder.tell({ ...begun, state: 'ended' });
  await said('restart').click();
  await until('from the beginning', () => last().do === 'again');

  const asked = feeder.asked.length;
  feeder.access = 'read';
  await page.reload();
  await said('pace').waitFor();
  for (const is of ['pause', 'step', 'speed', 'export', 'again']) assert.equal(await said(is).count(), 0, is);
  await map.click({ position: { x: 20, y: 20 } });
  assert.equal(feeder.asked.length, asked);
  feeder.access = 'control';
});

test('a finger seeks; on a phone all of the bar is in sight', { skip: noBrowser }, async () => {
  await page.close();
  ({ page } = await openPage(browser, feeder.url, {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  }));
  map = page.locator('sct-minimap canvas');
  await said('position').waitFor();
  box = (await map.boundingBox())!;
  await page.touchscreen.tap(xOf(2), box.y + 20);
  await until('seek', () => last().action === 'seek' && near(last().value, 2));
  const bar = (await page.locator('sct-replay').boundingBox())!;
  assert.ok(
    bar.x >= 0 && bar.x + bar.width <= 390 && bar.y + bar.height <= 845 && bar.height < 240,
    JSON.stringify(bar),
  );
  for (const button of await page.locator('sct-replay .replay button').all()) {
    const at = (await button.boundingBox())!;
    assert.ok(at.x >= 0 && at.x + at.width <= 390, JSON.stringify(at));
  }
});
