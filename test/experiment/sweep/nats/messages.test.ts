import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError, SctError } from '../../../../src/common/errors.ts';
import {
  decodeIndex,
  encodeIndex,
  PART_BYTES,
  type StoredInput,
} from '../../../../src/experiment/sweep/nats/input-files.ts';
import {
  decodeOutcome,
  decodePoint,
  encodeOutcome,
  encodePoint,
  fileName,
  inOwnWords,
  MAX_MESSAGE_BYTES,
} from '../../../../src/experiment/sweep/nats/messages.ts';
import type { SweepPoint } from '../../../../src/experiment/sweep/point.ts';
import { failed, measured, pointsOf } from '../sweep-helpers.ts';
import '../../../fixed-seed.js';

const [POINT] = pointsOf([1]);
const PHOTO = { use: 'photo', path: '/photos/a.png', sha256: 'a'.repeat(64) } as const;
const SPEECH = { use: 'speech', path: '/speech/a.wav', sha256: 'b'.repeat(64) } as const;

function bytesOf(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** The same bytes with one of them changed, left out or added. */
function damaged(good: Uint8Array) {
  return fc.tuple(fc.nat(good.length - 1), fc.nat(255), fc.constantFrom(0, 1, 2)).map(([at, byte, how]) => {
    const before = good.subarray(0, at);
    const after = good.subarray(how === 0 ? at : at + 1);
    return Buffer.concat(how === 2 ? [before, after] : [before, Uint8Array.of(byte), after]);
  });
}

test('points and outcomes come out of their messages as they went in', () => {
  const point: SweepPoint = { ...POINT, photo: 'a.png', inputs: [PHOTO] };
  const spoken: SweepPoint = { ...POINT, speech: { name: 'a.wav', alone: true, priority: 2 }, inputs: [SPEECH] };
  for (const one of [POINT, point, spoken]) assert.deepEqual(decodePoint(one.id, encodePoint(one)), one);
  for (const outcome of [measured(POINT, 31.5), measured(POINT, null), failed(POINT)]) {
    assert.deepEqual(decodeOutcome(POINT, encodeOutcome(POINT.id, outcome)), outcome);
  }
});

test('a message is that of its subject, and reads no file that is not an input', () => {
  const other = '0'.repeat(32);
  assert.throws(() => decodePoint(other, encodePoint(POINT)), /not that of its subject/);
  assert.throws(
    () => decodeOutcome({ ...POINT, id: other }, encodeOutcome(POINT.id, measured(POINT, 1))),
    /another point/,
  );
  assert.throws(() => decodeOutcome({ ...POINT, id: other }, encodeOutcome(POINT.id, failed(POINT))), /another point/);
  const settings: [object, RegExp][] = [
    [{ truth: '/etc/passwd' }, /no truth/],
    [{ modelsDir: '/etc' }, /no models/],
    [{ rxModelsDir: '/etc' }, /no rx-models/],
    [{ known: '/etc' }, /no known/],
    [{ lpips: `/etc/passwd:${'0'.repeat(64)}` }, /no lpips/],
    [{ judge: `/etc/passwd:${'0'.repeat(64)}` }, /no judge/],
    [{ channel: 'trace:/etc' }, /no trace/],
    [{ codec: 'onnx:/etc', format: undefined }, /no pair/],
    [{ feedback: 'ws://host:1' }, /way back/],
    [{ feedback: 'nats://host' }, /way back/],
    [{ feedbackToken: '/etc/passwd' }, /way back/],
    [{ snrDb: 'much' }, /--snr/],
    [{ unheardOf: 1 }, /unknown setting/],
  ];
  for (const [more, says] of settings) {
    const point = { ...POINT, config: { ...POINT.config, ...more } };
    assert.throws(() => decodePoint(POINT.id, bytesOf(point)), says, JSON.stringify(more));
  }
  const photos: [object, RegExp][] = [
    [{ photo: 'a.png' }, /do not agree/],
    [{ photo: null, inputs: [PHOTO] }, /do not agree/],
    [{ photo: '../a.png', inputs: [PHOTO] }, /not the name of a file/],
    [{ photo: 'a.png', inputs: [PHOTO, PHOTO] }, /a use twice/],
    [{ speech: { name: 'a.wav', alone: true } }, /do not agree/],
    [{ inputs: [SPEECH] }, /do not agree/],
    [{ speech: { name: '../a.wav', alone: true }, inputs: [SPEECH] }, /not the name of a file/],
    [{ inputs: [{ ...PHOTO, sha256: 'A'.repeat(64) }] }, /hexadecimal/],
  ];
  for (const [more, says] of photos) {
    assert.throws(() => decodePoint(POINT.id, bytesOf({ ...POINT, ...more })), says, JSON.stringify(more));
  }
  for (const name of ['', '.', '..', 'a/b', '/a', 'a\\b', 'a\nb', 'a\0b', 'é'.repeat(128)]) {
    assert.throws(() => fileName('name', name), FormatError, JSON.stringify(name));
  }
});

test('whatever comes is a message or a FormatError', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json().map((text) => Buffer.from(text)),
  );
  const readers: [Uint8Array, (bytes: Uint8Array) => unknown][] = [
    [encodePoint(POINT), (data) => decodePoint(POINT.id, data)],
    [encodeOutcome(POINT.id, measured(POINT, 30)), (data) => decodeOutcome(POINT, data)],
    [encodeIndex(INDEX), decodeIndex],
  ];
  for (const [good, read] of readers) {
    fc.assert(
      fc.property(fc.oneof(bytes, damaged(good)), (data) => {
        try {
          read(data);
        } catch (error) {
          if (!(error instanceof SctError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
    assert.throws(() => read(new Uint8Array(MAX_MESSAGE_BYTES + 5000)), FormatError);
  }
});

test('an outcome repeats the settings of its point, and says nothing of the machine that measured it', () => {
  const [trace, set] = ['trace:/home/me/runs/roof', 'ab'.repeat(32)];
  const models = { use: 'models', path: '/home/me/models', sha256: set } as const;
  const point: SweepPoint = { ...POINT, inputs: [models], config: { ...POINT.config, channel: trace } };
  const here: SweepPoint = { ...point, config: { ...point.config, channel: 'trace:/cache/input-trace-1/roof' } };
  const base = measured(point, 30);
  assert.ok(base.kind === 'measured');
  const { result } = base;
  const of = (more: object) => ({ ...base, result: { ...result, metrics: { ...result.metrics, ...more } } });
  const settings = { seed: point.config.seed, snrDb: point.config.snrDb, numerology: 25, modelSet: set.slice(0, 8) };
  const told = inOwnWords(point, here, of({ ...settings, channel: here.config.channel }));
  assert.deepEqual(told, of({ ...settings, channel: trace }));
  assert.deepEqual(decodeOutcome(point, encodeOutcome(point.id, told)), told);
  for (const [more, says] of [
    [{ seed: 99 }, /metrics\.seed: is 99/],
    [{ snrDb: 3.5 }, /metrics\.snrDb/],
    [{ numerology: 6 }, /metrics\.numerology/],
    [{ modelSet: '00000000' }, /metrics\.modelSet/],
  ] as const) {
    assert.throws(() => decodeOutcome(point, encodeOutcome(point.id, of(more))), says);
  }
  // A recorded channel may be said by its name; a modelled one is that of the point.
  decodeOutcome(point, encodeOutcome(point.id, of({ channel: 'trace:roof' })));
  assert.throws(
    () => decodeOutcome(POINT, encodeOutcome(POINT.id, of({ ...settings, channel: 'trace:roof' }))),
    /metrics\.channel/,
  );
});

test('an outcome of more than a message holds is a failure that says so', () => {
  const result = measured(POINT, 1);
  assert.ok(result.kind === 'measured');
  const huge = { ...result.result, metrics: { ...result.result.metrics, channel: 'x'.repeat(MAX_MESSAGE_BYTES) } };
  const bytes = encodeOutcome(POINT.id, { kind: 'measured', result: huge });
  assert.ok(bytes.length <= MAX_MESSAGE_BYTES);
  const outcome = decodeOutcome(POINT, bytes);
  assert.ok(outcome.kind === 'failed');
  assert.match(outcome.failure.message, /at most \d+ go into a message/);
});

const INDEX: StoredInput = {
  schema: 'sct.sweep-input/1',
  kind: 'folder',
  name: 'models',
  files: [
    { path: 'models.json', bytes: 3, parts: ['1'.repeat(64)] },
    { path: 'base/a.onnx', bytes: PART_BYTES + 1, parts: ['2'.repeat(64), '3'.repeat(64)] },
    { path: 'base/empty', bytes: 0, parts: [] },
  ],
};

test('an index leads out of no folder, and its sizes are those of its parts', () => {
  assert.deepEqual(decodeIndex(encodeIndex(INDEX)), INDEX);
  const file = (more: object) => ({ ...INDEX, files: [{ ...INDEX.files[0], ...more }] });
  const wrong: [object, RegExp][] = [
    [{ ...INDEX, name: '..' }, /not the name of a file/],
    [{ ...INDEX, name: 'a/b' }, /not the name of a file/],
    [{ ...INDEX, kind: 'link' }, /not file or folder/],
    [{ ...INDEX, kind: 'file' }, /not the one file/],
    [{ ...INDEX, files: [] }, /names none/],
    [{ ...INDEX, files: [INDEX.files[0], INDEX.files[0]] }, /name one twice/],
    [file({ path: '../models.json' }), /not the name of a file/],
    [file({ path: '/models.json' }), /not the name of a file/],
    [file({ path: 'a//b' }), /not the name of a file/],
    [file({ path: 'a/b/c/d/e/f/g' }), /deep/],
    [file({ bytes: 0 }), /at most 0 allowed/],
    [file({ bytes: PART_BYTES + 1 }), /are not 2 SHA-256/],
    [file({ bytes: -1 }), /is not 0 to/],
    [file({ bytes: 2 ** 50 }), /is not 0 to/],
    [file({ parts: ['../../x'] }), /SHA-256/],
  ];
  for (const [value, says] of wrong) assert.throws(() => decodeIndex(bytesOf(value)), says, JSON.stringify(value));
});
