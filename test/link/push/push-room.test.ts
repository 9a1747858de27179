// What can happen to the place that a push is received into.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { PushAcceptor } from '../../../src/link/push/push-acceptor.ts';
import { type PushKeeper, takePush } from '../../../src/link/push/push-receiver.ts';
import { pushOver } from '../../../src/link/push/push-sender.ts';
import { rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { pushablePicture, served } from '../../sct/knowledge/pushed-objects.ts';
import { linkPair } from './memory-link.ts';
import { connection, ends, got } from './push-ends.ts';

test('a full disk in the middle: the verdict counts as heard, though data is still on its way; later it goes on there', async (t) => {
  const { store, at } = await ends(t);
  const big = await pushablePicture(rgbImage(700, 700, new RandomStream('full').bytes(3 * 700 * 700)));
  let full = true;
  const keeper: PushKeeper = {
    isAllowed: (sha256) => store.isAllowed(sha256),
    begin: async (offer) => {
      const arrival = await store.begin(offer);
      const write = arrival?.write.bind(arrival);
      if (arrival && write) {
        arrival.write = async (file, offset, bytes) => {
          if (full && offset > 100_000) throw Object.assign(new Error('no room'), { code: 'ENOSPC', syscall: 'write' });
          return write(file, offset, bytes);
        };
      }
      return arrival;
    },
  };
  const told: [string, boolean][] = [];
  const acceptor = new PushAcceptor({ keeper, taken: ({ state }, isTold) => void told.push([state, isTold]) });
  t.after(() => acceptor.close());
  const sent: number[] = [];
  for (const isFull of [true, false]) {
    full = isFull;
    const { a, b } = linkPair();
    const serving = acceptor.serve(b);
    const end = await pushOver(a, big.offer, served(big.files));
    assert.match(end.reason, isFull ? /cannot be written there \(ENOSPC\)/ : /allow it there/);
    sent.push(end.sentBytes);
    await a.close();
    await serving;
  }
  assert.deepEqual(told, [
    ['refused', true],
    ['waiting', true],
  ]);
  assert.ok(sent[1] < big.offer.bytes - 90_000, `${sent}`);
  assert.deepEqual(readdirSync(join(at, 'pushed', 'arriving')), []);
});

test('what comes is removed meanwhile, or received by another program: said, and nothing half stays', async (t) => {
  for (const other of ['forgets', 'receives'] as const) {
    const { store, at, set } = await ends(t);
    const last = set.files.length - 1;
    const files = served(set.files).map((file, i) => ({
      ...file,
      read: async (offset: number, length: number) => {
        if (i === last && other === 'forgets') await store.forget(set.offer.sha256);
        if (i === last && other === 'receives') {
          const { pushed } = await connection(set, store);
          assert.equal(got(pushed).state, 'waiting');
        }
        return file.read(offset, length);
      },
    }));
    const { a, b } = linkPair();
    const [pushed] = await Promise.all([pushOver(a, set.offer, files), takePush(b, store)]);
    assert.deepEqual(
      [pushed.state, (await store.held()).length],
      other === 'forgets' ? ['refused', 0] : ['waiting', 1],
      pushed.reason,
    );
    if (other === 'forgets') assert.match(pushed.reason, /removed there meanwhile/);
    assert.deepEqual(readdirSync(join(at, 'pushed', 'arriving')), []);
  }
});
