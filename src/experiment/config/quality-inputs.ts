import { existsSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { UsageError } from '../../common/errors.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';
import { flatImage, type RgbImage } from '../../sct/image/rgb-image.ts';
import { type LabelImage, loadStreetLabels, roiMask } from '../../sct/quality/label-image.ts';
import { Lpips, parseLpipsName } from '../../sct/quality/lpips.ts';
import { parseJudgeName, StreetJudge } from '../../sct/quality/street-judge.ts';
import type { LinkConfig } from './link-config.ts';

/** What `--truth`, `--lpips` and `--judge` add to the comparison of a received picture with its original. */
export interface QualityInputs {
  /** 1 inside the ground-truth region of interest, one element a pixel; undefined without truth. */
  readonly roiMask: Uint8Array | undefined;
  /** Its labels, one element a pixel, void above 10. */
  readonly truth: Uint8Array | undefined;
  /** What the user's networks say of what came. */
  networks(original: RgbImage | undefined, decoded: DecodedImage | undefined): Promise<NetworkFigures>;
}

/** null: no network, or nothing to compare with. */
export interface NetworkFigures {
  readonly lpips: number | null;
  /** Mean IoU of the judge's classes with the truth, of the received picture and of the original. */
  readonly judgeMIoU: number | null;
  readonly judgeCleanMIoU: number | null;
}

export const NO_FIGURES: NetworkFigures = { lpips: null, judgeMIoU: null, judgeCleanMIoU: null };

type MetricInputs = Pick<LinkConfig, 'lpips' | 'judge' | 'truth'>;

/**
 * Opens the metric inputs of a run before anything is sent, so that a wrong file costs no transmission.
 *
 * UsageError when a file is not there or not right, the label map's size is not the original's, or a judge has no truth to judge by; ModelError
 * for a network of another hash.
 */
export async function openQualityInputs(config: MetricInputs, reference: RgbImage | undefined): Promise<QualityInputs> {
  if (config.judge !== undefined && config.truth === undefined) {
    throw new UsageError('--judge needs --truth LABELS.png', 'the ground truth that its classes are held against');
  }
  const labels = config.truth === undefined ? undefined : await labelsOf(config.truth, reference);
  const [lpipsName, judgeName] = [
    config.lpips && parseLpipsName(config.lpips),
    config.judge && parseJudgeName(config.judge),
  ];
  const lpips = lpipsName ? await Lpips.open(lpipsName.path, lpipsName.sha256) : undefined;
  const judge = judgeName ? await StreetJudge.open(judgeName.path, judgeName.sha256) : undefined;
  let clean: Promise<number | null> | undefined;
  return {
    roiMask: labels && roiMask(labels.data),
    truth: labels?.data,
    networks: async (original, decoded) => {
      if (decoded?.decodable && decoded.image === undefined) return NO_FIGURES; // Nobody asked for a picture.
      const shown = original ? asShown(receivedPicture(decoded), original) : receivedPicture(decoded);
      if (!shown) return NO_FIGURES;
      const judgeOf = async (picture: RgbImage) =>
        judge && labels && sameSize(picture, labels) ? (await judge.judge(picture, labels.data)).mIoU : null;
      if (original) clean ??= judgeOf(original);
      return {
        lpips: lpips && original ? await lpips.measure(original, shown) : null,
        judgeMIoU: await judgeOf(shown),
        judgeCleanMIoU: (await clean) ?? null,
      };
    },
  };
}

/** What the receiver shows: the file, or a semantic codec's guess, which is marked as such; undefined in an outage. */
export function receivedPicture(decoded: DecodedImage | undefined): RgbImage | undefined {
  return decoded?.decodable || decoded?.sfvs !== undefined ? decoded.image : undefined;
}

type Size = Pick<RgbImage, 'width' | 'height'>;

function sameSize(a: Size, b: Size): boolean {
  return a.width === b.width && a.height === b.height;
}

/** Nothing, or another size, counts as flat mid-grey. */
function asShown(received: RgbImage | undefined, size: Size): RgbImage {
  return received && sameSize(received, size) ? received : flatImage(size.width, size.height);
}

async function labelsOf(path: string, reference: RgbImage | undefined): Promise<LabelImage> {
  const labels = await loadStreetLabels(path);
  if (reference && !sameSize(labels, reference)) {
    throw new UsageError(
      `--truth ${path} is ${labels.width}x${labels.height}, the photo ${reference.width}x${reference.height}`,
      'give the label map of that photo',
    );
  }
  return labels;
}

/** The settings of one picture of a folder: `--truth` is then a folder of label maps with the photos' names. */
export function truthOfPhoto<T extends { readonly truth?: string | undefined }>(config: T, photoPath: string): T {
  const { truth } = config;
  if (truth === undefined || !statSync(truth, { throwIfNoEntry: false })?.isDirectory()) return config;
  return { ...config, truth: join(truth, `${basename(photoPath, extname(photoPath))}.png`) };
}

/** A stored run's settings without metric inputs that are no longer there: their figures become null. */
export function withoutMissingInputs<T extends { [K in keyof MetricInputs]?: string | undefined }>(stored: T): T {
  const { lpips, judge, truth, ...rest } = stored;
  const there = truth !== undefined && existsSync(truth);
  return {
    ...rest,
    ...(lpips !== undefined && existsSync(parseLpipsName(lpips).path) ? { lpips } : {}),
    ...(there && judge !== undefined && existsSync(parseJudgeName(judge).path) ? { judge } : {}),
    ...(there ? { truth } : {}),
  } as T;
}
