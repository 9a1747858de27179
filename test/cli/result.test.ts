import assert from 'node:assert/strict';
import test from 'node:test';
import type { CliContext } from '../../src/cli/context.ts';
import { printResult } from '../../src/cli/result.ts';
import { meansOf } from '../../src/experiment/metrics/folder-means.ts';
import { emptyMetrics, type LinkMetrics, type SfvState } from '../../src/experiment/metrics/metrics.ts';
import { Progress } from '../../src/experiment/report/progress.ts';

/** What the terminal shows of a folder's pictures. */
async function shown(images: (LinkMetrics & { photo: string })[]): Promise<string[]> {
  let text = '';
  const context: CliContext = {
    argv: [],
    json: false,
    quiet: true,
    verbose: false,
    colour: false,
    signal: new AbortController().signal,
    progress: new Progress({ stream: { write: () => true }, now: () => 0, quiet: true }),
    telemetry: null,
    out: (more) => {
      text += more;
    },
  };
  await printResult(context, { images, means: meansOf(images), exitCode: 0 });
  return text.trim().split('\n');
}

const sfv = (state: SfvState) => ({ id: 0, label: 'sky', importance: 0.5, symbols: 1, rbs: [], snrDb: 3, state });

test('of a folder each picture has its state: files whole or not, pictures of SFVs by what became of these', async () => {
  const file: LinkMetrics = { ...emptyMetrics('classical'), ok: true, outage: 0, psnrDb: 30 };
  const files = await shown([
    { ...file, photo: 'a.png' },
    { ...file, ok: false, photo: 'b.png' },
    { ...file, ok: false, outage: 1, photo: 'c.png' },
  ]);
  assert.match(files[1], /^a\.png .*whole$/);
  assert.match(files[2], /damaged$/);
  assert.match(files[3], /outage$/);
  assert.match(files[4], /1 of 3 whole$/);
  const sfvs = await shown([
    { ...file, sfvs: [sfv('received'), sfv('repaired'), sfv('received')], photo: 'a.png' },
    { ...file, ok: false, sfvs: [sfv('synthesised')], photo: 'b.png' },
  ]);
  assert.match(sfvs[1], / 2 received, 1 repaired$/);
  assert.match(sfvs[2], / not received: 1 synthesised$/);
  assert.match(sfvs[3], /1 of 2 received$/);
});
