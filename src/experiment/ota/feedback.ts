import { UsageError } from '../../common/errors.ts';
import { readTextFile } from '../../common/json-input.ts';
import type { ClockEstimate } from '../../link/clock-offset.ts';
import { feedbackToken } from '../../link/feedback-auth.ts';
import { type SocketCounters, SocketFeedback } from '../../link/feedback-socket.ts';
import type { HostFeedback, HostFeedbackOptions } from '../../link/host-feedback.ts';
import { isNatsUrl } from '../../link/nats/nats-url.ts';
import type { WayBack } from '../../link/telemetry.ts';
import type { LinkConfig } from '../config/link-config.ts';

/** Environment variable with the token where no file is named; the command line is recorded, so it is no place for it. */
export const TOKEN_VARIABLE = 'SCT_FEEDBACK_TOKEN';
const MAX_TOKEN_FILE_BYTES = 8192;

type Way = Pick<LinkConfig, 'feedback' | 'feedbackToken'>;

/** Whether the way back leads to another host: by a WebSocket, or through a NATS server. */
export function isSocket({ feedback }: Way): boolean {
  return /^wss?:/.test(feedback) || isNatsUrl(feedback);
}

/**
 * The way back of a configuration. By WebSocket a receiver listens and a sender connects; to a NATS server both connect. UsageError
 * without a token, DeviceError where it cannot listen or no NATS server answers.
 */
export async function openSocket(
  way: Way,
  role: 'sender' | 'receiver',
  options: Omit<HostFeedbackOptions, 'token'> = {},
): Promise<HostFeedback> {
  const token = feedbackToken(await tokenText(way));
  if (isNatsUrl(way.feedback)) {
    // The NATS client is an optional package: it is loaded only where it is asked for.
    const { NatsFeedback } = await import('../../link/nats/nats-feedback.ts');
    return NatsFeedback.open(role === 'receiver' ? 'server' : 'client', way.feedback, { ...options, token });
  }
  if (role === 'receiver') return SocketFeedback.listen(way.feedback, { ...options, token });
  return SocketFeedback.connect(way.feedback, { ...options, token });
}

/** What run.json says of a way back between two hosts, under `device.feedback`. */
export interface FeedbackFacts extends SocketCounters {
  /** The other host's clock less this one's; null where none was asked, or none answered. */
  readonly clock: ClockEstimate | null;
}

export function feedbackFacts(socket: HostFeedback): FeedbackFacts {
  return { ...socket.counters, clock: socket.clock() };
}

/** The same for whoever watches the run. */
export function wayBackOf(socket: HostFeedback): WayBack {
  return { connected: socket.connected, ...feedbackFacts(socket) };
}

async function tokenText({ feedback, feedbackToken: file }: TokenPlace): Promise<string> {
  if (file !== undefined) return readTextFile(file, MAX_TOKEN_FILE_BYTES);
  const text = process.env[TOKEN_VARIABLE];
  if (text !== undefined) return text;
  throw new UsageError(
    `--feedback ${feedback}: no token`,
    `give both ends the same: --feedback-token FILE, or ${TOKEN_VARIABLE} in the environment (openssl rand -hex 32)`,
  );
}

/** The address that a token is for, and the file that holds it, if one is named. */
export interface TokenPlace {
  readonly feedback: string;
  readonly feedbackToken?: string | undefined;
}

/** The token that both ends share, of its file or the environment. UsageError where there is none, and for one too short. */
export async function readFeedbackToken(place: TokenPlace): Promise<Buffer> {
  return feedbackToken(await tokenText(place));
}
