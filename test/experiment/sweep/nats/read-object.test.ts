// An object out of the store of a real NATS server that falls silent, loses its disk or is asked for more than was meant.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { ObjectStore } from '@nats-io/obj';
import { readObject } from '../../../../src/experiment/sweep/nats/read-object.ts';
import { NO_NATS, TestCable, TestNats } from '../../../nats-server.ts';
import { openSpace } from './nats-helpers.ts';

const options = { skip: NO_NATS, timeout: 120_000 };
/** More than any buffer between takes. */
const BYTES = 32_000_000;

interface Ends {
  after(end: () => Promise<void>): void;
  signal: AbortSignal;
}

async function storeAt(t: Ends, url: string): Promise<ObjectStore> {
  return (await openSpace(t, url)).files();
}

function read(store: ObjectStore, name: string, more: { mostBytes?: number; signal?: AbortSignal } = {}) {
  return readObject(store, name, {
    mostBytes: BYTES,
    signal: new AbortController().signal,
    silenceMs: 300,
    ...more,
    tooLarge: (bytes) => new Error(`${bytes} bytes are too many`),
  });
}

/** Does something once an object has been asked for, before its parts are taken. */
function inTheMiddle(store: ObjectStore, act: () => void | Promise<void>): ObjectStore {
  return new Proxy(store, {
    get: (target, key) => {
      if (key !== 'get') return Reflect.get(target, key);
      return async (name: string) => {
        const found = await target.get(name);
        await act();
        return found;
      };
    },
  });
}

test('an object comes as it was put; none, a deleted one and an empty one are told apart', options, async (t) => {
  const { url } = await TestNats.start(t);
  const store = await storeAt(t, url);
  const data = randomBytes(BYTES);
  await store.putBlob({ name: 'large' }, data);
  await store.putBlob({ name: 'empty' }, new Uint8Array(0));
  await store.putBlob({ name: 'deleted' }, data.subarray(0, 10));
  await store.delete('deleted');
  assert.ok(data.equals((await read(store, 'large')) ?? Buffer.alloc(0)));
  assert.deepEqual(await read(store, 'empty'), Buffer.alloc(0));
  assert.equal(await read(store, 'deleted'), null);
  assert.equal(await read(store, 'never put'), null);
  await assert.rejects(read(store, 'large', { mostBytes: BYTES - 1 }), /32000000 bytes are too many/);
});

test('a server that falls silent in the middle is not waited for for ever', options, async (t) => {
  const nats = await TestNats.start(t);
  const cable = await TestCable.lay(t, nats.port);
  const store = await storeAt(t, cable.url);
  const data = randomBytes(BYTES);
  await store.putBlob({ name: 'large' }, data);
  await assert.rejects(
    read(
      inTheMiddle(store, () => cable.stall()),
      'large',
    ),
    /no answer in 0.3 s/,
  );
  cable.mend();
  assert.ok(data.equals((await read(store, 'large')) ?? Buffer.alloc(0)));
});

test('nor one that is killed and has lost its disk', options, async (t) => {
  const nats = await TestNats.start(t);
  const store = await storeAt(t, nats.url);
  await store.putBlob({ name: 'large' }, randomBytes(BYTES));
  const lost = inTheMiddle(store, async () => {
    await nats.kill();
    await nats.emptyStore();
    await nats.restart();
  });
  await assert.rejects(read(lost, 'large'), /no answer in 0.3 s/);
});

test('the signal ends a wait', options, async (t) => {
  const nats = await TestNats.start(t);
  const cable = await TestCable.lay(t, nats.port);
  const store = await storeAt(t, cable.url);
  await store.putBlob({ name: 'large' }, randomBytes(BYTES));
  const stop = new AbortController();
  const reading = read(
    inTheMiddle(store, () => {
      cable.stall();
      stop.abort();
    }),
    'large',
    { signal: stop.signal },
  );
  await assert.rejects(reading, { name: 'AbortError' });
});
