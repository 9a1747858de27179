/** Sends bursts into a file. argv: path, number of bursts, 'close' or 'die' (kill itself without closing). */
import { FileRadio } from '../../../src/radio/file/file-radio.ts';
import { noise } from '../helpers.ts';

const [path, count, end] = process.argv.slice(2);
const tx = await new FileRadio(path, { format: 'ci8' }).openTx({ rateHz: 8e6, frequencyHz: 915e6 });
for (let i = 0; i < Number(count); i++) {
  await tx.write(noise(i, 20_000, 0.2), i * 30_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
}
if (end === 'die') process.kill(process.pid, 'SIGKILL');
await tx.close();
