import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../src/common/errors.ts';
import { ReceiverCodecs, senderCodec } from '../../src/experiment/config/link-codecs.ts';
import { resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { loopback, photo, receive, replay, scratch, send } from './link-helpers.ts';

const pairOf = (name: string) => `onnx:${fileURLToPath(new URL(`../vectors/user-codec/${name}`, import.meta.url))}`;
const LINK = { numerology: 6, snrDb: 15, cbr: 1 / 4 } as const;

test('a picture goes through the modem with a pair of the user, with metrics and the hash of the pair', async (t) => {
  const folder = await scratch(t);
  const path = await photo(join(folder, 'photo.png'), 96, 64);
  const { metrics, exitCode } = await loopback(path, join(folder, 'run'), { ...LINK, codec: pairOf('pair') });
  assert.equal(exitCode, 0);
  assert.equal(metrics.codec, 'user');
  assert.match(metrics.modelSet!, /^[0-9a-f]{8}$/);
  assert.ok(metrics.psnrDb! > 15 && metrics.cbr! <= LINK.cbr, `${metrics.psnrDb} dB at ${metrics.cbr}`);
});

test('sent to a file, received from it with the same pair and replayed; the wrong pair and none are wrong input', async (t) => {
  const folder = await scratch(t);
  const path = await photo(join(folder, 'photo.png'), 96, 64);
  const air = `file:${join(folder, 'air')}`;
  const codec = pairOf('pair');
  await send(path, air, join(folder, 'tx'), { numerology: 6, cbr: 1 / 4, assumeSnrDb: 20, codec });
  const rx = await receive(air, join(folder, 'rx'), { numerology: 6, codec });
  assert.equal(rx.exitCode, 0);
  assert.deepEqual([rx.metrics.codec, rx.metrics.ok], ['user', true]);
  assert.deepEqual((await replay(join(folder, 'rx'), join(folder, 'again'), true)).differences, []);
  for (const [other, message] of [
    [{ codec: pairOf('loud') }, /sent with the pair [0-9a-f]{8}; this receiver has [0-9a-f]{8}/],
    [{}, /pair of the sender's own, [0-9a-f]{8}; this receiver has none/],
  ] as const) {
    await assert.rejects(
      () => receive(air, join(folder, 'other'), { numerology: 6, ...other }),
      (e: unknown) => e instanceof UsageError && message.test(e.message) && /--codec onnx:DIR/.test(e.hint ?? ''),
    );
  }
});

test('a pair that breaks power, and a budget too small for its symbols, are refused as wrong input', async (t) => {
  const folder = await scratch(t);
  const path = await photo(join(folder, 'photo.png'), 96, 64);
  const refused = (input: object, message: RegExp) =>
    assert.rejects(
      () => loopback(path, join(folder, `run ${message.source}`.replace(/\W/g, '')), { ...LINK, ...input }),
      (e: unknown) => e instanceof UsageError && message.test(e.message) && e.exitCode === 2,
    );
  await refused({ codec: pairOf('loud') }, /onnx:.*mean power/);
  await refused({ codec: pairOf('pair'), cbr: 1 / 100 }, /budget holds/);
  await refused({ codec: pairOf('none') }, /no such file/);
  assert.throws(() => resolveLinkConfig({ codec: pairOf('pair'), mode: 'selective' }), /--mode: not with a pair/);
  assert.throws(() => resolveLinkConfig({ codec: 'onnx:' }), /is not one of/);
});

test('a receiver without the pair, or with another one, names what both ends have', async () => {
  const config = resolveLinkConfig({ codec: pairOf('pair') });
  const { modelSet } = await senderCodec(config);
  const with_ = new ReceiverCodecs(config);
  assert.equal((await with_.find('user', modelSet)).name, 'user');
  const id = modelSet.toString(16).padStart(8, '0');
  await assert.rejects(() => with_.find('user', 1), new RegExp(`pair 00000001; this receiver has ${id}`));
  const without = new ReceiverCodecs(resolveLinkConfig({}));
  await assert.rejects(() => without.find('user', modelSet), new RegExp(`${id}; this receiver has none`));
});
