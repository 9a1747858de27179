import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../common/errors.ts';
import { writableFolder } from '../../common/make-folder.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { resizeImage, savePng, toDataUri } from '../../sct/image/save.ts';
import type { Task } from '../../sct/importance/importance-map.ts';
import type { Order } from '../../sct/importance/scores.ts';
import { sfvOutlines } from '../../sct/partition/outlines.ts';
import { type AnalysisOptions, analyseSemantics, type SemanticAnalysis } from '../../sct/semantics/analysis.ts';
import type { LabelSpaceChoice } from '../../sct/semantics/label-map.ts';
import { loadModels, type SemanticModels } from '../../sct/semantics/models.ts';
import { shellCommand } from '../report/data.ts';
import { progressBar } from '../report/progress.ts';
import { pictureDataUri } from '../report/svg/indexed-png.ts';
import { fixed } from '../report/svg/text.ts';
import { canonicalText } from '../run/canonical-json.ts';
import { loadPhoto } from '../run/photo.ts';
import { writeFileAtomic } from '../run/run-directory.ts';
import type { PhotoSource, RunIo } from '../run/run-io.ts';
import { labelPoints, outlinePicture } from './overlay.ts';
import { analysisHtml } from './page.ts';
import type { Panel } from './panels.ts';
import { largePng, MAP_NAMES, type MapName, type MapPicture, mapPictures, range, smallPng } from './pictures.ts';
import { type AnalysisRecord, analysisRecord, labelName } from './record.ts';

export interface AnalyzeConfig {
  readonly photo: Exclude<PhotoSource, { kind: 'folder' }>;
  readonly task?: Task | undefined;
  readonly order?: Order | undefined;
  readonly weight?: number | undefined;
  readonly labelSpace?: LabelSpaceChoice | undefined;
  readonly taskClasses?: readonly string[] | undefined;
  readonly maxSfvs?: number | undefined;
  readonly modelsDir?: string | undefined;
  readonly size?: 'base' | 'live' | undefined;
}

const JSON_ORDER = ['schema', 'ok', 'photo', 'models', 'task', 'sfvs'];

/**
 * `sct analyze`: one picture through every network of the semantic half. With an output folder every map as PNG, analysis.json
 * and analysis.html are written there.
 *
 * @throws UsageError for the picture, a setting or the folder; ModelError for the models
 */
export async function runAnalyze(config: AnalyzeConfig, program: string, io: RunIo): Promise<AnalysisRecord> {
  const start = performance.now();
  const { image, name } = await loadPhoto(config.photo);
  const folder = io.outputDirectory === undefined ? null : await emptyFolder(io.outputDirectory);
  io.progress.update('loading models');
  const models = await loadModels({ dir: config.modelsDir, size: config.size });
  try {
    const loaded = performance.now();
    const options: AnalysisOptions = {
      task: config.task,
      order: config.order,
      weight: config.weight,
      labelSpace: config.labelSpace,
      taskClasses: config.taskClasses,
      partition: config.maxSfvs === undefined ? {} : { maxSfvs: config.maxSfvs },
      everyMap: true,
      onStep: (step, share) => {
        io.signal.throwIfAborted();
        io.progress.update(`${progressBar(share)} ${step}`);
      },
    };
    const analysis = await analyseSemantics(models, image, options);
    io.signal.throwIfAborted();
    const timingsMs = { loadMs: loaded - start, ...analysis.timingsMs, totalMs: performance.now() - start };
    const photo = { name, width: image.width, height: image.height };
    const record = (files: Record<string, string>) =>
      analysisRecord(analysis, photo, models.set, models.tables, timingsMs, files);
    if (folder === null) return record({});
    io.progress.update('writing maps');
    return await writeAll(folder, image, analysis, models, record, { command: shellCommand(io.argv), program });
  } finally {
    await models.close();
  }
}

/** Makes the folder, or clears an earlier analysis out of it; anything else in it stays. */
async function emptyFolder(directory: string): Promise<string> {
  const names = ['analysis.json', 'analysis.html', 'photo.png', 'sfvs.png', ...MAP_NAMES.map((n) => `${n}.png`)];
  const path = await writableFolder(directory);
  await Promise.all(
    names.map((n) =>
      rm(join(path, n), { force: true }).catch((error: NodeJS.ErrnoException) => {
        throw new UsageError(`${join(path, n)}: an earlier file cannot be removed (${error.code ?? 'error'})`);
      }),
    ),
  );
  return path;
}

async function writeAll(
  folder: string,
  image: RgbImage,
  analysis: SemanticAnalysis,
  models: SemanticModels,
  record: (files: Record<string, string>) => AnalysisRecord,
  made: { command: string; program: string },
): Promise<AnalysisRecord> {
  const maps = mapPictures(analysis, models.tables.labels.palette);
  const files: Record<string, string> = { photo: 'photo.png', sfvs: 'sfvs.png' };
  await savePng(join(folder, files.photo), image);
  await savePng(join(folder, files.sfvs), outlinePicture(image, analysis.partition));
  for (const name of MAP_NAMES) {
    const map = maps[name];
    if (map === null) continue;
    files[name] = `${name}.png`;
    await writeFileAtomic(join(folder, files[name]), largePng(map, analysis.y, name === 'features' ? null : image));
  }
  files.json = 'analysis.json';
  files.html = 'analysis.html';
  const done = record(files);
  await writeFileAtomic(join(folder, files.json), canonicalText(done, JSON_ORDER));
  const { palette } = models.tables.labels;
  const page = analysisHtml({
    record: done,
    photoUri: await toDataUri(await preview(image), 'jpeg', 85),
    outlines: sfvOutlines(analysis.partition),
    points: labelPoints(analysis.partition),
    panels: panelsOf(analysis, maps, files),
    colourOf: (label) =>
      `#${[...palette.subarray(3 * label, 3 * label + 3)].map((v) => v.toString(16).padStart(2, '0')).join('')}`,
    legend: legendOf(analysis, models),
    ...made,
  });
  await writeFileAtomic(join(folder, files.html), page);
  return done;
}

/** At most 1280 pixels along the longer side. */
async function preview(image: RgbImage): Promise<RgbImage> {
  const factor = Math.min(1, 1280 / Math.max(image.width, image.height));
  const side = (px: number) => Math.max(1, Math.round(px * factor));
  return resizeImage(image, side(image.width), side(image.height));
}

function panelsOf(
  a: SemanticAnalysis,
  maps: Record<MapName, MapPicture | null>,
  files: Record<string, string>,
): Panel[] {
  const street = a.rawLabels.space === 'street';
  const bits = range(a.entropy).map((v) => `${fixed(v, 0)} bit`) as [string, string];
  const about: Record<MapName, Pick<Panel, 'title' | 'note' | 'kind' | 'scale'>> = {
    importance: {
      title: 'Importance',
      note: `${fixed(1 - a.weight, 1)} entropy + ${fixed(a.weight, 1)} ${a.task === 'human' ? 'saliency' : 'activation'}, each over its sum`,
      kind: 'heat',
      scale: ['0', `${fixed(range(a.importance)[1] * a.importance.data.length)} × mean`],
    },
    saliency: { title: 'Saliency', note: 'what people look at', kind: 'heat', scale: ['0', '1'] },
    activation: {
      title: 'Activation',
      note: 'what speaks for the task classes, by the gradient of their logits',
      kind: 'heat',
      scale: ['0', 'most'],
    },
    entropy: { title: 'Entropy', note: 'mean bits of a cell of this class', kind: 'heat', scale: bits },
    classes: { title: 'Class map', note: 'entropy class of each cell, as sent', kind: 'heat', scale: ['0', '15'] },
    labels: {
      title: street ? 'Labels' : 'Clusters',
      note: street ? 'street classes, before simplification' : 'nearest of 32 centroids, before simplification',
      kind: 'labels',
    },
    partition: {
      title: 'Label map as sent',
      note: `${a.partition.bytes.length} bytes, ${fixed(100 * a.agreement)} % of the labels kept`,
      kind: 'labels',
    },
    features: { title: 'Feature map', note: `the 12 strongest of ${a.y.channels} channels`, kind: 'mosaic' },
  };
  const order: MapName[] = [
    'importance',
    'saliency',
    'activation',
    'entropy',
    'labels',
    'partition',
    'classes',
    'features',
  ];
  return order.flatMap((name) => {
    const map = maps[name];
    if (map === null) return [];
    return [{ ...about[name], uri: pictureDataUri(smallPng(map)), size: map, file: files[name] }];
  });
}

function legendOf(a: SemanticAnalysis, models: SemanticModels) {
  const cells = new Map<number, number>();
  for (const label of a.rawLabels.map.data) cells.set(label, (cells.get(label) ?? 0) + 1);
  return [...cells]
    .sort((x, y) => y[1] - x[1] || x[0] - y[0])
    .map(([label, n]) => ({ label, name: labelName(label, models.tables), share: n / a.rawLabels.map.data.length }));
}
