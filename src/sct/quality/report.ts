import { flatImage, type RgbImage } from '../image/rgb-image.ts';
import { msSsim } from './ms-ssim.ts';
import { psnrDb, roiPsnrDb, weightedPsnrDb } from './psnr.ts';
import { ssim } from './ssim.ts';

/** PSNR written for identical pictures, and the most ever written: keeps JSON and means finite. */
export const PSNR_CEILING_DB = 100;

/** What is asked of one comparison; everything but the pictures is optional. */
export interface QualityInput {
  /** The original; undefined at a remote receiver, then every figure is null. */
  readonly reference: RgbImage | undefined;
  /** What arrived; undefined when nothing could be decoded: scored as flat mid-grey 128. */
  readonly received: RgbImage | undefined;
  /** Ground-truth region of interest, one element a pixel, not 0 inside. */
  readonly roiMask?: Uint8Array | undefined;
  /** Importance, one weight a pixel. */
  readonly weights?: Float32Array | undefined;
  /** LPIPS as measured by a network that the user supplied (lpips.ts); null or absent: not measured. */
  readonly lpips?: number | null | undefined;
}

/** Quality of a received picture; null is "not measured", never "bad". */
export interface QualityReport {
  readonly psnrDb: number | null;
  readonly ssim: number | null;
  readonly msSsim: number | null;
  readonly roiPsnrDb: number | null;
  readonly importanceWeightedPsnrDb: number | null;
  readonly lpips: number | null;
  readonly mIoU: number | null;
}

const nothing: QualityReport = {
  psnrDb: null,
  ssim: null,
  msSsim: null,
  roiPsnrDb: null,
  importanceWeightedPsnrDb: null,
  lpips: null,
  mIoU: null,
};

/**
 * All figures of one received picture. PSNR values above 100 dB (identical pictures) are written as 100.
 *
 * @throws UsageError when the sizes of reference, received picture, mask or weights differ
 */
export function measureQuality(input: QualityInput): QualityReport {
  const { reference, roiMask, weights } = input;
  if (!reference) return nothing;
  const received = input.received ?? flatImage(reference.width, reference.height);
  return {
    ...nothing,
    psnrDb: finite(psnrDb(reference, received)),
    ssim: ssim(reference, received),
    msSsim: msSsim(reference, received),
    roiPsnrDb: roiMask ? finite(roiPsnrDb(reference, received, roiMask)) : null,
    importanceWeightedPsnrDb: weights ? finite(weightedPsnrDb(reference, received, weights)) : null,
    lpips: input.lpips ?? null,
  };
}

function finite(db: number | null): number | null {
  return db === null ? null : Math.min(db, PSNR_CEILING_DB);
}
