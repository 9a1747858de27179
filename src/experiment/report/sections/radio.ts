import type { Numbers, ReportConstellation, ReportData } from '../data.ts';
import { figure, html, type Markup } from '../markup.ts';
import { pictureDataUri } from '../svg/indexed-png.ts';
import { plot } from '../svg/plot.ts';
import type { Series } from '../svg/series.ts';
import { fixed, grouped, si } from '../svg/text.ts';
import { waterfallPng } from '../waterfall.ts';
import { MODULATION_COLOUR } from './resource-blocks.ts';

const QUIET = { showTitle: false, standalone: false } as const;

/** Constellations, channel and impulse response, phase tracks, waterfall. */
export function radioSection(data: ReportData): Markup {
  const channel = data.channel;
  return html`${
    data.constellations.length > 0 &&
    html`<section><h2>Constellation</h2><div class="grid small">${data.constellations.map(constellation)}</div></section>`
  }${
    (channel || data.phaseTracks.length > 0) &&
    html`<section><h2>Channel</h2><div class="grid">${channel && channelFigures(channel)}${
      data.phaseTracks.length > 0 && phaseFigure(data)
    }</div></section>`
  }${data.waterfall && html`<section><h2>Waterfall</h2>${waterfallFigure(data)}</section>`}`;
}

function split(reIm: Numbers): { x: Float32Array; y: Float32Array } {
  const n = reIm.length >> 1;
  const x = new Float32Array(n);
  const y = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    x[i] = reIm[2 * i];
    y[i] = reIm[2 * i + 1];
  }
  return { x, y };
}

function constellation(c: ReportConstellation): Markup {
  const points = split(c.reIm);
  const ideal = split(c.idealReIm);
  const limit = c.modulation === 'analog' ? 3 : 1.6;
  const series: Series[] = [
    { kind: 'scatter', ...points, colour: MODULATION_COLOUR[c.modulation], size: points.x.length > 1500 ? 1.8 : 2.6 },
    { kind: 'scatter', ...ideal, shape: 'plus', size: c.modulation === '256-QAM' ? 4 : 8 },
  ];
  const evm = c.evmDb === null ? '' : `, EVM ${fixed(c.evmDb)} dB (${fixed(100 * 10 ** (c.evmDb / 20), 1)} %)`;
  const svg = plot({
    ...QUIET,
    title: `${c.modulation} constellation`,
    description: `${points.x.length} equalised symbols${evm}.`,
    xLabel: 'in-phase',
    yLabel: 'quadrature',
    width: 300,
    xRange: [-limit, limit],
    yRange: [-limit, limit],
    equalAspect: true,
    series,
  });
  return figure(html`<b>${c.modulation}</b>${evm}`, svg);
}

function channelFigures(channel: NonNullable<ReportData['channel']>): Markup[] {
  const megahertz = Float64Array.from(channel.frequencyHz, (f) => f / 1e6);
  const degrees = Float64Array.from(channel.phaseRad, (p) => (p * 180) / Math.PI);
  const microseconds = Float64Array.from(channel.delayS, (t) => t * 1e6);
  const size = { ...QUIET, width: 560, height: 300 };
  return [
    figure(
      'Channel response, magnitude',
      plot({
        ...size,
        title: 'Channel response, magnitude',
        xLabel: 'frequency, MHz',
        yLabel: '|H(f)|, dB',
        series: [{ kind: 'line', x: megahertz, y: channel.magnitudeDb }],
      }),
    ),
    figure(
      'Channel response, phase',
      plot({
        ...size,
        title: 'Channel response, phase',
        xLabel: 'frequency, MHz',
        yLabel: 'phase, degrees',
        series: [{ kind: 'scatter', x: megahertz, y: degrees, colour: 3, size: 3 }],
      }),
    ),
    figure(
      'Impulse response; shaded: what the cyclic prefix covers',
      plot({
        ...size,
        title: 'Impulse response',
        description: `The cyclic prefix covers ${si(channel.cpWindowS[1] - channel.cpWindowS[0], 's')}.`,
        xLabel: 'delay, µs',
        yLabel: 'power, dB of the peak',
        yRange: [-50, 3],
        series: [
          {
            kind: 'region',
            axis: 'x',
            from: channel.cpWindowS[0] * 1e6,
            to: channel.cpWindowS[1] * 1e6,
            text: 'cyclic prefix',
          },
          { kind: 'line', x: microseconds, y: channel.impulseDb, colour: 2 },
        ],
      }),
    ),
  ];
}

function phaseFigure(data: ReportData): Markup {
  const series: Series[] = data.phaseTracks.slice(0, 8).map((t) => ({
    kind: 'line',
    label: data.phaseTracks.length > 1 ? t.label : undefined,
    x: Float64Array.from(t.timeS, (s) => s * 1e3),
    y: Float64Array.from(t.phaseRad, (p) => (p * 180) / Math.PI),
  }));
  return figure(
    'Common phase of the pilots',
    plot({
      ...QUIET,
      title: 'Common phase of the pilots',
      width: 560,
      height: 300,
      xLabel: 'time in the burst, ms',
      yLabel: 'phase, degrees',
      series,
    }),
  );
}

function waterfallFigure(data: ReportData): Markup {
  const w = data.waterfall!;
  const time: [number, number] = [w.timeS[0] * 1e3, w.timeS[1] * 1e3];
  const frequency: [number, number] = [w.frequencyHz[0] / 1e6, w.frequencyHz[1] / 1e6];
  const series: Series[] = [
    { kind: 'image', dataUri: pictureDataUri(waterfallPng(w, true)), x: time, y: [frequency[1], frequency[0]] },
  ];
  const inset = 0.02 * (frequency[1] - frequency[0]);
  for (const b of data.bursts.slice(0, 64)) {
    const start = (b.startSample / data.rateHz) * 1e3;
    series.push({
      kind: 'box',
      x: [start, start + (b.lengthSamples / data.rateHz) * 1e3],
      y: [frequency[0] + inset, frequency[1] - inset],
      text: b.suspect ? `${b.kind} (suspect)` : b.kind,
      tooltip: `${b.kind}: sample ${grouped(b.startSample)}, ${b.slots} slots, CFO ${fixed(b.cfoHz, 0)} Hz${
        b.suspect ? `, suspect: ${b.suspect}` : ''
      }`,
    });
  }
  const svg = plot({
    ...QUIET,
    title: 'Waterfall of the received capture',
    description: `${data.bursts.length} bursts in ${si(w.timeS[1] - w.timeS[0], 's')}.`,
    xLabel: 'time, ms',
    yLabel: 'frequency, MHz',
    width: 1160,
    height: 360,
    marginRight: 78,
    xRange: time,
    yRange: frequency,
    colourBar: { range: w.rangeDb, label: 'power, dBFS' },
    grid: false,
    series,
  });
  return figure('Power over time and frequency, with the bursts that were found', svg, true);
}
