import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KnownSet } from '../../../src/sct/knowledge/knowledge-message.ts';
import { KnowledgeStore } from '../../../src/sct/knowledge/knowledge-store.ts';
import { newestCommon } from '../../../src/sct/knowledge/newest-common.ts';
import type { ModelSetInfo } from '../../../src/sct/semantics/model-set.ts';
import '../../fixed-seed.js';

const hex = (text: string) => createHash('sha256').update(text).digest('hex');
const set = (name: string, version: number, text = `${name} ${version}`): KnownSet => {
  return { name, version, bytes: 1000, sha256: hex(text) };
};
const holding = (...modelSets: KnownSet[]) => ({ modelSets, references: [] });
const [V1, V2, V3] = [1, 2, 3].map((v) => set('live', v));
const BASE = set('base', 9);

test('the newest version that both hold, whichever end has more', () => {
  const cases: [KnownSet[], KnownSet[], KnownSet | null][] = [
    [[V1, V2, V3], [V1, V2, V3], V3],
    [[V1, V2, V3], [V1, V2], V2],
    [[V1, V2], [V3, V1], V1],
    [[V3, BASE], [V1, V2, BASE], null],
    [[V1], [], null],
  ];
  for (const [mine, theirs, newest] of cases) {
    assert.deepEqual(newestCommon(V3, holding(...mine), holding(...theirs)), newest);
  }
});

test('full hashes and names decide, not versions alone; a receiver that says no versions is understood', () => {
  const forged = { ...V3, sha256: V3.sha256.slice(0, 8) + V1.sha256.slice(8) };
  assert.deepEqual(newestCommon(V3, holding(V1, V3), holding(forged, V1)), V1);
  const old = [V1, V2].map((s) => ({ ...s, version: 0 }));
  assert.deepEqual(newestCommon(V3, holding(V1, V2, V3), holding(...old)), V2);
  const twins = [set('live', 2, 'a'), set('live', 2, 'b')];
  for (const using of twins) assert.deepEqual(newestCommon(using, holding(...twins), holding(...twins)), using);
});

test('the order in which the ends list their sets decides nothing', () => {
  const sets = [V1, V2, V3, BASE, set('live', 2, 'twin'), set('live', 3, 'twin of 3')];
  const some = fc.shuffledSubarray(sets);
  fc.assert(
    fc.property(some, some, fc.constantFrom(...sets), (mine, theirs, using) => {
      const newest = newestCommon(using, holding(...mine), holding(...theirs));
      const common = mine.filter((s) => s.name === using.name && theirs.includes(s));
      assert.equal(newest?.version, common.length === 0 ? undefined : Math.max(...common.map((s) => s.version)));
      assert.deepEqual(newestCommon(using, holding(...mine.reverse()), holding(...theirs.reverse())), newest);
    }),
  );
});

test('a store gives the newest of a name', () => {
  const store = new KnowledgeStore();
  const info = (s: KnownSet) => ({ ...s, id: s.sha256.slice(0, 8), files: [] }) as unknown as ModelSetInfo;
  store.addModelSet('ships', info(V1));
  store.addModelSet('pushed/3', info(V3));
  store.addModelSet('pushed/2', info(V2));
  store.addModelSet('ships', info(BASE));
  assert.equal(store.newestOf('live').dir, 'pushed/3');
  assert.equal(store.newestOf('base').dir, 'ships');
  assert.throws(() => store.newestOf('large'), /no model set "large"/);
});
