// Makes the sample recordings anew with emulated boards, after npm run build:
//   node --import tsx captures/make/main.ts [NAME...]
//   node --import tsx captures/make/main.ts --refresh     labels, metrics, hashes and table of those that are there
// A machine that is busy loses samples that it should not; a recording that does not show what it is for is made again.
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepRun, lossesInBursts, refresh, sha512 } from './keep.ts';
import { smallDemoPhoto } from './photo.ts';
import { Running } from './program.ts';
import { RECIPES, type Recipe, SOCKET } from './recipes.ts';
import { table, withTable } from './table.ts';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const ATTEMPTS = 12;
/** A recording whose bursts lie too far apart, because the machine was busy, is made again. */
const MOST_BYTES = 850e3;

/** One attempt; whether what came of it is kept. */
async function make(recipe: Recipe, attempt: number, cwd: string): Promise<boolean> {
  await writeFile(join(cwd, 'photo.png'), await smallDemoPhoto());
  const boards = new Running(`emulate ${recipe.emulate} --usbip ./${SOCKET}`, cwd);
  try {
    await boards.says(/Ctrl-C ends it/);
    await recipe.make(cwd, attempt);
  } finally {
    boards.interrupt();
    await boards.ended;
  }
  const kept = join(cwd, recipe.name);
  const metrics = await keepRun(recipe, cwd, kept);
  const { size } = await stat(join(kept, `${recipe.name}.sigmf-data`));
  if (!recipe.shows(metrics) || size > MOST_BYTES || !(await lossesInBursts(kept, recipe.name))) return false;
  const folder = join(HERE, recipe.name);
  await rm(folder, { recursive: true, force: true });
  await cp(kept, folder, { recursive: true });
  return true;
}

async function inScratch<T>(work: (cwd: string) => Promise<T>): Promise<T> {
  const cwd = await mkdtemp(join(tmpdir(), 'sct-captures-'));
  try {
    return await work(cwd);
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

async function makeUntilItShows(recipe: Recipe): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const done = await inScratch((cwd) => make(recipe, attempt, cwd)).catch((error: Error) => {
      process.stderr.write(`${error.message}\n`);
      return false;
    });
    if (done) return;
    process.stderr.write(`${recipe.name}: attempt ${attempt + 1} does not show what it is for, or is too long\n`);
  }
  throw new Error(`${recipe.name}: gave up after ${ATTEMPTS} attempts`);
}

/** Hashes of all files of the recordings, for `sha512sum -c`. */
async function sums(): Promise<string> {
  const lines: string[] = [];
  for (const { name } of RECIPES) {
    for (const file of (await readdir(join(HERE, name))).sort()) {
      const path = join(HERE, name, file);
      lines.push(`${await sha512(path)}  ${relative(HERE, path)}\n`);
    }
  }
  return lines.join('');
}

const words = process.argv.slice(2);
const again = words[0] === '--refresh';
const names = again ? words.slice(1) : words;
const unknown = names.filter((word) => !RECIPES.some(({ name }) => name === word));
if (unknown.length > 0) {
  throw new Error(`no recording is called ${unknown.join(', ')}: ${RECIPES.map(({ name }) => name).join(', ')}`);
}
for (const recipe of RECIPES.filter(({ name }) => names.length === 0 || names.includes(name))) {
  if (again) await inScratch((cwd) => refresh(recipe, cwd, join(HERE, recipe.name)));
  else await makeUntilItShows(recipe);
  process.stderr.write(`${recipe.name}: ${again ? 'refreshed' : 'made'}\n`);
}
await writeFile(join(HERE, 'SHA512SUMS'), await sums());
const readme = join(HERE, 'README.md');
await writeFile(readme, withTable(await readFile(readme, 'utf8'), await table(RECIPES, HERE)));
