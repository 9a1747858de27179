import { basename, dirname, join } from 'node:path';
import { isFolder, isPlainName, namesIn, readJson, regularFile, type ServedFile, shared } from './folder-files.ts';
import { servedFile } from './run-list.ts';

/** Recordings that are listed, newest first; folders that are looked into, and how deep. */
const MOST_LISTED = 500;
const MOST_FOLDERS = 1000;
const DEEPEST = 2;
const META = '.sigmf-meta';
const DATA = '.sigmf-data';
/** The recording of a run, unless it has the name of the run's folder. */
const OF_RUN = 'rx';

export interface ListedCapture {
  /** Below the folder of recordings, without endings: "air", "local/band"; of a run's recording the run's directory. */
  readonly name: string;
  /** What a replay of it is started with. */
  readonly source: string;
  readonly modifiedAt: string;
  /** Of the samples. */
  readonly bytes: number;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly lengthS: number | null;
  readonly rateHz: number | null;
  readonly frequencyHz: number | null;
  /** `global` of its metadata. */
  readonly meta: unknown;
}

/** Where a recording stands: its folder and the base name of its files. */
interface Place {
  readonly folder: string;
  readonly base: string;
}

/** Recordings in one folder and the folders in it. Names come from requests: only plain names below the folder are opened, links are not followed. */
export class CaptureList {
  readonly list: () => Promise<ListedCapture[]>;
  private readonly folder: string;
  /** What was read of a metadata file, which may be long, until it is written again. */
  private read: ReadonlyMap<string, { readonly written: string; readonly facts: MetaFacts }> = new Map();

  constructor(folder: string) {
    this.folder = folder;
    this.list = shared(() => this.look());
  }

  /** A file of a recording; null where there is none. */
  async file(name: string, file: string): Promise<ServedFile | null> {
    const place = await this.placeOf(name);
    if (!place || (file !== `${place.base}${META}` && file !== `${place.base}${DATA}`)) return null;
    return servedFile(place.folder, file);
  }

  private async placeOf(name: string): Promise<Place | null> {
    const parts = name.split('/');
    if (parts.length > DEEPEST + 1 || !parts.every(isPlainName)) return null;
    const path = join(this.folder, ...parts);
    for (let depth = 1; depth < parts.length; depth++) {
      if (!(await isFolder(join(this.folder, ...parts.slice(0, depth))))) return null;
    }
    if (await regularFile(`${path}${META}`)) return { folder: dirname(path), base: parts.at(-1)! };
    if (!(await isFolder(path))) return null;
    for (const base of [parts.at(-1)!, OF_RUN]) {
      if (await regularFile(join(path, `${base}${META}`))) return { folder: path, base };
    }
    return null;
  }

  private async look(): Promise<ListedCapture[]> {
    const found: { name: string; place: Place; modifiedMs: number }[] = [];
    const folders: { path: string; name: string; depth: number }[] = [{ path: this.folder, name: '', depth: 0 }];
    for (let i = 0; i < Math.min(folders.length, MOST_FOLDERS); i++) {
      const { path, name, depth } = folders[i];
      for (const file of await namesIn(path)) {
        const below = name === '' ? file : `${name}/${file}`;
        if (file.endsWith(META)) {
          const base = file.slice(0, -META.length);
          const facts = await regularFile(join(path, file));
          if (!facts || !(await regularFile(join(path, `${base}${DATA}`)))) continue;
          const ofRun =
            [OF_RUN, basename(path)].includes(base) && depth > 0 && (await regularFile(join(path, 'run.json')));
          found.push({
            name: ofRun ? name : below.slice(0, -META.length),
            place: { folder: path, base },
            modifiedMs: facts.mtimeMs,
          });
        } else if (depth < DEEPEST && (await isFolder(join(path, file)))) {
          folders.push({ path: join(path, file), name: below, depth: depth + 1 });
        }
      }
    }
    found.sort((a, b) => b.modifiedMs - a.modifiedMs || (a.name < b.name ? -1 : 1));
    const out: ListedCapture[] = [];
    const read = new Map<string, { written: string; facts: MetaFacts }>();
    for (const { name, place, modifiedMs } of found.slice(0, MOST_LISTED)) {
      const path = join(place.folder, place.base);
      const [meta, data] = [await regularFile(`${path}${META}`), await regularFile(`${path}${DATA}`)];
      if (!meta || !data) continue;
      const written = `${meta.mtimeMs} ${meta.size}`;
      const before = this.read.get(path);
      const facts = before?.written === written ? before.facts : metaFacts(await readJson(`${path}${META}`));
      read.set(path, { written, facts });
      const { sampleBytes, ...told } = facts;
      out.push({
        name,
        source: `captures/${name}`,
        modifiedAt: new Date(modifiedMs).toISOString(),
        bytes: data.size,
        files: [
          { name: `${place.base}${META}`, bytes: meta.size },
          { name: `${place.base}${DATA}`, bytes: data.size },
        ],
        lengthS: told.rateHz && sampleBytes ? data.size / sampleBytes / told.rateHz : null,
        ...told,
      });
    }
    this.read = read;
    return out;
  }
}

interface MetaFacts {
  readonly rateHz: number | null;
  readonly frequencyHz: number | null;
  readonly sampleBytes: number | null;
  readonly meta: unknown;
}

/** What a list says of a metadata file, which may hold anything. */
function metaFacts(json: unknown): MetaFacts {
  const { global, captures } = (json ?? {}) as { global?: Record<string, unknown>; captures?: unknown };
  const first = Array.isArray(captures) ? (captures[0] as Record<string, unknown> | null) : null;
  return {
    rateHz: positive(global?.['core:sample_rate']),
    frequencyHz: positive(first?.['core:frequency']),
    sampleBytes: bytesOf(global?.['core:datatype']),
    meta: global ?? null,
  };
}

/** Bytes of a complex or real sample of a SigMF datatype; null for what is none. */
function bytesOf(type: unknown): number | null {
  const match = typeof type === 'string' ? /^([cr])[fiu](8|16|32|64)(_[lb]e)?$/.exec(type) : null;
  return match && ((match[1] === 'c' ? 2 : 1) * Number(match[2])) / 8;
}

function positive(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}
