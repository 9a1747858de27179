import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HarqMetrics } from '../../../src/experiment/metrics/metrics.ts';
import { reportHtml } from '../../../src/experiment/report/html.ts';
import { Progress, progressBar } from '../../../src/experiment/report/progress.ts';
import { terminalSummary, wantsColour } from '../../../src/experiment/report/terminal.ts';
import { emptyReport, sampleReport } from './sample.ts';

test('the summary is aligned, has units and plain characters', () => {
  const lines = terminalSummary(sampleReport(), { colour: false, directory: 'runs/x' }).split('\n');
  assert.equal(lines[0], 'bridge.png');
  assert.match(lines[1], /^The picture arrived whole: 31\.3 dB PSNR/);
  assert.ok(lines.includes('  picture     PSNR 31.25 dB  ·  MS-SSIM 0.9512'));
  assert.ok(lines.includes('  cost        R 0.1875 symbols/pixel  ·  CBR 0.06250 (1/16.0)  ·  1 block sent again'));
  assert.ok(lines.includes('  RB SNR      -2.0 to 18.0 dB over 4 subbands  ·  CSI report 20.0 ms old'));
  assert.ok(lines.includes('  radio       EVM -14.2 dB  ·  CFO -12 346 Hz  ·  BLER 25.0 %'));
  assert.ok(lines.includes('  time        1.5 s'));
  assert.ok(lines.includes('  report      runs/x/report.html'));
  assert.equal(lines.at(-1), '');
});

test('a sounding says nothing of a picture; a replay says what it was checked against', () => {
  const sounded = terminalSummary({ ...sampleReport(), purpose: 'sounding' }, { colour: false });
  assert.doesNotMatch(sounded, /picture {2}|codec {2}/);
  assert.match(sounded, /\n {2}channel {5}/);
  const checked = terminalSummary(sampleReport(), { colour: false, check: 'the replay gives the metrics of the run' });
  assert.match(checked, /\n {2}check {7}the replay gives the metrics of the run\n/);
});

test('analog symbols have no blocks: what was repeated is counted in SFVs', () => {
  const data = sampleReport();
  data.metrics.retransmissions = 0;
  data.metrics.harq = { streams: 6 } as HarqMetrics;
  assert.match(terminalSummary(data, { colour: false }), /6 SFVs sent again/);
  assert.match(reportHtml(data), /<dt>Sent again<\/dt><dd>6 <span class="unit">SFVs</);
  data.metrics.harq.streams = 0;
  assert.match(terminalSummary(data, { colour: false }), /0 blocks sent again/);
});

test('a machine has a row of its own', () => {
  const data = sampleReport();
  const found = (name: string, present: boolean) => ({ name, probability: 0.5, present, share: 0.5 });
  data.metrics.machine = {
    classes: [found('road', true), found('pole', false), found('car', true)],
    streetProbability: 0.97,
    withTruth: null,
    cleanWithTruth: null,
    withClean: { mIoU: 0.6, pixelAccuracy: 0.875, missed: [], invented: [] },
  };
  const lines = terminalSummary(data, { colour: false }).split('\n');
  const row = "  machine     sees road, car  ·  street scene 97 %  ·  87.5 % of pixels as from the original's features";
  assert.ok(lines.includes(row), lines.join('\n'));
});

test('without anything received it gives reasons, not numbers', () => {
  const text = terminalSummary(emptyReport(), { colour: false });
  assert.match(text, /No burst was found/);
  assert.match(text, /quality —: nothing was decoded/);
  assert.doesNotMatch(text, /NaN|null|undefined|— dB/);
});

test('colour only when asked, and text from outside cannot drive the terminal', () => {
  const data = sampleReport();
  data.identification.title = 'x\u001b[2Jy\nz';
  data.warnings = ['bad \u0007 bell'];
  const plain = terminalSummary(data, { colour: false });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: looks for exactly these
  assert.doesNotMatch(plain, /[\u0000-\u0009\u000b-\u001f]/);
  assert.ok(plain.startsWith('x\ufffd[2Jy\ufffdz\n'));
  assert.ok(terminalSummary(data, { colour: true }).includes('\u001b[32m'));
  assert.equal(wantsColour(true, {}), true);
  assert.equal(wantsColour(true, { NO_COLOR: '1' }), false);
  assert.equal(wantsColour(true, { NO_COLOR: '' }), true);
  assert.equal(wantsColour(true, { TERM: 'dumb' }), false);
  assert.equal(wantsColour(undefined, {}), false);
});

function recorder(isTTY: boolean, columns?: number) {
  const written: string[] = [];
  return { stream: { isTTY, columns, write: (s: string) => written.push(s) }, written };
}

test('on a terminal one line is redrawn at most ten times a second and removed at the end', () => {
  const { stream, written } = recorder(true, 30);
  let time = 0;
  const progress = new Progress({ stream, now: () => time });
  let made = 0;
  for (time = 0; time < 1000; time += 10) progress.update(() => `frame ${made++} ${'x'.repeat(50)}`);
  assert.equal(made, 10);
  for (const s of written) {
    assert.ok(s.startsWith('\r\u001b[2K'));
    assert.ok(s.slice(5).length <= 29);
  }
  progress.note('stage done');
  assert.deepEqual(written.slice(-2), ['\r\u001b[2K', 'stage done\n']);
  progress.done();
  progress.done();
  progress.update('late');
  assert.equal(written.at(-1), 'stage done\n');
});

test('elsewhere a line every two seconds, or none', () => {
  let time = 0;
  const lines = recorder(false);
  const progress = new Progress({ stream: lines.stream, now: () => time });
  for (time = 0; time <= 6000; time += 100) progress.update(`t ${time}`);
  progress.done();
  assert.deepEqual(lines.written, ['t 0\n', 't 2000\n', 't 4000\n', 't 6000\n']);

  const none = recorder(false);
  const silent = new Progress({ stream: none.stream, now: () => 0, plain: 'none' });
  silent.update('x');
  silent.note('kept');
  assert.deepEqual(none.written, ['kept\n']);

  const quiet = recorder(true);
  const q = new Progress({ stream: quiet.stream, now: () => 0, quiet: true });
  q.update('x');
  q.note('x');
  q.note('lost samples', true);
  q.done();
  assert.deepEqual(quiet.written, ['lost samples\n']);
});

test('a progress bar stays within its width', () => {
  assert.equal(progressBar(0.5, 10), '[#####-----] 50 %');
  assert.equal(progressBar(2, 4), '[####] 100 %');
  assert.equal(progressBar(Number.NaN, 4), '[----] 0 %');
});
