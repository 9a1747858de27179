import { trustLastFrame } from '../correction/last-frame.ts';
import { correctionStrength, LOST_DAMAGE, repair } from '../correction/repair.ts';
import type { RgbImage } from '../image/rgb-image.ts';
import { type TaskResult, taskResult } from '../modes/machine-receiver.ts';
import type { ClassMap, FeatureMap, GridPlane } from '../semantics/feature-map.ts';
import type { SemanticModels } from '../semantics/models.ts';
import type { DecodedImage, DecodeOptions } from './codec.ts';
import { SFV_NOT_SENT } from './sfv-power.ts';
import { LEVEL_NOT_SENT, type SideInfo } from './side-info.ts';

/** What a codec made of the streams, before anything is corrected. */
export interface ReceivedFeatures {
  /** Class of each cell; default the side information's. */
  readonly classMap?: ClassMap | undefined;
  /** Lost cells are zeros of unknown quality (`blankLost`). */
  readonly yHat: FeatureMap;
  readonly quality: GridPlane;
  readonly damage: Float32Array; // [row][column], 0 intact .. 1 lost
  /** Something of it came; [SFV id]. */
  readonly came: readonly boolean[];
  /** Importance as sent; [SFV id]. */
  readonly scores: readonly (number | undefined)[];
}

/** What is shown of it. */
export interface ShownPicture {
  readonly image: RgbImage | undefined;
  readonly uncorrected: RgbImage | undefined;
  readonly task: TaskResult | undefined;
  /** Share of the damaged cells that the last frame helped to restore; undefined where nothing was corrected, or without a memory. */
  readonly fromMemory: number | undefined;
}

/** Sums up milliseconds by name. */
export class Stopwatch {
  readonly timingsMs: Record<string, number> = {};

  async time<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    const start = performance.now();
    const result = await work();
    this.timingsMs[name] = (this.timingsMs[name] ?? 0) + performance.now() - start;
    return result;
  }
}

/**
 * Corrects what is damaged, where that is asked for, and shows it: as a picture, to the heads, or both.
 *
 * @param faults gets a line when a reference is named that this end does not hold
 */
export async function showReceived(
  models: SemanticModels,
  side: SideInfo,
  received: ReceivedFeatures,
  options: DecodeOptions,
  faults: string[],
  watch: Stopwatch,
): Promise<ShownPicture> {
  const { perceptual, memory, view = 'picture' } = options;
  const corrects = (options.correction ?? true) && received.damage.some((d) => d > 0);
  const best = corrects
    ? await watch.time('correction', () => corrected(models, side, received, options, faults))
    : received;
  // A frame of which nothing came is made up from labels alone: what was there before is worth more.
  if (memory && received.damage.some((d) => d < LOST_DAMAGE)) memory.keep(models.set.id, best.yHat, received.damage);
  const show = ({ yHat, quality }: { yHat: FeatureMap; quality: GridPlane }) =>
    watch.time('synthesis', () => models.synthesise(yHat, quality, { perceptual }));
  const task =
    view === 'picture' ? undefined : await watch.time('heads', () => taskResult(models, best.yHat, best.quality));
  const image = view === 'task' ? undefined : await show(best);
  const uncorrected = image && options.uncorrected && corrects ? await show(received) : undefined;
  return { image, uncorrected, task, fromMemory: 'fromMemory' in best ? best.fromMemory : undefined };
}

/**
 * Damage restored. Of SFVs of which nothing came the generator makes those that were never sent, and with `perceptual` the lost ones
 * too: sharper, but further from the source than what the corrector makes.
 */
async function corrected(
  models: SemanticModels,
  side: SideInfo,
  { classMap = side.classMap, yHat, quality, damage, came, scores }: ReceivedFeatures,
  options: DecodeOptions,
  faults: string[],
) {
  const { partition } = side;
  const frame = options.memory?.recall(models.set.id, yHat);
  const trust = frame && trustLastFrame(yHat, damage, frame);
  const invents = Array.from(came, (arrived, id) => !arrived && (options.perceptual || !isSent(side, id)));
  const repaired = await repair(models, {
    yHat,
    quality,
    classMap,
    damage,
    labelMap: { rows: partition.rows, columns: partition.columns, data: partition.labels },
    strength: correctionStrength(scores, partition.sfvOf, damage),
    missing: partition.sfvOf.map((id) => (invents[id] ? 1 : 0)),
    reference: await referenceOf(side, yHat, options, faults),
    last: trust && { frame, trust },
  });
  return { ...repaired, fromMemory: options.memory && (trust?.share ?? 0) };
}

/** Whether the sender gave an SFV any symbols or bytes. */
function isSent(side: SideInfo, id: number): boolean {
  return side.kind === 'integrated' ? side.sfvScales[id] !== SFV_NOT_SENT : side.levels[id] !== LEVEL_NOT_SENT;
}

/** The reference that the side information names; a fault where this end does not hold it or it has another size. */
async function referenceOf(
  { referenceId }: SideInfo,
  { rows, columns, channels }: FeatureMap,
  { reference }: DecodeOptions,
  faults: string[],
): Promise<FeatureMap | undefined> {
  if (referenceId === undefined) return undefined;
  const name = referenceId.toString(16).padStart(8, '0');
  const found = await reference?.(referenceId);
  if (!found) faults.push(`the sender names reference picture ${name}, which is not here`);
  else if (found.rows !== rows || found.columns !== columns || found.channels !== channels) {
    faults.push(`reference picture ${name} has ${found.columns}x${found.rows} cells, the picture ${columns}x${rows}`);
  } else return found;
  return undefined;
}

/** Nothing is known but why. */
export function outage(note: string): DecodedImage {
  return { image: undefined, decodable: false, complete: false, mask: undefined, note };
}
