// A program that transmits without end on the radio of its first argument, ended as the second says; started by silent-boards.test.ts.
import { writeSync } from 'node:fs';
import { openRadio } from '../../../src/radio/open-radio.ts';

const [, , uri = '', how = ''] = process.argv;
const say = (line: string) => void writeSync(1, `${line}\n`);

process.on('SIGUSR2', () => {
  if (how === 'exit') process.exit(7);
  throw new Error('planned exception');
});

const radio = await openRadio(uri);
const tx = await radio.openTx({ frequencyHz: 915e6, rateHz: 2_000_000 });
const burst = new Float32Array(2 * 2 ** 17).fill(0.5);
let sent = 0;
const send = async (): Promise<void> => {
  for (;;) {
    await tx.write(burst);
    if (++sent === 4) say('sending');
  }
};
await send().catch((error: Error) => {
  say(`${error.name}: ${error.message}`);
  process.exitCode = 3;
});
await radio.close().catch(() => undefined);
