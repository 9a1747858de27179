/**
 * Speed of the LDPC decoder at every lifting size beside srsRAN_4G's AVX2 one, megabits of information a second in CPU time of
 * one core, 10 iterations, soft buffer (theirs: int8) to bits:
 *
 *   SRSRAN_4G=source-tree node --import tsx bench/ldpc-peer.ts [ROUNDS] [--quick] [-o FILE]
 *
 * Writes bench/results/ldpc-peer.json, or FILE; with --quick one round of few sizes, only into FILE. `sct bench --srsran DIR` compares the largest blocks.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALL_SETTINGS, ldpcPeerLine, ldpcPeerSpeeds } from '../src/experiment/bench/ldpc/ldpc-peer.ts';
import { hostFacts, programFacts } from '../src/experiment/run/host-facts.ts';
import { benchWords, numberIn, refuse } from './words.ts';

const FILE = import.meta.filename;
const { values, positionals } = benchWords(FILE, {
  options: { quick: { type: 'boolean', default: false }, output: { type: 'string', short: 'o' } },
  allowPositionals: true,
});
const tree = process.env.SRSRAN_4G;
if (!tree) refuse(FILE, 'SRSRAN_4G must name a source tree of srsRAN_4G');
const rounds = numberIn(FILE, 'ROUNDS', positionals[0] ?? (values.quick ? '1' : '5'), 1);
const settings = values.quick ? ALL_SETTINGS.slice(0, 4) : ALL_SETTINGS;
const result = await ldpcPeerSpeeds({ tree, settings, rounds });
if (result.srsran.missing !== null) refuse(FILE, result.srsran.missing, 3);
for (const row of result.rows) console.log(ldpcPeerLine(row));
const report = {
  schema: 'sct-ldpc-peer/2',
  command: 'SRSRAN_4G=source-tree node --import tsx bench/ldpc-peer.ts',
  machine: hostFacts(),
  program: await programFacts(),
  node: process.version,
  ...result,
};
const output = values.output ?? (values.quick ? null : join(import.meta.dirname, 'results/ldpc-peer.json'));
if (output !== null) writeFileSync(output, `${JSON.stringify(report, null, 1)}\n`);
