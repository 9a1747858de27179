import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { benchSemantics } from '../../../src/experiment/bench/semantics/bench.ts';
import { parseSemanticsParts } from '../../../src/experiment/bench/semantics/parts.ts';
import { semanticsTable } from '../../../src/experiment/bench/semantics/text.ts';

const dir = mkdtempSync(join(tmpdir(), 'sct-semantics-'));
after(() => rmSync(dir, { recursive: true, force: true }));

test('the quick run measures every part through the whole modem', async () => {
  const notes: string[] = [];
  const options = { quick: true, command: 'test', out: dir, note: (what: string) => notes.push(what) };
  const report = await benchSemantics(options);
  assert.equal(report.pending, 0);
  assert.deepEqual(report.failures, []);
  assert.equal(report.schema, 'sct.bench.semantics/1');
  for (const part of report.parts) {
    if (part.name === 'latency') continue; // starts programs: nothing to see in a quick run
    assert.ok(part.rows.length > 0, part.name);
    for (const row of part.rows) {
      const { outage, psnrDb, cbr } = row.figures;
      assert.ok(row.trials > 0 && row.seeds !== '', row.scheme);
      assert.ok(psnrDb && psnrDb.mean > 5 && psnrDb.mean < 60, `${part.name} ${row.scheme}`);
      assert.ok(outage && outage.mean <= 1 && outage.mean >= 0);
      // Repetitions of that part may take seven times the budget besides.
      const times = part.name === 'harq' ? 8 : 1;
      const budget = times / Number(String(row.conditions.CBR).replace('1/', ''));
      assert.ok(cbr && cbr.mean <= budget * (1 + 1e-5), `${part.name} ${row.scheme}: ${cbr?.mean} of ${budget}`);
    }
  }
  assert.ok(report.parts.flatMap((p) => p.rows).some((r) => r.scheme === 'integrated' && r.figures.outage!.mean === 0));
  assert.match(semanticsTable(report), /matched - uniform/);
  assert.deepEqual(JSON.parse(readFileSync(join(dir, 'semantics.json'), 'utf8')), JSON.parse(JSON.stringify(report)));
  assert.ok(existsSync(join(dir, 'semantics-front.svg')));
  assert.ok(readdirSync(join(dir, 'pictures')).some((name) => name.startsWith('front-eva-5-integrated')));
  assert.ok(notes.length > 10);

  // Everything is found again; what another code made, or a living process is at, is not taken.
  const again = await benchSemantics({ ...options, note: () => assert.fail('nothing is left to do') });
  assert.deepEqual(again.parts, report.parts);
  const one = join(dir, 'rows', 'fig5-classical-report-1.json');
  writeFileSync(one, JSON.stringify({ ...JSON.parse(readFileSync(one, 'utf8')), key: 'other code' }));
  const other = join(dir, 'rows', 'fig5-classical-report-3');
  rmSync(`${other}.json`);
  writeFileSync(`${other}.claim`, String(process.ppid));
  const redone: string[] = [];
  const last = await benchSemantics({
    ...options,
    only: parseSemanticsParts('fig5'),
    note: (what) => redone.push(what.split(':')[0]),
  });
  assert.deepEqual(redone, ['fig5-classical-report-1']);
  assert.equal(last.pending, 1);
});

test('an interrupted run leaves no claim', async () => {
  const stop = new AbortController();
  const out = join(dir, 'stopped');
  const run = benchSemantics({
    quick: true,
    command: 'test',
    out,
    signal: stop.signal,
    only: parseSemanticsParts('cliff'),
    progress: () => stop.abort(),
  });
  await run.catch((error: Error) => assert.equal(error.name, 'AbortError'));
  assert.ok(!readdirSync(join(out, 'rows')).some((name) => name.endsWith('.claim')));
});

test('folders that are not there are named before anything is measured', async () => {
  await assert.rejects(benchSemantics({ data: join(dir, 'nothing'), command: 'test' }), /camvid\/test is not there/);
});
