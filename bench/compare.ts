/**
 * Has the program become slower? A report for people, never a gate: the exit code is 0 whatever it finds, 2 or 3 only where it
 * cannot run.
 *
 *   npm run bench:compare                     a fresh `sct bench` against bench/results/speed.json
 *   npm run bench:compare -- REV              this tree against a git revision, in turns in one run: the better measure
 *   npm run bench:compare -- REV --rounds 9 --json
 *
 * Against the file only ratios to peers of the same run are compared (liquid-dsp, FFTW; srsRAN_4G where the environment's SRSRAN_4G
 * names its source tree), and a change counts where the ranges do not meet. Against a revision every round takes old and
 * new in processes of their own; a change counts where the interval of the median ratio leaves out 1.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchSpeed, SPEED_SCHEMA, type WholeSpeedReport } from '../src/experiment/bench/speed/speed.ts';
import { programFacts } from '../src/experiment/run/host-facts.ts';
import { compareReports } from './compare/committed.ts';
import { comparePaired, Revision } from './compare/revision.ts';
import { type ComparedRow, comparedTable } from './compare/verdict.ts';
import { benchWords, refuse } from './words.ts';

const root = join(import.meta.dirname, '..');
const LEAST_ROUNDS = 5;

const fail = (exitCode: 2 | 3, message: string): never => refuse(import.meta.filename, message, exitCode);

function kept(path: string): WholeSpeedReport {
  if (!existsSync(path)) fail(3, `${path} is not there; name a git revision, or make it: sct bench -o bench/results`);
  const report = JSON.parse(readFileSync(path, 'utf8')) as WholeSpeedReport;
  return report.schema === SPEED_SCHEMA ? report : fail(3, `${path} is not ${SPEED_SCHEMA}: make it anew`);
}

const options = { rounds: { type: 'string' }, json: { type: 'boolean' }, results: { type: 'string' } } as const;
const { values, positionals } = benchWords(import.meta.filename, { options, allowPositionals: true });
const rounds = Number(values.rounds ?? LEAST_ROUNDS);
if (!Number.isInteger(rounds) || rounds < LEAST_ROUNDS) {
  fail(2, `--rounds: "${values.rounds}" is not a whole number from ${LEAST_ROUNDS} up`);
}
if (positionals.length > 1) fail(2, `one revision, not ${positionals.length}`);
const [name] = positionals;
const progress = (what: string) => void process.stderr.write(`${what}\n`);

async function againstRevision(): Promise<{ against: string; rows: ComparedRow[] }> {
  const revision = await Revision.open(root, name).catch((error: Error) => fail(2, `${name}: ${error.message.trim()}`));
  try {
    return { against: revision.commit, rows: await comparePaired(revision.child, undefined, { rounds, progress }) };
  } finally {
    await revision.close();
  }
}

async function againstFile(): Promise<{ against: string; rows: ComparedRow[] }> {
  const path = values.results ?? join(root, 'bench/results/speed.json');
  const old = kept(path);
  const srsran = process.env.SRSRAN_4G;
  const fresh = await benchSpeed({ rounds, progress, ...(srsran ? { srsran } : {}) });
  return { against: `speed.json of ${old.program.git?.commit ?? 'no commit'}`, rows: compareReports(old, fresh) };
}

const { against, rows } = await (name === undefined ? againstFile() : againstRevision()).catch((error: Error) =>
  fail(3, error.message),
);
const { git } = await programFacts(root);
const tree = git ? `${git.commit.slice(0, 10)}${git.dirty ? ' with changes not committed' : ''}` : 'no commit';
if (values.json) console.log(JSON.stringify({ schema: 'sct.bench.compare/1', tree, against, rounds, rows }));
else console.log(`new: ${tree}\nold: ${against}\n\n${comparedTable(rows)}`);
