import { type RgbImage, requireSameSize } from '../image/rgb-image.ts';
import { ssimMeans } from './ssim-statistics.ts';

/** Exponents of the five scales, finest first [Wang03]. */
export const MS_SSIM_WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333] as const;

/** Smallest side that five scales of an 11-sample window allow: (11 - 1) x 2^4 + 1. */
export const MS_SSIM_MIN_SIDE_PX = 161;

/**
 * Multi-scale SSIM [Wang03]: per colour channel prod_{j<5} cs_j^w_j x ssim_5^w_5, then the mean over R, G and B; a
 * negative mean is taken as 0. Between scales 2x2 means; an odd side gets one zero row or column on each side first.
 * These are the conventions of pytorch-msssim, with which the published learned-codec figures were made.
 *
 * @returns 0..1; null when a side is below 161 pixels
 * @throws UsageError when sizes differ
 */
export function msSsim(a: RgbImage, b: RgbImage): number | null {
  requireSameSize(a, b);
  if (Math.min(a.width, a.height) < MS_SSIM_MIN_SIDE_PX) return null;
  let total = 0;
  for (let channel = 0; channel < 3; channel++) total += msSsimOfChannel(a, b, channel);
  return total / 3;
}

/** -10 log10(1 - value): the scale on which MS-SSIM figures are compared; Infinity for 1. */
export function msSsimDb(value: number): number {
  return value >= 1 ? Number.POSITIVE_INFINITY : -10 * Math.log10(1 - value);
}

function msSsimOfChannel(a: RgbImage, b: RgbImage, channel: number): number {
  let width = a.width;
  let height = a.height;
  let x = channelPlane(a, channel);
  let y = channelPlane(b, channel);
  let product = 1;
  for (let scale = 0; scale < MS_SSIM_WEIGHTS.length; scale++) {
    const last = scale === MS_SSIM_WEIGHTS.length - 1;
    const means = ssimMeans(x, y, width, height);
    product *= Math.max(0, last ? means.ssim : means.contrastStructure) ** MS_SSIM_WEIGHTS[scale];
    if (last) break;
    x = halve(x, width, height);
    y = halve(y, width, height);
    width = (width + 1) >> 1;
    height = (height + 1) >> 1;
  }
  return product;
}

function channelPlane(image: RgbImage, channel: number): Float32Array {
  const out = new Float32Array(image.width * image.height);
  for (let p = 0, i = channel; p < out.length; p++, i += 3) out[p] = image.data[i];
  return out;
}

/** 2x2 means; an odd side is padded with one zero in front, so that the first mean holds zeros. */
function halve(src: Float32Array, width: number, height: number): Float32Array {
  const outW = (width + 1) >> 1;
  const outH = (height + 1) >> 1;
  const padX = width & 1;
  const padY = height & 1;
  const out = new Float32Array(outW * outH);
  for (let j = 0; j < outH; j++) {
    for (let i = 0; i < outW; i++) {
      const x1 = 2 * i + 1 - padX;
      const y1 = 2 * j + 1 - padY;
      const left = x1 > 0;
      let sum = src[y1 * width + x1] + (left ? src[y1 * width + x1 - 1] : 0);
      if (y1 > 0) sum += src[(y1 - 1) * width + x1] + (left ? src[(y1 - 1) * width + x1 - 1] : 0);
      out[j * outW + i] = sum / 4;
    }
  }
  return out;
}
