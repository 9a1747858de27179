import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthChapter, growthPlots } from '../../bench/chapters/growth.ts';
import { type FftResult, kernelsChapter, type LdpcPeerResult, ldpcPeerPlot } from '../../bench/chapters/kernels.ts';
import { type MeasuredRuns, realTimeChapter, realTimeLines } from '../../bench/chapters/real-time.ts';
import { speedChapter, speedPlot } from '../../bench/chapters/speed.ts';
import type { ShapeReport, SpeedReport } from '../../src/experiment/bench/speed/modem-speed.ts';
import type { WholeSpeedReport } from '../../src/experiment/bench/speed/speed.ts';

const from = { machine: { cpu: 'a machine' }, program: { git: { commit: '0123456789abcdef', dirty: false } } };
const around = (median: number) => ({ median, low: 0.9 * median, high: 1.1 * median });

function shape(subbands: number, fftSize: number, receiveRatio: number | null): ShapeReport {
  const parts = (median: number) => ({ generate: around(median), receive: around(median), idle: around(median) });
  return {
    subbands,
    fftSize,
    cpLength: 16,
    modemRateHz: 15e3 * fftSize,
    ours: parts(30),
    liquid: receiveRatio === null ? null : parts(30 / receiveRatio),
    ratio: receiveRatio === null ? null : { ...parts(1.5), receive: around(receiveRatio) },
    stages: [{ stage: 'search', share: 1, nsPerSample: 1e3 / 30 }],
    rounds: [{}],
  } as unknown as ShapeReport;
}

const modem = (shapes: ShapeReport[], noPeer: string | null) =>
  ({
    schema: 'sct.bench.modem-speed/2',
    quick: false,
    command: 'sct bench modem',
    method: 'CPU time',
    load: [0.1, 1],
    liquid: noPeer === null ? { version: '9.9', compiler: 'cc' } : null,
    noPeer,
    shapes,
    ldpc: [],
    ...from,
  }) as unknown as SpeedReport;

test('speed of the modem: met and missed where something is asked, and only there', () => {
  const page = speedChapter(modem([shape(4, 64, 3.2), shape(25, 512, 1), shape(50, 1024, 2.9)], null));
  const row = (name: string) => page.split('\n').find((line) => line.startsWith(`| ${name}`)) ?? '';
  assert.match(row('4 subbands, 64/16'), /3\.20 \(2\.88 to 3\.52\) \| >= 3 \| met \|$/);
  assert.match(row('50 subbands, 1024/16'), /2\.90 .* \| >= 3 \| \*\*missed\*\* \|$/);
  assert.match(row('25 subbands'), /1\.00 \(.*\) \| \| \|$/);
  // 30 Msps at 15.36.
  assert.match(row('50 subbands, 1024/16'), /\| 2\.0 \|/);
  assert.match(page, /0123456789/);
  assert.match(speedPlot(modem([shape(4, 64, 3.2)], null)).svg, /liquid-dsp/);
});

test('speed of the modem without liquid-dsp says so and asks nothing', () => {
  const alone = modem([shape(4, 64, null)], 'no C compiler');
  const page = speedChapter(alone);
  assert.match(page, /Not compared: no C compiler/);
  assert.doesNotMatch(page, /missed|\| met/);
  assert.doesNotMatch(speedPlot(alone).svg, /liquid-dsp|NaN/);
});

test('growth: parts that were not measured are left out', () => {
  const empty = { modem: null, rbs: null, mcs: null, idle: null, fft: null, ldpc: null, images: null };
  const report = { ...empty, command: 'sct bench', method: 'CPU time', rounds: 5, load: [1, 1], ...from };
  const nothing = growthChapter(report as unknown as WholeSpeedReport);
  assert.doesNotMatch(nothing, /### Idle|### Size|undefined|NaN/);
  assert.deepEqual(growthPlots(report as unknown as WholeSpeedReport), []);
  const ns = { idle: around(20), down: around(5), up: around(5) };
  const share = { idle: around(0.4), down: around(0.1), up: around(0.1) };
  const rates = { subbands: 50, modemRateHz: 15.36e6, deviceRateHz: 20e6, loOffsetHz: 4.8e6 };
  const idle = { ...rates, ns, share, askedShare: 0.25, met: false };
  const image = {
    set: 'live',
    precision: 'int8',
    askedMs: 30,
    met: true,
    width: 256,
    height: 256,
    encodeMs: around(20),
    decodeMs: around(10),
    picturesPerS: 33.3,
  };
  const some = { ...report, idle, images: [image] } as unknown as WholeSpeedReport;
  assert.match(
    growthChapter(some),
    /\| 20\.0 \(18\.0 to 22\.0\) \| 40\.0 \(36\.0 to 44\.0\) \| <= 25 \| \*\*missed\*\* \|/,
  );
  assert.match(growthChapter(some), /\| `live`, 8 bit \| 256x256 \| .* \| 30 \| <= 30 \| met \| 33\.3 \|/);
  assert.equal(growthPlots(some).length, 1);
});

test('kernels: each file alone makes its section; what was missed is named', () => {
  const row = (z: number, ratio: number, met: boolean) => ({
    baseGraph: 1,
    z,
    codeRate: 1 / 2,
    asked: z === 384 ? 2 : 1,
    oursMbps: 60,
    srsranMbps: 60 / ratio,
    ratio: around(ratio),
    met,
  });
  const rows = [row(384, 2.5, true), row(6, 0.8, false)];
  const ldpc = { command: 'make ldpc', method: 'CPU time', rows, ...from } as unknown as LdpcPeerResult;
  const page = kernelsChapter(null, null, ldpc);
  assert.match(page, /1 of 2 met what is asked; \*\*missed\*\*: BG1 Z=6 \(0\.80\)/);
  assert.doesNotMatch(page, /### FFT|### Beside/);
  assert.match(ldpcPeerPlot(ldpc).svg, /<svg/);
  const size = {
    size: 256,
    kernelNs: around(300),
    copiedNs: null,
    plainNs: null,
    fftwNs: null,
    ratioToFftw: null,
    met: null,
  };
  const fft = { command: 'make fft', method: 'CPU time', allowedRatio: 2.4, fftw: null, sizes: [size], ...from };
  assert.match(
    kernelsChapter(null, fft as unknown as FftResult, null),
    /\| 256 \| 300 \(270 to 330\) \| – \| – \| – \| – \| \| \|/,
  );
});

test('real time: any run with its figures, asked or not', () => {
  const runs: MeasuredRuns = {
    schema: 'sct.bench.realtime/1',
    quick: true,
    command: 'make it',
    method: 'a paced file',
    ...from,
    runs: [
      {
        name: 'Continuous',
        about: 'Bursts back to back',
        figures: [
          { what: 'real-time factor', value: 1.4, unit: '', low: 1.2, high: 1.5, asked: '>= 1.3', met: true },
          { what: 'lost samples', value: 12, unit: '', asked: '0', met: false },
          { what: 'gain', value: null, unit: 'dB' },
        ],
      },
    ],
  };
  const page = realTimeChapter(runs, null, null);
  assert.match(page, /### Continuous\n\na paced file\. \*\*A quick run/);
  assert.match(page, /\| real-time factor \| 1\.4 \(1\.2 to 1\.5\) \| >= 1\.3 \| met \|/);
  assert.match(page, /\| lost samples \| 12 \| 0 \| \*\*missed\*\* \|/);
  assert.match(page, /\| gain \| not measured \| \| \|/);
  assert.deepEqual(realTimeLines([null, runs]), [
    [
      '[real time](#real-time), Continuous',
      'real-time factor 1.4 (1.2 to 1.5) (asked >= 1.3: met); lost samples 12 (asked 0: **missed**)',
    ],
  ]);
});

test('what the frame before is worth stands by itself, too', () => {
  const row = {
    sequence: 'pan of 1 px',
    damage: 'whole SFVs',
    frames: 72,
    withoutDb: 20,
    withDb: 27,
    gainDb: 7,
    lowDb: 6.5,
    highDb: 7.5,
    leastDb: -0.2,
    usedShare: 0.93,
  };
  const result = { modelSet: 'abcd', size: 'live', snrDb: 10, symbolsPerPixel: 0.5, rows: [row] };
  const page = realTimeChapter(null, null, result);
  assert.match(page, /\| 72 \| 20\.00 \| 27\.00 \| 7\.00 \(6\.50 to 7\.50\) \| -0\.20 \| 93 % \|/);
  assert.match(page, /Model set abcd\.$/);
});
