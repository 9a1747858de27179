import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openPushes } from '../../../src/experiment/ota/pushes.ts';
import { pushOver } from '../../../src/link/push/push-sender.ts';
import { KnowledgeStore } from '../../../src/sct/knowledge/knowledge-store.ts';
import { PushedStore } from '../../../src/sct/knowledge/pushed-store.ts';
import { linkPair } from '../../link/push/memory-link.ts';
import { pushableSet, served } from '../../sct/knowledge/pushed-objects.ts';
import { writeTinySet } from '../../sct/semantics/tiny-models.ts';
import { scratch } from '../link-helpers.ts';

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; !done(); i++) {
    if (i > 3000) throw new Error('it never came');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a running receiver holds what was pushed from the first session after it was allowed, never within one', async (t) => {
  const at = await scratch(t);
  writeTinySet(join(at, 'models'));
  const { offer, files } = await pushableSet(join(at, 'models'));
  const store = await PushedStore.open(join(at, 'pushed'));
  const known = new KnowledgeStore();
  const notes: string[] = [];
  const pushes = openPushes(store, known, (text) => void notes.push(text));
  t.after(() => pushes.close());
  const { a, b } = linkPair();
  const serving = pushes.acceptor.serve(b);
  assert.equal((await pushOver(a, offer, served(files))).state, 'waiting');
  await a.close();
  await serving;
  assert.match(notes.join('\n'), /push: set tiny, version 1, .* waiting \(allow it there/);
  pushes.sessionBegins();
  assert.deepEqual(known.knowledge().modelSets, [], 'here, and not allowed');
  // Another program allows it, in the middle of the session.
  await (await PushedStore.existing(join(at, 'pushed'))).allow(offer.sha256);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.deepEqual(known.knowledge().modelSets, [], 'the session goes on with what it began with');
  await until(() => {
    pushes.sessionBegins();
    return known.knowledge().modelSets.length === 1;
  });
  assert.equal(known.knowledge().modelSets[0].sha256, offer.sha256);
  assert.match(notes.join('\n'), /from this session on: pushed set tiny/);
});
