import { UsageError } from '../../common/errors.ts';
import type { LinkEvent } from '../../link/receiver.ts';
import { knowledgePieces } from '../../link/reverse/knowledge-pieces.ts';
import { encodeKnowledgePiece } from '../../link/reverse/reverse-messages.ts';
import { answersTo } from '../../link/session/listener.ts';
import type { LinkConfig } from '../link-config.ts';
import { readLocalKnowledge } from '../local-knowledge.ts';
import type { RunIo } from '../run-io.ts';
import { isSocket, openSocket } from './feedback.ts';

/** What a receiver on a host of its own sends back. */
export interface Answers {
  to(event: LinkEvent): void;
  close(): Promise<void>;
}

/**
 * The way back of `sct receive`: null where there is none. UsageError for a way that it does not have; DeviceError where the
 * address cannot be listened at.
 */
export async function openAnswers(config: LinkConfig, io: RunIo): Promise<Answers | null> {
  if (config.feedback === 'burst') {
    throw new UsageError('--feedback burst: receive has no transmitter', 'give ws://HOST:PORT, or none');
  }
  if (!isSocket(config)) return null;
  const socket = await openSocket(config, 'receiver', { note: (text) => io.progress.note(text) });
  io.progress.note(socket.describe());
  const held = (await readLocalKnowledge(config)).knowledge();
  const told = new Set<number>();
  const announce = (session: number): Uint8Array[] => {
    if (told.has(session)) return [];
    told.add(session);
    return knowledgePieces(held, session).map(encodeKnowledgePiece);
  };
  return {
    to: (event) => {
      if (event.type !== 'burst' || event.use === 'reverse') return;
      for (const message of answersTo(event, { announce })) socket.send(message);
    },
    close: () => socket.close(),
  };
}
