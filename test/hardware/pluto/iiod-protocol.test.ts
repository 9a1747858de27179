import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberedSamples } from '../../../hardware/emulated/pluto/numbered-samples.ts';
import { Host, rig, settle } from './helpers.ts';

// Replies as seen from iiod 0.24 (libiio: iiod/parser.y, ops.c).
test('replies of the text protocol', async () => {
  const host = new Host(rig().iiod);
  const replies: [string, string][] = [
    ['VERSION\r\n', '0.24.v0.24  \n'],
    ['version\n', '0.24.v0.24  \n'],
    ['\r\n', ''],
    ['TIMEOUT 2500\r\n', '0\n'],
    ['BINARY\r\n', '-22\n'],
    ['ZPRINT\r\n', '-22\n'],
    ['Version\r\n', '-22\n'],
    ['NONSENSE iio:device0\r\n', '-22\n'],
    ['OPEN iio:device9 64 00000003\r\n', '-19\n'],
    ['OPEN cf-ad9361-lpc 64 3\r\n', '-22\n'],
    ['OPEN cf-ad9361-lpc 64 00000000\r\n', '-22\n'],
    ['OPEN cf-ad9361-lpc 0 00000003\r\n', '-22\n'],
    ['OPEN cf-ad9361-lpc 99999999 00000003\r\n', '-12\n'],
    ['OPEN ad9361-phy 64 00000003\r\n', '-22\n'],
    ['READBUF cf-ad9361-lpc 600\r\n', '-9\n'],
    ['WRITEBUF iio:device2 600\r\n', '-9\n'],
    ['CLOSE cf-ad9361-lpc\r\n', '-6\n'],
    ['GETTRIG iio:device3\r\n', '-2\n'],
    ['SETTRIG iio:device3\r\n', '-2\n'],
    ['SET iio:device3 BUFFERS_COUNT 8\r\n', '0\n'],
    ['SET iio:device3 BUFFERS_COUNT 0\r\n', '-22\n'],
    ['READ ad9361-phy OUTPUT altvoltage0 frequency\r\n', '11\n2400000000\0\n'],
    ['READ iio:device0 INPUT voltage0 hardwaregain\r\n', '13\n71.000000 dB\0\n'],
    ['READ iio:device0 OUTPUT RX_LO frequency\r\n', '11\n2400000000\0\n'],
    ['READ iio:device0 INPUT voltage0 nothing\r\n', '-2\n'],
    ['READ iio:device0 INPUT voltage9 raw\r\n', '-6\n'],
    ['READ iio:device9 name\r\n', '-19\n'],
    ['WRITE iio:device9 name 3\r\n', '-19\n'],
    ['WRITE iio:device0 DEBUG adi,rssi-duration 4\r\n123\0', '4\n'],
    ['READ iio:device0 DEBUG adi,rssi-duration\r\n', '4\n123\0\n'],
    ['WRITE iio:device0 INPUT voltage0 rssi 2\r\n1\0', '-13\n'],
    ['READ iio:device3 BUFFER length_align_bytes\r\n', '2\n8\0\n'],
    ['WRITE iio:device3 BUFFER watermark 5\r\n1024\0', '5\n'],
    ['READ iio:device3 BUFFER watermark\r\n', '5\n1024\0\n'],
    ['SETTRIG iio:device3 trigger0\r\n', '-2\n'],
    ['READ iio:device1\r\n', '12\n\0\0\0\x07961538\0\0\n'],
    ['READ iio:device3 BUFFER\r\n', '28\n\0\0\0\x020\0\0\0\0\0\0\x028\0\0\0\0\0\0\x051024\0\0\0\0\n'],
  ];
  for (const [request, reply] of replies) assert.equal(await host.ask(request), reply, JSON.stringify(request));
});

test('HELP names every command', async () => {
  const help = await new Host(rig().iiod).ask('help\r\n');
  const commands = ['HELP', 'EXIT', 'VERSION', 'PRINT', 'ZPRINT', 'TIMEOUT', 'READ', 'WRITE', 'OPEN', 'CLOSE'];
  for (const command of [...commands, 'READBUF', 'WRITEBUF', 'GETTRIG', 'SETTRIG', 'SET']) {
    assert.match(help, new RegExp(`^\t${command}\\b`, 'm'));
  }
});

test('PRINT gives the length, the XML and a line end; EXIT ends the connection', async () => {
  const host = new Host(rig().iiod);
  const reply = await host.ask('PRINT\r\n');
  const end = reply.indexOf('\n');
  const xml = reply.slice(end + 1, -1);
  assert.equal(Number(reply.slice(0, end)), xml.length);
  assert.ok(reply.endsWith('</context>\n'));
  assert.match(
    xml,
    /<device id="iio:device3" name="cf-ad9361-lpc" ><channel id="voltage0" type="input" ><scan-element index="0" format="le:S12\/16&gt;&gt;0" \/>/,
  );
  assert.equal(await host.ask('EXIT\r\n'), '');
  await host.done;
  assert.ok(host.pipe.closed);
  const other = new Host(rig().iiod);
  other.pipe.say('quit\n');
  await other.done;
});

test('all attributes of a channel at once: count or error, text with NUL, filled up to 4', async () => {
  const host = new Host(rig().iiod);
  const reply = Buffer.from(await host.ask('READ iio:device2 OUTPUT altvoltage0\r\n'), 'latin1');
  const end = reply.indexOf(10);
  const packed = reply.subarray(end + 1, -1);
  assert.equal(Number(reply.subarray(0, end).toString()), packed.length);
  const texts: string[] = [];
  for (let at = 0; at < packed.length; ) {
    const length = packed.readInt32BE(at);
    texts.push(packed.toString('latin1', at + 4, at + 4 + length));
    at += 4 + 4 * Math.ceil(length / 4);
  }
  assert.deepEqual(texts, ['9279985\0', '90000\0', '1\0', '30720000\0', '0.000000\0']);

  const scale = Buffer.concat([Buffer.alloc(16), Buffer.from([0, 0, 0, 5]), Buffer.from('0.25\0\0\0\0')]);
  assert.equal(
    await host.ask(`WRITE iio:device2 OUTPUT altvoltage0 ${scale.length}\r\n${scale.toString('latin1')}`),
    `${scale.length}\n`,
  );
  assert.equal(await host.get('iio:device2 OUTPUT altvoltage0 scale'), '0.250000');
});

test('READBUF comes block by block, the mask after the first length', async () => {
  const { clock, iiod } = rig({ source: numberedSamples });
  const host = new Host(iiod);
  assert.equal(await host.ask('OPEN iio:device3 64 00000003\r\n'), '0\n');
  assert.equal(await host.ask('READBUF iio:device3 600\r\n'), '', 'nothing before a block is full');
  await clock.advance(1e-3);
  const reply = host.pipe.take();
  const expected = Buffer.concat([
    Buffer.from('256\n00000003\n'),
    samples(0, 64),
    Buffer.from('256\n'),
    samples(64, 64),
    Buffer.from('88\n'),
    samples(128, 22),
  ]);
  assert.deepEqual(reply, expected);
  assert.equal(await host.ask('CLOSE iio:device3\r\n'), '0\n');
});

test('a host of one channel gets this channel alone, beside one of both', async () => {
  const { clock, iiod } = rig({ source: numberedSamples });
  const both = new Host(iiod);
  const quadrature = new Host(iiod);
  await both.ask('OPEN iio:device3 64 00000003\r\n');
  await quadrature.ask('OPEN iio:device3 64 00000002\r\n');
  await both.ask('READBUF iio:device3 256\r\n');
  await quadrature.ask('READBUF iio:device3 128\r\n');
  await clock.advance(1e-4);
  assert.deepEqual(both.pipe.take(), Buffer.concat([Buffer.from('256\n00000003\n'), samples(0, 64)]));
  assert.deepEqual(quadrature.pipe.take(), Buffer.concat([Buffer.from('128\n00000002\n'), Buffer.alloc(128)]));
});

test('no samples in time: -110, and the buffer has to be opened again', async () => {
  const { clock, iiod } = rig();
  const host = new Host(iiod);
  await host.set('iio:device0 ensm_mode', 'sleep');
  await host.ask('TIMEOUT 300\r\n');
  await host.ask('OPEN iio:device3 64 00000003\r\n');
  await host.ask('READBUF iio:device3 256\r\n');
  await clock.advance(0.299);
  assert.equal(host.pipe.take().toString(), '');
  await clock.advance(0.01);
  assert.equal(host.pipe.take().toString(), '-110\n');
  assert.equal(await host.ask('READBUF iio:device3 256\r\n'), '-9\n');
  assert.equal(await host.ask('CLOSE iio:device3\r\n'), '0\n');
  await host.set('iio:device0 ensm_mode', 'fdd');
  assert.equal(await host.ask('OPEN iio:device3 64 00000003\r\n'), '0\n');
});

test('WRITEBUF: 0 to begin, the count when all blocks are queued; a cyclic buffer takes one', async () => {
  const { clock, iiod, board } = rig();
  const host = new Host(iiod);
  await host.ask('OPEN iio:device2 128 00000003\r\n');
  assert.equal(await host.ask('WRITEBUF iio:device2 1024\r\n'), '0\n');
  assert.equal(await host.ask(Buffer.alloc(1000, 1)), '');
  assert.equal(await host.ask(Buffer.alloc(24, 1)), '1024\n');
  await clock.advance(1e-4);
  assert.equal(board.statistics().tx.playedSamples, 256);
  assert.equal(await host.ask('CLOSE iio:device2\r\n'), '0\n');

  await host.ask('OPEN iio:device2 128 00000003 CYCLIC\r\n');
  assert.equal(await host.ask('WRITEBUF iio:device2 512\r\n'), '0\n');
  assert.equal(await host.ask(Buffer.alloc(512, 1)), '512\n');
  await host.ask('WRITEBUF iio:device2 512\r\n');
  assert.equal(await host.ask(Buffer.alloc(512, 1)), '-16\n');
});

test('one host transmits at a time; the buffers of a host that goes are closed', async () => {
  const { clock, iiod, board } = rig({ source: numberedSamples });
  const first = new Host(iiod);
  const second = new Host(iiod);
  await first.ask('OPEN iio:device2 128 00000003\r\nOPEN iio:device3 128 00000003\r\n');
  second.pipe.say('OPEN iio:device2 128 00000003\r\n');
  while (second.pipe.take().toString() !== '-16\n') await new Promise((resolve) => setTimeout(resolve, 2));
  await second.ask('OPEN iio:device3 128 00000003\r\nREADBUF iio:device3 100000\r\n');
  first.pipe.hangUp();
  await first.done;
  assert.ok(!board.tx.isOpen && board.rx.isOpen);
  assert.equal(await second.ask('VERSION\r\n'), '0\n0.24.v0.24  \n', 'the read ends short: the buffer is opened anew');
  await settle();
  second.pipe.hangUp();
  await second.done;
  await clock.advance(1);
  assert.ok(!board.rx.isOpen);
});

/** Bytes of numbered samples. */
function samples(from: number, count: number): Buffer {
  const iq = new Int16Array(2 * count);
  numberedSamples(from, count, iq, 0);
  return Buffer.from(iq.buffer);
}
