// The way back through a real NATS server.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { DeviceError, UsageError } from '../../../src/common/errors.ts';
import { steadyNowMs } from '../../../src/link/clock-offset.ts';
import { feedbackToken } from '../../../src/link/feedback-auth.ts';
import { connectNats } from '../../../src/link/nats/nats-connection.ts';
import { NatsFeedback } from '../../../src/link/nats/nats-feedback.ts';
import { parseNatsUrl } from '../../../src/link/nats/nats-url.ts';
import { NO_NATS, TestCable, TestNats, until } from '../../nats-server.ts';

const TOKEN = feedbackToken('0123456789abcdef0123456789abcdef');
const OTHER = feedbackToken('another token, long enough');
const options = { skip: NO_NATS, timeout: 120_000 };

function ends(...open: readonly NatsFeedback[]): () => Promise<void> {
  return async () => {
    for (const end of open) await end.close();
  };
}

test('reports arrive both ways, also those said before the peer was there', options, async (t) => {
  const { url } = await TestNats.start(t);
  const receiver = await NatsFeedback.open('server', `${url}/roof`, { token: TOKEN });
  receiver.send(Uint8Array.of(1, 2, 3));
  let woken = 0;
  const sender = await NatsFeedback.open('client', `${url}/roof`, { token: TOKEN, changed: () => woken++ });
  t.after(ends(sender, receiver));
  const got: Uint8Array[] = [];
  await until(() => got.push(...sender.receive()) === 1);
  assert.deepEqual(got, [Uint8Array.of(1, 2, 3)]);
  assert.ok(woken > 0 && sender.connected && receiver.connected);
  for (let i = 0; i < 100; i++) sender.send(Uint8Array.of(i, 9));
  const heard: Uint8Array[] = [];
  await until(() => heard.push(...receiver.receive()) === 100);
  assert.deepEqual(
    heard.map(([i]) => i),
    Array.from({ length: 100 }, (_, i) => i),
  );
  await sender.close();
  await until(() => !receiver.connected, 'the leave');
});

test('both ends learn by how much their clocks differ, and count no report for it', options, async (t) => {
  const { url } = await TestNats.start(t);
  const shiftMs = -98_765;
  const receiver = await NatsFeedback.open('server', url, { token: TOKEN, nowMs: () => steadyNowMs() + shiftMs });
  const sender = await NatsFeedback.open('client', url, { token: TOKEN });
  t.after(ends(sender, receiver));
  await until(() => (receiver.clock()?.samples ?? 0) > 1 && (sender.clock()?.samples ?? 0) > 1);
  for (const [end, offsetMs] of [
    [sender, shiftMs],
    [receiver, -shiftMs],
  ] as const) {
    const clock = end.clock()!;
    assert.ok(Math.abs(clock.offsetMs - offsetMs) <= clock.uncertaintyMs, JSON.stringify(clock));
    assert.deepEqual([end.counters.sent, end.counters.received, end.counters.lost, end.receive().length], [0, 0, 0, 0]);
  }
});

test('another name is another link; another token is refused', options, async (t) => {
  const { url } = await TestNats.start(t);
  const notes: string[] = [];
  const receiver = await NatsFeedback.open('server', `${url}/roof`, { token: TOKEN, note: (text) => notes.push(text) });
  const elsewhere = await NatsFeedback.open('client', `${url}/cellar`, { token: TOKEN });
  const stranger = await NatsFeedback.open('client', `${url}/roof`, { token: OTHER });
  t.after(ends(receiver, elsewhere, stranger));
  await until(() => stranger.counters.refused > 0);
  assert.ok(!stranger.connected && !elsewhere.connected && !receiver.connected);
  assert.equal(elsewhere.counters.refused, 0);
});

test('whoever may publish can say nothing and end nothing', options, async (t) => {
  const { url } = await TestNats.start(t);
  const receiver = await NatsFeedback.open('server', url, { token: TOKEN });
  const sender = await NatsFeedback.open('client', url, { token: TOKEN });
  const stranger = await connectNats(parseNatsUrl(url, '--feedback'), { name: 'stranger' });
  t.after(async () => {
    await ends(sender, receiver)();
    await stranger.close();
  });
  const frames: { subject: string; data: Uint8Array }[] = [];
  stranger.subscribe('sct.feedback.>', { callback: (_, { subject, data }) => void frames.push({ subject, data }) });
  await stranger.flush();
  await until(() => sender.connected && receiver.connected);
  sender.send(Uint8Array.of(1, 1, 1));
  await until(() => receiver.counters.received === 1 && frames.length > 0);
  // What was heard again, what was heard with a byte changed, noise of every size, and many new attempts.
  for (const { subject, data } of [...frames]) {
    stranger.publish(subject, data);
    const changed = data.slice();
    changed[changed.length - 1] ^= 1;
    stranger.publish(subject, changed);
  }
  for (let i = 0; i < 300; i++) {
    const id = randomBytes(16).toString('hex');
    stranger.publish(`sct.feedback.link.server.${id}`, randomBytes(i));
    const hello = Buffer.concat([Buffer.from('sctf\x01', 'latin1'), randomBytes(32)]);
    stranger.publish(`sct.feedback.link.server.${id}`, hello);
  }
  stranger.publish('sct.feedback.link.server.no-id', randomBytes(10));
  await stranger.flush();
  sender.send(Uint8Array.of(2, 2, 2));
  receiver.send(Uint8Array.of(3, 3, 3));
  await until(() => receiver.counters.received === 2 && sender.counters.received === 1);
  assert.deepEqual(receiver.receive(), [Uint8Array.of(1, 1, 1), Uint8Array.of(2, 2, 2)]);
  assert.deepEqual(sender.receive(), [Uint8Array.of(3, 3, 3)]);
  assert.ok(receiver.counters.refused > 300 && sender.connected);
});

test(
  'a server that is killed and comes back, a cable that is cut: the ends find each other again',
  options,
  async (t) => {
    const nats = await TestNats.start(t);
    const cable = await TestCable.lay(t, nats.port);
    const receiver = await NatsFeedback.open('server', nats.url, { token: TOKEN });
    const sender = await NatsFeedback.open('client', cable.url, { token: TOKEN });
    t.after(ends(sender, receiver));
    await until(() => sender.connected && receiver.connected);
    const arrives = async (mark: number) => {
      await until(() => {
        // Through subjects a message may be lost: what must arrive is said again.
        receiver.send(Uint8Array.of(mark, mark, mark));
        return sender.receive().some((message) => message[0] === mark);
      }, `message ${mark}`);
    };
    await arrives(1);
    await nats.kill();
    await nats.restart();
    await arrives(2);
    cable.break();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    cable.mend();
    await arrives(3);
    // A receiver that was started again has forgotten everything.
    await receiver.close();
    const again = await NatsFeedback.open('server', nats.url, { token: TOKEN });
    t.after(ends(again));
    await until(() => again.connected && sender.connected);
    again.send(Uint8Array.of(4, 4, 4));
    await until(() => sender.receive().some((message) => message[0] === 4));
  },
);

test('no server, wrong credentials: said at once', options, async (t) => {
  await assert.rejects(NatsFeedback.open('client', 'nats://127.0.0.1:1', { token: TOKEN }), DeviceError);
  const nats = await TestNats.start(t, ['--user', 'me', '--pass', 'a-password']);
  await assert.rejects(NatsFeedback.open('client', nats.url, { token: TOKEN }), UsageError);
});
