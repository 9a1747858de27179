// Pushes through a real NATS server.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DeviceError, UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { feedbackToken } from '../../../src/link/feedback-auth.ts';
import { connectNats } from '../../../src/link/nats/nats-connection.ts';
import { NatsFeedback } from '../../../src/link/nats/nats-feedback.ts';
import { connectNatsPush, NatsPushServer } from '../../../src/link/nats/nats-push.ts';
import { parseNatsUrl } from '../../../src/link/nats/nats-url.ts';
import { PushAcceptor } from '../../../src/link/push/push-acceptor.ts';
import { pushOver } from '../../../src/link/push/push-sender.ts';
import { rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { openPushed } from '../../../src/sct/knowledge/pushed-knowledge.ts';
import { PushedStore } from '../../../src/sct/knowledge/pushed-store.ts';
import { NO_NATS, TestCable, TestNats, until } from '../../nats-server.ts';
import { pushablePicture, pushableSet, served } from '../../sct/knowledge/pushed-objects.ts';
import { writeTinySet } from '../../sct/semantics/tiny-models.ts';

const TOKEN = feedbackToken('0123456789abcdef0123456789abcdef');
const OTHER = feedbackToken('another token, long enough');
const options = { skip: NO_NATS, timeout: 120_000 };

async function accepting(t: TestContext) {
  const nats = await TestNats.start(t, [], false);
  const at = await mkdtemp(join(tmpdir(), 'sct-nats-push-'));
  const store = await PushedStore.open(join(at, 'pushed'));
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  const pushes = new PushAcceptor({ keeper: store, note });
  const url = `${nats.url}/roof`;
  const server = await NatsPushServer.open(url, { token: TOKEN, pushes, note });
  t.after(async () => {
    await pushes.close();
    await server.close();
    await rm(at, { recursive: true, force: true });
  });
  return { nats, at, store, notes, pushes, url, server };
}

function noisePicture(side: number) {
  return pushablePicture(rgbImage(side, side, new RandomStream('nats').bytes(3 * side * side)));
}

test('a set goes through beside the reports of a link of the same name', options, async (t) => {
  const nats = await TestNats.start(t, [], false);
  const at = await mkdtemp(join(tmpdir(), 'sct-nats-push-'));
  writeTinySet(join(at, 'models'));
  const store = await PushedStore.open(join(at, 'pushed'));
  const pushes = new PushAcceptor({ keeper: store });
  const url = `${nats.url}/roof`;
  const receiver = await NatsFeedback.open('server', url, { token: TOKEN, pushes });
  const sender = await NatsFeedback.open('client', url, { token: TOKEN });
  t.after(async () => {
    await pushes.close();
    await sender.close();
    await receiver.close();
    await rm(at, { recursive: true, force: true });
  });
  await until(() => sender.connected && receiver.connected);
  const set = await pushableSet(join(at, 'models'));
  const link = await connectNatsPush(url, TOKEN);
  const pushing = pushOver(link, set.offer, served(set.files));
  receiver.send(Uint8Array.of(1, 2, 3));
  const end = await pushing;
  await link.close();
  assert.deepEqual([end.state, end.sentBytes], ['waiting', set.offer.bytes]);
  assert.deepEqual((await store.held())[0].offer, set.offer);
  const heard: Uint8Array[] = [];
  await until(() => heard.push(...sender.receive()) === 1);
  assert.deepEqual(heard, [Uint8Array.of(1, 2, 3)]);
  assert.ok(sender.connected && receiver.connected, 'a push is no peer of the reports');
  assert.deepEqual([receiver.counters.received, receiver.counters.refused], [0, 0]);
});

test('another token, another name, nobody there, no server: each is said', options, async (t) => {
  const { nats, url, store, server, notes } = await accepting(t);
  await assert.rejects(connectNatsPush(url, OTHER), (error: unknown) => {
    return error instanceof UsageError && /different tokens/.test(error.message);
  });
  await assert.rejects(connectNatsPush(`${nats.url}/cellar`, TOKEN), (error: unknown) => {
    return error instanceof DeviceError && /nobody takes pushes at .*cellar/.test(error.message);
  });
  await assert.rejects(connectNatsPush('nats://127.0.0.1:1', TOKEN), DeviceError);
  assert.deepEqual([await store.held(), server.refused, notes], [[], 0, []]);
});

test('the server is killed and the cable cut in the middle: another connection goes on there', options, async (t) => {
  const { nats, store, url } = await accepting(t);
  const cable = await TestCable.lay(t, nats.port);
  const picture = await noisePicture(1200);
  const { bytes } = picture.offer;
  const cutAt = async (through: string, part: number, cut: () => unknown) => {
    const link = await connectNatsPush(through, TOKEN);
    let [sent, isCut] = [0, false];
    const pushing = pushOver(link, picture.offer, served(picture.files), (now) => {
      sent = now;
      if (now < part * bytes || isCut) return;
      isCut = true;
      cut();
    });
    await assert.rejects(pushing, DeviceError);
    await link.close();
    return sent;
  };
  const first = await cutAt(`${cable.url}/roof`, 0.3, () => cable.break());
  assert.deepEqual(await store.held(), []);
  let restarted: Promise<void> = Promise.resolve();
  const second = await cutAt(url, 0.3, () => {
    restarted = nats.kill().then(() => nats.restart());
  });
  await restarted;
  let last: Awaited<ReturnType<typeof connectNatsPush>> | null = null;
  // The receiver comes back to the server by itself.
  await until(async () => {
    last = await connectNatsPush(url, TOKEN).catch((error: unknown) => {
      if (error instanceof DeviceError) return null;
      throw error;
    });
    return last !== null;
  });
  const end = await pushOver(last!, picture.offer, served(picture.files));
  await last!.close();
  assert.equal(end.state, 'waiting');
  // Of each cut connection no more than the span that was under way travels again.
  assert.ok(end.sentBytes < bytes && first + second + end.sentBytes <= bytes + 2 * 2 ** 20, `${end.sentBytes}`);
  await openPushed((await store.held())[0]);
});

test('a piece that is not what was offered is refused, and nothing of it stays', options, async (t) => {
  const { store, url } = await accepting(t);
  const picture = await noisePicture(400);
  const files = picture.files.map((f) => f.map((b, i) => (i === 100_000 ? b ^ 1 : b)));
  const link = await connectNatsPush(url, TOKEN);
  const end = await pushOver(link, picture.offer, served(files));
  await link.close();
  assert.equal(end.state, 'refused');
  assert.match(end.reason, /does not have the hash/);
  assert.deepEqual(await store.held(), []);
});

test('whoever may publish can say nothing in a push and end none that is proved', options, async (t) => {
  const { store, url, server } = await accepting(t);
  const stranger = await connectNats(parseNatsUrl(url, '--feedback'), { name: 'stranger' });
  t.after(() => stranger.close());
  let heard = 0;
  // Every frame once more, once with a byte changed, and noise of every size beside it.
  stranger.subscribe('sct.push.>', {
    callback: (_, { subject, data }) => {
      if (++heard > 60 || data.length < 100) return;
      const changed = data.slice();
      changed[changed.length >> 1] ^= 1;
      for (const frame of [data, changed, randomBytes(heard)]) stranger.publish(subject, frame);
    },
  });
  for (let i = 0; i < 200; i++)
    stranger.publish(`sct.push.roof.server.${randomBytes(16).toString('hex')}`, randomBytes(i));
  for (let i = 0; i < 40; i++) {
    const hello = Buffer.concat([Buffer.from('sctp\x01', 'latin1'), randomBytes(32)]);
    stranger.publish(`sct.push.roof.server.${randomBytes(16).toString('hex')}`, hello);
  }
  stranger.publish('sct.push.roof.server.no-id', randomBytes(10));
  stranger.publish(`sct.push.roof.server.${randomBytes(16).toString('hex')}`, new Uint8Array(500_000));
  await stranger.flush();
  await until(() => server.refused >= 200);
  const picture = await noisePicture(700);
  const link = await connectNatsPush(url, TOKEN);
  const end = await pushOver(link, picture.offer, served(picture.files));
  await link.close();
  assert.deepEqual([end.state, end.sentBytes], ['waiting', picture.offer.bytes]);
  await openPushed((await store.held())[0]);
});

test('an end that falls silent is left, and the push is not held up for ever', options, async (t) => {
  const { nats, url, pushes, notes } = await accepting(t);
  const cable = await TestCable.lay(t, nats.port);
  const link = await connectNatsPush(`${cable.url}/roof`, TOKEN);
  cable.stall();
  const picture = await noisePicture(50);
  await assert.rejects(pushOver(link, picture.offer, served(picture.files)), DeviceError);
  assert.match(link.describe(), /does not answer|lost/);
  // Nobody stands in the way of the next.
  const next = await connectNatsPush(url, TOKEN);
  const end = await pushOver(next, picture.offer, served(picture.files));
  await next.close();
  assert.equal(end.state, 'waiting', notes.join());
  assert.ok(pushes);
});
