// The built program and real browsers: a server that dies and comes back, two who watch, one who may not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { scratch } from '../../cli/helpers.ts';
import { launch, noBrowser } from './browser.ts';
import { figure, Program, reads, tokenOf, until, watchedPage } from './program.ts';

const TOKEN = 'a-token-of-the-test';
/** Soundings until they are stopped. */
const ENDLESS = { channel: 'eva', seed: '5', period: '20', pace: '1' };

let browser: Browser;

before(async () => {
  if (!noBrowser) browser = await launch();
});

after(async () => {
  if (!noBrowser) await browser.close();
});

test('a server that is killed and started again is found again by the page, which shows its state', {
  skip: noBrowser,
}, async (t) => {
  const folder = await scratch(t);
  const first = await Program.start(t, ['--token', TOKEN], folder);
  const { page, context, wrong } = await watchedPage(browser, first.control);
  await reads(page, 'sct-strip', 'link', 'connected');
  const watcher = await first.watch();
  assert.equal((await watcher.ask({ do: 'start', command: 'sound', options: ENDLESS })).ok, true);
  await reads(page, 'sct-strip', 'state', /^sound, modelled/);
  await until('soundings are shown', async () => Number(await figure(page, 'sct-bursts', 'bursts')) > 5);

  await first.kill();
  await reads(page, 'sct-strip', 'link', /no connection; trying again in/);
  // What was known stays to be read, and nothing can be started.
  assert.ok(Number(await figure(page, 'sct-bursts', 'bursts')) > 5);
  assert.ok(await page.locator('sct-strip [data-is="stop"]').isVisible());

  const second = await Program.start(t, ['--token', TOKEN, '--port', String(first.port)], folder);
  await reads(page, 'sct-strip', 'link', 'connected (again, 1×)');
  await reads(page, 'sct-strip', 'state', 'idle');
  assert.equal(await page.locator('sct-strip [data-is="stop"]').isDisabled(), true, 'nothing runs at the new server');
  const again = await second.watch();
  assert.equal((await again.ask({ do: 'start', command: 'sound', options: ENDLESS })).ok, true);
  await reads(page, 'sct-strip', 'state', /^sound, modelled/);
  await page.locator('sct-strip [data-is="stop"]').click();
  await reads(page, 'sct-strip', 'state', /ended/);
  await second.kill('SIGINT');
  // Being away is all that it complains of.
  const other = wrong.filter(
    (text) =>
      !/ERR_CONNECTION_(REFUSED|RESET|CLOSED)|ERR_EMPTY_RESPONSE|WebSocket connection to 'ws:\/\/127\.0\.0\.1/.test(
        text,
      ),
  );
  assert.deepEqual(other, []);
  watcher.socket.terminate();
  again.socket.terminate();
  await context.close();
});

test('two watch: both see the same, also who comes late; who only watches is refused', {
  skip: noBrowser,
}, async (t) => {
  const program = await Program.start(t);
  const control = await watchedPage(browser, program.control);
  const read = await watchedPage(browser, program.read);
  await reads(control.page, 'sct-strip', 'link', 'connected');
  await reads(read.page, 'sct-strip', 'readonly', /watching only/);
  for (const is of ['start', 'stop']) {
    assert.equal(await read.page.locator(`sct-strip [data-is="${is}"]`).count(), 0, is);
  }
  const options = { channel: 'eva', seed: '5', count: '12', pace: '0' };
  // What the page hides the server refuses, over its WebSocket as by a page that was changed.
  const refused = await read.page.evaluate(`new Promise((resolve) => {
    const socket = new WebSocket('ws://' + location.host + '/ws', ['sct.v1', 'token.${tokenOf(program.read)}']);
    socket.onopen = () => socket.send(JSON.stringify({ id: 1, do: 'start', command: 'sound', options: ${JSON.stringify(options)} }));
    socket.onmessage = ({ data }) => { if (typeof data === 'string' && 'reply' in JSON.parse(data)) { resolve(JSON.parse(data)); socket.close(); } };
  })`);
  const { ok, error } = refused as { ok: boolean; error: { message: string } };
  assert.deepEqual([ok, error.message], [false, 'this token only watches']);
  await reads(control.page, 'sct-strip', 'state', 'idle');

  assert.equal(await program.run('sound', { options }), 0);
  const late = await watchedPage(browser, program.read);
  const seen: unknown[] = [];
  for (const { page } of [control, read, late]) {
    await reads(page, 'sct-strip', 'state', /^sound ended/);
    await reads(page, 'sct-bursts', 'bursts', '12');
    const figures = [];
    for (const [panel, is] of [
      ['sct-rb-bars', 'mean'],
      ['sct-rb-map', 'slots'],
      ['sct-channel', 'range'],
      ['sct-impulse', 'spread'],
      ['sct-offsets', 'cfo'],
      ['sct-offsets', 'sfo'],
      ['sct-spectrum', 'peak'],
    ]) {
      figures.push(await figure(page, panel, is));
    }
    seen.push(figures);
  }
  assert.deepEqual(seen[1], seen[0]);
  assert.deepEqual(seen[2], seen[0]);
  for (const { wrong, context } of [control, read, late]) {
    assert.deepEqual(wrong, []);
    await context.close();
  }
});
