import { FormatError, SctError } from '../../common/errors.ts';
import type { PushLink } from './push-link.ts';
import { CHUNK_BYTES, WINDOW_BYTES } from './push-messages.ts';
import { type PushKeeper, type PushTaken, takePush } from './push-receiver.ts';

/** Pushes that may wait for the one that is coming in. */
const MOST_IN_LINE = 4;
/** For a verdict to be heard, ms: a way that was cut for some seconds says it again. */
const LEAVE_MS = 15_000;

export interface AcceptorOptions {
  readonly keeper: PushKeeper;
  /** A push has ended with a verdict; `told`: and the other end has heard it. One that has not comes again and asks. */
  taken?(push: PushTaken, told: boolean): void;
  /** One line on what happened. */
  note?(text: string): void;
  /** Most time between two messages of a push, ms. */
  readonly patienceMs?: number;
}

/** Takes the pushes that come to one end, one after the other, whatever they come over. */
export class PushAcceptor {
  private readonly options: AcceptorOptions;
  private readonly open = new Set<PushLink>();
  private line: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(options: AcceptorOptions) {
    this.options = options;
  }

  /** Serves a proved connection, and closes it. Never throws: what a peer does is its own affair. */
  async serve(link: PushLink): Promise<void> {
    if (this.closed || this.open.size > MOST_IN_LINE) return link.close();
    this.open.add(link);
    const turn = this.line.then(() => this.take(link));
    this.line = turn;
    await turn;
  }

  /** Ends what is under way; what has come of it stays. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.open].map((link) => link.close()));
    await this.line;
  }

  private async take(link: PushLink): Promise<void> {
    const { keeper, taken, note, patienceMs = 30_000 } = this.options;
    try {
      if (this.closed) return;
      const push = await takePush(impatient(link, patienceMs), keeper);
      const told = await leaves(impatient(link, LEAVE_MS));
      taken?.(push, told);
    } catch (error) {
      if (!(error instanceof SctError)) note?.(`push: failed: ${(error as Error).message}`);
      else note?.(`push: ${error instanceof FormatError ? 'refused: ' : ''}${error.message}`);
    } finally {
      this.open.delete(link);
      await link.close();
    }
  }
}

/** Who has heard the verdict leaves. What was asked for before it, and is still on its way, says nothing. */
async function leaves(link: PushLink): Promise<boolean> {
  for (let onItsWay = 0; onItsWay <= WINDOW_BYTES / CHUNK_BYTES; onItsWay++) {
    if ((await link.receive()) === null) return link.left;
  }
  return false;
}

/** A link that is closed when the other end says nothing for so long: others wait for their turn. */
function impatient(link: PushLink, patienceMs: number): PushLink {
  return {
    send: (message) => link.send(message),
    receive: async () => {
      const timer = setTimeout(() => void link.close(), patienceMs);
      try {
        return await link.receive();
      } finally {
        clearTimeout(timer);
      }
    },
    get left() {
      return link.left;
    },
    close: () => link.close(),
    describe: () => link.describe(),
  };
}
