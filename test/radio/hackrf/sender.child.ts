// Sends for ever to the board of a URI, and ends as it is told: exit, throw, reject, or not by itself. Used by process-end.test.ts.
import { openRadio } from '../../../src/radio/open-radio.ts';

const [uri, how] = process.argv.slice(2);
const radio = await openRadio(uri);
const tx = await radio.openTx({ frequencyHz: 915e6, rateHz: 2e6 });
const wave = new Float32Array(2 * 2_000_000).fill(0.5);
const send = async (): Promise<void> => {
  for (;;) await tx.write(wave);
};
send().catch(() => undefined); // silenced from outside
process.stdout.write('sending\n');
process.stdin.once('data', () => {
  if (how === 'exit') process.exit(0);
  if (how === 'throw') throw new Error('on purpose');
  if (how === 'reject') void Promise.reject(new Error('on purpose'));
});
