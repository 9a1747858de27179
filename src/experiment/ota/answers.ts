import type { LinkEvent } from '../../link/receiver.ts';
import { knowledgePieces } from '../../link/reverse/knowledge-pieces.ts';
import { encodeKnowledgePiece } from '../../link/reverse/reverse-messages.ts';
import { answersTo } from '../../link/session/listener.ts';
import type { TurningReceiver } from '../../link/session/turning-receiver.ts';
import type { WayBack } from '../../link/telemetry.ts';
import type { KnowledgeStore } from '../../sct/knowledge/knowledge-store.ts';
import { PushedStore } from '../../sct/knowledge/pushed-store.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { readLocalKnowledge } from '../config/local-knowledge.ts';
import type { RunIo } from '../run/run-io.ts';
import { AnswerPower } from './answer-power.ts';
import { type FeedbackFacts, feedbackFacts, isSocket, openSocket, wayBackOf } from './feedback.ts';
import type { PowerKeeper } from './power-keeper.ts';
import { openPushes } from './pushes.ts';

/** What a receiver on a host of its own sends back. */
export interface Answers {
  to(event: LinkEvent): void;
  /** By which radio reverse bursts are sent, once it is open, and with what power; null: the user's. */
  by(receiver: TurningReceiver, power: PowerKeeper | null): void;
  /** What this end holds, with what is pushed to it while it runs; null where nothing can be. */
  readonly growing: KnowledgeStore | null;
  /** Whether everything has been said that waits for a moment of quiet. */
  readonly said: boolean;
  /** Of a way back to another host; null over the air. */
  readonly facts: FeedbackFacts | null;
  /** The same as it is now. */
  readonly wayBack: WayBack | null;
  close(): Promise<void>;
}

/**
 * The way back of `sct receive`: null where there is none. UsageError without a token; DeviceError where the
 * address cannot be listened at.
 */
export async function openAnswers(config: LinkConfig, io: RunIo): Promise<Answers | null> {
  if (!isSocket(config) && config.feedback !== 'burst') return null;
  const note = (text: string) => io.progress.note(text);
  const { pushedDir } = config;
  const store = isSocket(config) && pushedDir !== undefined ? await PushedStore.open(pushedDir) : null;
  const held = await readLocalKnowledge(config);
  const pushes = store && openPushes(store, held, note);
  const socket = isSocket(config) ? await openSocket(config, 'receiver', { note, pushes: pushes?.acceptor }) : null;
  if (socket) io.progress.note(socket.describe());
  let radio: TurningReceiver | null = null;
  let answerPower: AnswerPower | null = null;
  const told = new Set<number>();
  const announce = (session: number): Uint8Array[] => {
    if (told.has(session)) return [];
    told.add(session);
    pushes?.sessionBegins();
    return knowledgePieces(held.knowledge(), session).map(encodeKnowledgePiece);
  };
  return {
    growing: pushes && held,
    to: (event) => {
      if (event.type !== 'burst' || event.use === 'reverse') return;
      const messages = answersTo(event, { announce });
      if (socket) {
        // What is held goes before the report: with the report the sender begins, and it is to begin with a set that both hold.
        const [first, ...others] = messages;
        const ordered = event.use === 'sounding' ? [...others, first] : [first, ...others];
        for (const message of ordered) if (message) socket.send(message);
      } else if (radio) {
        void answerPower?.heard(event, radio.sent);
        radio.answer(event.record.header.session, messages);
      }
    },
    by: (receiver, power) => {
      radio = receiver;
      answerPower = power && new AnswerPower(power);
    },
    get said() {
      return radio?.idle ?? true;
    },
    get facts() {
      return socket && feedbackFacts(socket);
    },
    get wayBack() {
      return socket && wayBackOf(socket);
    },
    close: async () => {
      await pushes?.close();
      await socket?.close();
    },
  };
}
