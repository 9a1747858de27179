import assert from 'node:assert/strict';
import test from 'node:test';
import type { Command } from 'commander';
import type { CliContext } from '../../src/cli/context.ts';
import { wrapAddedHelp } from '../../src/cli/help-text.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { sctInside } from './helpers.ts';

/** Words of every command, `[]` for sct itself. */
function commandPaths(): string[][] {
  const paths: string[][] = [];
  const walk = (command: Command, words: string[]) => {
    paths.push(words);
    for (const sub of command.commands) walk(sub, [...words, sub.name()]);
  };
  walk(
    buildProgram({} as CliContext, () => {}),
    [],
  );
  return paths;
}

test('the help of every command ends well, says how to use it, and keeps to 80 columns', async () => {
  const paths = commandPaths();
  assert.ok(paths.length > 40);
  for (const words of paths) {
    const { code, stdout, stderr } = await sctInside([...words, '--help']);
    assert.equal(code, 0);
    assert.equal(stderr, '');
    assert.match(stdout, new RegExp(`^Usage: ${['sct', ...words].join(' ')} \\[options\\]`));
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, `${words.join(' ')}: ${line}`);
  }
});

test('added help: paragraphs are filled, examples can still be pasted', () => {
  const text = [
    'Powers are in dBFS: 0 is full',
    'scale.',
    '',
    'Examples:',
    '  sct a --one 1 --two 2 --three 3',
    "  sct b 'with three words quoted here'",
    '  sct c --one 1      what it is for, in words',
    '  sct d              short',
  ].join('\n');
  assert.deepEqual(wrapAddedHelp(text, 24).split('\n'), [
    'Powers are in dBFS: 0 is',
    'full scale.',
    '',
    'Examples:',
    '  sct a --one 1 \\',
    '      --two 2 --three 3',
    '  sct b \\',
    "      'with three words quoted here'",
    '  sct c --one 1',
    '      what it is for, in',
    '      words',
    '  sct d   short',
  ]);
  assert.equal(wrapAddedHelp(text, 80), text, 'what fits stays as it was written');
});
