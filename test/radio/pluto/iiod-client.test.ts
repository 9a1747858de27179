import '../../fixed-seed.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SctError } from '../../../src/common/errors.ts';
import { IiodClient } from '../../../src/radio/pluto/iiod-client.ts';
import { IiodError } from '../../../src/radio/pluto/iiod-error.ts';
import { type AttrRef, unpackAttrs } from '../../../src/radio/pluto/iiod-words.ts';
import { replies, ScriptedTransport } from './scripted-transport.ts';

const gain: AttrRef = {
  device: 'iio:device0',
  place: { kind: 'channel', channel: 'voltage0', output: false },
  name: 'g',
};

function clientWith(...texts: (string | Uint8Array)[]): { client: IiodClient; transport: ScriptedTransport } {
  const transport = new ScriptedTransport(replies(...texts));
  return { client: new IiodClient(transport), transport };
}

test('every command of the grammar', async () => {
  const packed = Buffer.from([0, 0, 0, 3, 0x31, 0x30, 0, 0, 0xff, 0xff, 0xff, 0xea, 0, 0, 0, 2, 0x37, 0]);
  const { client, transport } = clientWith(
    '0.24.v0.24  \n',
    `${packed.length}\n${packed.toString('latin1')}\n`,
    '0\n',
    '0\n',
    '0\n',
    '5\ntrig0\n',
    '0\n',
    '0\n',
    '0\n',
  );
  assert.deepEqual(await client.version(), { major: 0, minor: 24, tag: 'v0.24' });
  assert.deepEqual(await client.readAllAttrs('iio:device0', { kind: 'debug' }), ['10', null, '7']);
  await client.setBuffersCount('iio:device3', 4);
  await client.open('iio:device3', 100, [0x80000001, 0x3], true);
  assert.equal(await client.getTrigger('iio:device3'), null);
  assert.equal(await client.getTrigger('iio:device3'), 'trig0');
  await client.setTrigger('iio:device3', 'trig0');
  await client.setTrigger('iio:device3', null);
  assert.equal(await client.raw('HELP'), 0);
  assert.equal(
    transport.sentText,
    'VERSION\r\nREAD iio:device0 DEBUG \r\nSET iio:device3 BUFFERS_COUNT 4\r\nOPEN iio:device3 100 0000000380000001 CYCLIC\r\n' +
      'GETTRIG iio:device3\r\nGETTRIG iio:device3\r\nSETTRIG iio:device3 trig0\r\nSETTRIG iio:device3\r\nHELP\r\n',
  );
});

test('a read comes in chunks, with the mask once, and may end early', async () => {
  const data = Buffer.from(Array.from({ length: 600 }, (_, i) => i & 0xff));
  const text = data.toString('latin1');
  const { client } = clientWith(
    `256\n00000003\n${text.slice(0, 256)}256\n${text.slice(256, 512)}88\n${text.slice(512)}`,
    `8\n00000003\n${text.slice(0, 8)}0\n`,
    '-9\n',
    '4\n00000003\nabcd-110\n',
    '1\n00000003\nx',
  );
  const into = new Uint8Array(600);
  assert.deepEqual(await client.readBuffer('d', into), { bytes: 600, mask: [3] });
  assert.deepEqual(Buffer.from(into), data);
  assert.deepEqual(await client.readBuffer('d', into), { bytes: 8, mask: [3] });
  await assert.rejects(client.readBuffer('d', into), { kind: 'errno', errno: 9 });
  await assert.rejects(client.readBuffer('d', into), { kind: 'errno', errno: 110 });
  assert.equal((await client.readBuffer('d', new Uint8Array(1))).bytes, 1, 'a refusal does not end the connection');
});

test('commands issued together wait for each other', async () => {
  const { client, transport } = clientWith('1\na\n', '1\nb\n', '1\nc\n');
  assert.deepEqual(await Promise.all([client.readAttr(gain), client.readAttr(gain), client.readAttr(gain)]), [
    'a',
    'b',
    'c',
  ]);
  assert.equal(transport.sentText.split('\r\n').length, 4);
});

test('what a server claims is bounded before anything is allocated', async () => {
  const cases: [string, (client: IiodClient) => Promise<unknown>][] = [
    ['4194305\n', (client) => client.print()],
    ['9999999999\n', (client) => client.print()],
    ['65537\n', (client) => client.readAttr(gain)],
    ['17\n', (client) => client.readBuffer('d', new Uint8Array(16))],
    ['8\n00000003\n', (client) => client.readBuffer('d', new Uint8Array(16), 2)],
    [`${'9'.repeat(300)}\n`, (client) => client.print()],
    ['12345678901\n', (client) => client.print()],
    ['3\nabcX', (client) => client.readAttr(gain)],
    ['\n\n\n\n\n\n\n', (client) => client.setTimeoutMs(1)],
    ['HTTP/1.1 400 Bad Request\r\n', (client) => client.setTimeoutMs(1)],
    ['0\n0\n', async (client) => [await client.setTimeoutMs(1), await client.setTimeoutMs(1)]],
    ['x.y\n', (client) => client.version()],
  ];
  for (const [reply, action] of cases) {
    const { client, transport } = clientWith(reply);
    await assert.rejects(action(client), { kind: 'protocol' }, reply);
    assert.ok(transport.closed);
    await assert.rejects(client.print(), { kind: 'gone' }, 'nothing more is tried on a connection out of step');
  }
});

test('names from the server cannot smuggle commands', async () => {
  for (const name of ['a b', 'a\r\nEXIT', '', 'é', 'x'.repeat(256)]) {
    const { client, transport } = clientWith('0\n');
    await assert.rejects(client.closeBuffer(name), { kind: 'protocol' });
    assert.equal(transport.sentText, '');
  }
});

test('silence and a closed connection are typed errors, and end the connection', async () => {
  const { client } = clientWith();
  await assert.rejects(client.print(), { kind: 'timeout' });
  await assert.rejects(client.print(), { kind: 'gone' });
  const gone = new IiodClient(new ScriptedTransport(() => null));
  await assert.rejects(gone.print(), { kind: 'gone' });
});

test('the last words go out without waiting', () => {
  const { client, transport } = clientWith();
  assert.ok(client.writeAttrsNow([{ ref: gain, value: '0' }]));
  assert.equal(transport.sentText, 'WRITE iio:device0 INPUT voltage0 g 2\r\n0\0');
  assert.ok(!client.usable);
});

test('garbage in place of replies: an error of ours, never a hang or another exception', async () => {
  const fragment = fc.oneof(
    fc.constantFrom('0\n', '-22\n', '4\n', '00000003\n', '16\n', '\n', 'abcd', '-', '99999\n', '1\n\0\n'),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fragment, { maxLength: 6 }), { maxLength: 8 }),
      fc.nat(),
      async (turns, seed) => {
        const script = replies(...turns.map((parts) => parts.join('')));
        const client = new IiodClient(new ScriptedTransport(script, seed), 1000);
        const actions = [
          () => client.print(),
          () => client.readAttr(gain),
          () => client.writeAttr(gain, '1'),
          () => client.readBuffer('d', new Uint8Array(16)),
          () => client.writeBuffer('d', new Uint8Array(16)),
          () => client.readAllAttrs('d', { kind: 'device' }),
          () => client.version(),
        ];
        for (const action of actions) {
          try {
            await action();
          } catch (error) {
            assert.ok(error instanceof SctError, String(error));
            if (!(error instanceof IiodError && error.kind === 'errno')) assert.ok(!client.usable);
          }
        }
      },
    ),
    { numRuns: 1500 },
  );
});

test('packed attributes: any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        for (const value of unpackAttrs(bytes)) assert.ok(value === null || value.length <= bytes.length);
      } catch (error) {
        assert.ok(error instanceof IiodError);
      }
    }),
  );
});
