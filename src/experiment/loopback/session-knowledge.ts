import { KnowledgeListener, type KnowledgePiece, knowledgePieces } from '../../link/reverse/knowledge-pieces.ts';
import { encodeKnowledgePiece } from '../../link/reverse/reverse-messages.ts';
import type { CodecChange } from '../../link/transmitter-options.ts';
import { agreeKnowledge } from '../../sct/knowledge/agreement.ts';
import type { Knowledge, KnownSet } from '../../sct/knowledge/knowledge-message.ts';
import { type KnowledgeStore, shortId } from '../../sct/knowledge/knowledge-store.ts';
import { newestCommon } from '../../sct/knowledge/newest-common.ts';
import { canonical, type Json } from '../run/canonical-json.ts';
import type { RunManifest } from '../run/manifest.ts';

/** What the two ends of a link hold, and what the transmitter codes with. */
export interface LinkKnowledge {
  readonly using: KnownSet;
  readonly transmitter: KnowledgeStore;
  /** Of the receiver, where both ends are in one process. */
  readonly receiver?: Knowledge | undefined;
  /**
   * Codes with another version of the set, where the user asked for a size and not for one set: then the newest that both ends hold is
   * used. Absent: the set is `using` and no other.
   */
  reopen?(set: KnownSet): Promise<CodecChange>;
}

/** What run.json says of it. */
export interface KnowledgeFacts {
  readonly transmitter: Knowledge | null;
  /** At a transmitter: as the receiver's message said; null where none came. */
  readonly receiver: Knowledge | null;
  /** Hash of the model set that the transmitter coded with. */
  readonly using: string | null;
  /** `agreed`: the receiver says that it holds it. `unheard`: nothing came back, only the header's 32 bits protect. */
  readonly state: 'agreed' | 'mismatch' | 'unheard' | 'receiver alone';
  /** Hash of the reference picture that was named; null for none. */
  readonly reference: string | null;
  /** Messages on knowledge that were wrong. */
  readonly refused: number;
}

/** Both ends' part in telling each other what they hold, once a session. */
export class SessionKnowledge {
  private readonly link: LinkKnowledge;
  private readonly listener: KnowledgeListener;
  private readonly told = new Set<number>();
  private reference: string | null = null;
  private using: KnownSet;
  private state: KnowledgeFacts['state'] = 'unheard';

  constructor(link: LinkKnowledge, session: number) {
    this.link = link;
    this.using = link.using;
    this.listener = new KnowledgeListener(session);
  }

  /** At the receiver: the messages that go back with the first report of a session; none later. */
  announce(session: number): Uint8Array[] {
    const { receiver } = this.link;
    if (!receiver || this.told.has(session)) return [];
    this.told.add(session);
    return knowledgePieces(receiver, session).map(encodeKnowledgePiece);
  }

  /** At the transmitter: a piece that came back. */
  take(piece: KnowledgePiece): void {
    this.listener.take(piece);
  }

  /**
   * At the transmitter, between pictures: the change to the newest version that both ends hold; null where that is in use, where the user
   * named a set, and where nothing came back.
   */
  async settle(): Promise<CodecChange | null> {
    const { link, listener, using } = this;
    if (!link.reopen || !listener.knowledge) return null;
    const newest = newestCommon(using, link.transmitter.knowledge(), listener.knowledge);
    if (!newest || newest.sha256 === using.sha256) return null;
    const change = await link.reopen(newest);
    this.using = newest;
    return change;
  }

  /**
   * At the transmitter, before a picture is coded: goes on where nothing came back.
   *
   * @returns reference pictures that may be named, by the first 32 bits of their hashes
   * @throws KnowledgeError where the receiver says that it lacks the model set
   */
  agree(): number[] {
    const { using, link } = this;
    const { transmitter } = link;
    const mine = transmitter.knowledge();
    const theirs = this.listener.knowledge;
    const flags = (set: KnownSet) => `--models ${transmitter.folderOf(set)} --size ${set.name}`;
    if (theirs) this.state = 'mismatch';
    const both = theirs ? agreeKnowledge(using, mine, theirs, flags) : mine.references;
    if (theirs) this.state = 'agreed';
    return both.map((r) => shortId(r.sha256));
  }

  /** At the transmitter, when a picture is coded: what the codec chose. */
  sent(settings: Readonly<Record<string, string | number | boolean>>): void {
    const { references } = this.link.transmitter.knowledge();
    this.reference = references.find((r) => r.sha256.slice(0, 8) === settings.reference)?.sha256 ?? null;
  }

  /** What a user should know of it. */
  get warnings(): string[] {
    const { using, link } = this;
    const other =
      using.sha256 === link.using.sha256
        ? []
        : [
            `the receiver lacks ${setText(link.using)}: the newest version that both ends hold is used, ${setText(using)}`,
          ];
    return [...other, ...this.referenceWarnings];
  }

  private get referenceWarnings(): string[] {
    if (this.link.transmitter.knowledge().references.length === 0 || this.reference !== null) return [];
    return [
      '--known: no picture that both ends hold has this size and shows nearly this: none is named to the receiver',
    ];
  }

  get facts(): KnowledgeFacts {
    const { link, listener, state, reference } = this;
    return {
      transmitter: link.transmitter.knowledge(),
      receiver: listener.knowledge,
      using: this.using.sha256,
      state,
      reference,
      refused: listener.refused,
    };
  }
}

/** Of a receiver that nobody hears: what it holds. */
export function heldAlone(receiver: Knowledge): KnowledgeFacts {
  return { transmitter: null, receiver, using: null, state: 'receiver alone', reference: null, refused: 0 };
}

/** What run.json says of it: the facts, and the set in use. */
export function knowledgeRecord(
  facts: KnowledgeFacts | undefined,
): Pick<RunManifest, 'models' | 'knowledge'> | Record<string, never> {
  if (!facts) return {};
  const used = facts.transmitter?.modelSets.find((s) => s.sha256 === facts.using);
  return {
    models: used ? [{ name: used.name, sha256: used.sha256 }] : [],
    knowledge: canonical(facts) as { [key: string]: Json },
  };
}

/** One line for a report. */
export function knowledgeText({ transmitter, receiver, using, state, reference }: KnowledgeFacts): string {
  const sets = (k: Knowledge | null) => k?.modelSets.map((s) => `${s.name} ${s.sha256.slice(0, 8)}`).join(', ');
  if (state === 'receiver alone') return `this receiver holds ${sets(receiver) || 'no model set'}`;
  const named = reference === null ? '' : `, reference picture ${reference.slice(0, 8)} named`;
  const set = `model set ${using?.slice(0, 8)}`;
  if (state === 'unheard') return `${set}; what the receiver holds was not heard${named}`;
  return `${set}, held by the receiver too (${sets(receiver)}); transmitter: ${sets(transmitter)}${named}`;
}

function setText({ name, version, sha256 }: KnownSet): string {
  return `${name} version ${version} (${sha256.slice(0, 8)})`;
}
