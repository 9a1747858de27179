/**
 * Chapters of docs/results.md beside the modem's requirements: channel code, adaptation, channel estimators and
 * analog symbols, each from a JSON file of its own in bench/results.
 */

import type { AdaptationRow } from '../../src/experiment/bench/adaptation/adaptation-row.ts';
import { plot } from '../../src/experiment/report/svg/plot.ts';
import type { Series } from '../../src/experiment/report/svg/series.ts';
import type { PsnrRow } from '../analog/psnr-table.ts';
import type { WholeRow } from '../estimators/checks.ts';
import { figure, type PlotFile, type Provenance, provenance, table } from './parts.ts';

interface Named extends Provenance {
  readonly command: string;
}

interface MinMax {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface LdpcVectorsResult {
  readonly passed: number;
  readonly failed: number;
  readonly command: string;
}

export interface LdpcBlerResult extends Named {
  readonly targetBler: number;
  readonly allowedDb: number;
  readonly channel: string;
  readonly rows: readonly {
    readonly infoBits: number;
    readonly baseGraph: number;
    readonly codeRate: number;
    readonly qm: number;
    readonly maxIterations: number;
    readonly referenceDb: number | null;
    readonly source: string | null;
    readonly esN0DbAtTarget: number;
    readonly halfInterval95Db: number;
    readonly differenceDb: number | null;
    readonly met: boolean | null;
    readonly points: readonly { readonly blocks: number; readonly errors: number; readonly esN0Db: number }[];
  }[];
}

export interface LdpcSpeedResult extends Named {
  readonly method: string;
  readonly rows: readonly {
    readonly baseGraph: number;
    readonly z: number;
    readonly codeRate: number;
    readonly decoderPlainMbps: MinMax;
    readonly decoderMbps: MinMax;
    readonly ratio: MinMax;
    readonly encoderMbps: MinMax;
  }[];
}

export interface AdaptationResult extends Named {
  readonly rows: readonly AdaptationRow[];
}

export interface EstimatorsResult extends Named {
  readonly wholeReceiver: readonly WholeRow[];
}

export interface AnalogResult extends Named {
  readonly reference: string;
  readonly linear: readonly PsnrRow[];
}

const MODULATION: Record<number, string> = { 2: 'QPSK', 4: '16-QAM', 6: '64-QAM', 8: '256-QAM' };
const SOURCES: Record<string, string> = { layered: 'own layered reference', sionna: 'Sionna, 20 flooding iterations' };

export function ldpcChapter(
  vectors: LdpcVectorsResult | null,
  bler: LdpcBlerResult | null,
  speed: LdpcSpeedResult | null,
): string {
  const parts: string[] = ['## LDPC'];
  if (vectors) {
    parts.push(
      '### Published vectors',
      `    ${vectors.command}`,
      `${vectors.passed} cases passed, ${vectors.failed} failed: codewords of 52 lifting sizes of both base graphs (srsRAN_4G), seven generator matrices with rate matching, both base graphs and the CRC references (Sionna).`,
    );
  }
  if (bler) {
    parts.push(
      '### Block errors',
      `Es/N0 in dB at BLER ${bler.targetBler}; ${bler.channel}. Asked: at most ${bler.allowedDb} dB worse than the reference at the same iterations. \`errors\` counts the wrong blocks of all points of the curve.`,
      table(
        ['K', 'base graph', 'rate', 'modulation', 'iterations', 'Es/N0', '±', 'reference', 'difference', 'errors', ''],
        bler.rows.map((r) => [
          String(r.infoBits),
          String(r.baseGraph),
          figure(r.codeRate, 3),
          MODULATION[r.qm] ?? String(r.qm),
          String(r.maxIterations),
          r.esN0DbAtTarget.toFixed(3),
          r.halfInterval95Db.toFixed(3),
          r.referenceDb === null ? '–' : `${r.referenceDb} (${SOURCES[r.source ?? ''] ?? r.source})`,
          r.differenceDb === null ? '–' : r.differenceDb.toFixed(3),
          String(r.points.reduce((sum, p) => sum + p.errors, 0)),
          r.met === null ? '' : r.met ? 'met' : '**missed**',
        ]),
      ),
      `    ${bler.command}`,
      `${provenance(bler)}.`,
    );
  }
  if (speed) {
    const cell = (m: MinMax) => `${figure(m.median, 3)} (${figure(m.min, 3)} to ${figure(m.max, 3)})`;
    parts.push(
      '### Speed of encoder and decoder',
      `Mb/s of information bits, ${speed.method}:`,
      table(
        ['base graph', 'Z', 'rate', 'decoder (WebAssembly)', 'decoder in plain TypeScript', 'ratio', 'encoder'],
        speed.rows.map((r) => [
          String(r.baseGraph),
          String(r.z),
          figure(r.codeRate, 3),
          ...[r.decoderMbps, r.decoderPlainMbps, r.ratio, r.encoderMbps].map(cell),
        ]),
      ),
      `    ${speed.command}`,
      `${provenance(speed)}.`,
    );
  }
  return parts.join('\n\n');
}

export function adaptationChapter(result: AdaptationResult): string {
  const percent = (v: number) => `${(100 * v).toFixed(2)} %`;
  const seeds = [...new Set(result.rows.map((r) => `${r.channel} ${r.seeds[0]} to ${r.seeds[1]}`))];
  return [
    '## Link adaptation',
    'A trial is a sounding burst, its CSI report 20 ms later, one data burst of random bytes and its repetitions, through the default loopback at 25 subbands. Bits per RE that counts: first transmissions alone, and with repetitions. Capacity: mean of log2(1 + |H|² Es/N0) over the RE, and the rate that 10 % of the bursts could not carry. BLER of first transmissions against the target that the code rate is chosen for.',
    table(
      [
        'channel',
        'SNR, dB',
        'trials',
        'bit/RE',
        'with repetitions',
        'capacity',
        '10 % outage',
        'first BLER',
        '95 % interval',
        'target',
        '',
      ],
      result.rows.map((r) => [
        `${r.channel.toUpperCase()}${r.dopplerHz === null ? '' : ` ${r.dopplerHz} Hz`}`,
        String(r.snrDb),
        String(r.trials),
        r.throughput.toFixed(3),
        r.harqThroughput.toFixed(3),
        r.capacity.toFixed(3),
        r.outageCapacity10.toFixed(3),
        percent(r.firstBler),
        `${percent(r.firstBlerInterval[0])} to ${percent(r.firstBlerInterval[1])}`,
        percent(r.targetBler),
        r.target === 'met' ? 'met' : `**${r.target}**`,
      ]),
    ),
    '![Throughput and capacity](images/modem-adaptation.svg)',
    `    ${result.command}`,
    `${provenance(result)}; seeds: ${seeds.join(', ')}.`,
  ].join('\n\n');
}

export function adaptationPlot(result: AdaptationResult): PlotFile {
  // A slower run of the same channel shares its capacity: only its throughput is drawn.
  const kinds = [...new Map(result.rows.map((r) => [`${r.channel} ${r.dopplerHz}`, r] as const)).values()].sort(
    (a, b) => a.channel.localeCompare(b.channel) || (b.dopplerHz ?? 0) - (a.dopplerHz ?? 0),
  );
  const series = kinds.flatMap(({ channel, dopplerHz }, colour): Series[] => {
    const own = result.rows.filter((r) => r.channel === channel && r.dopplerHz === dopplerHz);
    const x = own.map((r) => r.snrDb);
    const name = channel === 'awgn' ? 'AWGN' : `${channel.toUpperCase()} ${dopplerHz} Hz`;
    const line = { kind: 'line', x, colour } as const;
    const first: Series = {
      ...line,
      label: `${name}, first transmission`,
      y: own.map((r) => r.throughput),
      markers: true,
    };
    if (kinds.find((k) => k.channel === channel)?.dopplerHz !== dopplerHz) return [first];
    const capacity: Series = { ...line, label: `${name}, capacity`, y: own.map((r) => r.capacity), dash: true };
    if (channel === 'awgn') return [first, capacity];
    const outage = own.map((r) => r.outageCapacity10);
    return [
      first,
      capacity,
      { ...line, label: `${name}, 10 % outage capacity`, y: outage, dash: true, colour: colour + 2 },
    ];
  });
  const svg = plot({
    title: 'Throughput of the adaptive link and capacity',
    xLabel: 'mean Es/N0, dB',
    yLabel: 'bit per RE',
    width: 640,
    height: 400,
    series,
  });
  return { file: 'modem-adaptation.svg', svg };
}

export function estimatorsChapter(result: EstimatorsResult): string {
  const rows = result.wholeReceiver;
  const names = [...new Set(rows.map((r) => r.estimator))];
  const settings = rows.filter((r) => r.estimator === names[0]);
  return [
    '## Channel estimators',
    'Information lost to a genie by the whole receiver with each estimator, as dB of SNR, 64-QAM, mean and 95 % interval over the bursts found by all. The choice and everything behind it: [ADR 0009](adr/0009-estimators.md).',
    table(
      ['subbands', 'channel', 'slots', 'SNR, dB', ...names],
      settings.map((s) => [
        String(s.subbands),
        s.channel.toUpperCase(),
        String(s.slots),
        String(s.snrDb),
        ...names.map((name) => {
          const r = rows.find(
            (o) =>
              o.estimator === name &&
              o.subbands === s.subbands &&
              o.channel === s.channel &&
              o.slots === s.slots &&
              o.snrDb === s.snrDb,
          );
          const f = r?.informationLostDb;
          return f ? `${figure(f[0], 3)} (${figure(f[1], 3)} to ${figure(f[2], 3)})` : '–';
        }),
      ]),
    ),
    `    ${result.command}`,
    `${provenance(result)}.`,
  ].join('\n\n');
}

export function analogChapter(result: AnalogResult): string {
  const rows = result.linear.filter((r) => r.subbands === 25);
  const names = [...new Set(rows.map((r) => r.candidate))];
  const settings = [...new Set(rows.map((r) => `${r.channel} ${r.snrDb}`))];
  return [
    '## Analog symbols',
    `PSNR in dB of a linear analog picture code over the product’s transmitter and receiver at 25 subbands, and in brackets what each way of putting the numbers on RE gains over \`${result.reference}\`. The choice and everything behind it: [ADR 0010](adr/0010-analog-symbols.md).`,
    table(
      ['channel, SNR', ...names],
      settings.map((s) => [
        s.replace(' ', ', ').concat(' dB'),
        ...names.map((name) => {
          const r = rows.find((o) => o.candidate === name && `${o.channel} ${o.snrDb}` === s);
          return r ? `${r.psnrDb.toFixed(2)} (${r.differenceDb.value.toFixed(2)})` : '–';
        }),
      ]),
    ),
    `    ${result.command}`,
    `${provenance(result)}.`,
  ].join('\n\n');
}
