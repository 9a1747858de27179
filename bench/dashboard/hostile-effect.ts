import { fileURLToPath } from 'node:url';
import { attackers } from './attackers.ts';
import { PageClient } from './page-client.ts';
import { median, metrics, note, running, sleep } from './running.ts';

const SERVER = fileURLToPath(new URL('fed-server.ts', import.meta.url));
const UPDATES_PER_S = 30;
const AT_ONCE = 200;
/** Longest that a newcomer waits for its first frame here, ms; counted as this where it does not come. */
const LONGEST_JOIN_MS = 10_000;

interface Stretch {
  readonly seconds: number;
  /** Updates that a page with the control token got, of those that were told. */
  readonly updatesGot: number;
  /** From opening a WebSocket to the first frame, ms. */
  readonly joinMs: { readonly median: number; readonly worst: number; readonly refused: number };
  readonly serverCores: number;
  readonly residentMB: number;
  readonly heldMB: number;
}

/** What hostile clients do to a page that watches and to one that comes: none, two hundred at once, and many one after another. */
export async function hostileEffect(folder: string, seconds: number, inTurn: number) {
  const server = await running(['--import', 'tsx', SERVER, folder], folder);
  const target = { host: server.read.host, port: server.read.port, readToken: server.read.token };
  const owner = await PageClient.open(server.control, true);
  try {
    await owner.ask({ do: 'start', command: 'loopback', options: { rate: UPDATES_PER_S } });
    await owner.next('status');
    const during = async (until: Promise<unknown>): Promise<Stretch> => {
      let over = false;
      void until.then(() => {
        over = true;
      });
      const [before, seen, startMs] = [await metrics(server.control), owner.topics.get('status')!, performance.now()];
      const joins: number[] = [];
      let refused = 0;
      let [resident, held] = [0, 0];
      while (!over) {
        const joinedMs = await join(server.control);
        if (joinedMs === null) refused++;
        joins.push(joinedMs ?? LONGEST_JOIN_MS);
        const now = await metrics(server.control);
        resident = Math.max(resident, now.get('process_resident_memory_bytes')!);
        held = Math.max(held, now.get('sct_dashboard_held_bytes')!);
        await sleep(100);
      }
      const [after, lastedS] = [await metrics(server.control), (performance.now() - startMs) / 1000];
      const cpu = 'process_cpu_seconds_total';
      return {
        seconds: lastedS,
        updatesGot: (owner.topics.get('status')! - seen) / (UPDATES_PER_S * lastedS),
        joinMs: { median: median(joins), worst: Math.max(...joins), refused },
        serverCores: (after.get(cpu)! - before.get(cpu)!) / lastedS,
        residentMB: resident / 1e6,
        heldMB: held / 1e6,
      };
    };
    const say = (what: string, of: Stretch) =>
      note(
        `${what}: ${(100 * of.updatesGot).toFixed(1)} % of updates, join ${of.joinMs.median.toFixed(0)} ms, ${of.residentMB.toFixed(0)} MB`,
      );
    const none = await during(sleep(1000 * seconds));
    say('no hostile client', none);
    const many = attackers(target, AT_ONCE, 0);
    await many.ready;
    const atOnce = await during(sleep(1000 * seconds));
    await many.end();
    say(`${AT_ONCE} at once`, atOnce);
    const turns = attackers(target, 1, inTurn);
    const oneByOne = await during(turns.done);
    say(`${inTurn} one after another`, oneByOne);
    await sleep(1000);
    const afterwards = await during(sleep(1000 * seconds));
    say('afterwards', afterwards);
    return {
      updatesPerS: UPDATES_PER_S,
      none,
      atOnce: { clients: AT_ONCE, ...atOnce },
      inTurn: { clients: inTurn, ...oneByOne },
      afterwards,
    };
  } finally {
    owner.close();
    await server.end();
  }
}

/** A newcomer's wait for its first frame, ms; null where it is not let in. */
async function join(at: Parameters<typeof PageClient.open>[0]): Promise<number | null> {
  const startMs = performance.now();
  const come = async () => {
    const page = await PageClient.open(at, true);
    if (page.frames === 0) await page.next();
    page.close();
    return performance.now() - startMs;
  };
  return Promise.race([come().catch(() => null), sleep(LONGEST_JOIN_MS).then(() => null)]);
}
