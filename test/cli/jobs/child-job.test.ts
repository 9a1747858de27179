import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { it } from 'node:test';
import { ChildJob } from '../../../src/cli/jobs/child-job.ts';
import type { JobEnd } from '../../../src/link/controller.ts';

/** A job that is a script of the test's own. */
function job(script: string, options: { patienceMs?: number; takes?: (chunk: Uint8Array) => boolean } = {}) {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
  const lines: string[] = [];
  let told = 0;
  let finish: (end: JobEnd) => void;
  const ended = new Promise<JobEnd>((resolve) => {
    finish = resolve;
  });
  const started = new ChildJob(
    'test',
    child,
    {
      bytes: (chunk) => {
        told += chunk.length;
        return options.takes?.(chunk) ?? true;
      },
      line: (text) => void lines.push(text),
      ended: (end) => finish(end),
    },
    options.patienceMs,
  );
  const said = async (text: string) => {
    while (!lines.includes(text)) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return { job: started, ended, lines, said, told: () => told };
}

const READY = "process.stderr.write('ready\\n');";
const result = (object: object) => `process.stdout.write(${JSON.stringify(JSON.stringify(object))});`;

it('a result, an error and their exit codes', async () => {
  const good = await job(result({ schema: 'sct.link/1', ok: true })).ended;
  assert.deepEqual(good, { exitCode: 0, how: 'ended', result: { schema: 'sct.link/1', ok: true }, error: null });
  const bad = await job(`${result({ schema: 'sct.error/1', error: 'no board', hint: 'plug' })}process.exitCode=3`)
    .ended;
  assert.deepEqual(bad, { exitCode: 3, how: 'ended', result: null, error: { message: 'no board', hint: 'plug' } });
  const none = await job("process.stdout.write('not JSON'); process.exitCode = 1").ended;
  assert.deepEqual([none.exitCode, none.result], [1, null]);
});

it('stop asks, once, however often it is called', async () => {
  const {
    job: running,
    ended,
    said,
    lines,
  } = job(
    `let n = 0; process.on('SIGINT', () => { process.stderr.write('asked ' + ++n + '\\n');
     setTimeout(() => process.exit(130), 50) }); setInterval(() => {}, 1000); ${READY}`,
  );
  await said('ready');
  await Promise.all([running.stop(), running.stop(), running.stop()]);
  assert.deepEqual([(await ended).how, (await ended).exitCode], ['stopped', 130]);
  assert.deepEqual(lines, ['ready', 'asked 1']);
  await running.stop();
});

it('a job that does not listen is ended', async () => {
  const {
    job: running,
    ended,
    said,
  } = job(`process.on('SIGINT', () => {}); setInterval(() => {}, 9); ${READY}`, {
    patienceMs: 50,
  });
  await said('ready');
  await running.stop();
  assert.equal((await ended).how, 'killed');
});

it('a job that died was killed, and is not taken for one that ended', async () => {
  const { how, exitCode } = await job("process.kill(process.pid, 'SIGSEGV'); setInterval(() => {}, 9)").ended;
  assert.deepEqual([how, exitCode], ['killed', 1]);
});

it('floods of lines and of results are cut, and never make it wait', async () => {
  const many = job("for (let i = 0; i < 200000; i++) process.stderr.write('line ' + i + ' of a flood\\n')");
  await many.ended;
  assert.ok(many.lines.length >= 50 && many.lines.length < 20_000, `${many.lines.length} lines`);
  const long = job("process.stderr.write('x'.repeat(3e7)); process.stdout.write('y'.repeat(1e8))");
  assert.equal((await long.ended).result, null);
  assert.ok(long.lines.every((line) => line.length <= 2000));
});

it('what it tells waits in the job while nobody takes it, and comes when it is asked for', async () => {
  let open = false;
  const flood = `const s = new (require('net').Socket)({ fd: 3 }); for (let i = 0; i < 400; i++) s.write(Buffer.alloc(65536));
    s.end(); process.stderr.write('done\\n')`;
  const { job: running, ended, said, told } = job(flood, { takes: () => open });
  await said('done');
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(told() < 4e6, `${told()} bytes were read`);
  open = true;
  running.more();
  await ended;
  assert.equal(told(), 400 * 65_536);
});

it('what it is told and does not read is left out, and one that is gone is told nothing', async () => {
  const { job: running, ended, said } = job(`setInterval(() => {}, 1000); ${READY}`);
  await said('ready');
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 200_000; i++) running.tell({ action: 'seek', value: i });
  assert.ok(process.memoryUsage().heapUsed - before < 50e6);
  await running.stop();
  await ended;
  running.tell({ action: 'pause' });
});
