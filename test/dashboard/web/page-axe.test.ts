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

const SCENES: readonly Scene[] = [
  { name: 'nothing runs', snapshot: () => [] },
  { name: 'a token that watches', snapshot: () => [], access: 'read' },
  { name: 'a run', snapshot: pictureRun },
  { name: 'a run that failed', snapshot: async () => [...(await pictureRun()), ended] },
  { name: 'soundings', snapshot: soundRun },
  { name: 'a video', snapshot: videoRun },
  { name: 'a replay, and the form', snapshot: async () => [...(await pictureRun()), replay], doing: openForm },
  { name: 'the help', snapshot: () => [run()], doing: (page) => page.keyboard.press('?') },
  { name: 'two runs compared', snapshot: () => [], doing: compare },
];

/** Colours matter in light as they do in dark; on a phone what stands where. */
const LOOKS = [
  { colorScheme: 'dark', width: 1280, scenes: SCENES },
  { colorScheme: 'light', width: 1280, scenes: SCENES.filter(({ name }) => /failed|form|compared|video/.test(name)) },
  {
    colorScheme: 'dark',
    width: 390,
    scenes: SCENES.filter(({ name }) => /nothing|form|soundings|compared|video/.test(name)),
  },
] as const;

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

for (const { colorScheme, width, scenes } of LOOKS) {
  test(`axe-core finds nothing serious: ${colorScheme}, ${width} px wide`, { skip: noBrowser }, async () => {
    const found: string[] = [];
    for (const { name, snapshot, access, doing } of scenes) {
      feeder.snapshot = await snapshot();
      feeder.access = access ?? 'control';
      // High enough for all panels to be in sight; the first two rows grow with the window on a desk.
      const viewport = { width, height: width > 1000 ? 1300 : 5200 };
      const { page } = await openPage(browser, feeder.url, { colorScheme, viewport, bypassCSP: true });
      await page.locator('sct-strip [data-is="link"]', { hasText: 'connected' }).waitFor({ state: 'attached' });
      await page.locator('sct-runs tbody tr').first().waitFor();
      await doing?.(page);
      const fits = await page.evaluate('document.documentElement.scrollWidth <= innerWidth');
      assert.ok(fits, `${name}: nothing sticks out at ${width} px`);
      await page.evaluate(axe);
      const { violations } = (await page.evaluate('axe.run()')) as {
        violations: { id: string; impact: string; nodes: { html: string }[] }[];
      };
      for (const { id, impact, nodes } of violations) {
        if (impact !== 'serious' && impact !== 'critical') continue;
        found.push(`${name}: ${id}: ${nodes.map(({ html }) => html.slice(0, 300)).join(' ')}`);
      }
      await page.close();
    }
    assert.deepEqual(found, []);
  });
}
