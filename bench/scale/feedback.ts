import { randomBytes } from 'node:crypto';
import { cpuUsage } from 'node:process';
import { NatsFeedback } from '../../src/link/nats/nats-feedback.ts';
import { freePort, TestNats } from '../nats-peer.ts';
import { serverCounters } from '../sweep-nats/monitor.ts';
import { rounded } from '../sweep-nats/overhead.ts';
import { cpuMsOf, Ends, pauseMs, residentMiBOf } from '../sweep-nats/processes.ts';
import type { FeedbackFigures } from './report.ts';

/** Links that speak at once in each turn. */
const TURN_MS = 20;

/** So many links over one server, a receiver and a sender each; every receiver says so many messages of so many bytes a second. */
export async function measureFeedback(
  links: number,
  bytes: number,
  perS: number,
  seconds: number,
): Promise<FeedbackFigures> {
  const ends = new Ends();
  try {
    const monitorPort = await freePort();
    const nats = await TestNats.start(ends, ['-m', String(monitorPort)]);
    const pairs: { receiver: NatsFeedback; sender: NatsFeedback }[] = [];
    for (let i = 0; i < links; i++) {
      const [url, token] = [`${nats.url}/link${i}`, randomBytes(16)] as const;
      const receiver = await NatsFeedback.open('server', url, { token });
      const sender = await NatsFeedback.open('client', url, { token });
      ends.after(async () => void (await Promise.all([receiver.close(), sender.close()])));
      pairs.push({ receiver, sender });
    }
    while (!pairs.every(({ receiver, sender }) => receiver.connected && sender.connected)) await pauseMs(20);
    const idle = { counters: await serverCounters(monitorPort), cpu: cpuMsOf(nats.pid), at: performance.now() };
    await pauseMs(1e3 * Math.min(seconds, 10));
    const before = { counters: await serverCounters(monitorPort), cpu: cpuMsOf(nats.pid), own: ownCpuMs() };
    const idleS = (performance.now() - idle.at) / 1e3;
    const started = performance.now();
    let [said, heard] = [0, 0];
    while (performance.now() - started < 1e3 * seconds) {
      await pauseMs(TURN_MS);
      // By the clock, so that a late timer does not make them fewer.
      const due = Math.floor(((performance.now() - started) / 1e3) * perS) * links;
      for (; said < due; said++) pairs[said % links].receiver.send(new Uint8Array(bytes).fill(1));
      for (const { sender } of pairs) heard += sender.receive().length;
    }
    await pauseMs(1000);
    for (const { sender } of pairs) heard += sender.receive().length;
    const tookS = (performance.now() - started) / 1e3;
    const after = { counters: await serverCounters(monitorPort), cpu: cpuMsOf(nats.pid), own: ownCpuMs() };
    const wire = (from: typeof idle.counters, to: typeof idle.counters) =>
      to.inBytes + to.outBytes - from.inBytes - from.outBytes;
    const idleWire = wire(idle.counters, before.counters) / idleS;
    const idleCpu = (before.cpu - idle.cpu) / idleS;
    return {
      links,
      messageBytes: bytes,
      messagesPerSEach: perS,
      said,
      heard,
      serverCpuUsEach: rounded((1e3 * (after.cpu - before.cpu - idleCpu * tookS)) / said),
      bothEndsCpuUsEach: rounded((1e3 * (after.own - before.own)) / said),
      wireBytesEach: rounded((wire(before.counters, after.counters) - idleWire * tookS) / said),
      idle: { serverCpuMsPerSEach: rounded(idleCpu / links), wireBytesPerSEach: rounded(idleWire / links) },
      serverMiB: residentMiBOf(nats.pid),
    };
  } finally {
    await ends.all();
  }
}

function ownCpuMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1e3;
}
