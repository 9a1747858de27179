import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError, UsageError } from '../../../src/common/errors.ts';
import { ClassicalCodec } from '../../../src/sct/codec/classical.ts';
import { MixedCodec, MixedReceiver, SpeechLinkCodec } from '../../../src/sct/codec/mixed.ts';
import { decodeMixedSide, encodeMixedSide } from '../../../src/sct/codec/mixed-side.ts';
import { mergeModalities, scoreOffsets } from '../../../src/sct/codec/modality-budget.ts';
import { rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { encodeScore, scoreWeight } from '../../../src/sct/importance/scores.ts';
import { utterance } from '../speech/voices.ts';

test('side information of both is read as it was written; what contradicts itself is refused', () => {
  const bytes = fc.uint8Array({ maxLength: 40 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 254 }),
      bytes,
      bytes,
      (codec, streams, picture, speech) => {
        const side = { codec, streams, picture, speech };
        assert.deepEqual(decodeMixedSide(encodeMixedSide(side)), side);
      },
    ),
  );
  fc.assert(
    fc.property(bytes, (any) => {
      try {
        const { streams, picture, speech } = decodeMixedSide(any);
        assert.ok(streams >= 1 && picture.length + speech.length + 4 === any.length);
      } catch (error) {
        assert.ok(error instanceof FormatError);
      }
    }),
  );
});

const someScores = fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 });

test('on one scale, streams keep their shares of their modality, and modalities have theirs of all', () => {
  fc.assert(
    fc.property(someScores, someScores, fc.double({ min: 0.05, max: 20, noNaN: true }), (a, b, ratio) => {
      const plan = (values: number[]) => {
        const total = values.reduce((x, y) => x + y, 0);
        const streams = values.map((v, id) => ({
          id,
          kind: 'analog' as const,
          score: encodeScore(v / total),
          minSize: 1,
          cells: 1 + (id % 3),
        }));
        return { plan: { streams } };
      };
      const { streams, ranking } = mergeModalities([
        { ...plan(a), importance: 1, priority: 1 },
        { ...plan(b), importance: ratio, priority: 1 },
      ]);
      assert.deepEqual(
        [...ranking].sort((x, y) => x - y),
        streams.map((s) => s.id),
      );
      const weight = (from: number, to: number) =>
        streams.slice(from, to).reduce((sum, s) => sum + scoreWeight(s.score), 0);
      const found = weight(a.length, streams.length) / weight(0, a.length);
      // Each score is rounded to 4.4 %, each modality's share once more.
      assert.ok(Math.abs(Math.log2(found / ratio)) < 0.13, `${found} for ${ratio}`);
    }),
  );
});

test('each modality keeps its own order, and priority brings one of them forward', () => {
  const plan = (scores: number[], ranking: number[]) => ({
    streams: scores.map((score, id) => ({ id, kind: 'analog' as const, score, minSize: 1, cells: 4 })),
    ranking,
  });
  const picture = plan([240, 230, 200], [1, 0, 2]);
  const speech = plan([235, 235, 0], [1, 0]);
  const order = (priority: number, bits = 1) =>
    mergeModalities([
      { plan: picture, importance: 1, priority: 1 },
      { plan: speech, importance: bits * priority, priority },
    ]).ranking;
  for (const priority of [0.01, 1, 100]) {
    const ids = order(priority);
    assert.deepEqual(
      ids.filter((id) => id < 3),
      [1, 0, 2],
    );
    assert.deepEqual(
      ids.filter((id) => id >= 3),
      [4, 3],
      'a stream that its modality leaves out stays out',
    );
  }
  assert.deepEqual(order(1, 1e-3), order(1, 1e3), 'who is small is not less important for it');
  assert.deepEqual(order(100).slice(0, 2), [4, 3]);
  assert.deepEqual(order(0.01).slice(-2), [4, 3]);
  assert.deepEqual(scoreOffsets([1, 3]), [-32, -7]);
  for (const wrong of [
    [0, 0],
    [1, -1],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
  ]) {
    assert.throws(() => scoreOffsets(wrong), UsageError);
  }
});

test('a picture and speech are coded for one list of grants, and both come back', async () => {
  const image = rgbImage(
    64,
    48,
    Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => 60 + ((i * 7) % 120)),
  );
  const speech = utterance(0.6);
  const codec = new MixedCodec(new ClassicalCodec(), speech, { codecId: 1, priority: 2 });
  const plan = await codec.analyse(image, { maxSfvs: 8 });
  assert.equal(plan.streams[0].kind, 'bits');
  assert.ok(plan.streams.length <= 8 && plan.streams.slice(1).every((s) => s.kind === 'analog'));
  const grants = plan.ranking!.map((id) => ({ id, size: id === 0 ? 3000 : 60 * plan.streams[id].cells! }));
  const encoded = await plan.encode(grants);
  assert.deepEqual(
    encoded.streams.map((s) => s.id),
    grants.map((g) => g.id),
    'in the order of the grants',
  );
  assert.ok(encoded.sideInfo.length <= plan.sideInfoBytes);
  const received = {
    sideInfo: encoded.sideInfo,
    streams: encoded.streams.map((s) =>
      s.kind === 'bits' ? { ...s, missing: [] } : { ...s, snrDb: new Float32Array(s.symbolsReIm.length / 2).fill(40) },
    ),
  };
  const decoded = await codec.decode(received);
  assert.ok(decoded.decodable && decoded.image!.width === 64, decoded.note);
  assert.ok(decoded.speech.complete, decoded.speech.note);
  assert.equal(decoded.speech.speech!.samples.length, speech.samples.length);

  const asked: number[] = [];
  const receiver = new MixedReceiver(async (id) => {
    asked.push(id);
    return new ClassicalCodec();
  });
  const heard = await receiver.decode(received);
  assert.deepEqual(heard, decoded, 'a receiver finds the codec of the picture by what came');
  assert.deepEqual(asked, [1]);
  assert.equal((await receiver.decode({ ...received, sideInfo: new Uint8Array(3) })).decodable, false);
  assert.deepEqual(asked, [1], 'side information that contradicts itself names none');
  await assert.rejects(receiver.analyse(), UsageError);

  const lost = await codec.decode({ ...received, sideInfo: undefined });
  assert.equal(lost.decodable, false);
  assert.equal(lost.speech.decodable, false);
  const other = await new MixedCodec(new ClassicalCodec(), null, { codecId: 3 }).decode(received);
  assert.match(other.note!, /codec 1, this end has 3/);
  await assert.rejects(new MixedCodec(new ClassicalCodec(), null, { codecId: 1 }).analyse(image), UsageError);
  await assert.rejects(new SpeechLinkCodec().analyse(image), UsageError);
  assert.throws(() => new MixedCodec(new ClassicalCodec(), speech, { codecId: 1, priority: 1e5 }), UsageError);
});
