import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { builtPage, launch, noBrowser, openPage } from './browser.ts';
import { Feeder } from './feeder.ts';
import { run } from './made-run.ts';
import { furnish } from './scenes.ts';
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
  feeder.rest.set('/api/options/link', {
    type: 'object',
    description: 'Sounds the channel, sends the photo.\nBoth ends are here.',
    required: ['tx'],
    properties: {
      tx: { type: 'string', 'x-list': ['devices'] },
      freq: { type: 'string', 'x-quantity': { unit: 'Hz', minimum: 1e6, maximum: 6e9, integer: false, ratio: false } },
      'tx-gain': { type: 'string' },
      cabled: { type: 'string', 'x-quantity': { unit: 'dB', minimum: 0, maximum: 200, integer: false, ratio: false } },
      cbr: { type: 'string', 'x-quantity': { unit: '', minimum: 0.001, maximum: 1, integer: false, ratio: true } },
    },
    'x-source': { name: 'photo', description: 'PNG', required: false, 'x-list': ['pictures'] },
  });
  feeder.rest.set('/api/devices', { devices: [{ uri: 'hackrf:41fa', about: 'HackRF One' }] });
  feeder.rest.set('/api/pictures', [{ name: 'cat.png', bytes: 1 }]);
});

after(async () => {
  if (noBrowser) return;
  await browser.close();
  await feeder.close();
  rmSync(folder, { recursive: true });
});

const field = (page: Page, name: string) => page.locator(`#sct-o-${name}`);
const says = (page: Page, name: string) => page.locator(`#sct-o-${name}-problem`);
const said = (page: Page, is: string) => page.locator(`[data-is="${is}"]`).first();
const last = () => feeder.asked.at(-1);

async function openLink(page: Page): Promise<void> {
  await said(page, 'start').waitFor();
  await page.keyboard.press('c');
  await page.locator('#sct-command').selectOption('link');
  await field(page, 'tx').waitFor();
}

test('numbers with SI suffixes and ratios are checked field by field before anything is sent', {
  skip: noBrowser,
}, async () => {
  const { page } = await openPage(browser, feeder.url);
  await openLink(page);
  const sent = feeder.asked.length;
  assert.equal(await says(page, 'tx').textContent(), 'tx is needed');
  assert.ok(await said(page, 'go').isDisabled());
  const wrong: [string, string, RegExp][] = [
    ['freq', '868.3X', /^freq is a number \(Hz\), such as 868\.3M$/],
    ['freq', '9G', /^freq is from 1000000 to 6000000000$/],
    ['cabled', '-3dB', /^cabled is from 0 to 200$/],
  ];
  for (const [name, text, message] of wrong) {
    await field(page, name).fill(text);
    await until(`${name} ${text}`, async () => message.test((await says(page, name).textContent()) ?? ''));
  }
  await page.locator('[data-is="more"]').click();
  await field(page, 'cbr').fill('1/0');
  await until('no ratio', async () => /is a number/.test((await says(page, 'cbr').textContent()) ?? ''));
  for (const [name, text] of [
    ['cbr', '1/16'],
    ['freq', '868.3 MHz'],
    ['cabled', '60 dB'],
    ['tx', 'loopback'],
  ]) {
    await field(page, name).fill(text);
    await until(`${name} ${text}`, async () => (await says(page, name).textContent()) === '');
  }
  assert.equal(await page.locator('#sct-o-tx-list option').getAttribute('value'), 'hackrf:41fa');
  assert.equal(await page.locator('#sct-sources option').getAttribute('value'), 'cat.png');
  assert.equal(feeder.asked.length, sent, 'nothing was sent');
  await page.close();
});

test('what transmits says frequency, power and place first, and is started by a second press', {
  skip: noBrowser,
}, async () => {
  const { page } = await openPage(browser, feeder.url);
  await openLink(page);
  await field(page, 'tx').fill('loopback');
  assert.equal(await said(page, 'transmits').count(), 0, 'a loopback transmits nothing');
  await field(page, 'tx').fill('hackrf:41fa');
  await said(page, 'transmits').waitFor();
  const notice = async () => (await said(page, 'transmits').textContent()) ?? '';
  assert.match(await notice(), /none is given, it will be refused.*no gain is given.*on the air/s);
  await field(page, 'freq').fill('868.3M');
  await field(page, 'tx-gain').fill('20');
  await field(page, 'cabled').fill('60');
  await until('all of it is said', async () =>
    /868\.300 MHz; the signal occupies 866\.050 to 870\.550 MHz.*gain 20 dB.*60 dB between/s.test(await notice()),
  );
  const before = feeder.asked.length;
  await said(page, 'go').click();
  await until('asked again', async () => (await said(page, 'go').textContent()) === 'Transmit now');
  assert.equal(feeder.asked.length, before, 'nothing was started');
  await field(page, 'freq').fill('868.4M');
  await until('something else would be sent', async () =>
    /start link/.test((await said(page, 'go').textContent()) ?? ''),
  );
  await said(page, 'go').click();
  await said(page, 'go').click();
  await until('started', () => last()?.do === 'start');
  assert.deepEqual(last()?.options, { tx: 'hackrf:41fa', freq: '868.4M', 'tx-gain': '20', cabled: '60' });
  await page.close();
});

test('a video that transmits says so as well; its source may be left out', { skip: noBrowser }, async () => {
  feeder.rest.set('/api/options/stream', {
    type: 'object',
    required: ['to'],
    properties: { to: { type: 'string', 'x-list': ['devices'] }, freq: { type: 'string' }, fps: { type: 'string' } },
    'x-source': { name: 'source', description: 'folder', required: false, 'x-list': ['pictures'] },
  });
  const { page } = await openPage(browser, feeder.url);
  await said(page, 'start').waitFor();
  await page.keyboard.press('c');
  await page.locator('#sct-command').selectOption('stream');
  await field(page, 'to').fill('loopback');
  assert.equal(await said(page, 'transmits').count(), 0, 'a loopback transmits nothing');
  assert.match((await page.locator('#sct-source-hint').textContent()) ?? '', /empty: all its pictures/);
  assert.equal(await page.locator('#sct-upload').count(), 0);
  await field(page, 'to').fill('hackrf:41fa');
  await field(page, 'freq').fill('868.3M');
  await until('15 subbands, as a video has them', async () =>
    /occupies 866\.950 to 869\.650 MHz/.test((await said(page, 'transmits').textContent()) ?? ''),
  );
  await said(page, 'go').click();
  await until('asked again', async () => (await said(page, 'go').textContent()) === 'Transmit now');
  await said(page, 'go').click();
  await until('started', () => last()?.do === 'start');
  assert.deepEqual(
    [last()?.command, last()?.options, last()?.source],
    ['stream', { to: 'hackrf:41fa', freq: '868.3M' }, undefined],
  );
  await page.close();
});

test("the server's refusal stands at the field that it names; settings are remembered", {
  skip: noBrowser,
}, async () => {
  const { page } = await openPage(browser, feeder.url);
  await openLink(page);
  await page.locator('#sct-source').fill('cat.png');
  await field(page, 'tx').fill('loopback');
  feeder.refusal = { message: '--tx-gain: "x" is not a number in dB', hint: null };
  await field(page, 'tx-gain').fill('x');
  await said(page, 'go').click();
  await until('said at its field', async () =>
    /was refused: .*not a number/.test((await says(page, 'tx-gain').textContent()) ?? ''),
  );
  await until('it has the focus', async () => (await page.evaluate('document.activeElement.id')) === 'sct-o-tx-gain');
  feeder.refusal = { message: 'the disk is full', hint: 'make room' };
  await field(page, 'tx-gain').fill('3');
  await said(page, 'go').click();
  await page.locator('sct-control .fault', { hasText: 'the disk is full: make room' }).waitFor();
  feeder.refusal = null;
  await page.reload();
  await said(page, 'start').waitFor();
  await page.keyboard.press('c');
  await field(page, 'tx').waitFor();
  assert.equal(await page.locator('#sct-command').inputValue(), 'link');
  assert.equal(await page.locator('#sct-source').inputValue(), 'cat.png');
  assert.equal(await field(page, 'tx-gain').inputValue(), '3');
  await said(page, 'clear').click();
  assert.equal(await field(page, 'tx-gain').inputValue(), '');
  await page.close();
});

test('x stops what runs, and a phone has Stop in sight wherever it scrolls', { skip: noBrowser }, async () => {
  feeder.snapshot = [run()];
  const { page } = await openPage(browser, feeder.url, { viewport: { width: 390, height: 700 } });
  await said(page, 'stop').waitFor();
  await page.evaluate('scrollTo(0, 2000)');
  await until('it is in sight', async () => {
    const box = await said(page, 'stop').boundingBox();
    return box !== null && box.y >= 0 && box.y < 60;
  });
  await said(page, 'state').waitFor();
  await page.keyboard.press('x');
  await until('stopped', () => last()?.do === 'stop');
  feeder.snapshot = [];
  await page.close();
});
