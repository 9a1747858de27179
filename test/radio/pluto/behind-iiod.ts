// Runs in a network namespace of its own: an emulated Pluto, the real iiod of libiio as a proxy in front of it, and our driver in front
// of that. argv: iiod's path. Prints what came out of it as one line of JSON.
import { spawn } from 'node:child_process';
import { WallAirClock } from '../../../hardware/emulated/clock.ts';
import { Iiod } from '../../../hardware/emulated/pluto/iiod/iiod.ts';
import { servePipes } from '../../../hardware/emulated/pluto/iiod/tcp-server.ts';
import { PlutoBoard } from '../../../hardware/emulated/pluto/pluto-board.ts';
import { IiodClient } from '../../../src/radio/pluto/iiod-client.ts';
import { tcpLink } from '../../../src/radio/pluto/pluto-link.ts';
import { PlutoRadio } from '../../../src/radio/pluto/pluto-radio.ts';
import { TcpConnector } from '../../../src/radio/pluto/tcp-transport.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import { Coil } from '../../hardware/pluto/coil.ts';
import { counter, numberOf, sameThread } from './rig.ts';

const PROXY_PORT = 30_440;
const air = new Coil(new WallAirClock(0.2), 30);
const board = new PlutoBoard({ name: 'p', serial: '1044', air, profile: loadProfile('pluto'), source: counter });
const iiod = new Iiod(board);
const server = await servePipes((pipe) => void iiod.serve(pipe), { port: 0 });
const proxy = spawn(process.argv[2], ['-u', `ip:127.0.0.1:${server.port}`, '-p', String(PROXY_PORT)], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
// By force: asked to end, it waits a minute for clients that are gone, and holds this process's stderr meanwhile.
process.on('exit', () => proxy.kill('SIGKILL'));
const connector = new TcpConnector('127.0.0.1', PROXY_PORT);
for (let tries = 0; tries < 200; tries++) {
  const client = await connector.connect(1000).then(
    (transport) => new IiodClient(transport),
    () => null,
  );
  if (client) {
    await client.close();
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const client = new IiodClient(await connector.connect(20_000), 20_000);
const version = await client.version();
await client.close();
const link = tcpLink('127.0.0.1', PROXY_PORT, sameThread);
const radio = await PlutoRadio.open(`pluto:ip:127.0.0.1:${PROXY_PORT}`, link, { timeoutMs: 20_000 });
const rx = await radio.openRx({ frequencyHz: 915e6, rateHz: 500_000, gainsDb: { rx: 30 } });
const tx = await radio.openTx({ frequencyHz: 2.4e9, rateHz: 500_000, gainsDb: { tx: -20 } });
const { samples: sent } = await tx.write(new Float32Array(2000).fill(0.25));
let received = 0;
let breaks = 0;
let previous = -1;
for await (const block of rx) {
  for (let i = 0; i < block.data.length / 2; i++) {
    const number = numberOf(block.data, i);
    if (previous >= 0 && number !== ((previous + 1) & 0x3fffff) && !(i === 0 && block.lostBefore)) breaks++;
    previous = number;
  }
  received += block.data.length / 2;
  if (received >= 150_000) break;
}
await tx.close();
const { settings } = rx;
await radio.close();
const played = board.statistics().tx.playedSamples;
process.stdout.write(
  `${JSON.stringify({ version, settings, sent, received, breaks, played, model: radio.identity.model })}\n`,
);
process.exit(0);
