import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseContext } from '../../../src/radio/pluto/context.ts';
import { IiodClient } from '../../../src/radio/pluto/iiod-client.ts';
import type { AttrRef } from '../../../src/radio/pluto/iiod-words.ts';
import type { IiodRecording, Turn } from './iiod-recording.ts';
import { ScriptedTransport } from './scripted-transport.ts';

// Our client does what libiio's did, and says the same bytes; the server's recorded answers arrive in random pieces.

function recording(name: string): IiodRecording {
  const url = new URL(`../../vectors/radio/iiod-${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8'));
}

/** Replays the server's side of a connection; what the client says must be what the recorded one said. */
async function replay(turns: readonly Turn[], actions: (client: IiodClient) => Promise<void>): Promise<void> {
  const wanted = turns.filter(({ from }) => from === 'client').map(({ latin1 }) => latin1);
  let at = 0;
  const transport = new ScriptedTransport((heard) => {
    const text = Buffer.from(heard).toString('latin1');
    assert.ok(turns[at]?.from === 'client', `nothing was recorded behind ${JSON.stringify(text)}`);
    if (text.length < turns[at].latin1.length) return [];
    assert.equal(text, turns[at].latin1);
    at += 2;
    return [turns[at - 1]?.latin1 ?? ''];
  }, 7);
  await actions(new IiodClient(transport));
  assert.equal(transport.sentText, wanted.join(''));
}

const rxLo: AttrRef = {
  device: 'iio:device0',
  place: { kind: 'channel', channel: 'altvoltage0', output: true },
  name: 'frequency',
};
const rxPort = (name: string): AttrRef => ({
  device: 'iio:device0',
  place: { kind: 'channel', channel: 'voltage0', output: false },
  name,
});

test('the context is asked for and closed as libiio does, and is read whole', async () => {
  const [{ connections }] = recording('context').runs;
  await replay(connections[0], async (client) => {
    const context = parseContext(await client.print());
    assert.deepEqual(
      context.devices.map(({ id, name }) => `${id} ${name}`),
      ['iio:device0 ad9361-phy', 'iio:device1 xadc', 'iio:device2 cf-ad9361-dds-core-lpc', 'iio:device3 cf-ad9361-lpc'],
    );
    await client.setTimeoutMs(2500);
    await client.close();
  });
});

test('attributes of channels, devices, buffers and debug files are read and written with the same bytes', async () => {
  const device = (id: string, kind: 'device' | 'buffer' | 'debug', name: string): AttrRef => ({
    device: id,
    place: { kind },
    name,
  });
  const actions: ((client: IiodClient) => Promise<void>)[] = [
    async (client) => {
      await client.writeAttr(rxLo, '915000000');
      assert.equal(await client.readAttr(rxLo), '915000000');
    },
    async (client) => {
      await client.writeAttr(rxPort('gain_control_mode'), 'manual');
      assert.equal(await client.readAttr(rxPort('gain_control_mode')), 'manual');
    },
    async (client) => {
      await client.writeAttr(rxPort('hardwaregain'), '20');
      assert.equal(await client.readAttr(rxPort('hardwaregain')), '20.000000 dB');
    },
    async (client) => {
      await assert.rejects(client.writeAttr(rxLo, '70000000'), { kind: 'errno', errno: 22 });
    },
    async (client) => assert.equal(await client.readAttr(device('iio:device0', 'device', 'xo_correction')), '40000000'),
    async (client) => assert.equal(await client.readAttr(device('iio:device3', 'buffer', 'watermark')), '2048'),
    async (client) => {
      const register = device('iio:device3', 'debug', 'direct_reg_access');
      await client.writeAttr(register, '0x80000088');
      assert.equal(await client.readAttr(register), '0x0');
    },
  ];
  const { runs } = recording('attributes');
  assert.equal(runs.length, actions.length);
  for (const [i, { connections }] of runs.entries()) {
    await replay(connections[0], async (client) => {
      await client.setTimeoutMs(2500);
      await actions[i](client);
      await client.close();
    });
  }
});

test('a buffer is opened and read with the bytes of iio_readdev', async () => {
  const turns = recording('readdev').runs[0].connections[1];
  await replay(turns, async (client) => {
    await client.open('iio:device3', 256, [3]);
    for (let block = 0; block < 2; block++) {
      const into = new Uint8Array(1024);
      assert.deepEqual(await client.readBuffer('iio:device3', into), { bytes: 1024, mask: [3] });
      // The recorded server counts: consecutive components, modulo 2048.
      const values = new Int16Array(into.buffer);
      for (let i = 1; i < values.length; i++) assert.equal((values[i] - values[i - 1] + 2048) & 0x7ff, 1);
    }
  });
});

test('a buffer is opened, written and closed with the bytes of iio_writedev', async () => {
  const turns = recording('writedev').runs[0].connections[1];
  const samples = Int16Array.from({ length: 1024 }, (_, i) => 16 * (i - 512));
  await replay(turns, async (client) => {
    await client.open('iio:device2', 256, [3]);
    await client.writeBuffer('iio:device2', new Uint8Array(samples.buffer, 0, 1024));
    await client.writeBuffer('iio:device2', new Uint8Array(samples.buffer, 1024, 1024));
    await client.closeBuffer('iio:device2');
    await client.close();
  });
});
