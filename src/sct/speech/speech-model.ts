import { FormatError } from '../../common/errors.ts';
import type { RangeDecoder, RangeEncoder } from '../partition/range-coder.ts';
import { AdaptiveLengths, AdaptiveNumbers } from './adaptive-symbols.ts';
import { BANDS, bandWidth } from './bands.ts';
import { FRAME, frameCount } from './mdct.ts';

/** Level of variance 1; a step is a factor 2 (3 dB). */
export const UNIT_LEVEL = 32;
/** Levels and gains are 0..63, shapes -31..31. */
export const MAX_LEVEL = 63;
const MAX_SHAPE = 31;
/** A shape is of two neighbouring bands: twice as fine costs more symbols in side information than it saves. */
export const SHAPES = BANDS / 2;
const ROUNDS = 4;

/** Stretches of frames, as both ends know them. */
export interface SpeechLayout {
  readonly samples: number;
  /** Frames of each block of each SFV. */
  readonly sfvs: readonly (readonly number[])[];
}

/** Variances as whole numbers: that of a coefficient is 2^(level - 32), level = gain(frame) + shape(block, pair of bands) within 0..63. */
export interface SpeechModel extends SpeechLayout {
  readonly gains: Uint8Array; // [frame]
  readonly shapes: Int8Array; // [block][pair of bands]
}

/** Where an SFV's frames are. */
export interface FrameSpan {
  readonly from: number;
  readonly frames: number;
}

export function spansOf({ sfvs }: SpeechLayout): FrameSpan[] {
  let from = 0;
  return sfvs.map((blocks) => {
    const span = { from, frames: blocks.reduce((a, b) => a + b, 0) };
    from += span.frames;
    return span;
  });
}

/** Level of each band of each frame, [frame][band]. */
export function levelsOf({ sfvs, gains, shapes }: SpeechModel): Uint8Array {
  const out = new Uint8Array(gains.length * BANDS);
  let t = 0;
  sfvs.flat().forEach((frames, block) => {
    for (const end = t + frames; t < end; t++) {
      for (let b = 0; b < BANDS; b++) {
        out[t * BANDS + b] = clamp(gains[t] + shapes[block * SHAPES + (b >> 1)], 0, MAX_LEVEL);
      }
    }
  });
  return out;
}

/**
 * The variances that are most likely, by turns: gain = mean over a frame of power / shape, shape = mean over a block of power / gain, each rounded
 * to its code.
 *
 * @param powers [frame][band], mean power of a coefficient
 */
export function fitModel(layout: SpeechLayout, powers: Float64Array): SpeechModel {
  const blocks = layout.sfvs.flat();
  const gains = new Uint8Array(powers.length / BANDS);
  const shapes = new Int8Array(blocks.length * SHAPES);
  for (let round = 0; round < ROUNDS; round++) {
    let t = 0;
    blocks.forEach((frames, block) => {
      const shape = shapes.subarray(block * SHAPES, (block + 1) * SHAPES);
      for (let f = t; f < t + frames; f++) {
        let sum = 0;
        for (let b = 0; b < BANDS; b++) sum += (bandWidth(b) * powers[f * BANDS + b]) / 2 ** shape[b >> 1];
        gains[f] = clamp(UNIT_LEVEL + log2(sum / FRAME), 0, MAX_LEVEL);
      }
      for (let s = 0; s < SHAPES; s++) {
        const [low, high] = [bandWidth(2 * s), bandWidth(2 * s + 1)];
        let sum = 0;
        for (let f = t; f < t + frames; f++) {
          const at = f * BANDS + 2 * s;
          sum += (low * powers[at] + high * powers[at + 1]) / 2 ** (gains[f] - UNIT_LEVEL);
        }
        shape[s] = clamp(log2(sum / (frames * (low + high))), -MAX_SHAPE, MAX_SHAPE);
      }
      t += frames;
    });
  }
  return { ...layout, gains, shapes };
}

/** Nearest whole logarithm; of nothing the least there is. */
function log2(power: number): number {
  return power > 0 ? Math.round(Math.log2(power)) : -UNIT_LEVEL;
}

function clamp(v: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, v));
}

/** What both ways of the code learn from. */
function numbers() {
  return {
    blocks: new AdaptiveLengths(12),
    frames: new AdaptiveLengths(12),
    gains: new AdaptiveNumbers(MAX_LEVEL, 4),
    shapes: new AdaptiveNumbers(2 * MAX_SHAPE + 1, 4),
  };
}

/**
 * Appends a model: blocks less 1 of each SFV; frames less 1 of each block but the last, which has what is left; gains as differences from the
 * frame before; shapes as differences from the band below and half of the change that the block before had there.
 */
export function writeModel(model: SpeechModel, coder: RangeEncoder): void {
  const { sfvs, gains, shapes } = model;
  const code = numbers();
  for (const blocks of sfvs) code.blocks.encode(blocks.length - 1, coder);
  for (const frames of sfvs.flat().slice(0, -1)) code.frames.encode(frames - 1, coder);
  gains.forEach((g, t) => {
    code.gains.encode(g - gainBefore(gains, t), coder);
  });
  shapes.forEach((e, at) => {
    code.shapes.encode(e - shapeExpected(shapes, at), coder);
  });
}

/**
 * Reads a model of untrusted bytes: anything decodes to a layout that fills the frames exactly, or is refused.
 *
 * @throws FormatError where lengths contradict the number of samples
 */
export function readModel(coder: RangeDecoder, samples: number, count: number): SpeechModel {
  const all = frameCount(samples);
  const code = numbers();
  if (count > all) throw new FormatError('SFVs', `${count} of ${all} frames`);
  const perSfv = Array.from({ length: count }, () => 1 + code.blocks.decode(coder));
  const total = perSfv.reduce((a, b) => a + b, 0);
  if (total > all) throw new FormatError('blocks', `${total} of ${all} frames`);
  let left = all;
  const frames = Array.from({ length: total }, (_, i) => {
    const own = i === total - 1 ? left : 1 + code.frames.decode(coder);
    left -= own;
    if (left < total - 1 - i) throw new FormatError('frames', `of ${total} blocks are more than the ${all} there are`);
    return own;
  });
  let at = 0;
  const sfvs = perSfv.map((n) => {
    at += n;
    return frames.slice(at - n, at);
  });
  const gains = new Uint8Array(all);
  for (let t = 0; t < all; t++) gains[t] = clamp(gainBefore(gains, t) + code.gains.decode(coder), 0, MAX_LEVEL);
  const shapes = new Int8Array(total * SHAPES);
  for (let i = 0; i < shapes.length; i++) {
    shapes[i] = clamp(shapeExpected(shapes, i) + code.shapes.decode(coder), -MAX_SHAPE, MAX_SHAPE);
  }
  return { samples, sfvs, gains, shapes };
}

/** A frame's gain as expected; half of the range before the first. */
function gainBefore(gains: Uint8Array, t: number): number {
  return t === 0 ? UNIT_LEVEL : gains[t - 1];
}

function shapeExpected(shapes: Int8Array, at: number): number {
  const band = at % SHAPES;
  const [below, before] = [band === 0 ? 0 : shapes[at - 1], at < SHAPES ? 0 : shapes[at - SHAPES]];
  const beforeBelow = band === 0 || at < SHAPES ? 0 : shapes[at - SHAPES - 1];
  return clamp(below + ((before - beforeBelow) >> 1), -MAX_SHAPE, MAX_SHAPE);
}
