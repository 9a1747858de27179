// The page and the server for long: heap, nodes and memory stay where they are. SCT_SOAK=MINUTES for as long as that, at 30 updates a second; else some
// seconds, as fast as the page takes them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CDPSession } from 'playwright-core';
import { launch, noBrowser } from './browser.ts';
import { fedServer, update } from './fed-server.ts';
import { reads, until, watchedPage } from './program.ts';

const RATE = 30;
const MINUTES = Number(process.env.SCT_SOAK ?? 0);
/** Rings are full after some 600 bursts: what comes later takes the place of something. */
const WARM = 700;
const UPDATES = MINUTES > 0 ? Math.max(2 * WARM, Math.round(MINUTES * 60 * RATE)) : 1500;
const MB = 1e6;

interface Sizes {
  readonly heapMB: number;
  readonly nodes: number;
  readonly listeners: number;
  readonly serverMB: number;
}

/** After garbage was collected. */
async function sizes(devtools: CDPSession): Promise<Sizes> {
  await devtools.send('HeapProfiler.collectGarbage');
  const { metrics } = await devtools.send('Performance.getMetrics');
  const of = (name: string) => metrics.find((m) => m.name === name)?.value ?? Number.NaN;
  return {
    heapMB: of('JSHeapUsedSize') / MB,
    nodes: of('Nodes'),
    listeners: of('JSEventListeners'),
    serverMB: process.memoryUsage().rss / MB,
  };
}

test('heap, nodes and the server stay bounded', { skip: noBrowser }, async (t) => {
  const { server, tell, control } = await fedServer(t);
  const browser = await launch();
  t.after(() => browser.close());
  const { page, context, wrong } = await watchedPage(browser, control);
  await reads(page, 'sct-strip', 'link', 'connected');
  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable');
  const begun = Date.now();
  let first: Sizes | null = null;
  let last: Sizes | null = null;
  for (let n = 1; n <= UPDATES; n++) {
    tell(...update(n));
    if (MINUTES > 0) {
      const waitMs = begun + (1000 * n) / RATE - Date.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    } else if (n % 10 === 0) {
      await until('the page takes it', () => [...server.hub.clients].every(({ heldBytes }) => heldBytes === 0));
      await page.evaluate('new Promise((painted) => requestAnimationFrame(painted))');
    }
    const due = MINUTES > 0 ? n % (60 * RATE) === 0 : n % 400 === 0;
    if (n !== WARM && n !== UPDATES && !due) continue;
    last = await sizes(devtools);
    t.diagnostic(
      `${n} updates: ${JSON.stringify(last, (_, v) => (typeof v === 'number' ? Math.round(10 * v) / 10 : v))}`,
    );
    if (n >= WARM) first ??= last;
  }
  assert.ok(first && last);
  await reads(page, 'sct-rb-bars', 'burst', String(2 * UPDATES + 1));
  // What is kept is kept in rings; a leak of one frame an update would be 20 MB in the short run.
  assert.ok(last.heapMB < first.heapMB + 6, `heap: ${first.heapMB} to ${last.heapMB} MB`);
  assert.ok(last.nodes < 1.2 * first.nodes + 300, `nodes: ${first.nodes} to ${last.nodes}`);
  assert.ok(last.listeners < first.listeners + 200, `listeners: ${first.listeners} to ${last.listeners}`);
  assert.ok(last.serverMB < first.serverMB + 120, `server and test: ${first.serverMB} to ${last.serverMB} MB`);
  assert.equal([...server.hub.clients][0].skipped, 0);
  assert.deepEqual(wrong, []);
});
