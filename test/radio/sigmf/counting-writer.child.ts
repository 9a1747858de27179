/**
 * Writes a capture without end in which every sample's value follows from its absolute index, with gaps on the way,
 * until it is killed. argv: path. Prints the next index after each round.
 */
import { CaptureWriter } from '../../../src/radio/sigmf/capture-writer.ts';
import { countingBlock } from './counting.ts';

const writer = await CaptureWriter.create(process.argv[2], { format: 'ci16_le', fullScale: 32768, rateHz: 7.68e6 });
let index = 500;
for (let round = 0; ; round++) {
  await writer.write(countingBlock(index, 30_000));
  index += 30_000;
  if (round % 5 === 4) index += 77;
  if (round % 10 === 9) {
    await writer.flush();
    process.stdout.write(`${index}\n`);
  }
}
