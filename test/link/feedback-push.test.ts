import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { DeviceError, UsageError } from '../../src/common/errors.ts';
import { RandomStream } from '../../src/common/random.ts';
import { feedbackToken } from '../../src/link/feedback-auth.ts';
import { connectPush, MAX_PUSH_FRAME, PUSH_PATH } from '../../src/link/feedback-push.ts';
import { SocketFeedback } from '../../src/link/feedback-socket.ts';
import { PushAcceptor } from '../../src/link/push/push-acceptor.ts';
import { pushOver } from '../../src/link/push/push-sender.ts';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';
import { PushedStore } from '../../src/sct/knowledge/pushed-store.ts';
import { pushablePicture, pushableSet, served } from '../sct/knowledge/pushed-objects.ts';
import { writeTinySet } from '../sct/semantics/tiny-models.ts';

const TOKEN = feedbackToken('0123456789abcdef0123456789abcdef');
const OTHER = feedbackToken('another token, long enough');

async function listening(t: TestContext, accepting = true) {
  const at = await mkdtemp(join(tmpdir(), 'sct-push-'));
  writeTinySet(join(at, 'models'));
  const store = await PushedStore.open(join(at, 'pushed'));
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  const pushes = accepting ? new PushAcceptor({ keeper: store, note }) : undefined;
  const server = await SocketFeedback.listen('ws://127.0.0.1:0', { token: TOKEN, pushes, note });
  t.after(async () => {
    await pushes?.close();
    await server.close();
    await rm(at, { recursive: true, force: true });
  });
  return { at, store, server, notes, pushes };
}

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; !done(); i++) {
    if (i > 3000) throw new Error('it never came');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a set goes over a socket beside the reports, which are not held up', async (t) => {
  const { at, store, server } = await listening(t);
  const peer = SocketFeedback.connect(server.url, { token: TOKEN });
  await until(() => peer.connected && server.connected);
  const set = await pushableSet(join(at, 'models'));
  const link = await connectPush(server.url, TOKEN);
  const pushing = pushOver(link, set.offer, served(set.files));
  server.send(Uint8Array.of(1, 2, 3));
  const end = await pushing;
  await link.close();
  assert.deepEqual([end.state, end.sentBytes], ['waiting', set.offer.bytes]);
  assert.deepEqual((await store.held())[0].offer, set.offer);
  const heard: Uint8Array[] = [];
  await until(() => heard.push(...peer.receive()) === 1);
  assert.deepEqual(heard, [Uint8Array.of(1, 2, 3)]);
  assert.ok(server.connected, 'a push is no peer: it does not take the place of one');
  assert.deepEqual([server.counters.received, server.counters.refused], [0, 0]);
  await peer.close();
});

test('another token, nobody there, nobody who takes pushes: each is said', async (t) => {
  const { server, store } = await listening(t);
  await assert.rejects(connectPush(server.url, OTHER), (error: unknown) => {
    return error instanceof UsageError && /different tokens/.test(error.message);
  });
  await until(() => server.counters.refused === 1);
  assert.deepEqual(await store.held(), []);
  const deaf = await listening(t, false);
  await assert.rejects(connectPush(deaf.server.url, TOKEN), (error: unknown) => {
    return error instanceof DeviceError && /takes no pushes/.test(error.message);
  });
  const { url } = deaf.server;
  await deaf.server.close();
  await assert.rejects(connectPush(url, TOKEN), (error: unknown) => {
    return error instanceof DeviceError && /nobody is at/.test(error.message);
  });
});

test('hostile peers on the path of pushes: text, noise, frames too long; a push after them goes through', async (t) => {
  const { at, server } = await listening(t);
  const ended: Promise<unknown>[] = [];
  for (const data of ['text', Buffer.alloc(0), Buffer.alloc(MAX_PUSH_FRAME + 1), randomBytes(37), randomBytes(5000)]) {
    const socket = new WebSocket(`${server.url}${PUSH_PATH}`);
    ended.push(new Promise((resolve) => socket.once('close', resolve)));
    socket.once('open', () => socket.send(data));
    socket.on('error', () => undefined);
  }
  await Promise.all(ended);
  const silent = Array.from({ length: 20 }, () => new WebSocket(`${server.url}${PUSH_PATH}`));
  let cut = 0;
  for (const s of silent) {
    s.on('error', () => undefined);
    s.once('close', () => cut++);
  }
  await until(() => cut >= 12);
  for (const s of silent) s.terminate();
  await until(() => cut === 20);
  const set = await pushableSet(join(at, 'models'));
  await until(() => server.counters.refused >= 13);
  const link = await connectPush(server.url, TOKEN);
  assert.equal((await pushOver(link, set.offer, served(set.files))).state, 'waiting');
  await link.close();
});

test('the connection is cut in the middle: another one goes on there', async (t) => {
  const { store, server } = await listening(t);
  const picture = await pushablePicture(rgbImage(800, 800, new RandomStream('socket').bytes(3 * 800 * 800)));
  const first = await connectPush(server.url, TOKEN);
  let sent = 0;
  const cut = pushOver(first, picture.offer, served(picture.files), (bytes) => {
    sent = bytes;
    if (bytes > picture.offer.bytes / 2) void first.close();
  });
  await assert.rejects(cut, DeviceError);
  assert.ok(sent < picture.offer.bytes);
  assert.deepEqual(await store.held(), []);
  const second = await connectPush(server.url, TOKEN);
  const end = await pushOver(second, picture.offer, served(picture.files));
  await second.close();
  assert.equal(end.state, 'waiting');
  assert.ok(end.sentBytes < 0.75 * picture.offer.bytes, `${end.sentBytes} of ${picture.offer.bytes}`);
});
