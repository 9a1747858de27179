import { inRange } from '../../common/errors.ts';
import type { Precision } from './int8.ts';
import { LoadedModels } from './loaded-models.ts';
import { ModelError, type ModelFault } from './model-error.ts';
import { readModelFile, shippedModelsDir } from './model-files.ts';
import { chooseSet, MANIFEST, type ModelSetInfo, readModelSets } from './model-set.ts';
import { type ModelTables, parseModelTables } from './model-tables.ts';
import type { SemanticModels } from './semantic-models.ts';

export {
  type CorrectorInput,
  GENERATED_QUALITY,
  type GeneratorInput,
  type LabelOutput,
  type SemanticModels,
} from './semantic-models.ts';

/** Where models are looked for, and which. */
export interface LoadModelsOptions {
  /** Folder with a models.json; default the models that ship with the program. */
  readonly dir?: string | undefined;
  /** Name of the set; default base, or the only one there. */
  readonly size?: 'base' | 'live' | undefined;
  /** Threads of one network run; default 2 for base, 1 for live. */
  readonly threads?: number | undefined;
  /** Default float. int8: faster where the set has such files, at some 0.02 dB; the other end need not know. */
  readonly precision?: Precision | undefined;
}

/** Threads of one network run where nothing else is asked, 2 if not here: runs of live are too short to share. */
const DEFAULT_THREADS: Readonly<Record<string, number>> = { live: 1 };
const MAX_THREADS = 64;

/**
 * Reads a model folder, checks the hash of every file of the chosen set, and returns its networks; each network is made when
 * it is first used.
 *
 * @throws DeviceError when there is no models.json; ModelError naming file and hashes; UsageError for a set that is not there
 */
export async function loadModels(options: LoadModelsOptions = {}): Promise<SemanticModels> {
  const dir = options.dir ?? shippedModelsDir();
  return openModelSet(dir, chooseSet(await readModelSets(dir), options.size), options.threads, options.precision);
}

/** The networks of a set that readModelSets gave; errors as loadModels. */
export async function openModelSet(
  dir: string,
  set: ModelSetInfo,
  threads?: number,
  precision: Precision = 'float',
): Promise<SemanticModels> {
  const count = inRange('threads', threads ?? DEFAULT_THREADS[set.name] ?? 2, 1, MAX_THREADS);
  let tables: ModelTables | undefined;
  for (const file of set.files) {
    const bytes = await readModelFile(dir, file);
    if (file.role !== 'tables') continue;
    const fault = { file: file.path, expectedSha256: file.sha256 };
    tables = parseModelTables(parseJson(bytes, fault), fault);
    if (tables.channels !== set.channels) {
      throw new ModelError(fault, `is for ${tables.channels} channels, the set has ${set.channels}`);
    }
  }
  if (!tables) throw new ModelError({ file: MANIFEST }, `set ${set.name} has no tables`);
  return new LoadedModels(dir, set, tables, Math.floor(count), precision);
}

function parseJson(bytes: Uint8Array, fault: ModelFault): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new ModelError(fault, 'is not JSON');
  }
}
