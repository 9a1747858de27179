/**
 * The Modem chapter of docs/results.md and its plots, from bench/results/modem.json
 * (`sct bench modem --requirements -o OUT`).
 */

import type { BlerCurve, DetectionCurve, RbSnrCurve } from '../../src/experiment/bench/modem/measurement.ts';
import type { RequirementsReport } from '../../src/experiment/bench/modem/requirements.ts';
import { type BenchRow, MODEM_PARTS, type ModemPart } from '../../src/experiment/bench/modem/row.ts';
import { plot } from '../../src/experiment/report/svg/plot.ts';
import type { Series } from '../../src/experiment/report/svg/series.ts';
import { figure, type PlotFile, type Provenance, provenance, ranged, table } from './parts.ts';

const TITLES: Record<ModemPart, string> = {
  detection: 'Detection',
  'false-headers': 'False headers',
  'no-gap': 'Bursts back to back',
  fading: 'Detection in fading',
  offsets: 'Offsets',
  dc: 'Receiver DC',
  faults: 'Front-end faults',
  loss: 'Implementation loss',
  'rb-snr': 'RB SNR',
  jammer: 'Interference on two subbands',
  channels: 'Channel models',
};

const NOTES: Partial<Record<ModemPart, string>> = {
  detection:
    'One-slot bursts at an unknown start in noise, CFO uniform to ±45 ppm of 5.9 GHz (±265.5 kHz), both clocks to ±50 ppm, any phase; every field of the header must be right.',
  'false-headers':
    'Noise alone, and decoys: the detection part of a preamble with nothing behind it, 0 to 10 dB above a real burst that begins within a header’s length after it. A real burst is lost when it is found without the decoy and not with it.',
  fading:
    'The same offsets. The noise of each burst is set so that its own mean |H|² Es/N0 over the band, in the middle of its header, is uniform over the bins.',
  offsets:
    'Bursts of 93 slots (100 ms). CFO to ±45 ppm of 5.9 GHz, clocks to ±50 ppm each, independent. The losses compare with the same bursts and noise without offsets, by code blocks that lie wholly in the first or last four slots. Timing: the clock’s drift over the burst as the receiver followed it, against the truth.',
  dc: 'DC 10 dB above a subcarrier at 15 dB SNR; error of the payload with and without it, same bursts and noise; the worst subband of all.',
  faults:
    'Both ends: IQ imbalance 0.5 dB and 3 degrees, DC -20 dBFS, 8-bit converters, transmitter at -11 and receiver at -12 dBFS RMS, the named profile’s phase noise in both oscillators; against the same bursts, channels and noise without faults. The code is one whose BLER reaches 1e-2 near 15 dB.',
  'rb-snr': 'Bursts of 4 slots with the offsets of a default loopback; intervals over bursts.',
  jammer: 'Gaussian noise on two neighbouring subbands, 3 dB below the whole signal’s power, at 15 dB SNR elsewhere.',
  channels:
    'Mean |H|² at the ensemble’s SNR scale, and E[h(t) h*(t + τ)] against J0(2π f τ), f the default Doppler; one trial in ten through the streaming channel with a pause between, as between sounding and image burst.',
};

export interface TraceResult extends Provenance {
  readonly command: string;
  readonly lines: readonly string[];
}

/** The chapter; recorded channels stand at its end where they were measured. */
export function modemChapter(report: RequirementsReport, trace: TraceResult | null): string {
  const { rows, curves } = report;
  const parts = [
    '## Modem',
    `The requirements of the air interface, each with trials and 95 % interval: ${report.passed} met, ${report.open} open (value beyond the limit, interval not wholly), ${report.failed} missed.${report.quick ? ' **A quick run: not for quotation.**' : ''}${report.pending > 0 ? ` ${report.pending} measurements were not finished.` : ''} Intervals: Clopper-Pearson for rates, Student-t over bursts for means, bootstrap over bursts for SNR losses.`,
    `    ${report.command}`,
    `${provenance(report as Provenance)}, ${report.cpuSeconds} s of CPU time, code ${report.sourceSha256.slice(0, 12)}. Seeds stand with each row in \`bench/results/modem.json\`.`,
  ];
  // Written by hand into the committed file: how its rows came together, where one command did not make them all.
  parts.push(...((report as { remarks?: readonly string[] }).remarks ?? []));
  for (const part of MODEM_PARTS) {
    const own = rows.filter((r) => r.part === part);
    if (own.length === 0) continue;
    parts.push(`### ${TITLES[part]}`);
    if (NOTES[part]) parts.push(NOTES[part]);
    if (part === 'loss') {
      parts.push(
        ...lossSection(
          own,
          curves.filter((c) => c.kind === 'bler'),
        ),
      );
      continue;
    }
    parts.push(rowTable(own));
    if (part === 'fading' && curves.some((c) => c.kind === 'detection'))
      parts.push('![Detection in fading](images/modem-detection.svg)');
    if (part === 'rb-snr') parts.push(...rbSnrSection(curves.filter((c) => c.kind === 'rb-snr')));
  }
  if (trace) parts.push(...traceSection(trace));
  return parts.join('\n\n');
}

function traceSection(trace: TraceResult): string[] {
  return [
    '### Recorded channels replayed',
    trace.lines.join('\n'),
    'Compared are subbands and RBs that were recorded at the SNR under “from” or more; nothing is asked but that they agree within what two receptions err. Two biases are known: a board’s faults are in the recorded noise and the replay on its profile adds them once more, and delays beyond the prefix count as channel and as noise ([channel traces](channel-traces.md)).',
    `    ${trace.command}`,
    `${provenance(trace)}.`,
  ];
}

const mark = (state: string) => (state === 'met' ? 'met' : `**${state}**`);

/** One line a demand, its numerologies side by side; rows of no numerology keep a column of their own. */
function rowTable(rows: readonly BenchRow[]): string {
  const subbands = [...new Set(rows.map((r) => r.subbands))].sort((a, b) => a - b);
  const names = [...new Set(rows.map((r) => r.name))];
  return table(
    ['what', 'asked', ...subbands.map((n) => (n > 0 ? `${n} subbands` : 'measured')), 'trials', ''],
    names.map((name) => {
      const own = rows.filter((r) => r.name === name).sort((a, b) => a.subbands - b.subbands);
      const alike = own.every((r) => r.trials === own[0].trials);
      const states = [...new Set(own.map((r) => r.state))];
      return [
        name,
        `${own[0].asked} ${own[0].unit}`.trim(),
        ...subbands.map((n) => cellOf(own.filter((r) => r.subbands === n))),
        alike ? String(own[0].trials) : own.map((r) => r.trials).join(' / '),
        states.map(mark).join(', '),
      ];
    }),
  );
}

/** Value, interval and note, and the state where it is not “met”. */
function cellOf(rows: readonly BenchRow[]): string {
  return rows
    .map((r) => `${ranged(r)}${r.note ? `; ${r.note}` : ''}${r.state === 'met' ? '' : ` ${mark(r.state)}`}`)
    .join('; ');
}

/** A curve that did not come down to the target leaves only a bound: the value's lower end. */
export function measuredOf(r: BenchRow, digits: number): string {
  return r.value === null && r.low !== null ? `more than ${figure(r.low, digits)}` : figure(r.value, digits);
}

/** Loss rows as a matrix of channel and code against subbands and BLER. */
function lossSection(rows: readonly BenchRow[], curves: readonly BlerCurve[]): string[] {
  const name = (target: number, c: BlerCurve) => `SNR lost to the genie at BLER ${target}, ${c.channel}, ${c.mcs}`;
  const cell = (subbands: number, wanted: string) => {
    const r = rows.find((row) => row.subbands === subbands && row.name === wanted);
    if (!r) return '–';
    const interval = r.low === null || r.high === null ? '' : ` (${figure(r.low, 2)} to ${figure(r.high, 2)})`;
    const state = r.state === 'met' ? '' : ` **${r.state}**`;
    return `${measuredOf(r, 2)}${interval}${state}`;
  };
  const settings = curves.filter((c, i) => curves.findIndex((d) => d.channel === c.channel && d.mcs === c.mcs) === i);
  const columns = [6, 50].flatMap((subbands) => [0.1, 0.01].map((target) => ({ subbands, target })));
  const matrix = table(
    ['channel', 'code', 'asked, dB', ...columns.map((c) => `${c.subbands} subbands, BLER ${c.target}`)],
    settings.map((s) => [
      s.channel.toUpperCase(),
      s.mcs,
      s.channel === 'awgn' ? '<= 0.5' : '<= 1.5',
      ...columns.map((c) => cell(c.subbands, name(c.target, s))),
    ]),
  );
  const sum = (what: 'received' | 'checked' | 'exceptions') =>
    curves.reduce((all, c) => all + c.points.reduce((own, p) => own + p[what], 0), 0);
  const least = (awgn: boolean) => {
    const bursts = curves.filter((c) => (c.channel === 'awgn') === awgn).map((c) => c.bursts);
    return bursts.length > 0 ? Math.min(...bursts) : 0;
  };
  const bare = rows.filter((r) => r.name.startsWith('genie against bare'));
  return [
    `SNR in dB that the receiver needs more than one that knows channel, timing, offsets and noise, on the same 4-slot bursts, offsets and noise; code blocks of the product’s transport; the receiver has heard 32768 samples of noise before, as in a stream; 95 % interval by bootstrap. At least ${least(false)} bursts drawn for each fading curve, ${least(true)} on AWGN.`,
    matrix,
    `Most bursts need not be received: their true channel, or success at a lower SNR with the same noise, foretells them. One in fifty of those is received all the same and counts fifty times (difference estimator [Cochran77]), so the curves stay unbiased: ${sum('received')} receptions, ${sum('checked')} of them such checks, ${sum('exceptions')} exceptions.`,
    '![BLER, 6 subbands](images/modem-bler-6.svg)',
    '![BLER, 50 subbands](images/modem-bler-50.svg)',
    'The genie against LDPC and QAM alone on AWGN, blocks of the same size and rate:',
    rowTable(bare),
  ];
}

function rbSnrSection(curves: readonly RbSnrCurve[]): string[] {
  if (curves.length === 0) return [];
  const fading = curves.filter((c) => c.channel !== 'awgn');
  const cell = (p: RbSnrCurve['points'][number]) => `${figure(p.biasDb, 2)} / ${figure(p.rmsDb, 2)}`;
  return [
    '![Error of the RB SNR](images/modem-rb-snr.svg)',
    'In fading (shown, not asked) the error also holds what a changing channel costs the estimate; RBs gathered in bins of ±2.5 dB of their true SNR, bias / RMS in dB:',
    table(
      ['channel', 'subbands', ...(fading[0]?.points ?? []).map((p) => `${p.snrDb} dB`)],
      fading.map((c) => [c.channel.toUpperCase(), String(c.subbands), ...c.points.map(cell)]),
    ),
  ];
}

const CHANNELS = ['awgn', 'epa', 'eva', 'tdl-c'];

function blerPlot(curves: readonly BlerCurve[], subbands: number): string {
  const own = curves.filter((c) => c.subbands === subbands);
  const seen = new Set<string>();
  const series: Series[] = own.flatMap((c): Series[] => {
    const colour = Math.max(0, CHANNELS.indexOf(c.channel));
    const x = c.points.map((p) => p.snrDb);
    const y = (values: readonly number[]) => values.map((v) => (v > 5e-4 ? v : Number.NaN));
    const first = !seen.has(c.channel);
    seen.add(c.channel);
    return [
      {
        kind: 'line',
        x,
        y: y(c.points.map((p) => p.real)),
        colour,
        markers: true,
        ...(first ? { label: c.channel.toUpperCase() } : {}),
      },
      { kind: 'line', x, y: y(c.points.map((p) => p.genie)), colour, dash: true },
    ];
  });
  return plot({
    title: `BLER, ${subbands} subbands: receiver (solid) and genie (dashed)`,
    description: 'QPSK 1/2, 16-QAM 1/2, 64-QAM 3/4 from left to right on each channel.',
    xLabel: 'mean Es/N0, dB; from left to right QPSK 1/2, 16-QAM 1/2, 64-QAM 3/4',
    yLabel: 'block error rate',
    yScale: 'log',
    yRange: [1e-3, 1],
    width: 720,
    height: 440,
    series,
  });
}

function detectionPlot(curves: readonly DetectionCurve[]): string {
  const subbands = [...new Set(curves.map((c) => c.subbands))];
  const series: Series[] = curves.map((c) => ({
    kind: 'line',
    x: c.points.map((p) => p.snrDb),
    y: c.points.map((p) => p.right / p.trials),
    colour: subbands.indexOf(c.subbands),
    markers: true,
    dash: c.channel !== 'epa',
    ...(c.channel === 'epa' ? { label: `${c.subbands} subbands` } : {}),
  }));
  series.push(
    { kind: 'threshold', axis: 'y', value: 0.99 },
    { kind: 'threshold', axis: 'x', value: -3, text: '-3 dB' },
  );
  return plot({
    title: 'Burst found and header right: EPA (solid), EVA and TDL-C (dashed)',
    description: 'Share of bursts against their own band SNR.',
    xLabel: 'own band SNR of the burst, dB',
    yLabel: 'share of bursts',
    yRange: [0, 1.02],
    width: 640,
    height: 380,
    series,
  });
}

function rbSnrPlot(curves: readonly RbSnrCurve[]): string {
  const subbands = [...new Set(curves.map((c) => c.subbands))];
  const series: Series[] = curves.map((c) => ({
    kind: 'line',
    label: `${c.subbands} subbands, ${c.channel.toUpperCase()}`,
    x: c.points.map((p) => p.snrDb),
    y: c.points.map((p) => p.rmsDb),
    colour: subbands.indexOf(c.subbands),
    markers: true,
    dash: c.channel !== 'awgn',
  }));
  series.push({ kind: 'line', label: 'asked', x: [0, 10, 10, 30], y: [1, 1, 0.5, 0.5], colour: 7 });
  return plot({
    title: 'RMS error of the RB SNR, 4-slot bursts',
    xLabel: 'true RB SNR, dB',
    yLabel: 'RMS error, dB',
    width: 640,
    height: 380,
    series,
  });
}

/** File name and SVG of each plot that the report has figures for. */
export function modemPlots({ curves }: RequirementsReport): PlotFile[] {
  const bler = curves.filter((c) => c.kind === 'bler');
  const detection = curves.filter((c) => c.kind === 'detection');
  const rbSnr = curves.filter((c) => c.kind === 'rb-snr');
  return [
    ...(bler.length > 0
      ? [6, 50].map((subbands) => ({ file: `modem-bler-${subbands}.svg`, svg: blerPlot(bler, subbands) }))
      : []),
    ...(detection.length > 0 ? [{ file: 'modem-detection.svg', svg: detectionPlot(detection) }] : []),
    ...(rbSnr.length > 0 ? [{ file: 'modem-rb-snr.svg', svg: rbSnrPlot(rbSnr) }] : []),
  ];
}
