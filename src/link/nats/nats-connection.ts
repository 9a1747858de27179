import { readFile, stat } from 'node:fs/promises';
import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node';
import { DeviceError, UsageError } from '../../common/errors.ts';
import { describePlace, hostPortOf, type NatsPlace } from './nats-url.ts';

/** Environment variable that names a file with what the server asks for; the command line is recorded, so it is no place for it. */
export const CREDENTIALS_VARIABLE = 'SCT_NATS_CREDENTIALS';
const MAX_CREDENTIALS_BYTES = 16384;
/** For a server to answer, ms. */
const CONNECT_MS = 5000;
/** Between attempts to come back, ms. */
const RETRY_MS = 500;
/** A server that answers none of so many pings in a row is gone: a cut cable says nothing by itself. */
const PING_MS = 3000;
const MOST_PINGS_OUT = 2;

export interface NatsOptions {
  /** Shown by the server's monitoring. */
  readonly name: string;
  /** One line on what happened to the connection. */
  note?(text: string): void;
  /** The connection is lost, is back; after `closed` it does not come back. */
  lost?(): void;
  back?(): void;
  closed?(error: Error | null): void;
}

type Client = typeof import('@nats-io/transport-node');

/**
 * A connection to a NATS server that comes back by itself whenever it breaks, without end. What is published while it is gone is lost: callers
 * that cannot bear that ask for an answer and say it again.
 *
 * DeviceError where no server answers now, or the client's packages are not installed; UsageError where it wants other credentials.
 */
export async function connectNats(place: NatsPlace, options: NatsOptions): Promise<NatsConnection> {
  const client = await optional(() => import('@nats-io/transport-node'));
  const connectOptions: ConnectionOptions = {
    servers: [hostPortOf(place)],
    name: options.name,
    timeout: CONNECT_MS,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RETRY_MS,
    reconnectJitter: RETRY_MS / 5,
    ignoreAuthErrorAbort: true,
    pingInterval: PING_MS,
    maxPingOut: MOST_PINGS_OUT,
    noAsyncTraces: true,
    ...(place.tls ? { tls: {} } : {}),
    ...(await credentials(client)),
  };
  const connection = await client.connect(connectOptions).catch((error: unknown) => {
    throw refusal(place, error);
  });
  void watch(connection, options);
  return connection;
}

/** A package among the optional dependencies. DeviceError where it is not installed. */
export async function optional<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    throw new DeviceError(
      'the NATS client is not installed: it is an optional dependency',
      'install it with: npm install --include=optional',
    );
  }
}

/** user:password, a token, or a credentials file as `nsc` writes it. */
async function credentials(client: Client): Promise<ConnectionOptions> {
  const path = process.env[CREDENTIALS_VARIABLE];
  if (path === undefined || path === '') return {};
  const bytes = (await stat(path).catch(() => null))?.size;
  if (bytes === undefined || bytes === 0 || bytes > MAX_CREDENTIALS_BYTES) {
    throw new UsageError(
      `${CREDENTIALS_VARIABLE}: ${path} ${bytes === undefined ? 'cannot be read' : `has ${bytes} bytes`}`,
      `it holds user:password, a token or NATS credentials, 1 to ${MAX_CREDENTIALS_BYTES} bytes`,
    );
  }
  const text = await readFile(path, 'utf8');
  if (text.includes('BEGIN NATS USER JWT')) {
    return { authenticator: client.credsAuthenticator(new TextEncoder().encode(text)) };
  }
  const line = text.trim();
  if (/[\r\n]/.test(line)) throw new UsageError(`${CREDENTIALS_VARIABLE}: ${path} has more than one line`);
  const colon = line.indexOf(':');
  return colon < 0 ? { token: line } : { user: line.slice(0, colon), pass: line.slice(colon + 1) };
}

function refusal(place: NatsPlace, error: unknown): Error {
  const name = error instanceof Error ? error.name : '';
  const text = error instanceof Error ? error.message : String(error);
  if (/Authorization|Authentication/i.test(name) || /authorization violation/i.test(text)) {
    return new UsageError(
      `${describePlace(place)} refuses these credentials`,
      `${CREDENTIALS_VARIABLE} names a file with user:password, a token or NATS credentials`,
    );
  }
  return new DeviceError(
    `no NATS server answers at ${describePlace(place)}: ${text}`,
    'start one with: nats-server -js -sd DIR',
  );
}

async function watch(connection: NatsConnection, options: NatsOptions): Promise<void> {
  void connection.closed().then((error) => options.closed?.(error instanceof Error ? error : null));
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') {
      options.lost?.();
      options.note?.('nats: the connection to the server is lost');
    } else if (status.type === 'reconnect') {
      options.back?.();
      options.note?.('nats: the connection to the server is back');
    }
  }
}
