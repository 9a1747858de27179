import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeviceError } from '../../src/common/errors.ts';
import { dashboard, page } from './helpers.ts';

test('a part of what is replayed is exported by who may control, one at a time', async () => {
  const { server, controller, controlToken, readToken } = await dashboard();
  controller.commands.push('replay');
  const first = await page(server, controlToken);
  const watcher = await page(server, readToken);
  const ask = { do: 'export', value: [0.5, 1.25] };
  const why = async (from: typeof first) => ((await from.ask(ask)).error as { message: string }).message;

  assert.equal(await why(first), 'nothing is replayed');
  await first.ask({ do: 'start', command: 'sound' });
  assert.equal(await why(first), 'nothing is replayed');
  await first.ask({ do: 'stop' });
  await first.ask({ do: 'start', command: 'replay', source: 'captures/air' });
  assert.equal(await why(watcher), 'this token only watches');

  const made = { name: 'air_part', files: ['air_part.sigmf-meta', 'air_part.sigmf-data'], samples: 750 };
  let finish: () => void = () => {};
  controller.export = () =>
    new Promise((resolve) => {
      finish = () => resolve(made);
    });
  const answer = first.ask(ask);
  while (controller.exported.length === 0) await new Promise(setImmediate);
  assert.equal(await why(first), 'a part is being written already');
  finish();
  assert.deepEqual({ ...(await answer), reply: 0 }, { reply: 0, ok: true, result: made });
  assert.deepEqual(controller.exported, [{ source: 'captures/air', fromS: 0.5, toS: 1.25 }]);

  // After its end it is still there to be cut.
  controller.end(0);
  controller.export = () => Promise.reject(new DeviceError('no room', 'make some'));
  const failed = await first.ask(ask);
  assert.deepEqual(failed.error, { message: 'no room', hint: 'make some' });

  // Once more with other settings: the same source.
  await first.ask({ do: 'again', options: { estimator: 'ls' } });
  assert.deepEqual(controller.started.at(-1), {
    command: 'replay',
    options: { estimator: 'ls' },
    source: 'captures/air',
  });
  assert.equal((await first.ask({ do: 'again' })).ok, true);
  assert.deepEqual(controller.started.length, 4);
  assert.deepEqual(controller.started.at(-1), controller.started.at(-2));

  // The dashboard's end ends it.
  let aborted = false;
  controller.export = (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        aborted = true;
        reject(new DeviceError('stopped'));
      });
    });
  first.socket.send(JSON.stringify({ id: 999, ...ask }));
  while (controller.exported.length < 3) await new Promise(setImmediate);
  await server.close();
  assert.ok(aborted);
});
