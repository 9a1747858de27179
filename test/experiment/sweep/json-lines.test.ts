import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../../src/common/errors.ts';
import { LineAppender, MAX_LINE_BYTES, wholeLines } from '../../../src/experiment/sweep/json-lines.ts';
import { scratch } from '../link-helpers.ts';

test('a file cut anywhere has its whole lines, and goes on behind them', async (t) => {
  const path = join(await scratch(t), 'lines');
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.string({ unit: 'grapheme' }).map((s) => JSON.stringify(s)),
        { maxLength: 8 },
      ),
      fc.nat(),
      async (lines, cut) => {
        await writeFile(path, '');
        const first = new LineAppender(path, 0);
        for (const line of lines) first.append(line);
        first.close();
        const { length } = await readFile(path);
        const bytes = length === 0 ? 0 : cut % (length + 1);
        await truncate(path, bytes);
        const ends = lines.map((_, i) =>
          Buffer.byteLength(
            lines
              .slice(0, i + 1)
              .map((l) => `${l}\n`)
              .join(''),
          ),
        );
        const whole = ends.filter((end) => end <= bytes).length;
        const found = [...wholeLines(path)];
        assert.deepEqual(
          found.map(({ text }) => text),
          lines.slice(0, whole),
        );
        assert.deepEqual(
          found.map(({ end }) => end),
          ends.slice(0, whole),
        );
        const again = new LineAppender(path, found.at(-1)?.end ?? 0);
        for (const line of lines.slice(whole)) again.append(line);
        again.close();
        assert.equal(await readFile(path, 'utf8'), lines.map((line) => `${line}\n`).join(''));
      },
    ),
    { numRuns: 60 },
  );
});

test('lines longer than a block are read; too long ones are refused, on either side', async (t) => {
  const path = join(await scratch(t), 'lines');
  const long = 'x'.repeat(3 * 2 ** 20);
  await writeFile(path, `${long}\nshort\n${long}`);
  assert.deepEqual(
    [...wholeLines(path)].map(({ text }) => text.length),
    [long.length, 5],
  );
  await writeFile(path, 'y'.repeat(MAX_LINE_BYTES + 2));
  assert.throws(() => [...wholeLines(path)], FormatError);
  const appender = new LineAppender(path, 0);
  assert.throws(() => appender.append('y'.repeat(MAX_LINE_BYTES)));
  appender.append('z');
  appender.close();
  assert.equal(await readFile(path, 'utf8'), 'z\n');
});
