import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { SearchedPlace } from '../../../src/experiment/board/find-boards.ts';
import { checkHost, type HostCheck } from '../../../src/experiment/board/host-checks.ts';

async function root(t: { after(fn: () => Promise<void>): void }, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sct-host-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

const by = (checks: readonly HostCheck[], name: HostCheck['name']) => checks.find((check) => check.name === name)!;
const usb = (found: Partial<SearchedPlace>) => async () => ({ place: 'USB', boards: [], problem: null, ...found });
const BOARD = { uri: null, board: 'HackRF', product: null, serial: null, version: null, place: 'USB, 1-2' } as const;

test('a machine that is ready', async (t) => {
  const checks = await checkHost({
    root: await root(t, {
      'etc/udev/rules.d/60-sct.rules': '',
      'lib/udev/rules.d/60-libhackrf0.rules': '',
      'usr/lib/udev/rules.d/60-libhackrf0.rules': '',
      'sys/module/usbcore/parameters/usbfs_memory_mb': '16\n',
      'dev/ttyUSB0': '',
      'dev/tty1': '',
    }),
    findBoards: usb({ boards: [{ ...BOARD, problem: null }] }),
  });
  assert.deepEqual(
    checks.map(({ ok }) => ok),
    [true, true, true, true, true, true],
  );
  assert.match(by(checks, 'serial').found, /ttyUSB0$/);
  assert.equal(by(checks, 'rules').found, 'udev: 60-sct.rules, 60-libhackrf0.rules', 'each name once');
});

test('a machine that lacks everything: each with its fix', async (t) => {
  const checks = await checkHost({
    root: await root(t, {
      'etc/udev/rules.d/99-other.rules': '',
      'sys/module/usbcore/parameters/usbfs_memory_mb': '8',
    }),
    nodeVersion: '18.20.1',
    findBoards: usb({
      boards: [{ ...BOARD, problem: { reason: 'no permission', hint: 'rules' } }],
      problem: { reason: 'half of it', hint: 'install' },
    }),
  });
  for (const name of ['node', 'usb', 'permission', 'rules', 'usbfs'] as const) {
    assert.equal(by(checks, name).ok, false, name);
    assert.ok(by(checks, name).fix, name);
  }
  assert.equal(by(checks, 'serial').ok, null);
  assert.match(by(checks, 'permission').found, /1-2: no permission/);
});

test('what cannot be known is no fault', async (t) => {
  const checks = await checkHost({ root: await root(t, {}), findBoards: usb({}) });
  for (const name of ['permission', 'rules', 'usbfs', 'serial'] as const) assert.equal(by(checks, name).ok, null, name);
  const free = await root(t, { 'sys/module/usbcore/parameters/usbfs_memory_mb': '0' });
  assert.equal(by(await checkHost({ root: free, findBoards: usb({}) }), 'usbfs').ok, true, '0 is no limit');
});
