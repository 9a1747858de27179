// Every panel against what was told and what the run wrote: a sample recording played again, and a run made here; the built program, a real browser.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { launch, noBrowser } from './browser.ts';
import {
  checkBars,
  checkConstellation,
  checkLines,
  checkMap,
  checkPictures,
  checkWaterfall,
  Known,
  written,
} from './known-panels.ts';
import { figure, Program, reads, until, watchedPage } from './program.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SAMPLES = join(ROOT, 'captures');

/** Of metrics.json what panels show. */
interface Metrics {
  readonly psnrDb: number;
  readonly msSsim: number;
  readonly evmDb: number | null;
  readonly lostSamples: number;
  readonly clippedSamples: number;
  readonly symbolsPerPixel: number;
  readonly sfvs: readonly {
    readonly id: number;
    readonly label: string;
    readonly importance: number;
    readonly symbols: number;
    readonly snrDb: number | null;
    readonly state: string;
  }[];
}

let browser: Browser;

before(async () => {
  if (!noBrowser) browser = await launch();
});

after(async () => {
  if (!noBrowser) await browser.close();
});

/** All that a run of a picture leaves on the page. */
async function checkAll(page: Page, known: Known, metrics: Metrics, received: string | null): Promise<void> {
  await reads(page, 'sct-received', 'psnr', `${written(metrics.psnrDb, 2)} dB`);
  await reads(page, 'sct-received', 'ssim', written(metrics.msSsim, 4));
  await reads(page, 'sct-source', 'sfvs', String(metrics.sfvs.length));
  await reads(page, 'sct-source', 'symbols-per-pixel', written(metrics.symbolsPerPixel, 4));
  await checkTable(page, metrics);
  const status = known.last('status');
  await reads(page, 'sct-strip', 'lost', group(status.lostMax));
  await reads(page, 'sct-strip', 'clipped', group(status.clippedSamples));

  const burst = known.mapped;
  await reads(page, 'sct-rb-bars', 'burst', String(burst.burst));
  const mean = burst.subbandSnrDb.reduce((sum, db) => sum + db, 0) / burst.subbands;
  await reads(page, 'sct-rb-bars', 'mean', `${written(mean, 1)} dB`);
  const bursts = known.all('burst');
  const forward = bursts.filter(({ use }) => use !== 'reverse');
  await reads(page, 'sct-offsets', 'sfo', `${written(forward[forward.length - 1].sfoPpm, 2)} ppm`);
  await reads(page, 'sct-bursts', 'bursts', group(bursts.length));
  const blocks = bursts.reduce((sum, b) => sum + b.blocks, 0);
  const lost = bursts.reduce((sum, b) => sum + b.blocksLost, 0);
  await reads(page, 'sct-bursts', 'bler', blocks > 0 ? (lost / blocks).toFixed(4) : '—');
  const spectrum = known.last('spectrum');
  await reads(page, 'sct-spectrum', 'peak', new RegExp(`^${written(Math.max(...spectrum.peakDbfs), 1)} dB`));
  const { channel } = forward.findLast((b) => b.channel.length > 0)!;
  const db = Array.from(
    { length: channel.length / 2 },
    (_, c) => 20 * Math.log10(Math.hypot(channel[2 * c], channel[2 * c + 1])),
  );
  await reads(page, 'sct-channel', 'range', `${written(Math.min(...db), 1)} to ${written(Math.max(...db), 1)} dB`);
  await page.locator('sct-log').scrollIntoViewIfNeeded();
  for (const { text } of known.all('log').slice(-3)) {
    await page
      .locator('sct-log li', { hasText: text.slice(0, 40) })
      .first()
      .waitFor();
  }
  await page.evaluate('scrollTo(0, 0)');

  await checkBars(page, known);
  await checkMap(page, known);
  await checkLines(page, known);
  await checkConstellation(page, known);
  await checkPictures(page, known, received);
  await checkWaterfall(page, known);
}

/** Rows of the table of SFVs, by importance, against metrics.json. */
async function checkTable(page: Page, { sfvs }: Metrics): Promise<void> {
  const byImportance = [...sfvs].sort((a, b) => b.importance - a.importance);
  const cells = `[...document.querySelectorAll('sct-sfvs tbody tr')].map((r) => [...r.cells].map((c) => c.textContent.trim()))`;
  const rows = (await page.evaluate(cells)) as string[][];
  assert.equal(rows.length, sfvs.length);
  byImportance.forEach(({ id, symbols, state, snrDb }, i) => {
    const row = rows.find((cellsOf) => Number(cellsOf[0]) === id);
    assert.ok(row, `SFV ${id} is in the table`);
    if (i === 0) assert.equal(Number(rows[0][0]), id, 'the most important is on top');
    assert.equal(row[3], group(symbols), `symbols of SFV ${id}`);
    assert.equal(row[5], snrDb === null ? '—' : written(snrDb, 1), `SNR of SFV ${id}`);
    assert.ok(row[6].endsWith(state), `${row[6]} of SFV ${id} is ${state}`);
  });
}

async function metricsOf(folder: string): Promise<Metrics> {
  return JSON.parse(await readFile(join(folder, 'metrics.json'), 'utf8')) as Metrics;
}

/** 1 234 567 */
function group(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
}

test('a sample recording played again: every panel shows what was told, and the metrics that it came with', {
  skip: noBrowser,
}, async (t) => {
  const program = await Program.start(t, ['--captures', SAMPLES]);
  assert.equal(await program.run('replay', { source: 'captures/emulated-clean' }), 0);
  const { page, context, wrong } = await watchedPage(browser, program.control);
  await reads(page, 'sct-strip', 'link', 'connected');
  const watcher = await program.watch();
  await watcher.until(() => watcher.frames.some((f) => f.topic === 'log'));
  const known = new Known(watcher);
  const folder = join(program.cwd, 'runs', String(known.last('run').directory));
  const metrics = await metricsOf(folder);
  const recorded = await metricsOf(join(SAMPLES, 'emulated-clean'));
  // Networks may give another last digit on another machine.
  assert.ok(Math.abs(metrics.psnrDb - recorded.psnrDb) < 0.1, `${metrics.psnrDb} dB, recorded ${recorded.psnrDb} dB`);
  assert.deepEqual(
    metrics.sfvs.map(({ id, state, symbols }) => [id, state, symbols]),
    recorded.sfvs.map(({ id, state, symbols }) => [id, state, symbols]),
  );
  await checkAll(page, known, metrics, join(folder, 'received.png'));
  assert.deepEqual(wrong, []);
  watcher.socket.close();
  await context.close();
});

test('a run made here: every panel shows what was told, and what metrics.json and received.png say', {
  skip: noBrowser,
}, async (t) => {
  const program = await Program.start(t);
  const options = { demo: true, channel: 'epa', seed: '7', snr: '14', pace: '0' };
  // The page is there from the start: what it shows has come live.
  const { page, context, wrong } = await watchedPage(browser, program.read);
  await reads(page, 'sct-strip', 'link', 'connected');
  const code = await program.run('loopback', { options });
  assert.equal(code, 0);
  await reads(page, 'sct-strip', 'state', /ended/);
  const watcher = await program.watch();
  await watcher.until(() => watcher.frames.some((f) => f.topic === 'log'));
  const known = new Known(watcher);
  const folder = join(program.cwd, 'runs', String(known.last('run').directory));
  const metrics = await metricsOf(folder);
  assert.deepEqual(known.last('run').metrics, metrics);
  await until('the last row has come', async () => (await figure(page, 'sct-waterfall', 'rows')) !== '0');
  await checkAll(page, known, metrics, join(folder, 'received.png'));
  assert.deepEqual(wrong, []);
  watcher.socket.close();
  await context.close();
});
