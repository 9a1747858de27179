import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import { UsageError } from '../common/errors.ts';

export type Access = 'read' | 'control';

/** Shortest token of one's own, characters. */
const LEAST_TOKEN = 16;
const MOST_TOKEN = 256;
/** Characters that a URL's fragment and a WebSocket subprotocol both carry as they are. */
const TOKEN = /^[A-Za-z0-9_-]+$/;
const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];
/** Addresses that mean all of this machine. */
const ANY = ['0.0.0.0', '::'];
/** `name`, `name:port`, `[v6]` or `[v6]:port`. */
const NAME = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:\d{1,5})?$/;

/**
 * Who may do what. There are two tokens: with one everything may be done, the other, derived from it, only watches. Requests must name the
 * host that the server was asked for (a page of another name cannot reach it through a name that it makes point here), and come from the
 * dashboard's own page or from no page.
 */
export class AccessRules {
  readonly controlToken: string;
  readonly readToken: string;
  private readonly digests: readonly { readonly access: Access; readonly digest: Buffer }[];
  private readonly key = randomBytes(32);
  private readonly hosts: ReadonlySet<string>;

  /**
   * @param token one's own control token; absent: 24 random bytes
   * @param names further names by which the server may be called (checkName), with their port where it is not this one
   */
  constructor(port: number, host: string, token?: string, names: readonly string[] = []) {
    this.controlToken = token ?? randomBytes(24).toString('base64url');
    const derived = createHmac('sha256', this.controlToken).update('sct dashboard, read only').digest();
    this.readToken = derived.subarray(0, 24).toString('base64url');
    this.digests = [
      { access: 'control', digest: this.digest(this.controlToken) },
      { access: 'read', digest: this.digest(this.readToken) },
    ];
    const others = names.flatMap((name) => (/:\d+$/.test(name) ? [withoutPort80(name)] : [name, `${name}:${port}`]));
    const own = ownNames(host).map((name) => withoutPort80(hostAndPort(name, port)));
    this.hosts = new Set([...own, ...others].map((h) => h.toLowerCase()));
  }

  /** What a token allows; null for one that is none. Takes as long for any token. */
  accessOf(token: string | undefined): Access | null {
    if (token === undefined || token.length > MOST_TOKEN) return null;
    const given = this.digest(token);
    let found: Access | null = null;
    for (const { access, digest } of this.digests) if (timingSafeEqual(given, digest)) found ??= access;
    return found;
  }

  /** Whether the Host header names this server. */
  isOwnHost(host: string | undefined): boolean {
    return host !== undefined && this.hosts.has(withoutPort80(host.toLowerCase()));
  }

  /** Whether a request that a page made was made by ours; programs send no Origin. */
  isOwnOrigin(origin: string | undefined): boolean {
    if (origin === undefined) return true;
    const match = /^https?:\/\/([^/]+)$/.exec(origin);
    return match !== null && this.isOwnHost(match[1]);
  }

  private digest(token: string): Buffer {
    return createHmac('sha256', this.key).update(token).digest();
  }
}

/** UsageError where a token of one's own is too short or cannot stand in a URL. */
export function checkToken(token: string): string {
  if (token.length < LEAST_TOKEN || token.length > MOST_TOKEN || !TOKEN.test(token)) {
    throw new UsageError(
      `--token: ${token.length} characters`,
      `give ${LEAST_TOKEN} to ${MOST_TOKEN} letters, digits, - or _; without --token one is made`,
    );
  }
  return token;
}

/** A further name of the server, as it stands in an address: UsageError where it is none. */
export function checkName(name: string): string {
  const lower = name.toLowerCase();
  if (lower.length <= 260 && NAME.test(lower)) return lower;
  throw new UsageError(
    `--name ${name.slice(0, 80)}: no name of a host`,
    'for example lab-pc.example, or localhost:9000',
  );
}

export function isLoopback(host: string): boolean {
  return LOOPBACK.includes(host) || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** How others on the network call a server that listens at `host`: where that is all of this machine, its first address that is not loopback. */
export function reachableAs(host: string): string {
  if (!ANY.includes(host)) return host;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = addresses.find(({ internal, family }) => !internal && (family === 'IPv4' || host === '::'));
  return outside?.address ?? 'localhost';
}

/** By what a server that listens at `host` is called. A name that only points here is none of it: a page of another site may have one. */
function ownNames(host: string): string[] {
  if (isLoopback(host)) return [host, ...LOOPBACK];
  if (!ANY.includes(host)) return [host];
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  return [host, ...LOOPBACK, hostname(), ...addresses];
}

/** The token of `Authorization: Bearer TOKEN`. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer ([^\s]+)$/.exec(header ?? '')?.[1];
}

/** The token among the subprotocols that a page offers: `sct.v1, token.TOKEN`. */
export function protocolToken(header: string | undefined): string | undefined {
  const token = (header ?? '').split(',').find((word) => word.trim().startsWith('token.'));
  return token?.trim().slice('token.'.length);
}

function hostAndPort(name: string, port: number): string {
  return `${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** Browsers leave out the port that HTTP has by itself. */
function withoutPort80(host: string): string {
  return host.replace(/:80$/, '');
}
