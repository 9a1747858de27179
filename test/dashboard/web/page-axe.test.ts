import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { TelemetryEvent } from '../../../src/link/telemetry.ts';
import { builtPage, launch, noBrowser, openPage } from './browser.ts';
import { Feeder } from './feeder.ts';
import { run } from './made-run.ts';
import { furnish, pictureRun, soundRun, videoRun } from './scenes.ts';

let folder: string;
let browser: Browser;
let feeder: Feeder;
const axe = noBrowser ? '' : readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

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

interface Scene {
  readonly name: string;
  readonly snapshot: () => Promise<TelemetryEvent[]> | TelemetryEvent[];
  readonly access?: 'read';
  /** What is done before it is looked at. */
  readonly doing?: (page: Page) => Promise<unknown>;
}

const replay = { topic: 'replay' as const, positionS: 1, lengthS: 8, speed: 1, paused: true, loop: null };
const ended = run({ state: 'ended', exitCode: 5, outcome: 'the picture is damaged: 1 arrived in part' });

/** Its pictures are made once. */
let made: Promise<TelemetryEvent[]> | null = null;
function aRun(): Promise<TelemetryEvent[]> {
  made ??= pictureRun();
  return made;
}

const SCENES: readonly Scene[] = [
  { name: 'nothing runs', snapshot: () => [] },
  { name: 'a token that watches', snapshot: () => [], access: 'read' },
  { name: 'a run', snapshot: aRun },
  { name: 'a run that failed', snapshot: async () => [...(await aRun()), ended] },
  { name: 'soundings', snapshot: soundRun },
  { name: 'a video', snapshot: videoRun },
  { name: 'a replay, and the form', snapshot: async () => [...(await aRun()), replay], doing: openForm },
  { name: 'the help', snapshot: () => [run()], doing: (page) => page.keyboard.press('?') },
  { name: 'two runs compared', snapshot: () => [], doing: compare },
];

/** Scenes that are looked at in light as well, where colours alone are others, and on a phone, where all stands elsewhere. */
const IN_LIGHT = /failed|form|compared|video/;
const ON_A_PHONE = /nothing|form|soundings|compared|video/;
const COLOURS = ['color-contrast', 'link-in-text-block'];
/** High enough for all panels to be in sight; the first two rows grow with the window on a desk. */
const DESK = { width: 1280, height: 1300 };
const PHONE = { width: 390, height: 5200 };

async function openForm(page: Page): Promise<void> {
  await page.keyboard.press('c');
  await page.locator('#sct-o-snr').fill('99');
  await page.locator('[data-is="more"]').click();
  await page.locator('.wrong').first().waitFor();
}

async function compare(page: Page): Promise<void> {
  const boxes = page.locator('sct-runs tbody input[type="checkbox"]');
  await boxes.first().check();
  await boxes.nth(1).check();
  await page.locator('sct-compare img').nth(1).waitFor();
}

/** What axe finds of a page as it is; `rules`: of these alone. */
async function serious(page: Page, rules: readonly string[] | null): Promise<string[]> {
  // Two frames: what has changed is laid out and painted.
  await page.evaluate('new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)))');
  const only = rules ? JSON.stringify({ runOnly: { type: 'rule', values: rules } }) : '';
  const { violations } = (await page.evaluate(`axe.run(${only})`)) as {
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 300)).join(' ')}`);
}

async function fits(page: Page): Promise<void> {
  const width = page.viewportSize()?.width;
  assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `sticks out at ${width} px`);
}

test('axe-core finds nothing serious', { skip: noBrowser }, async (t) => {
  feeder.snapshot = [];
  const { page } = await openPage(browser, feeder.url, { colorScheme: 'dark', viewport: DESK, bypassCSP: true });
  await page.locator('sct-strip [data-is="link"]', { hasText: 'connected' }).waitFor({ state: 'attached' });
  await page.evaluate(axe);
  for (const [n, { name, snapshot, access, doing }] of SCENES.entries()) {
    await t.test(name, async () => {
      feeder.snapshot = await snapshot();
      feeder.access = access ?? 'control';
      // A page that comes back begins with nothing but what it is given then.
      feeder.drop();
      const back = page.locator('sct-strip [data-is="link"]', { hasText: `again, ${n + 1}×` });
      await back.waitFor({ state: 'attached' });
      await page.locator('sct-runs tbody tr').first().waitFor();
      await doing?.(page);
      await fits(page);
      assert.deepEqual(await serious(page, null), [], 'dark, on a desk');
      if (IN_LIGHT.test(name)) {
        await page.emulateMedia({ colorScheme: 'light' });
        assert.deepEqual(await serious(page, COLOURS), [], 'light');
        await page.emulateMedia({ colorScheme: 'dark' });
      }
      if (ON_A_PHONE.test(name)) {
        await page.setViewportSize(PHONE);
        await fits(page);
        assert.deepEqual(await serious(page, null), [], 'on a phone');
        assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1, 'a heading for who listens');
        await page.setViewportSize(DESK);
      }
      // The form and the help close by it.
      await page.keyboard.press('Escape');
    });
  }
  await page.close();
});

test('a fault is found: a picture without a text, words that cannot be read', { skip: noBrowser }, async () => {
  const { page } = await openPage(browser, feeder.url, { viewport: DESK, bypassCSP: true });
  await page.evaluate(axe);
  await page.evaluate(`document.body.insertAdjacentHTML('beforeend', '<img src="icon.svg"><p id="pale">pale</p>');
    Object.assign(document.getElementById('pale').style, { color: '#888', background: '#999' })`);
  const found = (await serious(page, null)).join(' ');
  for (const id of ['image-alt', 'color-contrast']) assert.ok(found.includes(id), found);
  assert.match((await serious(page, COLOURS)).join(' '), /^color-contrast/);
  await page.close();
});
