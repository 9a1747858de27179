import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nkeys } from '@nats-io/transport-node';

/** Subjects that a user may use; undefined: all. */
export interface UserMay {
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
  /** The end of the login, s since 1970. */
  readonly expires?: number;
}

const USER_LIMITS = { subs: -1, data: -1, payload: -1 };
const UNLIMITED = { ...USER_LIMITS, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
const STORE_LIMITS = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

/**
 * An operator with one account, as `nsc` makes them: JSON Web Tokens signed with Ed25519 keys (header alg `ed25519-nkey`), each by the one above. A server
 * in operator mode knows the operator and the account alone; whoever brings a token of the account's, and its key, is let in.
 */
export class TestOperator {
  private readonly operator = nkeys.createOperator();
  private readonly account = nkeys.createAccount();
  /** Without one a server in operator mode has no JetStream. */
  private readonly system = nkeys.createAccount();

  /** Lines of the server's configuration. */
  configuration(): string {
    const operator = claims(this.operator, this.operator.getPublicKey(), { type: 'operator' });
    const accounts = [this.account, this.system].map((key) => {
      const limits = key === this.account ? { ...UNLIMITED, ...STORE_LIMITS } : UNLIMITED;
      const nats = { type: 'account', limits, default_permissions: { pub: {}, sub: {} } };
      return `${key.getPublicKey()}: "${claims(this.operator, key.getPublicKey(), nats)}"`;
    });
    const preload = `resolver_preload: {\n${accounts.join('\n')}\n}`;
    return `operator: "${operator}"\nsystem_account: ${this.system.getPublicKey()}\nresolver: MEMORY\n${preload}\n`;
  }

  /** A user's .creds file: token and key. */
  credentials({ publish, subscribe, expires }: UserMay = {}): string {
    const user = nkeys.createUser();
    const may = (subjects: readonly string[] | undefined) => (subjects ? { allow: subjects } : {});
    const token = claims(
      this.account,
      user.getPublicKey(),
      { ...USER_LIMITS, type: 'user', pub: may(publish), sub: may(subscribe) },
      expires,
    );
    const seed = Buffer.from(user.getSeed()).toString();
    return `-----BEGIN NATS USER JWT-----\n${token}\n------END NATS USER JWT------\n\n************************* IMPORTANT *************************\nNKEY Seed printed below can be used to sign and prove identity.\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
  }

  /** The same in a file that nobody else reads; its path. */
  async credentialsFile(folder: string, name: string, may: UserMay = {}): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, this.credentials(may), { mode: 0o600 });
    return path;
  }
}

/** A token of `subject`, signed by the key above it. */
function claims(
  issuer: ReturnType<typeof nkeys.createOperator>,
  subject: string,
  nats: Readonly<Record<string, unknown>>,
  expires?: number,
): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = {
    ...{ jti: randomBytes(16).toString('hex'), iat: Math.floor(Date.now() / 1e3), iss: issuer.getPublicKey() },
    ...{ name: 'test', sub: subject, nats: { ...nats, version: 2 } },
    ...(expires === undefined ? {} : { exp: expires }),
  };
  const text = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(body)}`;
  return `${text}.${Buffer.from(issuer.sign(Buffer.from(text))).toString('base64url')}`;
}
