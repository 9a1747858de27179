import { PushAcceptor } from '../../link/push/push-acceptor.ts';
import type { KnowledgeStore } from '../../sct/knowledge/knowledge-store.ts';
import { PushedKnowledge } from '../../sct/knowledge/pushed-knowledge.ts';
import type { PushedStore } from '../../sct/knowledge/pushed-store.ts';
import { pushText } from '../send/accept-run.ts';

/** Somebody may allow what was pushed by another program at any time: looked at so often, ms. */
const LOOK_MS = 1000;

/** Pushes to a receiver that runs. */
export interface ReceiverPushes {
  readonly acceptor: PushAcceptor;
  /** A new session begins, no burst of it is under way: what has been allowed meanwhile is used from here on. */
  sessionBegins(): void;
  close(): Promise<void>;
}

/**
 * Takes pushes into a folder beside a running link, and says what of them is used when a session begins: never inside one, so never in the
 * middle of a burst or picture.
 *
 * @param known what this end holds already, and what the new is added to
 */
export function openPushes(store: PushedStore, known: KnowledgeStore, note: (text: string) => void): ReceiverPushes {
  const { modelSets, references } = known.knowledge();
  const held = [...modelSets, ...references].map(({ sha256 }) => sha256);
  const pushed = new PushedKnowledge(store, note, held);
  const look = () => void pushed.refresh();
  const acceptor = new PushAcceptor({
    keeper: store,
    note,
    taken: (push) => {
      note(pushText(push));
      look();
    },
  });
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return {
    acceptor,
    sessionBegins: () => {
      for (const { offer } of pushed.activate(known)) {
        note(`from this session on: pushed ${offer.kind} ${offer.name} ${offer.sha256.slice(0, 8)}`);
      }
    },
    close: async () => {
      clearInterval(timer);
      await acceptor.close();
    },
  };
}
