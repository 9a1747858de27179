import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { CliContext } from '../../src/cli/context.ts';
import { buildProgram } from '../../src/cli/program.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Documents for readers; vectors' READMEs name files of other projects. */
const DOCUMENTS = documents();

function documents(): string[] {
  const listed = (...words: string[]) => execFileSync('git', words, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  try {
    return listed('ls-files', '*.md').filter((f) => !f.startsWith('test/') && existsSync(join(ROOT, f)));
  } catch {
    return ['README.md']; // a copy without its repository
  }
}

/** What stands as code: indented blocks and `spans`, each with a line of its own; lines behind a backslash joined. */
function codeOf(text: string): string[] {
  const joined = text.replace(/\\\n\s*/g, ' ');
  const blocks = joined.split('\n').filter((line) => /^ {4,}\S/.test(line));
  return [...blocks, ...Array.from(joined.matchAll(/`([^`\n]+)`/g), (m) => m[1])];
}

/** [command, flags] of each `sct COMMAND ...` in a line of code, up to a comment, a pipe, or the next command. */
function* uses(code: string): Generator<{ command: Command; flags: string[]; said: string }> {
  for (const [, words] of code.matchAll(/\b(?:sct|bin\/sct\.js) ([a-z][^\n]*)/g)) {
    const said = words.split(/ #|\s{3,}|; | && | \| | > /)[0];
    let command: Command | undefined = PROGRAM;
    let rest = said.split(/\s+/);
    for (let next = find(command, rest[0]); next; next = find(next, rest[0])) {
      command = next;
      rest = rest.slice(1);
    }
    if (command === PROGRAM) continue; // prose, e.g. "sct prints"
    const flags = rest.map((word) => /^\[?(--[a-z][a-z0-9-]*|-[a-zA-Z])(?=$|[=\],.)])/.exec(word)?.[1]);
    yield { command, flags: flags.filter((f) => f !== undefined), said };
  }
}

const PROGRAM = buildProgram({} as CliContext, () => {});

function find(command: Command, word: string | undefined): Command | undefined {
  return command.commands.find((c) => c.name() === word);
}

/** Flags that a command takes; those of the command that a group runs where none is named (`sct bench`) with them. */
function flagsOf(command: Command): Set<string> {
  const options = [command, ...command.commands].flatMap((c) => c.options);
  return new Set(['-h', '--help', ...options.flatMap((o) => [o.short, o.long]).filter((f) => f !== undefined)]);
}

test('every flag that a document gives a command is one', () => {
  let seen = 0;
  for (const file of DOCUMENTS) {
    for (const code of codeOf(readFileSync(join(ROOT, file), 'utf8'))) {
      for (const { command, flags, said } of uses(code)) {
        seen++;
        const known = flagsOf(command);
        for (const flag of flags) assert.ok(known.has(flag), `${file}: sct ${said}: no flag ${flag}`);
      }
    }
  }
  assert.ok(seen > 100, `${seen} commands found`);
  const [{ flags }] = uses('sct capture cut a --from 0 -o b  # --to 3');
  assert.deepEqual(flags, ['--from', '-o']);
});

test('every link of a document leads somewhere, to a heading that is there', () => {
  const slug = (heading: string) =>
    heading
      .replace(/^#+ /, '')
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
  const headings = (path: string) =>
    new Set(
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => /^#+ /.test(line))
        .map(slug),
    );
  for (const file of DOCUMENTS) {
    for (const [, target] of readFileSync(join(ROOT, file), 'utf8').matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path, anchor] = target.split('#');
      const at = path ? join(ROOT, dirname(file), path) : join(ROOT, file);
      assert.ok(existsSync(at), `${file}: ${target}`);
      if (anchor && at.endsWith('.md')) assert.ok(headings(at).has(anchor), `${file}: no heading for ${target}`);
    }
  }
});

test('README names every document, and the architecture every decision', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const architecture = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  for (const file of DOCUMENTS) {
    if (/^docs\/[^/]+\.md$/.test(file)) assert.ok(readme.includes(`(${file}`), `README.md: ${file}`);
    if (/^docs\/adr\/\d/.test(file)) assert.ok(architecture.includes(`(${file.slice(5)})`), `architecture.md: ${file}`);
  }
});
