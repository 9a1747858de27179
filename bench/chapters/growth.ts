/** Chapter of docs/results.md on what time grows with beside the numerology, from speed.json. */

import type { WholeSpeedReport } from '../../src/experiment/bench/speed/speed.ts';
import type { BlocksRow, DeviceRow, ImageRow, McsRow } from '../../src/experiment/bench/speed/speed-growth.ts';
import type { Spread } from '../../src/experiment/bench/spread.ts';
import { plot } from '../../src/experiment/report/svg/plot.ts';
import type { Series } from '../../src/experiment/report/svg/series.ts';
import { cell, figure, type PlotFile, provenance, table, verdict } from './parts.ts';

const MODULATION: Record<number, string> = { 2: 'QPSK', 4: '16-QAM', 6: '64-QAM', 8: '256-QAM' };

export function growthChapter(report: WholeSpeedReport): string {
  const { rbs, mcs, idle, images } = report;
  return [
    '## What time grows with',
    `${report.method[0].toUpperCase()}${report.method.slice(1)}. Rounds: ${report.rounds}. With the bandwidth: [speed of the modem](#speed-of-the-modem).`,
    ...(rbs ? blocksSection(rbs) : []),
    ...(mcs ? mcsSection(mcs) : []),
    ...(idle ? idleSection(idle) : []),
    ...(images ? imagesSection(images) : []),
    '### How these were made',
    `    ${report.command}`,
    `${provenance(report)}; load ${report.load.map((l) => l.toFixed(1)).join(' to ')}.`,
  ].join('\n\n');
}

function blocksSection(rows: readonly BlocksRow[]): string[] {
  return [
    '### Resource blocks of a burst',
    `${rows[0].subbands} subbands, QPSK, no channel code. Preamble, header and detection are shared by more blocks in a longer burst.`,
    table(
      ['resource blocks', 'slots', 'samples', 'receive, ns a sample', 'receive, µs a block', 'transmit, ns a sample'],
      rows.map((r) => [
        String(r.rbs),
        String(r.slots),
        String(r.burstSamples),
        cell(r.receiveNs, 1),
        r.receiveUsPerRb.toFixed(1),
        cell(r.generateNs, 1),
      ]),
    ),
  ];
}

function mcsSection(rows: readonly McsRow[]): string[] {
  const factor = (v: number) => v.toFixed(2);
  return [
    '### Modulation and code rate',
    `Bytes to bytes at ${rows[0].subbands} subbands, ns for a sample of the modem rate (${figure(rows[0].modemRateHz / 1e6)} Msps) on one core, some 2 dB above where blocks begin to fail. \`receive\`: samples to equalised symbols and RB SNR; \`decode\`: those to bytes, of which the soft bits alone are \`demap\`; \`iterations\`: mean of the code blocks. Real-time factors of one core that does it all; the pipeline puts decoding on the second.`,
    table(
      [
        '',
        'SNR',
        'iterations',
        'receive',
        'demap',
        'decode',
        'decode, Mb/s',
        'encode',
        'generate',
        'factor, receive and decode',
        'factor, transmit',
      ],
      rows.map((r) => [
        `${MODULATION[r.qm]}, ${figure(r.codeRate, 3)}`,
        `${r.snrDb} dB`,
        r.iterations.toFixed(1),
        cell(r.ns.receive, 1),
        cell(r.ns.demap, 1),
        cell(r.ns.decode, 1),
        r.decodeMbps.toFixed(0),
        cell(r.ns.encode, 1),
        cell(r.ns.generate, 1),
        factor(r.realTimeFactor.receiveAndDecode),
        factor(r.realTimeFactor.transmit),
      ]),
    ),
  ];
}

function idleSection(row: DeviceRow): string[] {
  const percent = (s: Spread) => cell({ median: 100 * s.median, low: 100 * s.low, high: 100 * s.high }, 1);
  const parts = [
    ['noise to the verdict that there is no burst', row.ns.idle, row.share.idle],
    ['of that: conversion, DC and IQ, shift, resampling', row.ns.down, row.share.down],
    ['a transmitter’s resampling and shift', row.ns.up, row.share.up],
  ] as const;
  return [
    '### Idle search and resampling',
    `A receiver at ${figure(row.deviceRateHz / 1e6)} Msps that hears nothing: 8-bit samples, DC and IQ, shift by ${figure(row.loOffsetHz / 1e6)} MHz, resampling to ${figure(row.modemRateHz / 1e6)} Msps, search.`,
    table(
      ['', 'ns a device sample', 'share of one core, %', 'asked', ''],
      parts.map(([what, ns, share], i) => [
        what,
        cell(ns, 1),
        percent(share),
        i === 0 ? `<= ${100 * row.askedShare}` : '',
        i === 0 ? verdict(row.met) : '',
      ]),
    ),
  ];
}

function imagesSection(rows: readonly ImageRow[]): string[] {
  return [
    '### Size of the picture',
    'Integrated codec, CBR 1/16: picture to symbols and side information, and back. Milliseconds of CPU time, networks with one thread; `live`, 8 bit: as `sct stream` and `sct watch` run it. Asked: both sides of a picture of 256x256 in 30 ms of one core.',
    table(
      ['set', 'picture', 'encode', 'decode', 'both', 'asked', '', 'pictures a second of one core'],
      rows.map((r) => [
        `\`${r.set}\`${r.precision === 'int8' ? ', 8 bit' : ''}`,
        `${r.width}x${r.height}`,
        cell(r.encodeMs, 0),
        cell(r.decodeMs, 0),
        (r.encodeMs.median + r.decodeMs.median).toFixed(0),
        r.askedMs === null ? '' : `<= ${r.askedMs}`,
        r.met === null ? '' : verdict(r.met),
        r.picturesPerS.toFixed(1),
      ]),
    ),
    '![Time of a picture by its size](images/image-speed.svg)',
  ];
}

/** The plot of the pictures' part; none without it. */
export function growthPlots({ images }: WholeSpeedReport): PlotFile[] {
  if (!images) return [];
  const nameOf = (r: ImageRow) => (r.precision === 'int8' ? `${r.set}, 8 bit` : r.set);
  const series = [...new Set(images.map(nameOf))].flatMap((set, i) => {
    const own = images.filter((r) => nameOf(r) === set);
    const x = own.map((r) => (r.width * r.height) / 1e3);
    const line = (label: string, of: (r: ImageRow) => Spread, dash: boolean): Series => ({
      ...{ kind: 'line', label: `${set}, ${label}`, colour: 2 * i + (dash ? 1 : 0), dash, x, markers: true },
      y: own.map((r) => of(r).median),
    });
    return [line('encode', (r) => r.encodeMs, false), line('decode', (r) => r.decodeMs, true)];
  });
  const svg = plot({
    title: 'CPU time of a picture by its size',
    xLabel: 'thousand pixels',
    yLabel: 'ms, one core',
    width: 640,
    height: 360,
    xScale: 'log',
    yScale: 'log',
    series,
  });
  return [{ file: 'image-speed.svg', svg }];
}
