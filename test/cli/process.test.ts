import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { BIN, scratch, sct, startSct } from './helpers.ts';

test('errors: text on stderr, under --json one object on stdout, the exit code of the contract', async (t) => {
  const cwd = await scratch(t);
  const plain = await sct(['loopback', 'no.png'], cwd);
  assert.deepEqual(plain, { code: 2, stdout: '', stderr: 'sct: no.png: no such file or folder\n' });
  const hinted = await sct(['loopback', '--snt', '3'], cwd);
  assert.equal(hinted.stderr, "sct: unknown option '--snt'\nhint: did you mean --snr?\n");
  const json = await sct(['loopback', '--snt', '3', '--json'], cwd);
  assert.equal(json.code, 2);
  assert.deepEqual(JSON.parse(json.stdout), {
    schema: 'sct.error/1',
    ok: false,
    error: "unknown option '--snt'",
    hint: 'did you mean --snr?',
    exitCode: 2,
  });
});

test('no command at all: help on stderr, exit 2', async (t) => {
  const ended = await sct([], await scratch(t));
  assert.equal(ended.code, 2);
  assert.equal(ended.stdout, '');
  assert.match(ended.stderr, /Usage: sct/);
  for (const line of ended.stderr.split('\n')) assert.ok(line.length <= 80, line);
});

test('help starts quickly: nothing heavy is loaded for it', async (t) => {
  const cwd = await scratch(t);
  // What is loaded decides the time; modules can be counted on any machine, milliseconds cannot.
  const { stderr, status } = spawnSync(process.execPath, [BIN, '--help'], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NODE_DEBUG: 'esm,module' },
  });
  assert.equal(status, 0);
  for (const heavy of ['sharp', 'onnxruntime-node', 'zod', 'yaml', 'usb', 'serialport', 'express']) {
    assert.ok(!stderr.includes(`/node_modules/${heavy}/`), `${heavy} is loaded by --help`);
  }
  assert.ok(stderr.includes('/node_modules/commander/'), 'the trace shows what is loaded');
});

test('Ctrl-C: a receiver that waits stops with 130', { timeout: 300_000 }, async (t) => {
  const cwd = await scratch(t);
  const process_ = startSct(['record', '--from', 'file:growing', '-o', 'copy'], cwd);
  // A second process holds the capture open, so that there is something to wait for.
  const { CaptureWriter } = await import('../../src/radio/sigmf/capture-writer.ts');
  const writer = await CaptureWriter.create(join(cwd, 'growing'), { format: 'ci8', rateHz: 1e6 });
  await process_.stderrMatches(/-> capture/);
  // timeout(1) signals the process and then its group: that is one request to stop.
  process_.kill('SIGINT');
  process_.kill('SIGINT');
  const ended = await process_.ended;
  await writer.close();
  assert.equal(ended.code, 130);
  assert.match(ended.stderr, /interrupted/);
  const check = await sct(['capture', 'validate', 'copy', '--json'], cwd);
  assert.equal(JSON.parse(check.stdout).ok, true, 'what was recorded is a valid capture');
});

test('bin: a checkout that is not built says what to run', async (t) => {
  const cwd = await scratch(t);
  await mkdir(join(cwd, 'bin'));
  await copyFile(BIN, join(cwd, 'bin', 'sct.mjs'));
  const { status, stderr } = spawnSync(process.execPath, [join(cwd, 'bin', 'sct.mjs')], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /npm run build/);
});

test('stdout: a closed pipe ends quietly, a full disk is an error', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const cwd = await scratch(t);
  const shell = (line: string) => spawnSync('/bin/bash', ['-c', line], { cwd, encoding: 'utf8' });
  const sctLine = `'${process.execPath}' '${BIN}'`;
  const closed = shell(`${sctLine} devices | true; echo "exit \${PIPESTATUS[0]}"`);
  assert.equal(closed.stdout, 'exit 0\n');
  assert.equal(closed.stderr, '');
  const full = shell(`${sctLine} devices > /dev/full; echo "exit $?"`);
  assert.equal(full.stdout, 'exit 1\n');
  assert.match(full.stderr, /could not be written to stdout \(ENOSPC\)/);
  assert.equal(shell(`${sctLine} nix 2> /dev/full; echo "exit $?"`).stdout, 'exit 2\n');
});
