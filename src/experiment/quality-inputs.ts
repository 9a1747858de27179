import { existsSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { UsageError } from '../common/errors.ts';
import { flatImage, type RgbImage } from '../sct/image/rgb-image.ts';
import { loadStreetLabels, roiMask } from '../sct/quality/label-image.ts';
import { Lpips, parseLpipsName } from '../sct/quality/lpips.ts';
import type { LinkConfig } from './link-config.ts';

/** What `--truth` and `--lpips` add to the comparison of a received picture with its original. */
export interface QualityInputs {
  /** 1 inside the ground-truth region of interest, one element a pixel; undefined without truth. */
  readonly roiMask: Uint8Array | undefined;
  /** Its labels, one element a pixel, void above 10. */
  readonly truth: Uint8Array | undefined;
  /** LPIPS of the original and what arrived (nothing, or another size = mid-grey); null without a network. */
  lpips(reference: RgbImage | undefined, received: RgbImage | undefined): Promise<number | null>;
}

/**
 * Opens the metric inputs of a run before anything is sent, so that a wrong file costs no transmission.
 *
 * UsageError when a file is not there or not right, or the label map's size is not the original's; ModelError for a
 * network of another hash.
 */
export async function openQualityInputs(
  config: Pick<LinkConfig, 'lpips' | 'truth'>,
  reference: RgbImage | undefined,
): Promise<QualityInputs> {
  let truth: Uint8Array | undefined;
  if (config.truth !== undefined) {
    const labels = await loadStreetLabels(config.truth);
    if (reference && (labels.width !== reference.width || labels.height !== reference.height)) {
      throw new UsageError(
        `--truth ${config.truth} is ${labels.width}x${labels.height}, the photo ${reference.width}x${reference.height}`,
        'give the label map of that photo',
      );
    }
    truth = labels.data;
  }
  const named = config.lpips === undefined ? undefined : parseLpipsName(config.lpips);
  const network = named ? await Lpips.open(named.path, named.sha256) : undefined;
  return {
    roiMask: truth && roiMask(truth),
    truth,
    lpips: async (original, received) => {
      if (!network || !original) return null;
      const { width, height } = original;
      const shown = received?.width === width && received.height === height ? received : flatImage(width, height);
      return network.measure(original, shown);
    },
  };
}

/** The settings of one picture of a folder: `--truth` is then a folder of label maps with the photos' names. */
export function truthOfPhoto<T extends { readonly truth?: string | undefined }>(config: T, photoPath: string): T {
  const { truth } = config;
  if (truth === undefined || !statSync(truth, { throwIfNoEntry: false })?.isDirectory()) return config;
  return { ...config, truth: join(truth, `${basename(photoPath, extname(photoPath))}.png`) };
}

/** A stored run's settings without metric inputs that are no longer there: their figures become null. */
export function withoutMissingInputs<T extends { lpips?: string | undefined; truth?: string | undefined }>(
  stored: T,
): T {
  const { lpips, truth, ...rest } = stored;
  return {
    ...rest,
    ...(lpips !== undefined && existsSync(parseLpipsName(lpips).path) ? { lpips } : {}),
    ...(truth !== undefined && existsSync(truth) ? { truth } : {}),
  } as T;
}
