import '../../fixed-seed.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IioError } from '../../../hardware/emulated/pluto/iio-error.ts';
import { parseCommand } from '../../../hardware/emulated/pluto/iiod/commands.ts';
import { unpackAttributes } from '../../../hardware/emulated/pluto/iiod/packed-attributes.ts';
import { Host, rig, settle } from './helpers.ts';

const WORDS = [
  ...[
    'VERSION',
    'PRINT',
    'ZPRINT',
    'HELP',
    'TIMEOUT',
    'OPEN',
    'CLOSE',
    'READ',
    'WRITE',
    'READBUF',
    'WRITEBUF',
    'SET',
    'GETTRIG',
    'SETTRIG',
  ],
  ...[
    'BUFFERS_COUNT',
    'DEBUG',
    'BUFFER',
    'INPUT',
    'OUTPUT',
    'CYCLIC',
    'BINARY',
    'iio:device0',
    'iio:device2',
    'iio:device3',
    'ad9361-phy',
  ],
  ...[
    'voltage0',
    'altvoltage1',
    'hardwaregain',
    'raw',
    'frequency',
    'direct_reg_access',
    'ensm_mode',
    '00000003',
    '00000001',
    '00000000',
  ],
  ...['0', '-1', '1', '7', '64', '256', '4096', '99999999999999999999', 'x', 'adi,rssi-wait', '\0', '\xff'],
];

const line = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...WORDS) },
      { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
    ),
    { maxLength: 6 },
  )
  .map((words) => words.join(' '));

test('no line makes the parser throw', () => {
  fc.assert(
    fc.property(fc.oneof(line, fc.string()), (text) => {
      const command = parseCommand(text);
      assert.ok(command === null || typeof command.name === 'string');
    }),
    { numRuns: 5000 },
  );
});

test('packed attributes of any bytes: refused, or as many as there are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 0, max: 6 }), (bytes, count) => {
      try {
        assert.equal(unpackAttributes(bytes, count).length, count);
      } catch (error) {
        assert.ok(error instanceof IioError);
      }
    }),
    { numRuns: 5000 },
  );
});

test('whatever a host sends, cut anywhere: the server lives, holds little, and serves the next', async () => {
  const { iiod, clock, board } = rig({ lossDb: 60 });
  const piece = fc.oneof(
    { weight: 6, arbitrary: line.map((text) => Buffer.from(`${text}\r\n`, 'latin1')) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), fc.integer({ min: 1, max: 60 }), async (pieces, cut) => {
      const host = new Host(iiod);
      const all = Buffer.concat(pieces);
      for (let at = 0; at < all.length; at += cut) host.pipe.say(all.subarray(at, at + cut));
      await settle();
      await clock.advance(1e-4);
      host.pipe.hangUp();
      await host.done;
    }),
    { numRuns: 300 },
  );
  await clock.advance(2);
  assert.ok(!board.rx.isOpen && !board.tx.isOpen);
  const host = new Host(iiod);
  assert.equal(await host.ask('VERSION\r\n'), '0.24.v0.24  \n');
});

test('lengths that nobody means are refused before anything is allocated', async () => {
  const host = new Host(rig().iiod);
  assert.equal(await host.ask('WRITE iio:device0 ensm_mode 4000000000\r\n'), '-12\n');
  assert.equal(await host.ask('WRITE iio:device0 ensm_mode -5\r\n'), '-12\n');
  assert.equal(await host.ask('OPEN iio:device3 999999999999999 00000003\r\n'), '-12\n');
  assert.equal(await host.ask('OPEN iio:device3 -1 00000003\r\n'), '-12\n');
  assert.equal(await host.ask('SET iio:device3 BUFFERS_COUNT 1000000000\r\n'), '0\n');
  assert.equal(await host.ask('OPEN iio:device3 4096 00000003\r\n'), '-12\n');
  assert.equal(await host.ask('SET iio:device3 BUFFERS_COUNT 4\r\n'), '0\n');
  for (let i = 0; i < 200; i++) host.pipe.say('A'.repeat(10_000));
  assert.equal(await host.ask('\n'), '-22\n', 'a line of 2 MB is one mistake');
  assert.equal(await host.ask('OPEN iio:device2 64 00000003\r\n'), '0\n');
  assert.equal(await host.ask('WRITEBUF iio:device2 9007199254740991\r\n'), '0\n');
  host.pipe.hangUp();
  await host.done;
});

test('a host that does not read holds up itself alone', async () => {
  const { iiod, clock, board } = rig({ source: () => {} });
  const slow = new Host(iiod);
  await slow.ask('OPEN iio:device3 1000 00000003\r\n');
  slow.pipe.blocked = true;
  slow.pipe.say('READBUF iio:device3 400000\r\n');
  await clock.advance(0.5);
  assert.ok(slow.pipe.take().length < 5000, 'one block at most is on its way');
  const other = new Host(iiod);
  assert.equal(await other.ask('VERSION\r\n'), '0.24.v0.24  \n');
  const { rx } = board.statistics();
  assert.ok(rx.overruns === 1 && rx.capturedSamples === 4000, 'the DMA has four blocks');
  slow.pipe.hangUp();
  slow.pipe.unblock();
  await slow.done;
  assert.ok(!board.rx.isOpen);
  const { lostSamples } = board.statistics().rx;
  assert.ok(Math.abs(lostSamples - (0.5 * 30_720_000 - 4000)) <= 1, `${lostSamples}`);
});
