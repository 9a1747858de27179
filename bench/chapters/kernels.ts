/** Chapter of docs/results.md on the kernels: FFT beside FFTW, LDPC beside srsRAN_4G, all beside their twins in plain TypeScript. */

import type { LdpcPeerReport } from '../../src/experiment/bench/ldpc/ldpc-peer.ts';
import type { FftReport } from '../../src/experiment/bench/speed/fft-speed.ts';
import type { Spread } from '../../src/experiment/bench/spread.ts';
import { plot } from '../../src/experiment/report/svg/plot.ts';
import type { Series } from '../../src/experiment/report/svg/series.ts';
import { cell, figure, type PlotFile, type Provenance, provenance, table, verdict } from './parts.ts';

interface Named extends Provenance {
  readonly command: string;
  readonly method: string;
}

export interface KernelsResult extends Named {
  readonly rows: readonly {
    readonly name: string;
    readonly unit: string;
    readonly wasmNs: Spread;
    readonly plainNs: Spread;
    readonly copyNs: Spread | null;
    readonly ratio: Spread;
  }[];
}

export type FftResult = Named & Omit<FftReport, 'fftw'> & { readonly fftw: { readonly version: string | null } | null };
export type LdpcPeerResult = Named & Pick<LdpcPeerReport, 'rows'>;

export function kernelsChapter(
  kernels: KernelsResult | null,
  fft: FftResult | null,
  ldpc: LdpcPeerResult | null,
): string {
  return [
    '## Kernels',
    'WebAssembly SIMD in `src/phy/kernels`; how they are built in: [ADR 0024](adr/0024-kernels-own-memories.md).',
    ...(fft ? fftSection(fft) : []),
    ...(ldpc ? ldpcSection(ldpc) : []),
    ...(kernels ? twinsSection(kernels) : []),
  ].join('\n\n');
}

function fftSection(fft: FftResult): string[] {
  const version = fft.fftw?.version ? `, ${fft.fftw.version}` : '';
  return [
    '### FFT beside FFTW',
    `Nanoseconds, ${fft.method}${version}. \`kernel\`: in its own memory, as the fused kernels of the modem call it; \`with copies\`: between the caller’s arrays.`,
    table(
      ['points', 'kernel', 'with copies', 'plain TypeScript', 'FFTW', 'kernel / FFTW', 'asked', ''],
      fft.sizes.map((s) => [
        String(s.size),
        cell(s.kernelNs, 0),
        cell(s.copiedNs, 0),
        cell(s.plainNs, 0),
        cell(s.fftwNs, 0),
        cell(s.ratioToFftw),
        s.met === null ? '' : `<= ${fft.allowedRatio}`,
        s.met === null ? '' : verdict(s.met),
      ]),
    ),
    `    ${fft.command}`,
    `${provenance(fft)}.`,
  ];
}

function ldpcSection(ldpc: LdpcPeerResult): string[] {
  const asked = ldpc.rows.filter((r) => r.met !== null && r.codeRate === 1 / 2);
  const missed = asked.filter((r) => !r.met);
  const largest = ldpc.rows.filter((r) => r.baseGraph === 1 && r.z === 384);
  const name = (r: LdpcPeerResult['rows'][number]) => `BG${r.baseGraph} Z=${r.z} (${r.ratio?.median.toFixed(2)})`;
  return [
    '### LDPC decoder beside srsRAN_4G',
    `Mb/s of information bits, ${ldpc.method}. Asked: 2 times its AVX2 decoder at base graph 1 and Z = 384, at least as fast at every other lifting size.`,
    table(
      ['base graph', 'Z', 'rate', 'ours', 'srsRAN_4G', 'ratio', 'asked', ''],
      largest.map((r) => [
        ...[String(r.baseGraph), String(r.z), figure(r.codeRate, 3), figure(r.oursMbps, 3), figure(r.srsranMbps, 3)],
        ...[cell(r.ratio), `>= ${r.asked}`, r.met === null ? '' : verdict(r.met)],
      ]),
    ),
    `All lifting sizes of both base graphs, rate 1/2: ${asked.length - missed.length} of ${asked.length} met what is asked${missed.length > 0 ? `; **missed**: ${missed.map(name).join(', ')}` : ''}.`,
    '![LDPC decoder over srsRAN_4G by lifting size](images/ldpc-peer.svg)',
    `    ${ldpc.command}`,
    `${provenance(ldpc)}.`,
  ];
}

function twinsSection(kernels: KernelsResult): string[] {
  return [
    '### Beside plain TypeScript',
    `Nanoseconds, ${kernels.method}. \`copies\`: of the kernel’s time, what goes into moving data in and out of its memory.`,
    table(
      ['kernel', 'for a', 'WebAssembly', 'copies', 'plain TypeScript', 'ratio'],
      kernels.rows.map((r) => [...[r.name, r.unit], ...[r.wasmNs, r.copyNs, r.plainNs, r.ratio].map((s) => cell(s))]),
    ),
    `    ${kernels.command}`,
    `${provenance(kernels)}.`,
  ];
}

export function ldpcPeerPlot(ldpc: LdpcPeerResult): PlotFile {
  const rows = ldpc.rows.filter((r) => r.codeRate === 1 / 2 && r.ratio);
  const series = [1, 2].map((baseGraph, colour): Series => {
    const own = rows.filter((r) => r.baseGraph === baseGraph).sort((a, b) => a.z - b.z);
    return {
      ...{ kind: 'line', label: `base graph ${baseGraph}`, colour, markers: true, bars: true },
      x: own.map((r) => r.z),
      y: own.map((r) => r.ratio!.median),
      low: own.map((r) => r.ratio!.low),
      high: own.map((r) => r.ratio!.high),
    };
  });
  const svg = plot({
    title: 'LDPC decoder over srsRAN_4G AVX2, rate 1/2',
    xLabel: 'lifting size Z',
    yLabel: 'ratio of Mb/s',
    width: 640,
    height: 360,
    xScale: 'log',
    yRange: [0, 1.05 * Math.max(...rows.map((r) => r.ratio!.high))],
    series: [...series, { kind: 'threshold', axis: 'y', value: 1, text: 'asked' }],
  });
  return { file: 'ldpc-peer.svg', svg };
}
