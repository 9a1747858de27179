import type { DcIqEstimate } from '../../phy/frontend/dc-iq.ts';
import type { StreamSettings } from '../../radio/radio.ts';

/** What a signal must stand over the converter's own noise before its image can be told, dB. */
const LEAST_OVER_CONVERTER_DB = 10;

/** Imbalance of I and Q, and the image that it makes. */
export interface ImageFinding {
  readonly gainDb: number;
  readonly phaseDeg: number;
  /** Relative to what was heard. */
  readonly imageDb: number;
  readonly significant: boolean;
  /** What was heard is hardly more than the converter's noise, which has no image: no figure is worth anything. */
  readonly tooWeak: boolean;
}

/**
 * The imbalance of what came before the converter: its noise C is the same in I and Q, so that of the power P that was heard only P - C is
 * imbalanced, and gain and phase come out smaller by (P - C)/P.
 *
 * @param power of the samples without their DC, relative to full scale
 */
export function imageOf(estimate: DcIqEstimate, power: number, settings: StreamSettings): ImageFinding {
  const converter = 10 ** ((converterNoiseDbfs(settings.format, settings.fullScale) ?? Number.NEGATIVE_INFINITY) / 10);
  const tooWeak = !(power > converter * 10 ** (LEAST_OVER_CONVERTER_DB / 10));
  const grow = tooWeak ? 1 : power / (power - converter);
  const gainDb = grow * estimate.gainDb;
  const phaseDeg = grow * estimate.phaseDeg;
  const phase = (phaseDeg * Math.PI) / 180;
  const gain = 10 ** (gainDb / 20);
  // |1 - g exp(-i phi)|^2 / |1 + g exp(-i phi)|^2
  const cross = 2 * gain * Math.cos(phase);
  const imageDb = 10 * Math.log10((1 + gain * gain - cross) / (1 + gain * gain + cross));
  return { gainDb, phaseDeg, imageDb, significant: estimate.iqSignificant && !tooWeak, tooWeak };
}

/** Noise of an ideal converter, uniform in its step: 2 components of 1/12 step^2. Null for floats. */
export function converterNoiseDbfs(format: StreamSettings['format'], fullScale: number): number | null {
  return format === 'cf32_le' ? null : 10 * Math.log10(1 / 6 / fullScale ** 2);
}
