import { UsageError } from '../../common/errors.ts';

/** CamVid's label of pixels that nobody named; they are never counted. */
export const VOID_LABEL = 11;

/** Intersection over union of each class, and what follows from it. */
export interface IouReport {
  /** Mean over the classes that occur in truth or prediction; null when nothing was counted. */
  readonly mIoU: number | null;
  /** TP / (TP + FP + FN) of each class; null for a class that occurs in neither. */
  readonly iou: readonly (number | null)[];
  /** Share of counted pixels with the right class; null when nothing was counted. */
  readonly pixelAccuracy: number | null;
  readonly pixels: number;
}

/**
 * Confusion matrix of label maps, accumulated over a set of pictures: mean intersection over union is taken once from
 * the sum, never averaged over pictures [Everingham10]. Truth labels from `classes` up (CamVid: 11 = void) are left out.
 */
export class ConfusionMatrix {
  readonly classes: number;
  private readonly counts: Float64Array; // [truth][predicted]

  /** @param classes 1 to 255 */
  constructor(classes: number) {
    if (!(Number.isInteger(classes) && classes >= 1 && classes <= 255)) {
      throw new UsageError(`${classes} classes are out of range: allowed 1 to 255`);
    }
    this.classes = classes;
    this.counts = new Float64Array(classes * classes);
  }

  /**
   * Adds one picture.
   *
   * @param predicted @param truth labels [y][x], of one size
   * @throws UsageError when lengths differ, or a counted pixel's prediction is no class
   */
  add(predicted: Uint8Array, truth: Uint8Array): void {
    if (predicted.length !== truth.length) {
      throw new UsageError(`label maps differ in size: ${predicted.length} and ${truth.length} elements`);
    }
    const n = this.classes;
    for (let p = 0; p < truth.length; p++) {
      if (truth[p] >= n) continue;
      if (predicted[p] >= n) {
        throw new UsageError(`predicted label ${predicted[p]} of element ${p} is out of range: allowed 0 to ${n - 1}`);
      }
      this.counts[truth[p] * n + predicted[p]]++;
    }
  }

  /** Pixels with that truth and that prediction. */
  at(truth: number, predicted: number): number {
    return this.counts[truth * this.classes + predicted];
  }

  report(): IouReport {
    const n = this.classes;
    const iou: (number | null)[] = [];
    let right = 0;
    let pixels = 0;
    for (let c = 0; c < n; c++) {
      let truth = 0;
      let predicted = 0;
      for (let d = 0; d < n; d++) {
        truth += this.at(c, d);
        predicted += this.at(d, c);
      }
      const both = this.at(c, c);
      right += both;
      pixels += truth;
      const union = truth + predicted - both;
      iou.push(union === 0 ? null : both / union);
    }
    const known = iou.filter((v): v is number => v !== null);
    return {
      mIoU: known.length === 0 ? null : known.reduce((s, v) => s + v, 0) / known.length,
      iou,
      pixelAccuracy: pixels === 0 ? null : right / pixels,
      pixels,
    };
  }
}
