/**
 * Writes docs/results: the reports of the published sweeps (bench/sweeps, list in bench/results-sweeps/published.ts) and their index, README.md.
 *
 *   node --import tsx bench/results-sweeps.ts [--check] [--results DIR] [NAME...]      also: npm run results
 *
 * --results DIR: another folder than docs/results.
 * Each folder is what `sct report` writes with the words that the index gives beside it. --check writes nothing; exit code 8 where a byte
 * differs, a file is missing, or one is there that no report makes.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ExitCode } from '../src/common/errors.ts';
import { makeSweepReport } from '../src/experiment/sweep-report/document.ts';
import { differingFiles, reportFiles, writeReportFiles } from '../src/experiment/sweep-report/write-report.ts';
import { indexPage, type Section } from './results-sweeps/page.ts';
import { PUBLISHED, type Published } from './results-sweeps/published.ts';
import { benchWords, refuse } from './words.ts';

const FILE = import.meta.filename;
const root = resolve(import.meta.dirname, '..');
const INDEX = 'README.md';

const { values, positionals } = benchWords(FILE, {
  options: { check: { type: 'boolean' }, results: { type: 'string', default: join(root, 'docs/results') } },
  allowPositionals: true,
});
const RESULTS = values.results;

/** As the command line says it of itself. */
const program = `sct ${(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version}`;

async function sectionOf(published: Published): Promise<Section> {
  const { sweeps, limits } = published;
  const paths = sweeps.map((name) => join(root, 'bench/sweeps', name));
  const request = { paths, limits, figures: null, where: [], gains: [] };
  const report = await makeSweepReport(request, () => Promise.resolve());
  return { published, report, files: reportFiles(report, program, false) };
}

/** Files and folders of docs/results that nothing here makes. */
function strangers(sections: readonly Section[]): string[] {
  const known = new Map(sections.map((s) => [s.published.name, s.files]));
  if (!existsSync(RESULTS)) return [];
  return readdirSync(RESULTS, { withFileTypes: true }).flatMap((entry) => {
    const files = known.get(entry.name);
    if (!files) return entry.name === INDEX ? [] : [entry.name];
    const names = readdirSync(join(RESULTS, entry.name));
    return names.filter((name) => !files.has(name)).map((name) => `${entry.name}/${name}`);
  });
}

const unknown = positionals.find((name) => !PUBLISHED.some((p) => p.name === name));
if (unknown !== undefined) refuse(FILE, `"${unknown}": published are ${PUBLISHED.map((p) => p.name).join(', ')}`);

const sections: Section[] = [];
for (const published of PUBLISHED) sections.push(await sectionOf(published));
const asked = sections.filter((s) => positionals.length === 0 || positionals.includes(s.published.name));
const index = new Map([[INDEX, indexPage(sections)]]);
const found: string[] = [];
let count = 0;
if (values.check) {
  for (const { published, files } of asked) {
    const differing = await differingFiles(join(RESULTS, published.name), files);
    found.push(...differing.map((name) => `${published.name}/${name}`));
    count += files.size;
  }
  found.push(...(await differingFiles(RESULTS, index)), ...strangers(sections));
  for (const name of found.slice(0, 40)) process.stdout.write(`differs: ${name}\n`);
} else {
  mkdirSync(RESULTS, { recursive: true });
  for (const name of strangers(sections)) rmSync(join(RESULTS, name), { recursive: true });
  for (const { published, files } of asked)
    count += (await writeReportFiles(join(RESULTS, published.name), files)).length;
  for (const [name, text] of index) writeFileSync(join(RESULTS, name), text);
}
process.stdout.write(`${count + 1} files, ${values.check ? `${found.length} differ` : 'written'}\n`);
process.exitCode = found.length > 0 ? ExitCode.checkFailed : ExitCode.ok;
