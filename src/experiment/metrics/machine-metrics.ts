import type { DecodedImage } from '../../sct/codec/codec.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import {
  agreementWithClean,
  agreementWithTruth,
  type TaskAgreement,
  type TaskResult,
  taskResult,
} from '../../sct/modes/machine-receiver.ts';
import type { SemanticModels } from '../../sct/semantics/models.ts';
import type { MachineAgreement, MachineMetrics } from './metrics.ts';

/** What a machine's findings are held against; what is not known is undefined. */
export interface MachineReferences {
  /** What the heads find in the original's own features (`cleanTask`). */
  readonly clean?: TaskResult | undefined;
  /** CamVid label of every pixel, void above 10; [y][x] of the picture's size. */
  readonly truth?: Uint8Array | undefined;
}

/**
 * What the heads found, with each class' share of the quarter-resolution pixels that lie inside the picture, and how far that is right.
 *
 * @throws UsageError when a reference is of another size
 */
export function machineMetrics(task: TaskResult, { clean, truth }: MachineReferences = {}): MachineMetrics {
  const { labels, labelColumns, widthPx, heightPx, presence, streetProbability } = task;
  const [columns, rows] = [Math.ceil(widthPx / 4), Math.ceil(heightPx / 4)];
  const counts = new Float64Array(presence.length);
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) counts[labels[y * labelColumns + x]]++;
  return {
    classes: presence.map(({ name, probability, present }, i) => {
      return { name, probability, present, share: counts[i] / (columns * rows) };
    }),
    streetProbability,
    withClean: clean ? figures(agreementWithClean(task, clean)) : null,
    withTruth: truth ? figures(agreementWithTruth(task, truth)) : null,
    cleanWithTruth: clean && truth ? figures(agreementWithTruth(clean, truth)) : null,
  };
}

/**
 * What the heads find in the original's features, where a machine looked at what arrived and the original is known here. The
 * networks are those of the picture's set.
 */
export async function cleanTask(
  models: SemanticModels | undefined,
  decoded: DecodedImage | undefined,
  original: RgbImage | undefined,
): Promise<TaskResult | undefined> {
  return models && decoded?.task && original ? taskResult(models, await models.analyse(original)) : undefined;
}

/** Pixels of what was decoded, picture or labels; undefined where there is neither. */
export function decodedSize(decoded: DecodedImage | undefined): { width: number; height: number } | undefined {
  const { image, task } = decoded ?? {};
  if (image) return { width: image.width, height: image.height };
  return task && { width: task.widthPx, height: task.heightPx };
}

function figures({ mIoU, pixelAccuracy, missed, invented }: TaskAgreement): MachineAgreement {
  return { mIoU, pixelAccuracy, missed: [...missed], invented: [...invented] };
}
