import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node';
import { DeviceError, UsageError } from '../../common/errors.ts';
import { CREDENTIALS_HINT, readNatsSecrets, SECRET_VARIABLES } from './nats-secrets.ts';
import { describePlace, hostPortOf, type NatsPlace } from './nats-url.ts';

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
  /** The server does not let this login publish or hear something. */
  denied?(text: string): void;
}

/**
 * A connection to a NATS server that comes back by itself whenever it breaks, without end. What is published while it is gone is lost: callers
 * that cannot bear that ask for an answer and say it again.
 *
 * DeviceError where no server answers now, or the client's packages are not installed; UsageError where it wants other credentials.
 */
export async function connectNats(place: NatsPlace, options: NatsOptions): Promise<NatsConnection> {
  const client = await optional(() => import('@nats-io/transport-node'));
  const secrets = await readNatsSecrets(client);
  if (secrets.warning) options.note?.(`nats: ${secrets.warning}`);
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
    ...(place.tls || secrets.tls ? { tls: secrets.tls ?? {} } : {}),
    ...secrets.login,
  };
  const connection = await client.connect(connectOptions).catch((error: unknown) => {
    throw refusal(place, error, secrets.tls?.cert !== undefined);
  });
  if (secrets.sentAsIs && !place.tls && !isLocal(place.host)) {
    options.note?.('nats: password or token go over the network as they are: use tls://');
  }
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

/** Codes of OpenSSL and Node where this end does not trust the other's certificate. */
const DISTRUST = /SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|CERT_|ALTNAME/;

/** What came of an attempt to connect, for people. The client's own words never hold a password. */
function refusal(place: NatsPlace, error: unknown, certified: boolean): Error {
  const name = error instanceof Error ? error.name : '';
  const text = textOf(error);
  const code = codesOf(error);
  const where = describePlace(place);
  if (/Authorization|Authentication/i.test(name) || /authorization violation|nkeys?|seed|credentials/i.test(text)) {
    return new UsageError(`${where} refuses these credentials`, CREDENTIALS_HINT);
  }
  if (DISTRUST.test(code) || /certificate/i.test(text)) {
    // The server's own word that it wants a certificate comes as an alert.
    const wanted = /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE)|alert/i.test(`${code} ${text}`);
    return new UsageError(
      wanted ? `${where} wants another certificate of this end` : `${where}: its certificate is not trusted: ${text}`,
      wanted
        ? `${SECRET_VARIABLES.certificate} and ${SECRET_VARIABLES.key} name this end's certificate and key`
        : `${SECRET_VARIABLES.authority} names a file with the authority's certificate; the URL's host must stand in the server's`,
    );
  }
  // With TLS 1.3 a server that wants a certificate says so to nobody: it hangs up.
  if (place.tls && !certified && name === 'TimeoutError') {
    return new DeviceError(
      `${where} does not answer: it may want a certificate of this end`,
      `${SECRET_VARIABLES.certificate} and ${SECRET_VARIABLES.key} name this end's certificate and key`,
    );
  }
  if (/does not support 'tls'|tls.*not available/i.test(text)) {
    return new DeviceError(
      `${where} offers no TLS, nothing was said to it`,
      'give its certificate to the server, or nats://',
    );
  }
  return new DeviceError(`no NATS server answers at ${where}: ${text}`, 'start one with: nats-server -js -sd DIR');
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300);
}

/** Codes of an error and of what it was caused by. */
function codesOf(error: unknown): string {
  const codes: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    codes.push(String((at as NodeJS.ErrnoException).code ?? ''));
  }
  return codes.join(' ');
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
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
    } else if (status.type === 'error') {
      const text = textOf(status.error);
      options.note?.(`nats: ${text}`);
      if (/permissions violation/i.test(text)) options.denied?.(text);
    }
  }
}
