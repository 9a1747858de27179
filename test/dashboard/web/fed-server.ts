import { rmSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { encodeFrame } from '../../../src/dashboard/frames.ts';
import type { TelemetryEvent } from '../../../src/link/telemetry.ts';
import { dashboard } from '../helpers.ts';
import { builtPage } from './browser.ts';
import { burst, frameOf, run, SFVS, sfvs, spectrum, status } from './made-run.ts';
import { pictureRun } from './scenes.ts';

/** The real server in this process, with a job that tells what the test wants. */
export async function fedServer(t: TestContext) {
  const web = builtPage();
  const { server, controller, controlToken, readToken } = await dashboard({ web });
  t.after(async () => {
    await server.close();
    rmSync(web, { recursive: true });
  });
  void server.hub.start({ command: 'loopback', options: {} });
  let sequence = 0;
  const tell = (...events: TelemetryEvent[]) => {
    for (const event of events) controller.listener?.bytes(encodeFrame(frameOf(event, sequence++)));
  };
  tell(...(await pictureRun()));
  tell({ topic: 'replay', positionS: 1, lengthS: 60, speed: 1, paused: false, loop: null });
  const address = (token: string) => `${server.url}#token=${token}`;
  return { server, tell, control: address(controlToken), read: address(readToken) };
}

/** What a busy run tells at once: every panel has something new. */
export function update(n: number): TelemetryEvent[] {
  return [
    ...(n % 400 === 0 ? [run({ state: 'starting', startedAt: new Date(n * 1000).toISOString() })] : []),
    spectrum(n),
    burst(2 * n + 1, { startS: n / 30 }),
    sfvs(n % (SFVS + 1)),
    status(n, { timeS: n / 30, gaps: n }),
    { topic: 'loss', fromS: n / 30, toS: n / 30 + 0.001, min: 100, max: 100, exact: true },
    { topic: 'replay', positionS: (n / 30) % 60, lengthS: 60, speed: 1, paused: false, loop: null },
    { topic: 'log', level: 'note', at: new Date(n * 33).toISOString(), text: `update ${n}` },
  ];
}
