import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type PushKeeper, takePush } from '../../../src/link/push/push-receiver.ts';
import { pushOver } from '../../../src/link/push/push-sender.ts';
import { PushedStore } from '../../../src/sct/knowledge/pushed-store.ts';
import { type Pushable, pushableSet, served } from '../../sct/knowledge/pushed-objects.ts';
import { writeTinySet } from '../../sct/semantics/tiny-models.ts';
import { linkPair } from './memory-link.ts';

export async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sct-push-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A tiny set to push, and an empty store. */
export async function ends(t: TestContext) {
  const at = await scratch(t);
  writeTinySet(join(at, 'models'));
  return { at, set: await pushableSet(join(at, 'models')), store: await PushedStore.open(join(at, 'pushed')) };
}

/** One connection: how each end saw it. */
export async function connection({ offer, files }: Pushable, keeper: PushKeeper, breakAfter?: number) {
  const { a, b } = linkPair(breakAfter);
  let sentBytes = 0;
  const [pushed, taken] = await Promise.allSettled([
    pushOver(a, offer, served(files), (bytes) => {
      sentBytes = bytes;
    }).finally(() => a.close()),
    takePush(b, keeper).finally(() => b.close()),
  ]);
  return { pushed, taken, sentBytes };
}

export function got<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}
