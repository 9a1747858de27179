// A program that sends through a Pluto and ends in the middle of it: argv: port, way of ending.
import { tcpLink } from '../../../src/radio/pluto/pluto-link.ts';
import { PlutoRadio } from '../../../src/radio/pluto/pluto-radio.ts';
import { sameThread } from './rig.ts';

const [port, way] = process.argv.slice(2);
const link = tcpLink('127.0.0.1', Number(port), sameThread);
const radio = await PlutoRadio.open(`pluto:ip:127.0.0.1:${port}`, link, { timeoutMs: 20_000 });
const tx = await radio.openTx({ frequencyHz: 2.4e9, rateHz: 3e6, gainsDb: { tx: -10 } });
await tx.repeat(new Float32Array(2048).fill(0.3));
process.stdout.write('sending\n');
// The other side of the test says when.
process.stdin.once('data', () => {
  if (way === 'exit') process.exit(0);
  if (way === 'throw') throw new Error('on purpose');
});
