// Who does not take what it is told: a page whose process stands still, a socket that nobody reads. The other page and the server do not notice.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch, noBrowser } from './browser.ts';
import { fedServer, update } from './fed-server.ts';
import { reads, tokenOf, until, watchedPage } from './program.ts';

const UPDATES = 400;
const UPDATES_A_STEP = 20;
/** A server may hold so much for one client: what is on its way (0.5 MiB and the frame that went over it), and the latest of each topic. */
const MOST_HELD = 4 << 20;

let browser: Browser;

before(async () => {
  if (!noBrowser) browser = await launch();
});

after(async () => {
  if (!noBrowser) await browser.close();
});

/** Processes that draw pages for this one (Linux). */
function renderers(): Set<number> {
  const parents = new Map<number, number>();
  const drawing: number[] = [];
  for (const pid of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
    try {
      parents.set(pid, Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1]));
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer')) drawing.push(pid);
    } catch {
      // It ended meanwhile.
    }
  }
  const isOurs = (pid: number): boolean => pid === process.pid || (pid > 1 && isOurs(parents.get(pid) ?? 0));
  return new Set(drawing.filter(isOurs));
}

test('a page that stands still and a socket that nobody reads slow nobody down, and hold little', {
  skip: noBrowser,
}, async (t) => {
  const { server, tell, control, read } = await fedServer(t);
  const watching = await watchedPage(browser, control);
  await reads(watching.page, 'sct-strip', 'link', 'connected');
  const others = renderers();
  const other = await launch();
  t.after(() => other.close());
  const stopped = await watchedPage(other, read);
  await reads(stopped.page, 'sct-strip', 'link', 'connected');
  const stood = [...renderers()].filter((pid) => !others.has(pid));
  assert.ok(stood.length > 0);
  for (const pid of stood) process.kill(pid, 'SIGSTOP');
  const goOn = () => {
    for (const pid of stood.splice(0)) process.kill(pid, 'SIGCONT');
  };
  t.after(goOn);
  const socket = connect(server.port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.pause();
  const lines = ['GET /ws HTTP/1.1', `Host: 127.0.0.1:${server.port}`, 'Connection: Upgrade', 'Upgrade: websocket'];
  lines.push('Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==');
  lines.push(`Sec-WebSocket-Protocol: sct.v1, token.${tokenOf(read)}`, '', '');
  socket.write(lines.join('\r\n'));
  await until('three are there', () => server.hub.clients.size === 3);
  const [free, still, deaf] = server.hub.clients;

  let most = 0;
  for (let n = 1; n <= UPDATES; n++) {
    tell(...update(n));
    most = Math.max(most, still.heldBytes, deaf.heldBytes);
    if (n % UPDATES_A_STEP > 0) continue;
    await until('who watches has taken it', () => free.heldBytes === 0);
  }
  // The page that watches is as far as the run.
  await reads(watching.page, 'sct-rb-bars', 'burst', String(2 * UPDATES + 1));
  assert.equal(free.skipped, 0, 'who takes all misses nothing');
  assert.ok(deaf.skipped > 0, 'for who reads nothing the latest is kept');
  assert.ok(most > 0 && most < MOST_HELD, `${most} bytes were held for one client`);

  // When it goes on, it is soon where the run is.
  goOn();
  tell(...update(UPDATES + 1));
  await reads(stopped.page, 'sct-rb-bars', 'burst', String(2 * UPDATES + 3));
  assert.deepEqual([watching.wrong, stopped.wrong], [[], []]);
  await watching.context.close();
});
