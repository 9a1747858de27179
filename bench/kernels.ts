/**
 * Speed of each kernel of `src/phy/kernels` against its twin in plain TypeScript: nanoseconds of CPU time of one core for a sample
 * (symbol, soft bit), and what of that goes into copying data in and out of the kernel's memory.
 *
 *   node --import tsx bench/kernels.ts [WORD] [--quick] [-o FILE]
 *
 * Writes bench/results/kernels.json, or FILE; with a word only the kernels that have it in their name are measured, and only FILE
 * is written; likewise with --quick, which takes two rounds. Kernels take turns; ratios are taken round by round, then the median. The Fourier transform is in fft.ts, the
 * channel code in ldpc-bler.ts and ldpc-peer.ts.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loopTurn, spread } from '../src/experiment/bench/spread.ts';
import { hostFacts, programFacts } from '../src/experiment/run/host-facts.ts';
import { MODULATION_ORDERS } from '../src/phy/modulation/qam.ts';
import { clockOffset, multipath, noiseMaker } from './kernels/channel.ts';
import { fit, tracker } from './kernels/estimate.ts';
import { deinterleaver, demapper, equaliser, ofdm, spreader } from './kernels/grid.ts';
import { dcBlocker, resampler, SHAPES, search } from './kernels/samples.ts';
import { best } from './kernels/subject.ts';
import { encoder, modulator } from './kernels/transmit.ts';
import { benchWords, refuse } from './words.ts';

const PASSES = 5;

const { values, positionals } = benchWords(import.meta.filename, {
  options: { quick: { type: 'boolean', default: false }, output: { type: 'string', short: 'o' } },
  allowPositionals: true,
});
const { quick } = values;
const ROUNDS = quick ? 2 : 9;
const [word] = positionals;
const subjects = [
  resampler(true),
  resampler(false),
  dcBlocker(),
  ...SHAPES.map(search),
  ...SHAPES.map(ofdm),
  ...SHAPES.map(tracker),
  ...SHAPES.map(fit),
  ...SHAPES.map(equaliser),
  ...MODULATION_ORDERS.map(demapper),
  ...MODULATION_ORDERS.map(deinterleaver),
  spreader(),
  encoder(),
  ...SHAPES.map(modulator),
  noiseMaker(),
  multipath(),
  clockOffset(),
].filter(({ name }) => word === undefined || name.includes(word));
if (subjects.length === 0) refuse(import.meta.filename, `no kernel has "${word}" in its name`);
const rounds: { wasm: number; plain: number; copy: number }[][] = [];
for (let round = 0; round < ROUNDS; round++) {
  rounds.push(
    subjects.map(({ wasm, plain, copy }) => ({
      wasm: best(wasm, PASSES),
      plain: best(plain, PASSES),
      copy: best(copy, PASSES),
    })),
  );
  await loopTurn();
}
const rows = subjects.map(({ name, unit, units }, i) => {
  const per = (of: (r: (typeof rounds)[0][0]) => number) => spread(rounds.map((round) => of(round[i])));
  const row = {
    name,
    unit,
    wasmNs: per((r) => r.wasm / units),
    plainNs: per((r) => r.plain / units),
    copyNs: per((r) => r.copy / units),
    ratio: per((r) => r.plain / r.wasm),
  };
  const { wasmNs, plainNs, copyNs, ratio } = row;
  const range = `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`;
  console.log(
    `${name}: ${wasmNs.median.toFixed(2)} ns a ${unit}, copies ${copyNs.median.toFixed(2)}, plain ${plainNs.median.toFixed(2)}, ratio ${range}`,
  );
  return row;
});
const report = {
  schema: 'sct-kernel-speed/1',
  command: 'node --import tsx bench/kernels.ts',
  machine: hostFacts(),
  program: await programFacts(),
  node: process.version,
  method: `CPU time of one core, best of ${PASSES} passes a round; median (low to high) of ${ROUNDS} alternating rounds, ratios (plain over WebAssembly) round by round`,
  rows,
};
const output =
  values.output ?? (word === undefined && !quick ? join(import.meta.dirname, 'results/kernels.json') : null);
if (output !== null) writeFileSync(output, `${JSON.stringify(report, null, 1)}\n`);
