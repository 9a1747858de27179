import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from '../../src/common/errors.ts';
import { makeFolder, writableFolder } from '../../src/common/make-folder.ts';

test('folders are made level by level; a file in the way, and a file system that takes none, are errors', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sct-folder-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const deep = join(root, 'a', 'b', 'c');
  assert.deepEqual(await Promise.all([makeFolder(deep), makeFolder(deep)]), [deep, deep]);
  assert.ok((await stat(deep)).isDirectory());
  await writeFile(join(root, 'file'), '');
  for (const path of [join(root, 'file'), join(root, 'file', 'below')]) {
    await assert.rejects(makeFolder(path), { code: 'ENOTDIR' });
    await assert.rejects(writableFolder(path), (e) => e instanceof UsageError && e.message.includes(path));
  }
});

test('the process file system takes no folders', { skip: process.platform !== 'linux' }, async () => {
  await assert.rejects(writableFolder('/proc/sct-none/below'), UsageError); // mkdir with recursive would never come back
});
