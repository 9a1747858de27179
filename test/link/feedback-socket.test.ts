import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { WebSocket } from 'ws';
import { FormatError } from '../../src/common/errors.ts';
import { steadyNowMs } from '../../src/link/clock-offset.ts';
import { FeedbackHandshake, feedbackToken, MAX_FRAME_BYTES } from '../../src/link/feedback-auth.ts';
import { SocketFeedback } from '../../src/link/feedback-socket.ts';
import '../fixed-seed.js';

const TOKEN = feedbackToken('0123456789abcdef0123456789abcdef');
const OTHER = feedbackToken('another token, long enough');

function pair(clientToken = TOKEN, serverToken = TOKEN) {
  return {
    client: new FeedbackHandshake('client', clientToken, randomBytes(32)),
    server: new FeedbackHandshake('server', serverToken, randomBytes(32)),
  };
}

/** Both ends proved. */
function shaken() {
  const { client, server } = pair();
  const proof = server.take(client.opening!).reply!;
  const answer = client.take(proof).reply!;
  assert.equal(server.take(answer).reply, null);
  assert.ok(client.ready && server.ready);
  return { client, server, frames: [client.opening!, proof, answer] };
}

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; !done(); i++) {
    if (i > 3000) throw new Error('it never came');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('both ends prove the token; messages go both ways, in order, once', () => {
  const { client, server } = shaken();
  for (let i = 0; i < 5; i++) {
    assert.deepEqual(server.take(client.seal(Uint8Array.of(i, 1))).message, Uint8Array.of(i, 1));
    assert.deepEqual(client.take(server.seal(Uint8Array.of(2, i))).message, Uint8Array.of(2, i));
  }
  const frame = client.seal(Uint8Array.of(9));
  server.take(frame);
  assert.throws(() => server.take(frame), FormatError, 'a message heard twice');
  assert.ok(!server.ready);
});

test('another token, a swapped end, an old connection: refused', () => {
  for (const [a, b] of [
    [TOKEN, OTHER],
    [OTHER, TOKEN],
  ]) {
    const { client, server } = pair(a, b);
    assert.throws(() => client.take(server.take(client.opening!).reply!), /different tokens/);
    assert.ok(!client.ready && !server.ready);
  }
  const { client, frames } = shaken();
  const later = new FeedbackHandshake('server', TOKEN, randomBytes(32));
  later.take(frames[0]);
  assert.throws(() => later.take(frames[2]), FormatError, 'a recorded answer');
  // A client's own message sent back to it.
  assert.throws(() => client.take(client.seal(Uint8Array.of(1))), FormatError);
  assert.throws(() => feedbackToken('short'), /has 5 bytes: allowed 16 to 4096/);
});

test('whatever a peer sends, it is a message of the other end or a FormatError, and nothing gets through after that', () => {
  const bytes = fc.uint8Array({ maxLength: 2 * MAX_FRAME_BYTES });
  const flip = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(fc.array(fc.oneof(bytes, flip), { maxLength: 6 }), fc.boolean(), (frames, ready) => {
      const { client, server } = ready ? shaken() : pair();
      for (const f of frames) {
        let frame: Uint8Array;
        if (f instanceof Uint8Array) frame = f;
        else {
          // A real frame with one byte changed.
          frame = Uint8Array.from(ready ? client.seal(Uint8Array.of(7, 7, 7)) : client.opening!);
          if (!ready && f[0] % frame.length >= 5) continue; // another nonce is a good hello
          frame[f[0] % frame.length] ^= f[1];
        }
        assert.throws(() => server.take(frame), FormatError);
        assert.equal(server.ready, false);
      }
    }),
    { numRuns: 500 },
  );
});

test('two sockets: reports arrive, also those said before the peer was there; the client comes back by itself', async () => {
  const server = await SocketFeedback.listen('ws://127.0.0.1:0', { token: TOKEN });
  server.send(Uint8Array.of(1, 2, 3));
  let woken = 0;
  const client = SocketFeedback.connect(server.url, { token: TOKEN, changed: () => woken++ });
  const got: Uint8Array[] = [];
  const count = () => got.push(...client.receive());
  await until(() => count() === 1);
  assert.deepEqual(got, [Uint8Array.of(1, 2, 3)]);
  assert.ok(woken > 0 && server.connected && client.connected);
  const { url } = server;
  await server.close();
  await until(() => !client.connected);
  const again = await SocketFeedback.listen(url, { token: TOKEN });
  await until(() => client.connected);
  again.send(Uint8Array.of(4));
  await until(() => count() === 2);
  assert.equal(client.counters.connections, 2);
  await client.close();
  await again.close();
});

test('both ends learn by how much their clocks differ, and count no report for it', async () => {
  const shiftMs = 12_345;
  const server = await SocketFeedback.listen('ws://127.0.0.1:0', {
    token: TOKEN,
    nowMs: () => steadyNowMs() + shiftMs,
  });
  assert.equal(server.clock(), null);
  const client = SocketFeedback.connect(server.url, { token: TOKEN });
  await until(() => (server.clock()?.samples ?? 0) > 1 && (client.clock()?.samples ?? 0) > 1);
  for (const [end, offsetMs] of [
    [client, shiftMs],
    [server, -shiftMs],
  ] as const) {
    const clock = end.clock()!;
    assert.ok(Math.abs(clock.offsetMs - offsetMs) <= clock.uncertaintyMs, JSON.stringify(clock));
    assert.deepEqual([end.counters.sent, end.counters.received, end.receive().length], [0, 0, 0]);
  }
  await client.close();
  await server.close();
  assert.ok(client.clock(), 'still known afterwards');
});

test('hostile peers: wrong token, text, floods of connections and of bytes; the real peer is served all the same', async () => {
  const notes: string[] = [];
  const server = await SocketFeedback.listen('ws://127.0.0.1:0', { token: TOKEN, note: (text) => notes.push(text) });
  const stranger = SocketFeedback.connect(server.url, { token: OTHER });
  await until(() => stranger.counters.refused > 0);
  assert.ok(!stranger.connected && !server.connected);
  await stranger.close();
  const ended: Promise<unknown>[] = [];
  for (const data of ['text', Buffer.alloc(0), Buffer.alloc(MAX_FRAME_BYTES + 1), randomBytes(37)]) {
    const socket = new WebSocket(server.url);
    ended.push(new Promise((resolve) => socket.once('close', resolve)));
    socket.once('open', () => socket.send(data));
    socket.on('error', () => undefined);
  }
  await Promise.all(ended);
  // Connections that say nothing do not add up: beyond a handful they are cut at once.
  const silent = Array.from({ length: 20 }, () => new WebSocket(server.url));
  let cut = 0;
  for (const s of silent) {
    s.on('error', () => undefined);
    s.once('close', () => cut++);
  }
  await until(() => cut >= 12);
  for (const s of silent) s.terminate();
  const client = SocketFeedback.connect(server.url, { token: TOKEN });
  await until(() => client.connected && server.connected);
  await client.close();
  await server.close();
  await assert.rejects(SocketFeedback.listen('wss://127.0.0.1:0', { token: TOKEN }), /listens at ws:/);
});
