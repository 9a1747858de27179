/**
 * Speed of the Fourier transforms of `src/phy/kernels`, and of FFTW's in the same rounds where a C compiler and FFTW
 * (Debian: libfftw3-dev) are there. Nanoseconds of one forward transform in CPU time of one core:
 *
 *   node --import tsx bench/fft.ts [--quick] [-o FILE]
 *
 * Writes bench/results/fft.json, or FILE; with --quick two rounds, only into FILE. `sct bench` measures the sizes of which something is asked.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fftLine, fftSpeeds } from '../src/experiment/bench/speed/fft-speed.ts';
import { hostFacts, programFacts } from '../src/experiment/run/host-facts.ts';
import { benchWords } from './words.ts';

const SIZES = [64, 128, 256, 512, 1024, 2048];
const ROUNDS = 9;

const { quick, output = quick ? null : join(import.meta.dirname, 'results/fft.json') } = benchWords(
  import.meta.filename,
  { options: { quick: { type: 'boolean', default: false }, output: { type: 'string', short: 'o' } } },
).values;
const result = await fftSpeeds({ sizes: SIZES, rounds: quick ? 2 : ROUNDS, all: true });
for (const row of result.sizes) console.log(fftLine(row));
if (result.fftw.missing !== null) console.log(`no ratio to FFTW: ${result.fftw.missing}`);
const report = {
  schema: 'sct-fft-speed/2',
  command: 'node --import tsx bench/fft.ts',
  machine: hostFacts(),
  program: await programFacts(),
  node: process.version,
  ...result,
};
if (output !== null) writeFileSync(output, `${JSON.stringify(report, null, 1)}\n`);
