import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { flatImage } from '../../../src/sct/image/rgb-image.ts';
import { parseJudgeName, StreetJudge } from '../../../src/sct/quality/street-judge.ts';
import { TensorError } from '../../../src/sct/semantics/model-error.ts';
import { syntheticSource } from './synthetic.ts';

const vector = (name: string) => fileURLToPath(new URL(`../../vectors/quality/${name}`, import.meta.url));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const open = (name: string) => StreetJudge.open(vector(name), sha256(readFileSync(vector(name))));

test('classes, mIoU and accuracy of a picture are those of PyTorch', async () => {
  const expected = JSON.parse(readFileSync(vector('judge-toy.json'), 'utf8'));
  const judge = await open('judge-toy.onnx');
  const picture = syntheticSource(expected.width, expected.height);
  const labels = await judge.labels(picture);
  const counts = Array.from({ length: 11 }, (_, c) => labels.filter((v) => v === c).length);
  assert.deepEqual(counts, expected.counts);
  assert.equal(sha256(labels), expected.sha256);
  const truth = labels.map((v, i) => v + Number(i % 7 === 0));
  const report = await judge.judge(picture, truth);
  assert.ok(Math.abs(report.mIoU! - expected.mIoU) < 1e-6);
  assert.ok(Math.abs(report.pixelAccuracy! - expected.pixelAccuracy) < 1e-6);
  assert.equal((await judge.judge(picture, labels)).mIoU, 1);
  assert.equal(
    (
      await judge.judge(
        picture,
        labels.map(() => 11),
      )
    ).mIoU,
    null,
  );
  await judge.close();
});

test('a map of another size and a network with other classes are refused', async () => {
  const judge = await open('judge-toy.onnx');
  await assert.rejects(
    judge.judge(flatImage(16, 16), new Uint8Array(255)),
    /label map has 255 pixels, the picture 256/,
  );
  const ten = await open('judge-toy-ten.onnx');
  await assert.rejects(ten.labels(flatImage(20, 16)), (error: TensorError) => {
    return error instanceof TensorError && /shape \[1, 10, 8, 16\], not \[1, 11, H\/s, W\/s\]/.test(error.message);
  });
  await assert.rejects(open('lpips-toy.onnx'), /inputs a, b: asked for image/);
  assert.throws(() => parseJudgeName('judge.onnx'), /--judge: "judge.onnx" is not FILE:SHA256/);
});
