import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sct } from './program.ts';
import type { Recipe, Shown } from './recipes.ts';

/** Files of a run that its replay reads; of its metrics that there is no picture, where there is none. */
const COPIED = ['allocation.json', 'semantics.json', 'source.png', 'metrics.json'];
/** Before the first burst and behind the last one, s. */
const MARGIN_S = 1e-3;
/** Stretch behind a gap that is marked, s, and the part of the band: viewers write the label above the box. */
const GAP_MARK_S = 0.2e-3;
const GAP_BAND = 0.9;
/** Labels of the marks that are added to those of the bursts. */
const GAP = 'gap';
const OTHER = 'interferer';

interface Json {
  [key: string]: unknown;
}

interface Meta {
  readonly global: Json;
  readonly captures: readonly (Json & {
    'core:sample_start': number;
    'sct:lost_before'?: { min: number; max: number };
  })[];
  readonly annotations: (Json & { 'core:sample_start': number; 'core:sample_count'?: number; 'core:label'?: string })[];
}

const readJson = async <T>(path: string): Promise<T> => JSON.parse(await readFile(path, 'utf8')) as T;
const writeJson = (path: string, value: unknown) => writeFile(path, `${JSON.stringify(value, null, 2)}\n`);

/**
 * Makes a run directory at `folder` of what a recipe recorded in `cwd`/run: the capture cut to the picture's burst and the soundings before it and
 * labelled, and the metrics that its replay has.
 *
 * @returns those metrics
 */
export async function keepRun(recipe: Recipe, cwd: string, folder: string): Promise<Shown> {
  const run = join(cwd, 'run');
  await mkdir(folder);
  for (const name of COPIED) await cp(join(run, name), join(folder, name)).catch(ifThere);
  const [from, samples] = await range(join(run, 'rx.sigmf-meta'), recipe.keep.soundings);
  await sct(`capture cut run/rx --from-sample ${from} --samples ${samples} -o cut`, cwd);
  for (const end of ['.sigmf-data', '.sigmf-meta']) await cp(join(cwd, `cut${end}`), join(folder, recipe.name + end));
  await writeJson(join(folder, 'run.json'), neutral(await readJson(join(run, 'run.json'))));
  return refresh(recipe, cwd, folder);
}

/** Labels of a kept recording, and the metrics that its replay has now. */
export async function refresh(recipe: Recipe, cwd: string, folder: string): Promise<Shown> {
  const meta = join(folder, `${recipe.name}.sigmf-meta`);
  await writeJson(meta, labelled(await readJson(meta), recipe));
  await rm(join(cwd, 'again'), { recursive: true, force: true });
  // 4, 5: nothing was received, or not well enough. That may be what it is to show.
  await sct(`replay ${folder} -o again -q`, cwd, [0, 4, 5]);
  const metrics = await readJson<Shown & Json>(join(cwd, 'again', 'metrics.json'));
  await writeJson(join(folder, 'metrics.json'), { ...metrics, timings: {}, files: {} });
  return metrics;
}

function ifThere(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

/** First sample and number of samples of the picture's bursts and so many soundings before them, or of the soundings alone. */
async function range(metaPath: string, soundings: number): Promise<[number, number]> {
  const { global, annotations } = await readJson<Meta>(metaPath);
  const bursts = annotations.filter((a) => a['core:label']?.startsWith('burst'));
  const last = bursts.at(-1);
  if (!last) throw new Error(`${metaPath}: no bursts`);
  const data = bursts.findIndex((a) => a['core:label']?.includes('data'));
  const first = bursts[Math.max(0, (data < 0 ? bursts.length : data) - soundings)];
  const margin = Math.round(MARGIN_S * Number(global['core:sample_rate']));
  const from = first['core:sample_start'] - margin;
  const end = last['core:sample_start'] + (last['core:sample_count'] ?? 0) + margin;
  return [from, Math.min(end, Number(global['sct:sample_count'] ?? end)) - from];
}

/** Whether samples were lost in the middle of bursts only: a burst that begins or ends with a loss shows nothing of it. */
export async function lossesInBursts(folder: string, name: string): Promise<boolean> {
  const { captures, annotations } = await readJson<Meta>(join(folder, `${name}.sigmf-meta`));
  const bursts = annotations.filter((a) => a['core:label']?.startsWith('burst'));
  return captures
    .filter((c) => c['sct:lost_before'])
    .every(({ 'core:sample_start': at }) =>
      bursts.some((b) => at > b['core:sample_start'] && at < b['core:sample_start'] + (b['core:sample_count'] ?? 0)),
    );
}

/**
 * Says everywhere where a reader looks that no real board was there, and marks what cannot be seen otherwise. What it has labelled already stays
 * the same.
 */
function labelled({ global, captures, annotations }: Meta, { name, board, keep }: Recipe): Meta {
  const rateHz = Number(global['core:sample_rate']);
  const centreHz = Number(captures[0]['core:frequency']);
  const generator = { 'core:generator': 'sct-testbed' };
  const gaps = captures.flatMap(({ 'core:sample_start': start, 'sct:lost_before': lost }) => {
    if (!lost) return [];
    const many = lost.min === lost.max ? lost.min : `${lost.min} to ${lost.max}`;
    return [
      {
        ...{ 'core:sample_start': start, 'core:sample_count': Math.round(GAP_MARK_S * rateHz) },
        ...{ 'core:label': GAP, 'core:comment': `${many} samples were lost before this one`, ...generator },
        // Viewers draw a box only between two edges.
        ...{ 'core:freq_lower_edge': centreHz - (GAP_BAND / 2) * rateHz },
        ...{ 'core:freq_upper_edge': centreHz + (GAP_BAND / 2) * rateHz },
      },
    ];
  });
  const others = keep.other
    ? [
        {
          ...{ 'core:sample_start': 0, 'core:sample_count': Number(global['sct:sample_count']) },
          ...{ 'core:label': OTHER, 'core:comment': keep.other.comment, ...generator },
          ...{ 'core:freq_lower_edge': keep.other.fromHz, 'core:freq_upper_edge': keep.other.toHz },
        },
      ]
    : [];
  const bursts = annotations.filter(({ 'core:label': label }) => label !== GAP && label !== OTHER);
  return {
    global: {
      ...global,
      'core:description': `EMULATED, never on the air. ${keep.title}. (${name})`,
      'core:hw': `emulated ${board} (sct emulate), no real board`,
      'core:author': 'sct-testbed',
      'core:license': 'https://opensource.org/license/mit',
    },
    // Boards kept to a part of the wall clock: its time at the beginning of a later stretch contradicts the samples in between.
    captures: captures.map(({ 'core:datetime': time, ...entry }, i) =>
      i === 0 ? { ...entry, 'core:datetime': time } : entry,
    ),
    annotations: [...others, ...bursts, ...gaps].sort((a, b) => a['core:sample_start'] - b['core:sample_start']),
  };
}

/** run.json of what is left: the soundings that set the gains are cut off, and which machine it was is nobody's business. */
function neutral(manifest: Json): Json {
  const { platform, arch, cores } = manifest.host as Json;
  const device = manifest.device as Json | null;
  return {
    ...manifest,
    host: { platform, arch, cores, release: 'not kept', cpu: 'not kept', memoryMiB: 0 },
    device: device && 'soundingsForGains' in device ? { ...device, soundingsForGains: 0 } : device,
  };
}

/** SHA-512 of a file, hexadecimal. */
export async function sha512(path: string): Promise<string> {
  return createHash('sha512')
    .update(await readFile(path))
    .digest('hex');
}
