import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../../common/errors.ts';
import { writableFolder } from '../../../common/make-folder.ts';
import { loadModels, type SemanticModels } from '../../../sct/semantics/models.ts';
import { gitFacts, hostFacts, packageRoot } from '../../run/host-facts.ts';
import { requireData } from './models-data.ts';
import { measureEntropy } from './models-entropy.ts';
import { type FaithfulnessReport, measureFaithfulness } from './models-faithfulness.ts';
import { type LabelsReport, measureLabels, measureSaliency } from './models-heads.ts';
import { type KodakReport, measureKodak } from './models-kodak.ts';
import { measureLatency } from './models-latency.ts';
import { measureRepair, type RepairLine } from './models-repair.ts';
import { MODEL_PARTS, type ModelPart, type ModelRow, ofFewPictures } from './models-row.ts';

export const MODELS_BENCH_SCHEMA = 'sct.bench.models/1';

/** Sets that are measured where the folder has them. */
const SETS = ['base', 'live'] as const;

export interface ModelsBenchOptions {
  /** Folder with kodak, camvid/test and saliency/test. */
  readonly data: string;
  /** Model folder; default the one that ships. */
  readonly models?: string | undefined;
  /** Where pictures and models.json go; without it nothing is written. */
  readonly out?: string | undefined;
  /** A few pictures of each set: under two minutes. */
  readonly quick?: boolean;
  readonly only?: readonly ModelPart[] | undefined;
  /** The command line, for the report. */
  readonly command: string;
  readonly progress?: (what: string) => void;
  /** Told after each part. */
  readonly note?: (what: string) => void;
}

export interface ModelsReport {
  readonly schema: typeof MODELS_BENCH_SCHEMA;
  /** Command lines that made the parts, the last one last. */
  readonly commands: readonly string[];
  readonly quick: boolean;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string };
  readonly git: { readonly commit: string; readonly dirty: boolean } | null;
  readonly sets: readonly {
    readonly name: string;
    readonly id: string;
    readonly sha256: string;
    readonly bytes: number;
  }[];
  readonly seconds: Readonly<Partial<Record<ModelPart, number>>>;
  readonly rows: readonly ModelRow[];
  readonly kodak: KodakReport | null;
  readonly labels: readonly LabelsReport[] | null;
  readonly faithfulness: FaithfulnessReport | null;
  readonly repair: readonly RepairLine[] | null;
  /** Limits and targets that are met and that are not. */
  readonly limitsMet: number;
  readonly limitsMissed: number;
  readonly targetsMet: number;
  readonly targetsMissed: number;
}

/** The parts named by `--only`, comma separated; UsageError for another word. */
export function parseParts(text: string): ModelPart[] {
  const words = text.split(',').map((w) => w.trim());
  const bad = words.find((w) => !(MODEL_PARTS as readonly string[]).includes(w));
  if (bad !== undefined) throw new UsageError(`--only: "${bad}" is no part`, `parts: ${MODEL_PARTS.join(', ')}`);
  return MODEL_PARTS.filter((p) => words.includes(p));
}

/**
 * `sct bench models`: every figure of the model sets, from the ONNX files as they ship. Noise and choices are seeded; nothing
 * is fitted to the test pictures.
 *
 * @throws UsageError when data or models are not there; ModelError when a model file is not what models.json says
 */
export async function benchModels(options: ModelsBenchOptions): Promise<ModelsReport> {
  const { data, quick = false, progress = () => {}, note = () => {} } = options;
  const parts = options.only ?? MODEL_PARTS;
  const out = options.out ?? null;
  requireData(data, parts);
  if (out) await writableFolder(out);
  const rows: ModelRow[] = [];
  const seconds: Partial<Record<ModelPart, number>> = {};
  const sets = new Map<string, SemanticModels>();
  const names = await presentSets(options.models);
  const common = { quick, progress };
  const run = async <T extends { rows: ModelRow[] }>(part: ModelPart, work: () => Promise<T>): Promise<T | null> => {
    if (!parts.includes(part)) return null;
    const started = performance.now();
    const result = await work();
    const judged = quick ? ofFewPictures(result.rows) : result.rows;
    rows.push(...judged);
    seconds[part] = Math.round((performance.now() - started) / 100) / 10;
    const missed = judged.filter((r) => r.kind === 'limit' && r.met === false);
    note(`${part}: ${seconds[part]} s${missed.map((r) => `; missed: ${r.what} ${r.value}`).join('')}`);
    return result;
  };
  await run('latency', () => measureLatency(names, options.models, common));
  for (const name of names) sets.set(name, await loadModels({ dir: options.models, size: name }));
  try {
    const [base] = sets.values();
    await run('entropy', () => measureEntropy(sets, data, common));
    const kodak = await run('kodak', () => measureKodak(sets, data, common));
    const labels = await run('labels', () => measureLabels(sets, data, common));
    await run('saliency', () => measureSaliency(sets, data, common));
    const faithfulness = await run('faithfulness', () => measureFaithfulness(base, data, { ...common, out }));
    const repair = await run('repair', () => measureRepair(sets, data, { ...common, out }));
    const host = hostFacts();
    const own: ModelsReport = {
      schema: MODELS_BENCH_SCHEMA,
      commands: [options.command],
      quick,
      machine: { cpu: host.cpu, cores: host.cores, node: process.version },
      git: await gitFacts(await packageRoot()),
      sets: [...sets.values()].map(({ set }) => ({
        name: set.name,
        id: set.id,
        sha256: set.sha256,
        bytes: set.files.reduce((sum, f) => sum + f.bytes, 0),
      })),
      seconds,
      rows,
      kodak: kodak?.report ?? null,
      labels: labels?.report ?? null,
      faithfulness: faithfulness?.report ?? null,
      repair: repair?.report ?? null,
      ...countRows(rows),
    };
    const report = out ? withEarlierParts(own, parts, join(out, 'models.json')) : own;
    if (out) await writeFile(join(out, 'models.json'), `${JSON.stringify(report, null, 2)}\n`);
    return report;
  } finally {
    for (const models of sets.values()) await models.close();
  }
}

/** Limits and targets that are met and that are not. */
function countRows(rows: readonly ModelRow[]) {
  const count = (kind: string, met: boolean) => rows.filter((r) => r.kind === kind && r.met === met).length;
  return {
    limitsMet: count('limit', true),
    limitsMissed: count('limit', false),
    targetsMet: count('target', true),
    targetsMissed: count('target', false),
  };
}

/**
 * The report with the parts that were not measured now taken from the report in the same folder, when that was made of the
 * same model sets with the same number of pictures; so that a long bench can be made part by part.
 */
export function withEarlierParts(own: ModelsReport, parts: readonly ModelPart[], path: string): ModelsReport {
  let earlier: ModelsReport;
  try {
    earlier = JSON.parse(readFileSync(path, 'utf8')) as ModelsReport;
    const ids = (r: ModelsReport) => r.sets.map((s) => s.sha256).join();
    if (earlier.schema !== own.schema || earlier.quick !== own.quick || ids(earlier) !== ids(own)) return own;
  } catch {
    return own; // none, or not one of ours
  }
  const rows = MODEL_PARTS.flatMap((part) =>
    (parts.includes(part) ? own : earlier).rows.filter((r) => r.part === part),
  );
  return {
    ...own,
    commands: [...earlier.commands.filter((c) => !own.commands.includes(c)), ...own.commands],
    seconds: { ...earlier.seconds, ...own.seconds },
    rows,
    kodak: own.kodak ?? earlier.kodak,
    labels: own.labels ?? earlier.labels,
    faithfulness: own.faithfulness ?? earlier.faithfulness,
    repair: own.repair ?? earlier.repair,
    ...countRows(rows),
  };
}

/** Names of the sets in the folder, base first. */
async function presentSets(dir: string | undefined): Promise<('base' | 'live')[]> {
  const found: ('base' | 'live')[] = [];
  let failure: unknown = null;
  for (const size of SETS) {
    try {
      const models = await loadModels({ dir, size });
      await models.close();
      found.push(size);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error; // a set that is not there is a UsageError
      failure = error;
    }
  }
  if (found.length === 0) throw failure;
  return found;
}
