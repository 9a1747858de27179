import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from '../../src/common/errors.ts';
import { resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { loopback, photo, replay, scratch, send } from './link-helpers.ts';

/** A report of 2 ms at a Doppler of 5 Hz still holds. */
const AIR = { channel: 'eva', dopplerHz: 5, csiDelayMs: 2, numerology: 25, snrDb: 6, seed: 1 } as const;
const EVA = { codec: 'classical', ...AIR } as const;

test('on EVA the picture decodes with power loading on; levels are reported, the rest stays comparable, replay agrees', async (t) => {
  const folder = await scratch(t);
  const picture = await photo(join(folder, 'photo.png'), 320, 240);
  const off = await loopback(picture, join(folder, 'off'), EVA);
  const on = await loopback(picture, join(folder, 'on'), { ...EVA, powerLoading: true });
  for (const { metrics, exitCode } of [off, on]) {
    assert.equal(exitCode, 0);
    assert.ok(metrics.psnrDb! > 25, `${metrics.psnrDb} dB`);
  }
  assert.equal(off.metrics.powerLoadingDb, null);
  const levels = on.metrics.powerLoadingDb!;
  assert.equal(levels.length, 25);
  assert.ok(new Set(levels).size > 2 && levels.every((v) => v >= -8 && v <= 7.5 && Number.isInteger(2 * v)));
  const mean = levels.reduce((sum, v) => sum + 10 ** (v / 10) / 25, 0);
  assert.ok(Math.abs(10 * Math.log10(mean)) <= 0.1);
  // Water-filling by the report: the strongest subband gets more than the weakest.
  const facts = JSON.parse(await readFile(join(on.directory, 'allocation.json'), 'utf8'));
  const reported = facts.reportedSnrDb as number[];
  assert.deepEqual(facts.powerDb, levels);
  assert.ok(levels[reported.indexOf(Math.max(...reported))] > levels[reported.indexOf(Math.min(...reported))]);
  // The channel's own SNR is measured by the pilots, which keep unit power: two noises, so 1 dB of RMS difference.
  const differences2 = on.metrics.rbSnrDb!.map((v, s) => (v! - off.metrics.rbSnrDb![s]!) ** 2);
  assert.ok(Math.sqrt(differences2.reduce((a, b) => a + b, 0) / 25) < 2);
  // Symbols at their levels divided out are as clean as the SNR says.
  assert.ok(Math.abs(on.metrics.evmDb! - off.metrics.evmDb!) < 2, `${on.metrics.evmDb} and ${off.metrics.evmDb} dB`);
  assert.ok(on.metrics.symbolsPerPixel! <= 3 / 16);
  const { differences } = await replay(on.directory, join(folder, 'replay'), true);
  assert.deepEqual(differences, []);
});

test('without a fresh report there is no power loading, and the report says so', async (t) => {
  const folder = await scratch(t);
  const picture = await photo(join(folder, 'photo.png'), 160, 120);
  const input = { ...EVA, numerology: 6, powerLoading: true, maxCsiAgeMs: 1 };
  const { metrics, report } = await loopback(picture, join(folder, 'old'), input);
  assert.equal(metrics.mapping, 'robust');
  assert.equal(metrics.powerLoadingDb, null);
  assert.ok(report.warnings.some((w) => /no bit or power loading/.test(w)));
});

test('where no report can come --power-loading is refused, and says why', async (t) => {
  assert.throws(
    () => resolveLinkConfig({ powerLoading: true, feedback: 'none' }),
    /--power-loading needs the CSI report/,
  );
  const folder = await scratch(t);
  const picture = await photo(join(folder, 'photo.png'), 64, 48);
  await assert.rejects(
    send(picture, `file:${join(folder, 'out.sigmf-meta')}`, join(folder, 'run'), { powerLoading: true }),
    (e: unknown) => e instanceof UsageError && /send has no way back/.test(e.message),
  );
});
