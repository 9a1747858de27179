import { readFile, stat } from 'node:fs/promises';
import type { ConnectionOptions } from '@nats-io/transport-node';
import { UsageError } from '../../common/errors.ts';

/**
 * Environment variables that name files: who this is, whom to trust, and by which certificate this is known. Command lines are recorded in run
 * directories and seen by everybody on the machine, so secrets are in files, and only their names here.
 */
export const SECRET_VARIABLES = {
  credentials: 'SCT_NATS_CREDENTIALS',
  authority: 'SCT_NATS_CA',
  certificate: 'SCT_NATS_CERT',
  key: 'SCT_NATS_KEY',
} as const;

export const CREDENTIALS_HINT = `${SECRET_VARIABLES.credentials} names a file with user:password, a token, an nkey seed (SU…) or NATS credentials (.creds)`;
const MAX_CREDENTIALS_BYTES = 16_384;
/** A system's whole bundle of authorities has some 200 kB. */
const MAX_PEM_BYTES = 2 ** 20;
/** Of a user, as `nk -gen user` writes it: base32. */
const SEED = /^SU[A-Z2-7]{56}$/;

export interface NatsSecrets {
  readonly login: ConnectionOptions;
  /** null where nothing is named: the system's authorities, no certificate of one's own. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null;
  /** The server, and whoever listens where there is no TLS, learns what would let anybody in again. */
  readonly sentAsIs: boolean;
  /** What the user should know: a line, or none. */
  readonly warning: string | null;
}

type Makers = Pick<typeof import('@nats-io/transport-node'), 'credsAuthenticator' | 'nkeyAuthenticator'>;

/** Reads what the environment names. UsageError that names variable and file, and never says what is in it. */
export async function readNatsSecrets(makers: Makers, env: NodeJS.ProcessEnv = process.env): Promise<NatsSecrets> {
  const { login, sentAsIs, warning } = await readLogin(makers, env);
  const [ca, cert, key] = [
    await readPem(env, SECRET_VARIABLES.authority, 'CERTIFICATE'),
    await readPem(env, SECRET_VARIABLES.certificate, 'CERTIFICATE'),
    await readPem(env, SECRET_VARIABLES.key, 'PRIVATE KEY'),
  ];
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ['key', 'certificate'] : ['certificate', 'key'];
    const name = SECRET_VARIABLES[missing as 'key' | 'certificate'];
    throw new UsageError(`${SECRET_VARIABLES[given as 'key' | 'certificate']} is of no use without ${name}`);
  }
  const named = { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert, key }) };
  return { login, tls: Object.keys(named).length > 0 ? named : null, sentAsIs, warning };
}

async function readLogin(
  { credsAuthenticator, nkeyAuthenticator }: Makers,
  env: NodeJS.ProcessEnv,
): Promise<Omit<NatsSecrets, 'tls'>> {
  const variable = SECRET_VARIABLES.credentials;
  const file = await readNamed(env, variable, MAX_CREDENTIALS_BYTES);
  if (file === null) return { login: {}, sentAsIs: false, warning: null };
  const { text, warning } = file;
  if (text.includes('BEGIN NATS USER JWT')) {
    return { login: { authenticator: credsAuthenticator(Buffer.from(text)) }, sentAsIs: false, warning };
  }
  const line = text.trim();
  if (line === '' || /[\r\n]/.test(line)) {
    const what = line === '' ? 'is empty' : 'has more than one line';
    throw new UsageError(`${variable}: ${file.path} ${what}`, CREDENTIALS_HINT);
  }
  if (SEED.test(line))
    return { login: { authenticator: nkeyAuthenticator(Buffer.from(line)) }, sentAsIs: false, warning };
  const colon = line.indexOf(':');
  const login = colon < 0 ? { token: line } : { user: line.slice(0, colon), pass: line.slice(colon + 1) };
  return { login, sentAsIs: true, warning };
}

async function readPem(env: NodeJS.ProcessEnv, variable: string, kind: string): Promise<string | undefined> {
  const file = await readNamed(env, variable, MAX_PEM_BYTES, kind === 'CERTIFICATE');
  if (file === null) return undefined;
  if (new RegExp(`^-----BEGIN ([A-Z]+ )?${kind}-----`, 'm').test(file.text)) return file.text;
  throw new UsageError(`${variable}: ${file.path} holds no ${kind.toLowerCase()} in PEM`);
}

/** null where the variable names none. */
async function readNamed(
  env: NodeJS.ProcessEnv,
  variable: string,
  mostBytes: number,
  open = false,
): Promise<{ path: string; text: string; warning: string | null } | null> {
  const path = env[variable];
  if (path === undefined || path === '') return null;
  const info = await stat(path).catch(() => null);
  const wrong = (what: string) => new UsageError(`${variable}: ${path} ${what}`, 'it names a file');
  if (!info) throw wrong('cannot be read');
  if (!info.isFile()) throw wrong('is no file');
  if (info.size === 0 || info.size > mostBytes) {
    throw wrong(`has ${info.size} bytes, allowed are 1 to ${mostBytes}`);
  }
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw wrong(`cannot be read (${error.code ?? 'error'})`);
  });
  const warning =
    !open && process.platform !== 'win32' && (info.mode & 0o077) !== 0
      ? `${variable}: ${path} can be read by others: chmod 600`
      : null;
  return { path, text, warning };
}
