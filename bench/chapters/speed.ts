/** Chapter of docs/results.md on the speed of the modem, from modem-speed.json. */

import type { SpeedReport } from '../../src/experiment/bench/speed/modem-speed.ts';
import type { Spread } from '../../src/experiment/bench/spread.ts';
import { plot } from '../../src/experiment/report/svg/plot.ts';
import type { Series } from '../../src/experiment/report/svg/series.ts';
import { cell, figure, type PlotFile, provenance, table, verdict } from './parts.ts';

/** What is asked of receiving and of transmitting, and at which numerologies. */
export const ASKED_RECEIVE = 3;
export const ASKED_GENERATE = 1;
export const ASKED_SUBBANDS = [4, 50];

type Shape = SpeedReport['shapes'][number];
type Part = 'receive' | 'generate' | 'idle';

export function speedChapter(report: SpeedReport): string {
  const stages = [...new Set(report.shapes.flatMap((s) => s.stages.map((c) => c.stage)))];
  const liquid = report.liquid ? ` ${report.liquid.version}` : '';
  return [
    '## Speed of the modem',
    `Msps of one core, ${report.method}. Rounds: ${report.shapes[0].rounds.length}.${report.quick ? ' **A quick run: not for quotation.**' : ''}`,
    `Real-time factor: what one core does over the modem rate, 15 kHz times the points. Asked of receiving at 64 and at 1024 points: ${ASKED_RECEIVE} times liquid-dsp${liquid}; of transmitting: ${ASKED_GENERATE}.${report.noPeer === null ? '' : ` Not compared: ${report.noPeer}.`}`,
    '### Receiving',
    partTable(report, 'receive', ASKED_RECEIVE),
    '### Transmitting',
    partTable(report, 'generate', ASKED_GENERATE),
    '### Searching in noise',
    partTable(report, 'idle', null),
    '![Time of a sample by numerology](images/modem-speed.svg)',
    '### Where the receiver’s time goes',
    table(
      ['ns a sample', ...report.shapes.map((s) => `${s.fftSize}-point`)],
      [
        ...stages.map((stage) => [
          stage,
          ...report.shapes.map((s) => {
            const c = s.stages.find((x) => x.stage === stage);
            return c ? `${c.nsPerSample.toFixed(1)} (${(100 * c.share).toFixed(0)} %)` : '–';
          }),
        ]),
        ['all', ...report.shapes.map((s) => `**${(1e3 / s.ours.receive.median).toFixed(1)}**`)],
      ],
    ),
    `By a sampling profile: shares are good to a few percent. \`rest\` is what no stage has called: buffers, records, the bench itself.`,
    `The channel code is in none of these. LDPC, base graph 1, Z = 384, ${report.ldpc[0]?.iterations} iterations: ${report.ldpc.map((l) => `rate ${figure(l.codeRate, 3)} decodes ${figure(l.decodeMbps, 3)} Mb/s of information on one core and encodes ${figure(l.encodeMbps, 3)}`).join('; ')}.`,
    `    ${report.command}`,
    `${provenance(report)}; load ${report.load.map((l) => l.toFixed(1)).join(' to ')}.`,
  ].join('\n\n');
}

function partTable(report: SpeedReport, part: Part, asked: number | null): string {
  return table(
    ['numerology', 'modem rate, Msps', 'ours, Msps', 'real-time factor', 'liquid-dsp, Msps', 'ratio', 'asked', ''],
    report.shapes.map((s) => {
      const isAsked = asked !== null && ASKED_SUBBANDS.includes(s.subbands);
      return [
        nameOf(s),
        figure(rateHz(s) / 1e6),
        cell(s.ours[part], 1),
        ((1e6 * s.ours[part].median) / rateHz(s)).toFixed(1),
        cell(s.liquid?.[part], 1),
        cell(s.ratio?.[part]),
        isAsked ? `>= ${asked}` : '',
        isAsked && s.ratio ? verdict(s.ratio[part].median >= asked) : '',
      ];
    }),
  );
}

function nameOf(s: Shape): string {
  return `${s.subbands} subbands, ${s.fftSize}/${s.cpLength}`;
}

/** 15 kHz carriers. */
function rateHz(s: Shape): number {
  return 15e3 * s.fftSize;
}

export function speedPlot(report: SpeedReport): PlotFile {
  const x = report.shapes.map((s) => s.fftSize);
  const line = (label: string, colour: number, of: (s: Shape) => Spread | undefined, dash = false): Series => ({
    ...{ kind: 'line', label, colour, dash, x, markers: true, bars: true },
    y: report.shapes.map((s) => 1e3 / (of(s)?.median ?? Number.NaN)),
    low: report.shapes.map((s) => 1e3 / (of(s)?.high ?? Number.NaN)),
    high: report.shapes.map((s) => 1e3 / (of(s)?.low ?? Number.NaN)),
  });
  const svg = plot({
    title: 'CPU time of a sample by numerology',
    xLabel: 'points of the transform',
    yLabel: 'ns a sample, one core',
    width: 640,
    height: 360,
    xScale: 'log',
    xTicks: x.map((value) => ({ value, label: String(value) })),
    yRange: [
      0,
      1.1 *
        Math.max(
          ...report.shapes.flatMap((s) => [
            1e3 / s.ours.receive.low,
            1e3 / (s.liquid?.receive.low ?? Number.POSITIVE_INFINITY),
          ]),
        ),
    ],
    series: [
      line('receive', 0, (s) => s.ours.receive),
      ...(report.liquid ? [line('receive, liquid-dsp', 1, (s) => s.liquid?.receive, true)] : []),
      line('transmit', 2, (s) => s.ours.generate),
      ...(report.liquid ? [line('transmit, liquid-dsp', 3, (s) => s.liquid?.generate, true)] : []),
    ],
  });
  return { file: 'modem-speed.svg', svg };
}
