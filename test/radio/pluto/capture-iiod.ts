// Records what the clients of libiio say to an IIOD server, and what it answers: `node --import tsx test/radio/pluto/capture-iiod.ts`
// writes test/vectors/radio/iiod-*.json. Needs Debian's libiio-utils; the server is the emulated Pluto.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { WallAirClock } from '../../../hardware/emulated/clock.ts';
import { Iiod } from '../../../hardware/emulated/pluto/iiod/iiod.ts';
import { servePipes } from '../../../hardware/emulated/pluto/iiod/tcp-server.ts';
import { PlutoBoard } from '../../../hardware/emulated/pluto/pluto-board.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import { Coil } from '../../hardware/pluto/coil.ts';
import type { IiodRecording, Turn } from './iiod-recording.ts';

const RX = 'cf-ad9361-lpc';
const TX = 'cf-ad9361-dds-core-lpc';
const PHY = 'ad9361-phy';

/** One recording each: name, and the words of one or more commands. */
const RECORDINGS: Record<string, string[][]> = {
  context: [['iio_attr', '-C', 'hw_serial']],
  attributes: [
    ['iio_attr', '-c', PHY, 'RX_LO', 'frequency', '915000000'],
    ['iio_attr', '-c', '-i', PHY, 'voltage0', 'gain_control_mode', 'manual'],
    ['iio_attr', '-c', '-i', PHY, 'voltage0', 'hardwaregain', '20'],
    ['iio_attr', '-c', PHY, 'RX_LO', 'frequency', '70000000'],
    ['iio_attr', '-d', PHY, 'xo_correction'],
    ['iio_attr', '-B', RX, 'watermark'],
    ['iio_attr', '-D', RX, 'direct_reg_access', '0x80000088'],
  ],
  readdev: [['iio_readdev', '-b', '256', '-s', '512', RX, 'voltage0', 'voltage1']],
  writedev: [['iio_writedev', '-b', '256', '-s', '512', TX, 'voltage0', 'voltage1']],
};

const board = new PlutoBoard({
  name: 'pluto',
  serial: '1044734c9605000f2100240056ab2f01dc',
  air: new Coil(new WallAirClock(0.1)),
  profile: loadProfile('pluto'),
  source: (index, count, into, offset) => {
    for (let i = 0; i < 2 * count; i++) into[2 * offset + i] = ((2 * index + i) & 0x7ff) - 0x400;
  },
});
const iiod = new Iiod(board);
const server = await servePipes((pipe) => void iiod.serve(pipe), { port: 0 });
let connections: Turn[][] = [];
const proxy = createServer((client) => {
  const turns: Turn[] = [];
  connections.push(turns);
  const upstream = connect(server.port, '127.0.0.1');
  const log = (from: 'client' | 'server') => (bytes: Buffer) => {
    const last = turns.at(-1);
    if (last?.from === from) last.latin1 += bytes.toString('latin1');
    else turns.push({ from, latin1: bytes.toString('latin1') });
    (from === 'client' ? upstream : client).write(bytes);
  };
  client
    .on('data', log('client'))
    .on('close', () => upstream.destroy())
    .on('error', () => {});
  upstream
    .on('data', log('server'))
    .on('close', () => client.destroy())
    .on('error', () => {});
});
proxy.listen(0, '127.0.0.1');
await once(proxy, 'listening');
const uri = `ip:127.0.0.1:${(proxy.address() as AddressInfo).port}`;
const samples = Buffer.from(Int16Array.from({ length: 1024 }, (_, i) => 16 * (i - 512)).buffer);
for (const [name, commands] of Object.entries(RECORDINGS)) {
  const runs: IiodRecording['runs'][number][] = [];
  for (const [tool, ...words] of commands) {
    connections = [];
    const child = spawn(tool, ['-u', uri, ...words], { stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin.on('error', () => {}).end(tool === 'iio_writedev' ? samples : undefined);
    await once(child, 'close');
    // What is under way still arrives.
    await new Promise((resolve) => setTimeout(resolve, 200));
    // The context is recorded once: everything else begins behind it.
    const isContext = ({ latin1 }: Turn) => latin1.includes('<context');
    for (const turns of connections) {
      const at = turns.findIndex(isContext);
      if (name !== 'context' && at >= 0) turns.splice(0, at + 1);
    }
    runs.push({ command: [tool, '-u', 'ip:HOST', ...words].join(' '), connections });
  }
  const recording: IiodRecording = { package: 'libiio-utils 0.24-4 (Debian 12)', server: 'sct emulated Pluto', runs };
  writeFileSync(
    new URL(`../../vectors/radio/iiod-${name}.json`, import.meta.url),
    `${JSON.stringify(recording, null, 1)}\n`,
  );
}
proxy.close();
await server.close();
process.exit(0);
