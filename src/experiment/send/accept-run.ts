import { ExitCode } from '../../common/errors.ts';
import { SocketFeedback } from '../../link/feedback-socket.ts';
import { isNatsUrl } from '../../link/nats/nats-url.ts';
import { PushAcceptor } from '../../link/push/push-acceptor.ts';
import type { PushTaken } from '../../link/push/push-receiver.ts';
import { PushedStore } from '../../sct/knowledge/pushed-store.ts';
import { readFeedbackToken } from '../ota/feedback.ts';
import type { RunIo } from '../run/run-io.ts';

export interface AcceptConfig {
  readonly feedback: string;
  readonly feedbackToken?: string | undefined;
  /** Folder of what was pushed. */
  readonly pushed: string;
  /** Ends after so many pushes; default never. */
  readonly count?: number | undefined;
}

export interface AcceptReport {
  readonly schema: 'sct.models-accept/1';
  readonly ok: boolean;
  readonly directory: string;
  readonly pushes: readonly (Omit<PushTaken, 'offer'> & {
    readonly kind: string;
    readonly name: string;
    readonly version: number | null;
    readonly sha256: string;
    readonly bytes: number;
  })[];
}

/** One that was cut off before it heard what became of its push has so long to ask again before it counts, ms. */
const ASKS_AGAIN_MS = 30_000;

/** One line on a push that has come to its end. */
export function pushText({ offer, state, reason, resumedBytes }: PushTaken): string {
  const { kind, name, version, sha256, bytes } = offer;
  const what = kind === 'set' ? `set ${name}, version ${version}` : `picture ${name}, ${offer.width}x${offer.height}`;
  const resumed = resumedBytes > 0 ? `, ${(resumedBytes / 1e6).toFixed(2)} MB of it from before` : '';
  return `push: ${what}, ${sha256.slice(0, 12)}, ${(bytes / 1e6).toFixed(2)} MB${resumed}: ${state}${reason ? ` (${reason})` : ''}`;
}

interface ServerOptions {
  readonly token: Buffer;
  readonly pushes: PushAcceptor;
  readonly note: (text: string) => void;
}

async function serverAt(
  feedback: string,
  options: ServerOptions,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  if (!isNatsUrl(feedback)) return SocketFeedback.listen(feedback, options);
  // The NATS client is an optional package: it is loaded only where it is asked for.
  const { NatsPushServer } = await import('../../link/nats/nats-push.ts');
  return NatsPushServer.open(feedback, options);
}

/** `sct models accept`: takes pushes until it is interrupted, or so many have come. Nothing is trusted by coming. */
export async function runAccept(
  config: AcceptConfig,
  io: Pick<RunIo, 'progress' | 'signal'>,
): Promise<{ readonly report: AcceptReport; readonly exitCode: ExitCode }> {
  const token = await readFeedbackToken(config);
  const store = await PushedStore.open(config.pushed);
  const taken: PushTaken[] = [];
  const untold = new Set<string>();
  let finish!: () => void;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const note = (text: string) => io.progress.note(text);
  const end = (given?: string) => {
    if (given !== undefined) untold.delete(given);
    if (config.count !== undefined && taken.length - untold.size >= config.count) finish();
  };
  const acceptor = new PushAcceptor({
    keeper: store,
    note,
    taken: (push, isTold) => {
      const { sha256 } = push.offer;
      // Who has not heard what became of its push comes again and is told at once.
      if (!untold.delete(sha256)) {
        taken.push(push);
        note(pushText(push));
      }
      if (!isTold) {
        untold.add(sha256);
        note('push: the other end was cut off before it heard that: it may ask again');
        setTimeout(() => end(sha256), ASKS_AGAIN_MS).unref();
      }
      end();
    },
  });
  const server = await serverAt(config.feedback, { token, pushes: acceptor, note });
  note(`pushes are taken at ${server.url}`);
  io.signal.addEventListener('abort', finish, { once: true });
  if (io.signal.aborted) finish();
  try {
    await finished;
  } finally {
    io.signal.removeEventListener('abort', finish);
    await acceptor.close();
    await server.close();
  }
  const pushes = taken.map(({ offer, ...rest }) => {
    const { kind, name, version, sha256, bytes } = offer;
    return { kind, name, version: kind === 'set' ? version : null, sha256, bytes, ...rest };
  });
  const ok = pushes.every((p) => p.state !== 'refused');
  // As of the push itself.
  const ended = ok ? ExitCode.ok : ExitCode.checkFailed;
  const exitCode = io.signal.aborted ? ExitCode.interrupted : ended;
  return { report: { schema: 'sct.models-accept/1', ok, directory: store.dir, pushes }, exitCode };
}
