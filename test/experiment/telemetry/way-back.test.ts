import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { openSocket, wayBackOf } from '../../../src/experiment/ota/feedback.ts';
import { runReceive } from '../../../src/experiment/receive/receive-run.ts';
import { runSend } from '../../../src/experiment/send/send-run.ts';
import type { StatusEvent, TelemetryEvent } from '../../../src/link/telemetry.ts';
import { io, photo, scratch } from '../link-helpers.ts';

const QUICK = { codec: 'classical', format: 'jpeg', cbr: 1 / 4, numerology: 15 } as const;

test('whoever watches is told of the way back to another host, and of its clock', async (t) => {
  const at = await scratch(t);
  const feedbackToken = join(at, 'token');
  writeFileSync(feedbackToken, '0123456789abcdef0123456789abcdef');
  const way = { feedback: 'ws://127.0.0.1:0' as const, feedbackToken };
  const listening = await openSocket(way, 'receiver');
  t.after(() => listening.close());
  const untilMs = performance.now() + 60_000;
  const connecting = await openSocket({ ...way, feedback: listening.url as `ws://${string}` }, 'sender', {
    nowMs: () => Date.now() + 5000,
  });
  t.after(() => connecting.close());
  while (!listening.clock() && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 5));
  const { connected, connections, refused, clock } = wayBackOf(listening);
  assert.deepEqual([connected, connections, refused], [true, 1, 0]);
  assert.ok(Math.abs(clock!.offsetMs - 5000) <= clock!.uncertaintyMs + 5, JSON.stringify(clock));

  const source = await photo(join(at, 'photo.png'), 96, 64);
  const file = `file:${join(at, 'air')}`;
  await runSend({ ...resolveLinkConfig(QUICK), photo: { kind: 'file', path: source }, to: file }, io(join(at, 'sent')));
  const told: StatusEvent[] = [];
  const tell = (event: TelemetryEvent) => void (event.topic === 'status' && told.push(event));
  const config = { ...resolveLinkConfig({ ...QUICK, ...way }), from: file };
  await runReceive(config, io(join(at, 'received'), { telemetry: { tell } }));
  const { wayBack } = told.at(-1)!;
  assert.deepEqual([wayBack!.connected, wayBack!.received, wayBack!.clock], [false, 0, null]);
});
