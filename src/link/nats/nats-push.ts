import { randomBytes } from 'node:crypto';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { DeviceError, UsageError } from '../../common/errors.ts';
import { LEFT_UNPROVED, MAX_PUSH_FRAME } from '../feedback-push.ts';
import type { PushAcceptor } from '../push/push-acceptor.ts';
import { connectNats } from './nats-connection.ts';
import { NatsPushLink, NOBODY } from './nats-push-link.ts';
import { DEFAULT_NAME, describePlace, type NatsPlace, parseNatsUrl } from './nats-url.ts';

/** Attempts that have not proved themselves: the oldest goes first. */
const MOST_UNPROVED = 16;
/** A pusher whose hello brings no proof says it again, under another id, ms; so often. */
const ATTEMPT_MS = 2000;
const MOST_ATTEMPTS = 3;
const ID = /^[0-9a-f]{32}$/;
const START_HINT = 'start sct models accept or sct receive --pushed there';

function subjectOf(place: NatsPlace): string {
  return `sct.push.${place.name ?? DEFAULT_NAME}`;
}

export interface NatsPushServerOptions {
  readonly token: Buffer;
  readonly pushes: PushAcceptor;
  /** One line on what happened. */
  readonly note?: ((text: string) => void) | undefined;
}

/**
 * Takes pushes through a NATS server, on a connection of their own, so that no report waits behind one. Hears `sct.push.NAME.server.*`; who
 * pushes draws an id and hears `sct.push.NAME.client.ID`.
 */
export class NatsPushServer {
  readonly url: string;
  /** Attempts that did not hold the token. */
  refused = 0;
  private readonly options: NatsPushServerOptions;
  private readonly subject: string;
  private readonly links = new Map<string, NatsPushLink>();
  private readonly unproved = new Set<string>();
  private connection!: NatsConnection;

  private constructor(place: NatsPlace, options: NatsPushServerOptions) {
    this.url = describePlace(place);
    this.options = options;
    this.subject = subjectOf(place);
  }

  /** DeviceError where no NATS server answers. */
  static async open(url: string, options: NatsPushServerOptions): Promise<NatsPushServer> {
    const place = parseNatsUrl(url, '--feedback');
    const out = new NatsPushServer(place, options);
    out.connection = await connectNats(place, {
      name: 'sct push receiver',
      note: (text) => options.note?.(text),
      // What was published meanwhile is gone: pushers begin again and go on where they were.
      lost: () => out.endAll('the connection to the server was lost'),
      closed: () => out.endAll('the connection to the server was closed'),
    });
    out.connection.subscribe(`${out.subject}.server.*`, {
      callback: (error, message) => {
        if (error) options.note?.(`push: ${error.message}`);
        else out.arrived(message);
      },
    });
    await out.connection.flush();
    return out;
  }

  async close(): Promise<void> {
    await Promise.all([...this.links.values()].map((link) => link.close()));
    if (!this.connection.isClosed()) await this.connection.close();
  }

  private arrived(message: Msg): void {
    const { subject, data } = message;
    const id = subject.slice(subject.lastIndexOf('.') + 1);
    if (!ID.test(id) || data.length > MAX_PUSH_FRAME) {
      this.refused++;
      return;
    }
    const link = this.links.get(id) ?? this.begin(id);
    link.take(message);
    // A first frame that is no hello leaves nothing behind.
    if (link.fault !== null && !link.greeted) link.end(link.fault);
  }

  private begin(id: string): NatsPushLink {
    const [oldest] = this.unproved;
    if (this.unproved.size >= MOST_UNPROVED) this.links.get(oldest)?.end('too many have come since');
    const link = new NatsPushLink(this.connection, 'server', this.options.token, {
      out: `${this.subject}.client.${id}`,
      into: `${this.subject}.server.${id}`,
      where: `at ${this.url}`,
      over: () => {
        this.links.delete(id);
        this.unproved.delete(id);
      },
    });
    this.links.set(id, link);
    this.unproved.add(id);
    void this.serve(id, link);
    return link;
  }

  private async serve(id: string, link: NatsPushLink): Promise<void> {
    if (await link.proved) {
      this.unproved.delete(id);
      return this.options.pushes.serve(link);
    }
    this.refused++;
    if (link.greeted) this.options.note?.(`feedback: a push was refused: ${link.fault ?? LEFT_UNPROVED}`);
  }

  private endAll(fault: string): void {
    for (const link of [...this.links.values()]) link.end(fault);
  }
}

/**
 * A connection for a push to the receiver at nats://HOST[:PORT][/NAME]. The server's connection ends with it.
 *
 * @throws UsageError where the receiver holds another token; DeviceError where no server answers, or nobody takes pushes under the name
 */
export async function connectNatsPush(url: string, token: Buffer): Promise<NatsPushLink> {
  const place = parseNatsUrl(url, '--feedback');
  let link: NatsPushLink | null = null;
  let denial: string | null = null;
  const connection = await connectNats(place, {
    name: 'sct push',
    denied: (text) => {
      denial ??= text;
      link?.end(text);
    },
    lost: () => link?.end('the connection to the server was lost'),
    closed: () => link?.end('the connection to the server was closed'),
  });
  let distrust: string | null = null;
  for (let attempt = 0; attempt < MOST_ATTEMPTS && !connection.isClosed(); attempt++) {
    const dialled = dial(connection, place, token);
    link = dialled.link;
    const timer = setTimeout(() => dialled.link.end(dialled.link.fault), ATTEMPT_MS);
    const proved = await link.proved;
    clearTimeout(timer);
    if (proved) {
      void dialled.over.then(() => connection.close()).catch(() => undefined);
      return link;
    }
    if (link.distrusted) distrust = link.fault;
    if (link.fault === NOBODY || denial !== null) break;
  }
  await connection.close().catch(() => undefined);
  const where = describePlace(place);
  if (distrust !== null) throw new UsageError(`the receiver at ${where}: ${distrust}`, 'give both ends the same token');
  if (denial !== null) {
    throw new DeviceError(
      `${where} does not let this login push: ${denial}`,
      'docs/several-machines.md lists the subjects that the ends of a way back use',
    );
  }
  throw new DeviceError(`nobody takes pushes at ${where}`, START_HINT);
}

/** One attempt, under an id that was never used before; `over` when it has ended. */
function dial(
  connection: NatsConnection,
  place: NatsPlace,
  token: Buffer,
): { link: NatsPushLink; over: Promise<void> } {
  const subject = subjectOf(place);
  const id = randomBytes(16).toString('hex');
  const into = `${subject}.client.${id}`;
  const subscription = connection.subscribe(into, {
    callback: (error, message) => {
      if (error) return;
      if (message.data.length <= MAX_PUSH_FRAME) link.take(message);
    },
  });
  let done!: () => void;
  const over = new Promise<void>((resolve) => {
    done = resolve;
  });
  const out = `${subject}.server.${id}`;
  const link = new NatsPushLink(connection, 'client', token, {
    out,
    into,
    where: `to ${describePlace(place)}`,
    over: () => {
      if (!connection.isClosed()) subscription.unsubscribe();
      done();
    },
  });
  link.begin();
  return { link, over };
}
