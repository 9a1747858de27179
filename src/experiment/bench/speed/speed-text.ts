import { ldpcPeerLine } from '../ldpc/ldpc-peer.ts';
import type { PeerFacts } from '../peer-program.ts';
import { type Spread, spreadText } from '../spread.ts';
import { fftLine } from './fft-speed.ts';
import type { SpeedReport } from './modem-speed.ts';
import type { WholeSpeedReport } from './speed.ts';
import type { BlocksRow, DeviceRow, ImageRow, McsRow } from './speed-growth.ts';

const MODULATION: Record<number, string> = { 2: 'QPSK', 4: '16-QAM', 6: '64-QAM', 8: '256-QAM' };

/** A report of the whole as tables of text. */
export function wholeSpeedTable(report: WholeSpeedReport): string {
  const { modem, rbs, mcs, idle, fft, ldpc, images } = report;
  return [
    report.method,
    ...(modem ? ['', ...modemLines(modem)] : []),
    ...(rbs ? ['', ...blockLines(rbs)] : []),
    ...(mcs ? ['', ...mcsLines(mcs)] : []),
    ...(idle ? ['', ...idleLines(idle)] : []),
    ...(fft ? ['', 'FFT, forward, by points', ...fft.sizes.map(fftLine), ...missing('FFTW', fft.fftw)] : []),
    ...(ldpc
      ? ['', 'LDPC decoder, 10 iterations', ...ldpc.rows.map(ldpcPeerLine), ...missing('srsRAN_4G', ldpc.srsran)]
      : []),
    ...(images ? ['', ...imageLines(images)] : []),
    '',
  ].join('\n');
}

function missing(name: string, peer: PeerFacts): string[] {
  return peer.missing === null ? [] : [`no ratio to ${name}: ${peer.missing}`];
}

function modemLines(report: SpeedReport): string[] {
  const head = ['numerology', 'modem Msps', 'receive Msps', 'real time', 'transmit Msps', 'real time'];
  if (report.liquid) head.push('receive / liquid-dsp', 'transmit / liquid-dsp');
  const rows = report.shapes.map((s) => [
    `${s.subbands} subbands, ${s.fftSize}/${s.cpLength}`,
    (s.modemRateHz / 1e6).toFixed(2),
    spreadText(s.ours.receive, 1),
    `${s.realTimeFactor.receive.toFixed(1)}x`,
    spreadText(s.ours.generate, 1),
    `${s.realTimeFactor.generate.toFixed(1)}x`,
    ...(s.ratio ? [spreadText(s.ratio.receive), spreadText(s.ratio.generate)] : []),
  ]);
  const stages = [...new Set(report.shapes.flatMap((s) => s.stages.map((c) => c.stage)))];
  const cost = (s: SpeedReport['shapes'][number], stage: string) =>
    (s.stages.find((c) => c.stage === stage)?.nsPerSample ?? 0).toFixed(1);
  return [
    'modem, one core, no channel code',
    ...columns([head, ...rows]),
    ...(report.noPeer === null ? [] : [`no ratio to liquid-dsp: ${report.noPeer}`]),
    '',
    'receive, ns a sample, by stage',
    ...columns([
      ['stage', ...report.shapes.map((s) => `${s.fftSize}-point`)],
      ...stages.map((stage) => [stage, ...report.shapes.map((s) => cost(s, stage))]),
      ['all', ...report.shapes.map((s) => (1e3 / s.ours.receive.median).toFixed(1))],
    ]),
  ];
}

function blockLines(rows: readonly BlocksRow[]): string[] {
  const head = ['RBs a burst', 'slots', 'receive ns a sample', 'us an RB', 'transmit ns a sample'];
  const cells = rows.map((r) => [
    String(r.rbs),
    String(r.slots),
    spreadText(r.receiveNs, 1),
    r.receiveUsPerRb.toFixed(1),
    spreadText(r.generateNs, 1),
  ]);
  return [`growth with resource blocks, ${rows[0].subbands} subbands`, ...columns([head, ...cells])];
}

function mcsLines(rows: readonly McsRow[]): string[] {
  const ns = ['receive', 'demap', 'decode', 'encode', 'generate'] as const;
  const head = ['modulation, rate', 'SNR', 'iterations', ...ns, 'decode Mb/s', 'real time rx', 'tx'];
  const cells = rows.map((r) => [
    `${MODULATION[r.qm]} ${Number(r.codeRate.toFixed(3))}`,
    `${r.snrDb} dB`,
    r.iterations.toFixed(1),
    ...ns.map((part) => r.ns[part].median.toFixed(1)),
    r.decodeMbps.toFixed(0),
    `${r.realTimeFactor.receiveAndDecode.toFixed(2)}x`,
    `${r.realTimeFactor.transmit.toFixed(2)}x`,
  ]);
  return [
    `growth with modulation and code rate, ${rows[0].subbands} subbands, ns a sample of one core; decode: equalised symbols to bytes, demap its part`,
    ...columns([head, ...cells]),
  ];
}

function idleLines(row: DeviceRow): string[] {
  const percent = ({ median, low, high }: Spread) =>
    `${(100 * median).toFixed(1)} % (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
  const rate = row.deviceRateHz / 1e6;
  return [
    `idle search at ${rate} Msps (8 bit, resampled to ${row.modemRateHz / 1e6} Msps): ${percent(row.share.idle)} of one core, asked <= ${100 * row.askedShare} %${row.met ? '' : ', MISSED'}`,
    `of that, conversion to resampling: ${percent(row.share.down)}; a transmitter’s resampling: ${percent(row.share.up)} of one core`,
  ];
}

function imageLines(rows: readonly ImageRow[]): string[] {
  const head = ['set', 'picture', 'encode ms', 'decode ms', 'pictures a second', 'both sides'];
  const cells = rows.map((r) => [
    r.precision === 'int8' ? `${r.set}, 8 bit` : r.set,
    `${r.width}x${r.height}`,
    spreadText(r.encodeMs, 0),
    spreadText(r.decodeMs, 0),
    r.picturesPerS.toFixed(1),
    r.askedMs === null ? '' : `asked <= ${r.askedMs} ms: ${r.met ? 'met' : 'MISSED'}`,
  ]);
  return ['growth with the picture, CPU time of one core', ...columns([head, ...cells])];
}

/** Cells under one another, the first column to the left, the others to the right. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((r) => (r[c] ?? '').length)));
  return rows.map((r) => r.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  '));
}
