import { randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { UsageError } from '../../common/errors.ts';
import { asObject, type JsonObject, readJsonFile } from '../../common/json-input.ts';
import { makeFolder } from '../../common/make-folder.ts';
import { writeFileAtomic } from '../../common/write-atomic.ts';
import { METRIC_KEYS } from '../metrics/metrics.ts';
import { canonical, canonicalText } from './canonical-json.ts';
import { parseManifest, type RunManifest } from './manifest.ts';

export { writeFileAtomic };

export interface RunDirectoryOptions {
  /** `-o DIR`: exactly this directory; an earlier run's results in it are replaced. */
  directory?: string;
  /** Parent of a directory that we name ourselves. Default `runs`. */
  root?: string;
  /** Path or name of the source picture; only its base name is used. */
  photo: string;
  channel: string;
  now: Date;
}

const MAX_RUN_JSON = 4 * 2 ** 20;
const MAX_METRICS_JSON = 64 * 2 ** 20;
/** Results that would lie about a run that stops half-way, were they left from an earlier one in the same directory. */
const RESULTS = [
  'run.json',
  'metrics.json',
  'report.html',
  'frames.jsonl',
  'allocation.json',
  'source.png',
  'received.png',
  'source.wav',
  'received.wav',
  'speech.json',
  'uncorrected.png',
  'semantics.json',
];

/**
 * Makes the directory of one run: `DIR` itself, or `runs/<UTC time>_<photo>_<channel>_<short id>`.
 * Errors: UsageError when it cannot be made or the path is not a directory.
 */
export async function createRunDirectory(options: RunDirectoryOptions): Promise<RunDirectory> {
  for (let attempt = 0; ; attempt++) {
    const runId = ulid(options.now);
    const path = resolve(options.directory ?? join(options.root ?? 'runs', defaultName(options, runId)));
    try {
      await makeFolder(dirname(path));
      await mkdir(path);
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code;
      if (code === 'EEXIST' && options.directory === undefined && attempt < 8) continue;
      const isDirectory = code === 'EEXIST' && (await stat(path).catch(() => null))?.isDirectory() === true;
      if (!isDirectory) throw new UsageError(`${path}: cannot be used as run directory (${code ?? 'error'})`);
      const numbered = (await readdir(path)).filter((name) => /^received-\d+\.(png|wav)$/.test(name));
      await Promise.all([...RESULTS, ...numbered].map((name) => rm(join(path, name), { force: true })));
    }
    return new RunDirectory(path, runId);
  }
}

function defaultName(options: RunDirectoryOptions, runId: string): string {
  const time = options.now
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-');
  const photo = fileNamePart(basename(options.photo, extname(options.photo)), 'photo');
  return `${time}_${photo}_${fileNamePart(options.channel, 'channel')}_${runId.slice(-6).toLowerCase()}`;
}

/** Letters, digits, dot, dash and underscore; no leading dot or dash; at most 40 characters. */
function fileNamePart(text: string, fallback: string): string {
  const cleaned = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, 40);
  return cleaned || fallback;
}

/** 48-bit millisecond time and 80 random bits in Crockford base 32: sorts by time (ULID). */
export function ulid(now: Date, random: Uint8Array = randomBytes(10)): string {
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  let bits = BigInt(now.getTime());
  for (let i = 0; i < 10; i++) bits = (bits << 8n) | BigInt(random[i]);
  let out = '';
  for (let i = 0; i < 26; i++) {
    out = alphabet[Number(bits & 31n)] + out;
    bits >>= 5n;
  }
  return out;
}

/** The files of one run. Every write is atomic; frames.jsonl grows by whole lines. */
export class RunDirectory {
  readonly path: string;
  readonly runId: string;
  private framesFd: number | null = null;

  constructor(path: string, runId: string) {
    this.path = path;
    this.runId = runId;
  }

  describe(): string {
    return `run ${this.runId} in ${this.path}`;
  }

  /** Full path of a file of this run; names with separators or a leading dot are a programming error. */
  file(name: string): string {
    if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/.test(name)) throw new Error(`bad file name in run directory: ${name}`);
    return join(this.path, name);
  }

  async write(name: string, data: string | Uint8Array): Promise<string> {
    const path = this.file(name);
    await writeFileAtomic(path, data);
    return path;
  }

  writeManifest(manifest: RunManifest): Promise<string> {
    return this.write('run.json', `${JSON.stringify(manifest, null, 2)}\n`);
  }

  writeMetrics(metrics: object): Promise<string> {
    return this.write('metrics.json', canonicalText(metrics, METRIC_KEYS));
  }

  writeConfig(config: object): Promise<string> {
    const header = '# Every setting of this run, defaults written out.\n';
    return this.write('config.resolved.yaml', header + stringify(canonical(config)));
  }

  /** Appends one record to frames.jsonl in a single write, so that a killed run leaves whole lines. */
  appendFrame(record: object): void {
    this.framesFd ??= openSync(this.file('frames.jsonl'), 'a');
    writeSync(this.framesFd, `${JSON.stringify(canonical(record))}\n`);
  }

  close(): void {
    if (this.framesFd !== null) closeSync(this.framesFd);
    this.framesFd = null;
  }
}

export interface StoredRun {
  directory: string;
  manifest: RunManifest;
  /** metrics.json as written (compare with compareMetrics); null when the run did not get that far. */
  metrics: JsonObject | null;
}

/** Opens a run by its directory or its run.json. UsageError when it is not there, FormatError naming a field that is wrong. */
export async function readRun(path: string): Promise<StoredRun> {
  const found = await stat(path).catch(() => null);
  if (!found) throw new UsageError(`${path}: no such run`, 'Give a run directory or its run.json.');
  const directory = resolve(found.isDirectory() ? path : dirname(path));
  const manifest = parseManifest(
    await readJsonFile(found.isDirectory() ? join(directory, 'run.json') : path, MAX_RUN_JSON),
  );
  const metricsPath = join(directory, 'metrics.json');
  const metrics = (await stat(metricsPath).catch(() => null))
    ? asObject('metrics.json', await readJsonFile(metricsPath, MAX_METRICS_JSON))
    : null;
  return { directory, manifest, metrics };
}
