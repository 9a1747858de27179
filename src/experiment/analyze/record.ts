import type { AnalysedSfv, SemanticAnalysis } from '../../sct/semantics/analysis.ts';
import type { ModelSetInfo } from '../../sct/semantics/model-set.ts';
import type { ModelTables } from '../../sct/semantics/model-tables.ts';

export const ANALYSIS_SCHEMA = 'sct-analysis/1';

/** analysis.json, and what `sct analyze --json` prints: everything in numbers, no picture. */
export interface AnalysisRecord {
  readonly schema: typeof ANALYSIS_SCHEMA;
  readonly ok: true;
  readonly photo: { readonly name: string; readonly width: number; readonly height: number };
  readonly models: { readonly name: string; readonly version: number; readonly id: string; readonly sha256: string };
  readonly task: string;
  readonly taskClasses: readonly string[];
  readonly order: string;
  /** Of the two terms of the importance map. */
  readonly weights: { readonly entropy: number; readonly attention: number };
  /** `saliency and objects`: of people in a street (docs/adr/0018). */
  readonly attention: 'saliency' | 'saliency and objects' | 'activation';
  /** What the activation map explains: labels in the picture, or presence logits; null when it was not made. */
  readonly activationTarget: 'maps' | 'presence' | null;
  readonly grid: { readonly rows: number; readonly columns: number; readonly cellPx: number };
  readonly labelSpace: string;
  readonly streetProbability: number;
  /** Probability that a class is in the picture, by name. */
  readonly presence: Readonly<Record<string, number>>;
  /** SFVs, most important first. */
  readonly sfvs: readonly SfvRecord[];
  readonly partition: { readonly bytes: number; readonly agreement: number };
  readonly timingsMs: Readonly<Record<string, number>>;
  /** Path of each file written, relative to the folder; empty without one. */
  readonly files: Readonly<Record<string, string>>;
}

export interface SfvRecord {
  readonly id: number;
  readonly label: number;
  readonly labelName: string;
  readonly cells: number;
  /** Share of the picture's cells. */
  readonly share: number;
  /** Pixels: left, top, right, bottom; right and bottom are outside. */
  readonly bbox: readonly [number, number, number, number];
  readonly importance: number;
  readonly score: number;
  readonly density: number;
  readonly meanEntropy: number;
  readonly meanSaliency: number | null;
  readonly meanActivation: number | null;
}

/** Name of a label: a street class, or "cluster 1" to "cluster 32". */
export function labelName(label: number, tables: { labels: { names: readonly string[] } }): string {
  const names = tables.labels.names;
  return label < names.length ? names[label] : `cluster ${label - names.length + 1}`;
}

export function analysisRecord(
  analysis: SemanticAnalysis,
  photo: AnalysisRecord['photo'],
  set: ModelSetInfo,
  tables: Pick<ModelTables, 'labels'>,
  timingsMs: Readonly<Record<string, number>>,
  files: Readonly<Record<string, string>>,
): AnalysisRecord {
  const { partition, rawLabels, weight } = analysis;
  const boxes = boundingBoxes(analysis, photo);
  const cells = partition.labels.length;
  const sfv = (s: AnalysedSfv): SfvRecord => ({
    id: s.id,
    label: s.label,
    labelName: labelName(s.label, tables),
    cells: s.cells,
    share: s.cells / cells,
    bbox: boxes[s.id],
    importance: s.importance,
    score: s.score,
    density: s.density,
    meanEntropy: s.meanEntropy,
    meanSaliency: s.meanSaliency,
    meanActivation: s.meanActivation,
  });
  return {
    schema: ANALYSIS_SCHEMA,
    ok: true,
    photo,
    models: { name: set.name, version: set.version, id: set.id, sha256: set.sha256 },
    task: analysis.task,
    taskClasses: analysis.taskClasses.map((c) => tables.labels.names[c]),
    order: analysis.order,
    weights: { entropy: 1 - weight, attention: weight },
    attention: attentionOf(analysis),
    activationTarget: analysis.activation?.target ?? null,
    grid: { rows: partition.rows, columns: partition.columns, cellPx: 16 },
    labelSpace: rawLabels.space,
    streetProbability: rawLabels.streetProbability,
    presence: Object.fromEntries(
      tables.labels.names.map((name, i) => [name, 1 / (1 + Math.exp(-analysis.labelOutput.presence[i]))]),
    ),
    sfvs: analysis.ranking.map((id) => sfv(analysis.sfvs[id])),
    partition: { bytes: partition.bytes.length, agreement: analysis.agreement },
    timingsMs,
    files,
  };
}

function attentionOf({ task, rawLabels }: SemanticAnalysis): AnalysisRecord['attention'] {
  if (task === 'machine') return 'activation';
  return rawLabels.space === 'street' ? 'saliency and objects' : 'saliency';
}

function boundingBoxes(
  { partition: { columns, sfvOf, sfvs } }: SemanticAnalysis,
  photo: { width: number; height: number },
): [number, number, number, number][] {
  const boxes = sfvs.map((): [number, number, number, number] => [photo.width, photo.height, 0, 0]);
  sfvOf.forEach((id, i) => {
    const [x, y] = [16 * (i % columns), 16 * Math.floor(i / columns)];
    const b = boxes[id];
    b[0] = Math.min(b[0], x);
    b[1] = Math.min(b[1], y);
    b[2] = Math.max(b[2], Math.min(photo.width, x + 16));
    b[3] = Math.max(b[3], Math.min(photo.height, y + 16));
  });
  return boxes;
}
