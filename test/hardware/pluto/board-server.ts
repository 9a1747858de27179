// A Pluto on a TCP port for tests with programs of other makers: prints "port N", and its exact counts when its input ends.
import { WallAirClock } from '../../../hardware/emulated/clock.ts';
import { Iiod } from '../../../hardware/emulated/pluto/iiod/iiod.ts';
import { servePipes } from '../../../hardware/emulated/pluto/iiod/tcp-server.ts';
import { PlutoBoard } from '../../../hardware/emulated/pluto/pluto-board.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import { Coil } from './coil.ts';
import { SERIAL } from './helpers.ts';

const air = new Coil(new WallAirClock(Number(process.argv[2] ?? 1)), 40);
const board = new PlutoBoard({ name: 'pluto', serial: SERIAL, air, profile: loadProfile('pluto') });
const iiod = new Iiod(board);
const server = await servePipes((pipe) => void iiod.serve(pipe), { port: 0 });
process.stdout.write(`port ${server.port}\n`);
process.stdin.resume();
process.stdin.on('end', async () => {
  process.stdout.write(`${JSON.stringify(board.statistics())}\n`);
  await server.close();
  process.exit(0);
});
