import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { builtPage, launch, noBrowser, openPage } from './browser.ts';
import { Feeder } from './feeder.ts';
import { run } from './made-run.ts';
import { furnish, pictureRun } from './scenes.ts';
import { until } from './waits.ts';

let folder: string;
let browser: Browser;
let feeder: Feeder;

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

const said = (page: Page, is: string) => page.locator(`[data-is="${is}"]`).first();
const last = () => feeder.asked.at(-1) ?? { id: -1, do: 'nothing' };

test('a command is started with checked options, and stopped', { skip: noBrowser }, async () => {
  feeder.snapshot = [];
  feeder.access = 'control';
  const { page } = await openPage(browser, feeder.url);
  await said(page, 'start').waitFor();
  assert.ok(await said(page, 'stop').isDisabled(), 'nothing runs');
  await page.keyboard.press('c');
  const snr = page.locator('#sct-o-snr');
  await snr.fill('99');
  assert.equal(await snr.getAttribute('aria-invalid'), 'true');
  assert.equal(await page.locator('#sct-o-snr-problem').textContent(), 'snr is from -20 to 60');
  assert.ok(await said(page, 'go').isDisabled());
  await snr.fill('7.5');
  // Few fields first, all others behind a button.
  assert.equal(await page.locator('#sct-o-max-sfvs').count(), 0);
  await said(page, 'more').click();
  await page.locator('#sct-o-max-sfvs').fill('2.5');
  assert.match((await page.locator('#sct-o-max-sfvs-problem').textContent()) ?? '', /whole number/);
  await page.locator('#sct-o-max-sfvs').fill('6');
  await page.locator('#sct-o-channel').selectOption('eva');
  await said(page, 'go').click();
  await until('the command was asked for', () => last().do === 'start');
  const { id, ...request } = last();
  assert.ok(Number.isInteger(id));
  const options = { 'max-sfvs': 6, snr: 7.5, channel: 'eva', demo: true };
  assert.deepEqual(request, { do: 'start', command: 'loopback', options });
  feeder.send({ job: 'loopback' });
  await until('there is something to stop', () => said(page, 'stop').isEnabled());
  // A server that refuses is heard, and stopping stays possible.
  feeder.refusal = { message: 'it hangs', hint: 'pull the plug' };
  await said(page, 'stop').click();
  await until(
    'the refusal is said',
    async () => (await said(page, 'said').textContent()) === 'it hangs: pull the plug',
  );
  assert.ok(await said(page, 'stop').isEnabled());
  feeder.refusal = null;
  await said(page, 'stop').click();
  await until('it was asked to stop', async () => (await said(page, 'said').textContent()) === 'stopped');
  assert.equal(last().do, 'stop');
  await page.close();
});

test('a token that only watches has no controls, and that is said', { skip: noBrowser }, async () => {
  feeder.snapshot = [run(), { topic: 'replay', positionS: 1, lengthS: 8, speed: 1, paused: true, loop: null }];
  feeder.access = 'read';
  const { page } = await openPage(browser, feeder.url);
  await said(page, 'readonly').waitFor();
  await said(page, 'position').waitFor();
  for (const is of ['start', 'stop', 'pause', 'step']) assert.equal(await said(page, is).count(), 0, is);
  await page.keyboard.press('c');
  assert.ok(await page.locator('sct-control').isHidden());
  const before = feeder.asked.length;
  await page.keyboard.press('Space');
  await said(page, 'frozen').waitFor();
  assert.equal(feeder.asked.length, before);
  feeder.access = 'control';
  await page.close();
});

test('two runs stand side by side', { skip: noBrowser }, async () => {
  feeder.snapshot = [];
  const { page, complaints } = await openPage(browser, feeder.url, { viewport: { width: 1280, height: 1800 } });
  const boxes = page.locator('sct-runs tbody input[type="checkbox"]');
  await boxes.first().check();
  await boxes.nth(1).check();
  await page.locator('sct-compare img').nth(1).waitFor();
  assert.match(
    (await page.locator('sct-compare tr', { hasText: 'PSNR' }).textContent()) ?? '',
    /27\.25 dB\s*29\.75 dB\s*\+2\.50/,
  );
  const loaded = `[...document.querySelectorAll('sct-compare img')].every((i) => i.complete && i.naturalWidth === 768)`;
  await until('pictures are there', async () => (await page.evaluate(loaded)) as boolean);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('keys: help, dark and light, a screenshot; nothing is fetched from elsewhere', { skip: noBrowser }, async () => {
  feeder.snapshot = await pictureRun();
  const { page } = await openPage(browser, feeder.url, { acceptDownloads: true });
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    if (!/^(http:\/\/127\.0\.0\.1|blob:|data:)/.test(request.url())) elsewhere.push(request.url());
  });
  await said(page, 'state').waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the token does not stay in the address');
  await page.keyboard.press('?');
  await page.locator('dialog[open]').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'hidden' });
  const outside = `document.activeElement?.closest('dialog') == null`;
  await until('the focus has left the dialog', async () => (await page.evaluate(outside)) as boolean);
  await page.keyboard.press('d');
  const dark = `document.documentElement.dataset.theme === 'dark'`;
  await until('dark', async () => (await page.evaluate(dark)) as boolean);
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('s')]);
  assert.match(download.suggestedFilename(), /^sct-.*\.png$/);
  const png = readFileSync(await download.path());
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [1280, 800]);
  await page.reload();
  await said(page, 'state').waitFor();
  assert.equal(await page.evaluate('document.documentElement.dataset.theme'), 'dark', 'the choice is kept');
  assert.deepEqual(elsewhere, []);
  await page.close();
});
