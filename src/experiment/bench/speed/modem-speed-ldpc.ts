import { RandomStream } from '../../../common/random.ts';
import { ldpcCode } from '../../../phy/fec/ldpc-code.ts';
import { LdpcDecoder } from '../../../phy/fec/ldpc-decoder.ts';
import { ldpcEncoder } from '../../../phy/fec/ldpc-encoder.ts';
import { median } from '../../metrics/stats.ts';
import { loopTurn } from '../spread.ts';
import { best } from './modem-speed-ours.ts';

/** Megabits of information a second of CPU time of one core, medians of the rounds. */
export interface LdpcSpeed {
  readonly baseGraph: 1;
  readonly z: number;
  readonly codeRate: number;
  readonly iterations: number;
  readonly encodeMbps: number;
  readonly decodeMbps: number;
}

const ITERATIONS = 10;

/** Base graph 1, Z = 384, at both ends of the rates used: all iterations done, soft values as at the waterfall. */
export async function ldpcSpeeds(rounds: number): Promise<LdpcSpeed[]> {
  const speeds: LdpcSpeed[] = [];
  for (const codeRate of [1 / 2, 8 / 9]) {
    const code = ldpcCode(1, 384);
    const random = new RandomStream(`ldpc speed/${codeRate}`);
    const info = Uint8Array.from({ length: code.k }, () => random.uint32() >>> 31);
    const codeword = new Uint8Array(code.n);
    const encoder = ldpcEncoder(code);
    encoder.encode(info, codeword);
    const sent = Math.min(code.n, Math.round(code.k / codeRate));
    const soft = Float32Array.from(codeword, (bit, i) => (i < sent ? 3 * (1 - 2 * bit) + 2.4 * random.normal() : 0));
    const decoder = new LdpcDecoder(code);
    const bits = new Uint8Array(code.k);
    // A CRC that never agrees: no early stop.
    const options = { maxIterations: ITERATIONS, accept: () => false };
    const times = (words: number, work: () => void) => () => {
      for (let i = 0; i < words; i++) work();
    };
    const decode = times(20, () => decoder.decode(soft, code.k, bits, options));
    const encode = times(100, () => encoder.encode(info, codeword));
    const decoded: number[] = [];
    const encoded: number[] = [];
    for (let round = -1; round < rounds; round++) {
      const [decodeMbps, encodeMbps] = [best(20 * code.k, decode), best(100 * code.k, encode)];
      await loopTurn();
      // The first only warms up.
      if (round < 0) continue;
      decoded.push(decodeMbps);
      encoded.push(encodeMbps);
    }
    const iterations = ITERATIONS;
    const [encodeMbps, decodeMbps] = [median(encoded), median(decoded)];
    speeds.push({ baseGraph: 1, z: 384, codeRate, iterations, encodeMbps, decodeMbps });
  }
  return speeds;
}
