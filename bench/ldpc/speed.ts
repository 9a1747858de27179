/** Encoder and decoder, Mb/s of information in CPU time of one core, for `ldpc-bler.ts speed`. */
import { writeFileSync } from 'node:fs';
import { RandomStream } from '../../src/common/random.ts';
import { median } from '../../src/experiment/metrics/stats.ts';
import { hostFacts, programFacts } from '../../src/experiment/run/host-facts.ts';
import { type BaseGraphId, type LdpcCode, ldpcCode } from '../../src/phy/fec/ldpc-code.ts';
import { LdpcDecoder } from '../../src/phy/fec/ldpc-decoder.ts';
import { ldpcEncoder } from '../../src/phy/fec/ldpc-encoder.ts';
import { PlainLdpcKernel } from '../../src/phy/kernels/ldpc/ldpc-plain.ts';
import { WasmLdpcKernel } from '../../src/phy/kernels/ldpc/ldpc-wasm.ts';

const ROUNDS = 9;
const ITERATIONS = 10;

const CODES: [BaseGraphId, number, number][] = [
  [1, 384, 1 / 3],
  [1, 384, 1 / 2],
  [1, 384, 8 / 9],
  [2, 384, 1 / 3],
  [2, 384, 1 / 5],
  [2, 64, 1 / 3],
  [2, 56, 1 / 3],
  [2, 12, 1 / 3],
];

/** Megabits of information a second of CPU time: `words` codewords of k bits a call. */
function megabits(k: number, words: number, work: () => void): number {
  const before = process.cpuUsage();
  work();
  const used = process.cpuUsage(before);
  return (words * k) / (used.user + used.system);
}

interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

function summary(x: readonly number[]): Summary {
  return { median: median(x), min: Math.min(...x), max: Math.max(...x) };
}

/** LLRs of a codeword in noise as at its waterfall, cut to K / R bits. */
function received(code: LdpcCode, codeword: Uint8Array, codeRate: number, random: RandomStream): Float32Array {
  const sent = Math.min(code.n, Math.round(code.k / codeRate));
  return Float32Array.from(codeword, (bit, i) => (i < sent ? 3 * (1 - 2 * bit) + 2.4 * random.normal() : 0));
}

function measure(id: BaseGraphId, z: number, codeRate: number) {
  const code = ldpcCode(id, z);
  const random = new RandomStream(`speed/${id}/${z}`);
  const info = Uint8Array.from({ length: code.k }, () => random.uint32() >>> 31);
  const codeword = new Uint8Array(code.n);
  const encoder = ldpcEncoder(code);
  encoder.encode(info, codeword);
  const soft = received(code, codeword, codeRate, random);
  const bits = new Uint8Array(code.k);
  const plain = new LdpcDecoder(code, new PlainLdpcKernel());
  const wasm = new LdpcDecoder(code, new WasmLdpcKernel());
  // A CRC that never agrees: all iterations are done.
  const options = { maxIterations: ITERATIONS, accept: () => false };
  const decode = (decoder: LdpcDecoder, words: number) => () => {
    for (let i = 0; i < words; i++) decoder.decode(soft, code.k, bits, options);
  };
  const encode = (words: number) => () => {
    for (let i = 0; i < words; i++) encoder.encode(info, codeword);
  };
  // A tenth of a second or so each; the first round only warms up.
  const words = [2e6, 1e5, 5e6].map((infoBits) => Math.ceil(infoBits / code.k));
  const rounds = Array.from({ length: ROUNDS + 1 }, () => ({
    wasm: megabits(code.k, words[0], decode(wasm, words[0])),
    plain: megabits(code.k, words[1], decode(plain, words[1])),
    encode: megabits(code.k, words[2], encode(words[2])),
  })).slice(1);
  return {
    baseGraph: id,
    z,
    infoBits: code.k,
    codeRate,
    decoderPlainMbps: summary(rounds.map((r) => r.plain)),
    decoderMbps: summary(rounds.map((r) => r.wasm)),
    ratio: summary(rounds.map((r) => r.wasm / r.plain)),
    encoderMbps: summary(rounds.map((r) => r.encode)),
  };
}

export async function speed(path: string): Promise<void> {
  const rows = CODES.map(([id, z, codeRate]) => {
    const row = measure(id, z, codeRate);
    const { decoderMbps, decoderPlainMbps, ratio, encoderMbps } = row;
    const show = ({ median, min, max }: Summary) => `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
    const decoders = `decoder ${show(decoderMbps)} Mb/s, plain TypeScript ${show(decoderPlainMbps)}, ratio ${show(ratio)}`;
    console.log(`BG${id} Z=${z} R=${codeRate.toFixed(3)}: ${decoders}; encoder ${show(encoderMbps)}`);
    return row;
  });
  const report = {
    schema: 'sct-ldpc-speed/1',
    command: 'node --import tsx bench/ldpc-bler.ts speed',
    machine: hostFacts(),
    program: await programFacts(),
    method: `CPU time of one core, soft buffer to bits, ${ITERATIONS} iterations without stopping; median (min to max) of ${ROUNDS} alternating rounds`,
    rows,
  };
  writeFileSync(path, `${JSON.stringify(report, null, 1)}\n`);
}
