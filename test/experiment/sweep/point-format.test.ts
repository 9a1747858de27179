import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../../src/common/errors.ts';
import { canonical } from '../../../src/experiment/run/canonical-json.ts';
import { INPUT_USES } from '../../../src/experiment/sweep/point.ts';
import { parseFailure, parsePoint, parseResult } from '../../../src/experiment/sweep/point-format.ts';
import { failed, idOf, pointsOf, resultOf } from './sweep-helpers.ts';

const RESULT = JSON.parse(JSON.stringify(resultOf(idOf(3, 4), 31.5)));
const POINT = JSON.parse(JSON.stringify(canonical(pointsOf([2])[1])));

/** The same object with one value replaced. */
function withValue(object: object, path: readonly string[], value: unknown): object {
  const copy = structuredClone(object) as Record<string, unknown>;
  const holder = path.slice(0, -1).reduce((o, key) => o[key] as Record<string, unknown>, copy);
  holder[path.at(-1)!] = value;
  return copy;
}

test('what was written is read again', () => {
  assert.deepEqual(parseResult(RESULT), RESULT);
  assert.deepEqual(parsePoint(POINT), POINT);
  const outcome = failed(pointsOf([1])[0]);
  assert.ok(outcome.kind === 'failed');
  assert.deepEqual(parseFailure(outcome.failure), outcome.failure);
});

test('a wrong field is named', () => {
  const long = 'x'.repeat(5000);
  const results: [path: string[], value: unknown, message: RegExp][] = [
    [['schema'], 'sct.sweep-result/2', /result\.schema: must be sct\.sweep-result\/1/],
    [['id'], 'abc', /id: must be 32 hexadecimal digits/],
    [['id'], `${RESULT.id}0`, /id: /],
    [['metrics'], [], /metrics: must be an object/],
    [['metrics', 'files'], {}, /metrics\.files: is no metric/],
    [['metrics', 'psnrDb'], Number.POSITIVE_INFINITY, /metrics\.psnrDb: must be a finite number/],
    [['metrics', 'codec'], long, /metrics\.codec: 5000 characters/],
    [['metrics', 'ok'], 1, /metrics\.ok: must be true or false/],
    [['metrics', 'sfvs'], new Array(256).fill({}), /metrics\.sfvs: 256 elements/],
    [['exitCode'], 1.5, /exitCode: must be a whole number/],
    [['timings'], { linkMs: 'long' }, /timings\.linkMs: must be a finite number/],
  ];
  for (const [path, value, message] of results) {
    assert.throws(() => parseResult(withValue(RESULT, path, value)), message);
  }
  const points: [path: string[], value: unknown, message: RegExp][] = [
    [['index'], -1, /index: must be a whole number/],
    [['photo'], 7, /photo: must be text/],
    [['inputs'], [{ use: 'shell', path: 'x', sha256: 'a'.repeat(64) }], /inputs\[0\]\.use: must be one of photo/],
    [['inputs'], [{ use: 'photo', path: 'a\0b', sha256: 'a'.repeat(64) }], /inputs\[0\]\.path: must be a path/],
    [['inputs'], [{ use: 'photo', path: 'a', sha256: 'A'.repeat(64) }], /inputs\[0\]\.sha256: must be 64/],
    [['inputs'], new Array(INPUT_USES.length + 1).fill({}), /inputs: \d+ elements/],
    [['config', 'snrDb'], 999, /config: .*out of range/],
    [['config', 'shell'], 'x', /config: unknown setting "shell"/],
  ];
  for (const [path, value, message] of points) {
    assert.throws(() => parsePoint(withValue(POINT, path, value)), message);
  }
});

test('anything else is refused, and nothing but that', () => {
  const keys = fc.constantFrom('schema', 'id', 'index', 'group', 'inputs', 'config', 'metrics', 'timings', 'exitCode');
  fc.assert(
    fc.property(keys, fc.anything({ maxDepth: 3 }), (key, value) => {
      for (const [parse, whole] of [
        [parsePoint, POINT],
        [parseResult, RESULT],
        [parseFailure, { id: RESULT.id, message: 'x', exitCode: 2 }],
      ] as const) {
        for (const input of [value, { ...whole, [key]: value }]) {
          try {
            parse(input);
          } catch (error) {
            assert.ok(error instanceof FormatError, String(error));
          }
        }
      }
    }),
  );
});
