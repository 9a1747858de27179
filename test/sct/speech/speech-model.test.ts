import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { RangeDecoder, RangeEncoder } from '../../../src/sct/partition/range-coder.ts';
import { AdaptiveLengths, AdaptiveNumbers } from '../../../src/sct/speech/adaptive-symbols.ts';
import { audibility } from '../../../src/sct/speech/audibility.ts';
import { BANDS, bandPowers } from '../../../src/sct/speech/bands.ts';
import { frameCount, mdct } from '../../../src/sct/speech/mdct.ts';
import { segment } from '../../../src/sct/speech/segments.ts';
import { SPEECH_RATE_HZ } from '../../../src/sct/speech/speech.ts';
import { fitModel, levelsOf, SHAPES, type SpeechModel } from '../../../src/sct/speech/speech-model.ts';
import {
  decodeSpeechSide,
  encodeSpeechSide,
  type SfvCoding,
  type SpeechSide,
} from '../../../src/sct/speech/speech-side.ts';
import { periodicity } from '../../../src/sct/speech/voicing.ts';
import { utterance } from './voices.ts';

/** A model of any numbers that fit together. */
function anyModel(random: RandomStream): SpeechModel {
  const samples = 1 + random.integer(20_000);
  let left = frameCount(samples);
  const sfvs: number[][] = [];
  while (left > 0) {
    const blocks: number[] = [];
    for (let b = 1 + random.integer(3); b > 0 && left > 0; b--) {
      const frames = Math.min(left, 1 + random.integer(9));
      blocks.push(frames);
      left -= frames;
    }
    sfvs.push(blocks);
  }
  const gains = Uint8Array.from({ length: frameCount(samples) }, () => random.integer(64));
  const shapes = Int8Array.from({ length: sfvs.flat().length * SHAPES }, () => random.integer(63) - 31);
  return { samples, sfvs, gains, shapes };
}

function anySide(random: RandomStream): SpeechSide {
  const model = anyModel(random);
  const sfvs = model.sfvs.map((): SfvCoding => {
    const label = random.integer(3) as SfvCoding['label'];
    return { label, scale: random.integer(128), share: 1 + random.integer(16) };
  });
  return { model, sfvs };
}

test('side information is read as it was written', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const side = anySide(new RandomStream(seed));
      assert.deepEqual(decodeSpeechSide(encodeSpeechSide(side)), side);
    }),
    { numRuns: 200 },
  );
});

test('spoilt side information gives a model that fits together, or is refused by name', () => {
  const random = new RandomStream('spoilt side');
  let taken = 0;
  for (let i = 0; i < 3000; i++) {
    const whole = encodeSpeechSide(anySide(random));
    const bytes = random.integer(2) ? whole.slice(0, 1 + random.integer(whole.length)) : whole;
    for (let k = 0; k < random.integer(4); k++) bytes[random.integer(bytes.length)] ^= 1 << random.integer(8);
    try {
      const { model, sfvs } = decodeSpeechSide(bytes);
      const blocks = model.sfvs.flat();
      assert.equal(
        blocks.reduce((a, b) => a + b, 0),
        frameCount(model.samples),
      );
      assert.ok(blocks.every((n) => n >= 1));
      assert.equal(sfvs.length, model.sfvs.length);
      assert.equal(model.gains.length, frameCount(model.samples));
      assert.equal(model.shapes.length, blocks.length * SHAPES);
      assert.ok(levelsOf(model).every((l) => l <= 63));
      taken++;
    } catch (error) {
      assert.ok(error instanceof FormatError, `${error}`);
    }
  }
  assert.ok(taken > 300, `${taken} were taken`);
});

test('adaptive numbers come back, and cost little where they are alike', () => {
  const random = new RandomStream('numbers');
  const values = Array.from({ length: 2000 }, () => Math.max(-20, Math.min(20, Math.round(random.normal()) + 0)));
  const sizes = values.map((v) => Math.abs(v) * 1000);
  const coder = new RangeEncoder();
  const [numbers, lengths] = [new AdaptiveNumbers(20, 4), new AdaptiveLengths(20)];
  for (const v of values) numbers.encode(v, coder);
  const before = coder.finish().length;
  // A normal number rounded to whole ones has 2.1 bits.
  assert.ok(before < (2000 * 2.25) / 8, `${before} bytes`);
  const both = new RangeEncoder();
  const again = new AdaptiveNumbers(20, 4);
  values.forEach((v, i) => {
    again.encode(v, both);
    lengths.encode(sizes[i], both);
  });
  const reader = new RangeDecoder(both.finish());
  const [n, l] = [new AdaptiveNumbers(20, 4), new AdaptiveLengths(20)];
  values.forEach((v, i) => {
    assert.equal(n.decode(reader), v);
    assert.equal(l.decode(reader), sizes[i]);
  });
});

test('the model of noise of known variance is that variance, to half a step', () => {
  const random = new RandomStream('variance');
  const x = Float32Array.from({ length: 60 * 320 }, () => 0.1 * random.normal());
  const powers = bandPowers(mdct(x));
  const blocks = new Array(10).fill(6);
  blocks.push(frameCount(x.length) - 60);
  const levels = levelsOf(fitModel({ samples: x.length, sfvs: [blocks] }, powers));
  const wanted = 32 + Math.log2(0.01); // 25.36
  let sum = 0;
  for (let t = 6; t < 54; t++) for (let b = 6; b < BANDS; b++) sum += levels[t * BANDS + b] - wanted;
  assert.ok(Math.abs(sum / (48 * 12)) < 0.5, `${sum / (48 * 12)} steps`);
});

test('vowels are voiced, fricatives are not, pauses are silence; importance lies in speech', () => {
  const speech = utterance(2.4);
  const powers = bandPowers(mdct(speech.samples));
  const { importance, active, contentBits } = audibility(powers);
  const periodic = periodicity(speech.samples);
  const sfvs = segment(powers, active, periodic, 12);
  assert.ok(sfvs.length === 12);
  assert.equal(
    sfvs.flatMap((s) => s.blocks).reduce((a, b) => a + b, 0),
    active.length,
  );
  assert.deepEqual(new Set(sfvs.map((s) => s.label)), new Set([0, 1, 2]));
  assert.ok(contentBits > 0);
  importance.forEach((v, t) => {
    assert.ok(v >= 0 && v <= 1);
    if (!active[t]) assert.ok(v < 0.2, `frame ${t}: ${v}`);
  });
  const silent = audibility(new Float64Array(40 * BANDS));
  assert.equal(silent.contentBits, 0);
  assert.ok(silent.importance.every((v) => v === 0));
  const tone = Float32Array.from({ length: 3200 }, (_, n) => Math.sin((2 * Math.PI * 120 * n) / SPEECH_RATE_HZ));
  assert.ok(periodicity(tone)[5] > 0.98);
});
