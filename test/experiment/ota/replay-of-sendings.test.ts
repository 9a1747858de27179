import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loopback, photo, replay, scratch, send } from '../link-helpers.ts';

test('a run that only sent has nothing to replay, and says so', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 96, 64);
  const sent = await send(source, `file:${join(at, 'air')}`, join(at, 'tx'), {
    codec: 'classical',
    format: 'jpeg',
    cbr: 1 / 2,
    numerology: 6,
  });
  assert.equal(sent.exitCode, 0);
  await assert.rejects(
    replay(join(at, 'tx'), join(at, 'again'), false),
    /no received capture: this run only transmitted/,
  );
});

test('a modelled channel has no way back over the air or over a network', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 96, 64);
  for (const feedback of ['burst', 'ws://host:1']) {
    await assert.rejects(loopback(source, join(at, 'run'), { feedback }), /both ends are in this process/);
  }
  await assert.rejects(loopback(source, join(at, 'run'), { feedback: 'ws://' }), /is not ws:\/\/HOST:PORT/);
});
