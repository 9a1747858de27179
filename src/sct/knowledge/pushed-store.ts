import { readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FormatError, SctError, UsageError } from '../../common/errors.ts';
import { writableFolder } from '../../common/make-folder.ts';
import { writeFileAtomic } from '../../common/write-atomic.ts';
import { readBounded } from '../semantics/model-files.ts';
import { Arrival, RECORD, RECORD_SCHEMA } from './arrival.ts';
import { checkedOffer, type PushOffer } from './push-offer.ts';

const ALLOWED = 'allowed.json';
const ALLOWED_SCHEMA = 'sct-allowed/1';
const MAX_ALLOWED = 256;
const MAX_ALLOWED_BYTES = 64 * 1024;
const MAX_RECORD_BYTES = 4096;
/** Most that nobody has allowed so far, and most bytes of everything: a peer with the token cannot fill the disk. */
export const MOST_WAITING = 16;
export const MOST_STORE_BYTES = 2 ** 30;
const MOST_FOLDERS = 512;
const HASH = /^[0-9a-f]{64}$/;

/** Something that was pushed and is here whole. */
export interface PushedObject {
  readonly offer: PushOffer;
  readonly dir: string;
  /** Whether someone at this end has allowed it: nothing else is ever opened as a network or picture. */
  readonly allowed: boolean;
}

/** Something of which parts are here; the next push of it goes on behind them. */
export interface ArrivingObject {
  readonly offer: PushOffer;
  readonly hereBytes: number;
  readonly allowed: boolean;
}

/**
 * What was pushed to this end, in a folder: `arriving/HASH` while it comes, `held/HASH` when it is whole, `allowed.json` with the hashes that
 * may be used. A hash can be allowed before what it names is here. Programs may share the folder.
 */
export class PushedStore {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  /** UsageError where the folder can be neither made nor written to. */
  static async open(dir: string): Promise<PushedStore> {
    return new PushedStore(await writableFolder(dir));
  }

  /** A folder that is there. UsageError where it is not. */
  static async existing(dir: string): Promise<PushedStore> {
    const info = await stat(dir).catch(() => null);
    if (!info?.isDirectory())
      throw new UsageError(`${dir}: no such folder`, 'give the --pushed DIR that pushes are taken in');
    return new PushedStore(resolve(dir));
  }

  /**
   * Takes an offer: what is to be received of it, or null where it is here already. UsageError where there is no room for it.
   */
  async begin(offer: PushOffer): Promise<Arrival | null> {
    checkedOffer(offer);
    const target = join(this.dir, 'held', offer.sha256);
    if (await stat(target).catch(() => null)) return null;
    const allowed = await this.allowedHashes();
    const others = [...(await this.records('held')), ...(await this.records('arriving'))].filter(
      (o) => o.sha256 !== offer.sha256,
    );
    const bytes = others.reduce((sum, o) => sum + o.bytes, offer.bytes);
    if (bytes > MOST_STORE_BYTES) {
      throw new UsageError(`no room: ${bytes} bytes with what is here, allowed ${MOST_STORE_BYTES}`);
    }
    const waiting = others.filter((o) => !allowed.has(o.sha256)).length;
    if (!allowed.has(offer.sha256) && waiting >= MOST_WAITING) {
      throw new UsageError(`${waiting} pushes wait to be allowed or forgotten, at most ${MOST_WAITING} may`);
    }
    return Arrival.open(join(this.dir, 'arriving', offer.sha256), target, offer);
  }

  /** Everything that is here whole, oldest name first; folders that no program of this kind made are left out. */
  async held(): Promise<PushedObject[]> {
    const allowed = await this.allowedHashes();
    return (await this.records('held')).map((offer) => ({
      offer,
      dir: join(this.dir, 'held', offer.sha256),
      allowed: allowed.has(offer.sha256),
    }));
  }

  /** Everything that has come in part, or is coming. */
  async arriving(): Promise<ArrivingObject[]> {
    const allowed = await this.allowedHashes();
    const out: ArrivingObject[] = [];
    for (const offer of await this.records('arriving')) {
      const dir = join(this.dir, 'arriving', offer.sha256);
      const parts = (await readdir(dir).catch(() => [])).filter((name) => name.endsWith('.part'));
      const sizes = await Promise.all(parts.map(async (name) => (await stat(join(dir, name)).catch(() => null))?.size));
      const hereBytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
      out.push({ offer, hereBytes, allowed: allowed.has(offer.sha256) });
    }
    return out;
  }

  async isAllowed(sha256: string): Promise<boolean> {
    return (await this.allowedHashes()).has(sha256);
  }

  /** Whether anything may have changed since: a text that differs where the list of allowed hashes or what is held does. */
  async state(): Promise<string> {
    const times = await Promise.all(
      [join(this.dir, ALLOWED), join(this.dir, 'held')].map(
        async (p) => (await stat(p).catch(() => null))?.mtimeMs ?? 0,
      ),
    );
    return times.join(' ');
  }

  /**
   * Allows what has this hash, whether or not it is here yet; `start` of one that is here is enough.
   *
   * @returns the whole hash, and what it names, if that is here
   * @throws UsageError for a start that fits none or several
   */
  async allow(start: string): Promise<{ readonly sha256: string; readonly object: PushedObject | null }> {
    const sha256 = await this.whole(start);
    const allowed = await this.allowedHashes();
    if (!allowed.has(sha256)) {
      if (allowed.size >= MAX_ALLOWED) throw new UsageError(`more than ${MAX_ALLOWED} hashes are allowed already`);
      await this.writeAllowed([...allowed, sha256]);
    }
    return { sha256, object: await this.find(sha256) };
  }

  /** Neither allowed nor here any more; returns the whole hash. UsageError for one that is not known. */
  async forget(start: string): Promise<string> {
    const sha256 = await this.whole(start);
    const allowed = await this.allowedHashes();
    if (allowed.delete(sha256)) await this.writeAllowed([...allowed]);
    for (const place of ['held', 'arriving']) {
      await rm(join(this.dir, place, sha256), { recursive: true, force: true });
    }
    return sha256;
  }

  /** What is here whole of a hash or of the start of one; null for a whole hash of nothing that is here. UsageError as `allow`. */
  async find(start: string): Promise<PushedObject | null> {
    const sha256 = await this.whole(start);
    return (await this.held()).find((o) => o.offer.sha256 === sha256) ?? null;
  }

  private async whole(start: string): Promise<string> {
    if (HASH.test(start)) return start;
    if (!/^[0-9a-f]{8,63}$/.test(start)) {
      throw new UsageError(`"${start.slice(0, 80)}" is no hash: 8 to 64 hexadecimal digits in small letters`);
    }
    const known = new Set([...(await this.records('held')), ...(await this.records('arriving'))].map((o) => o.sha256));
    const fitting = [...known].filter((sha256) => sha256.startsWith(start));
    if (fitting.length === 1) return fitting[0];
    throw new UsageError(
      fitting.length === 0 ? `nothing that was pushed has a hash ${start}...` : `several hashes begin with ${start}`,
      'give all 64 digits',
    );
  }

  private async records(place: 'held' | 'arriving'): Promise<PushOffer[]> {
    const names = (await readdir(join(this.dir, place)).catch(() => [])).filter((name) => HASH.test(name)).sort();
    const out: PushOffer[] = [];
    for (const name of names.slice(0, MOST_FOLDERS)) {
      const offer = await readRecord(join(this.dir, place, name, RECORD));
      if (offer?.sha256 === name) out.push(offer);
    }
    return out;
  }

  private async allowedHashes(): Promise<Set<string>> {
    const path = join(this.dir, ALLOWED);
    const bytes = await readBounded(path, MAX_ALLOWED_BYTES, { file: ALLOWED }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error instanceof SctError) throw error;
        return null;
      },
    );
    if (!bytes) return new Set();
    const json = parsed(bytes);
    const list = json?.sha256;
    const good =
      Array.isArray(list) && list.length <= MAX_ALLOWED && list.every((h) => typeof h === 'string' && HASH.test(h));
    // Whose list cannot be read has allowed nothing; it is not made anew over what stands there.
    if (json?.schema !== ALLOWED_SCHEMA || !good) {
      throw new FormatError(ALLOWED, `is no list of at most ${MAX_ALLOWED} hashes`, `mend or remove ${path}`);
    }
    return new Set(list as string[]);
  }

  private writeAllowed(hashes: readonly string[]): Promise<void> {
    const text = JSON.stringify({ schema: ALLOWED_SCHEMA, sha256: [...hashes].sort() }, null, 2);
    return writeFileAtomic(join(this.dir, ALLOWED), `${text}\n`);
  }
}

/** The offer that a folder was made for; null where that cannot be told. */
async function readRecord(path: string): Promise<PushOffer | null> {
  const bytes = await readBounded(path, MAX_RECORD_BYTES, { file: RECORD }).catch(() => null);
  const json = bytes && parsed(bytes);
  if (json?.schema !== RECORD_SCHEMA) return null;
  const { schema: _, ...offer } = json;
  try {
    return checkedOffer(offer as unknown as PushOffer);
  } catch {
    return null;
  }
}

function parsed(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const json: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
