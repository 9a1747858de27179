import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { validateCapture } from '../../../src/radio/sigmf/capture-info.ts';
import { CaptureReader } from '../../../src/radio/sigmf/capture-reader.ts';
import { temporaryFolder } from '../helpers.ts';
import { countingBlock } from './counting.ts';

const CHILD = fileURLToPath(new URL('./counting-writer.child.ts', import.meta.url));

// Killed after 1, 3 and 7 reports: early, and with the metadata replaced many times.
for (const reports of [1, 3, 7]) {
  test(`kill -9 while recording leaves a capture that opens (after ${reports} reports)`, async (t) => {
    const path = join(await temporaryFolder(t), 'x');
    const child = spawn(process.execPath, ['--import', 'tsx', CHILD, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    let reported = 0;
    let lines = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      reported = Number(line);
      if (++lines === reports) child.kill('SIGKILL');
    }
    assert.equal((await exited)[1], 'SIGKILL');

    const check = await validateCapture(path);
    assert.deepEqual(check.problems, []);
    assert.equal(check.info?.complete, false);
    assert.match(check.info?.notes[0] ?? '', /not closed/);
    const reader = await CaptureReader.open(path);
    t.after(() => reader.close());
    let end = 0;
    let gaps = 0;
    for await (const block of reader.blocks()) {
      // Values follow from the index, so this fails if any gap were forgotten or misplaced.
      assert.deepEqual(block.data, countingBlock(block.index, block.data.length / 2).data);
      if (block.lostBefore) {
        gaps++;
        assert.equal(block.lostBefore.min, 77);
        assert.equal(block.index, end + 77);
      }
      end = block.index + block.data.length / 2;
    }
    // What was reported had been flushed; the report's index may stand after a gap that no sample follows yet.
    assert.ok(end >= reported - 77, `${end} of ${reported}`);
    assert.ok(gaps >= 2 * reports - 1);
  });
}
