import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

// Our driver against the iiod of libiio itself, which speaks to the emulated Pluto behind it. It would listen on all interfaces, so it runs in
// a network namespace of its own. SCT_IIOD names the program where it is not installed (its package enables a service).
const iiod = process.env.SCT_IIOD ?? spawnSync('sh', ['-c', 'command -v iiod']).stdout.toString().trim();
const skip = missing();

test('settings, receiving and transmitting through the real iiod', { skip }, () => {
  const path = fileURLToPath(new URL('behind-iiod.ts', import.meta.url));
  const script = 'ip link set lo up && exec "$0" --import tsx "$1" "$2"';
  const run = spawnSync('unshare', ['-rn', 'sh', '-c', script, process.execPath, path, iiod], { timeout: 180_000 });
  assert.equal(run.status, 0, run.stderr.toString().slice(-2000));
  const result = JSON.parse(run.stdout.toString().trim().split('\n').at(-1)!);
  assert.equal(`${result.version.major}.${result.version.minor}`, '0.24');
  assert.equal(result.settings.rateHz, 500_000);
  assert.deepEqual(result.settings.gainsDb, { rx: 30 });
  assert.ok(result.received >= 150_000);
  assert.equal(result.breaks, 0, 'no sample is missing without being said');
  assert.equal(result.sent, 1000);
  assert.ok(result.played >= 1000);
});

function missing(): string | false {
  if (!iiod) return 'iiod is not installed (SCT_IIOD may name it)';
  if (spawnSync('unshare', ['-rn', 'ip', 'link', 'set', 'lo', 'up']).status !== 0) return 'no network namespaces here';
  return false;
}
