// The page's controls and back, with the built program: what is pressed is done by a real command, and what that does is seen on the page. In every
// state on the way: nothing is asked of another origin, nothing is against the policy, the console is silent.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { launch, noBrowser } from './browser.ts';
import { figure, Program, reads, until, watchedPage } from './program.ts';

const SAMPLES = join(fileURLToPath(new URL('../../..', import.meta.url)), 'captures');
const SAMPLE = 'captures/emulated-clean';

let browser: Browser;

before(async () => {
  if (!noBrowser) browser = await launch();
});

after(async () => {
  if (!noBrowser) await browser.close();
});

const said = (page: Page, is: string) => page.locator(`[data-is="${is}"]`).first();

/** Opens the form for a command. */
async function form(page: Page, command: string): Promise<void> {
  await said(page, 'start').click();
  await page.locator('#sct-command').selectOption(command);
  await page.locator('sct-control .fields').waitFor();
}

/** The field of an option, wherever the form keeps it. */
async function field(page: Page, name: string) {
  const found = page.locator(`#sct-o-${name}`);
  if ((await found.count()) === 0) await said(page, 'more').click();
  await found.waitFor();
  return found;
}

test('a run is set up with a mistake, mended, started, seen, and stopped', { skip: noBrowser }, async (t) => {
  const program = await Program.start(t);
  const { page, context, wrong } = await watchedPage(browser, program.control);
  await reads(page, 'sct-strip', 'state', 'idle');
  assert.ok(await said(page, 'stop').isDisabled(), 'nothing runs');
  await form(page, 'sound');
  const snr = await field(page, 'snr');
  await snr.fill('loud');
  await until('the mistake is said at its field', async () => {
    return ((await page.locator('#sct-o-snr-problem').textContent()) ?? '').startsWith('snr ');
  });
  assert.equal(await snr.getAttribute('aria-invalid'), 'true');
  assert.ok(await said(page, 'go').isDisabled());
  await snr.fill('20');
  // What the page cannot know the program says, and it stands at its field.
  const channel = await field(page, 'channel');
  await channel.fill('nowhere');
  await said(page, 'go').click();
  await until('the refusal is said at its field', async () => {
    return /nowhere/.test((await page.locator('#sct-o-channel-problem').textContent()) ?? '');
  });
  await reads(page, 'sct-strip', 'state', 'idle');
  await channel.fill('eva');
  await (await field(page, 'period')).fill('20');
  await said(page, 'go').click();
  await reads(page, 'sct-strip', 'state', /^sound, modelled/);
  await until('soundings are shown', async () => Number(await figure(page, 'sct-bursts', 'bursts')) > 3);
  await until('the form has gone', () => page.locator('sct-control').isHidden());
  await said(page, 'stop').click();
  await reads(page, 'sct-strip', 'state', /^sound (ended|stopped)/);
  await until('there is nothing to stop', () => said(page, 'stop').isDisabled());
  assert.deepEqual(wrong, []);
  await context.close();
});

test('a recording is played from the page: paused, sent elsewhere, stepped, sped up, let go', {
  skip: noBrowser,
}, async (t) => {
  const program = await Program.start(t, ['--captures', SAMPLES]);
  const { page, context, wrong } = await watchedPage(browser, program.control);
  const watcher = await program.watch();
  const replays = () =>
    watcher.frames.filter((f) => f.topic === 'replay').map((f) => f.data as Record<string, unknown>);
  const bursts = () => watcher.frames.filter((f) => f.topic === 'burst').length;
  const last = () => replays().at(-1) ?? {};
  await reads(page, 'sct-strip', 'state', 'idle');
  // Held before its first sample: both are said before the replay has begun.
  watcher.socket.send(JSON.stringify({ id: 900, do: 'start', command: 'replay', source: SAMPLE }));
  watcher.socket.send(JSON.stringify({ id: 901, do: 'replay', action: 'pause' }));
  await until('it is paused', () => last().paused === true);
  await reads(page, 'sct-strip', 'state', /paused/);
  const [beginS, endS] = [Number(last().positionS), Number(last().lengthS)];
  const at = (part: number) => {
    return Math.abs(Number(last().positionS) - beginS - part * (endS - beginS)) < 0.02 * (endS - beginS);
  };
  const map = page.locator('sct-replay canvas').first();
  await map.waitFor();
  const box = (await map.boundingBox())!;
  await map.click({ position: { x: box.width / 2, y: box.height / 2 } });
  await until('it went where the map was clicked', () => at(0.5));
  await map.focus();
  await page.keyboard.press('Home');
  await until('back to its begin, by key', () => at(0));
  const before = bursts();
  await said(page, 'step').click();
  await until('one burst was played', () => bursts() === before + 1 && last().paused === true);
  await reads(page, 'sct-bursts', 'bursts', /^\d+$/);
  await said(page, 'speed').selectOption('2');
  await until('it plays faster', () => last().speed === 2);
  await reads(page, 'sct-replay', 'pause', /go on/);
  await said(page, 'pause').click();
  await until('it was let go and came to its end', () => {
    return watcher.texts.some((m) => m.job === null && 'exitCode' in m);
  });
  await reads(page, 'sct-strip', 'state', /^replay ended/);
  await reads(page, 'sct-received', 'n-received', /^\d+$/);
  assert.ok(bursts() >= before + 2, 'the bursts after the one that was stepped were played, too');
  assert.deepEqual(wrong, []);
  watcher.socket.terminate();
  await context.close();
});

test('what is looked at beside a run asks nothing of others either: help, colours, form, runs, a report', {
  skip: noBrowser,
}, async (t) => {
  const program = await Program.start(t);
  const options = { demo: true, codec: 'classical', format: 'jpeg', channel: 'awgn', cbr: '1/8', pace: '0' };
  for (const snr of ['15', '9']) await program.run('loopback', { options: { ...options, snr } });
  const { page, context, wrong } = await watchedPage(browser, program.control);
  await reads(page, 'sct-strip', 'state', /^loopback ended/);
  for (const key of ['?', 'Escape', 'd', 'c', 'Escape', 'd']) await page.keyboard.press(key);
  const boxes = page.locator('sct-runs tbody input[type="checkbox"]');
  await boxes.first().check();
  await boxes.nth(1).check();
  await page.locator('sct-compare img').nth(1).waitFor();
  const loaded = `[...document.querySelectorAll('sct-compare img')].every((i) => i.complete && i.naturalWidth > 0)`;
  await until('both pictures are there', async () => (await page.evaluate(loaded)) as boolean);
  for (const view of ['before', 'difference', 'after']) await said(page, 'view').selectOption(view);
  const report = page
    .locator('sct-runs button, sct-runs a')
    .filter({ hasText: /report/i })
    .first();
  const opened = context.waitForEvent('page');
  await report.click();
  const other = await opened;
  const asked: string[] = [];
  other.on('request', (request) => asked.push(request.url()));
  await other.waitForLoadState();
  assert.match((await other.locator('body').innerText()).slice(0, 4000), /PSNR/);
  assert.deepEqual(
    asked.filter((url) => !url.startsWith(`http://127.0.0.1:${program.port}/`) && !/^(data|blob|about):/.test(url)),
    [],
  );
  assert.deepEqual(wrong, []);
  await context.close();
});
