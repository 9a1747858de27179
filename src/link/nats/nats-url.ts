import { UsageError } from '../../common/errors.ts';

/** A NATS server, and the name under which those who belong together meet on it. */
export interface NatsPlace {
  readonly host: string;
  readonly port: number;
  /** Refuse a server without TLS. */
  readonly tls: boolean;
  /** One token of a subject; null where the URL names none. */
  readonly name: string | null;
}

/** Of those who name none. */
export const DEFAULT_NAME = 'link';
const DEFAULT_PORT = 4222;
/** What may stand in a subject between two dots, and in the name of a stream, without any meaning of its own. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const FORM = 'nats://HOST[:PORT][/NAME] or tls://HOST[:PORT][/NAME]';

/** Whether this is meant to be the URL of a NATS server. */
export function isNatsUrl(text: string): boolean {
  return /^(nats|tls):/.test(text);
}

/**
 * Parses `nats://HOST[:PORT][/NAME]`, with TLS `tls://…`. UsageError for anything else, and for a password: command lines are recorded.
 *
 * @param flag what the user gave it to, for the error
 */
export function parseNatsUrl(text: string, flag: string): NatsPlace {
  const url = isNatsUrl(text) && text.length <= 1024 && URL.canParse(text) ? new URL(text) : null;
  const refuse = (why: string): never => {
    throw new UsageError(`${flag} "${text.slice(0, 80)}" ${why}`, `give ${FORM}`);
  };
  if (!url?.hostname) return refuse(`is not ${FORM}`);
  if (url.username || url.password) {
    throw new UsageError(
      `${flag}: a URL is no place for a password, command lines are recorded`,
      'put user:password, a token or a credentials file into a file that SCT_NATS_CREDENTIALS names',
    );
  }
  if (url.search || url.hash) return refuse('has a query or a fragment');
  const name = url.pathname.replace(/^\//, '');
  if (name !== '' && !NAME.test(name)) return refuse('has a name that is not 1 to 64 letters, digits, - or _');
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port);
  if (port < 1) return refuse('has port 0: allowed 1 to 65535');
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    tls: url.protocol === 'tls:',
    name: name === '' ? null : name,
  };
}

/** HOST:PORT, an IPv6 address in brackets. */
export function hostPortOf({ host, port }: Pick<NatsPlace, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export function describePlace(place: NatsPlace): string {
  return `${place.tls ? 'tls' : 'nats'}://${hostPortOf(place)}${place.name === null ? '' : `/${place.name}`}`;
}
