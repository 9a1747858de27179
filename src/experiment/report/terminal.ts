import type { ReportData } from './data.ts';
import { judgedText, machineAgreement } from './machine-text.ts';
import { sentAgain } from './sent-again.ts';
import { fixed, grouped, NOT_MEASURED, si } from './svg/text.ts';
import { reasonOf, sfvStates, type Verdict, verdict } from './verdict.ts';

export interface TerminalOptions {
  /** Escape sequences for colour; use `wantsColour`. */
  colour: boolean;
  /** Shown as the place of the report; omitted when null. */
  directory?: string | null;
  /** What a comparison with the run that was recorded came to. */
  check?: string;
}

/** Colour only on a terminal that is not dumb, and never against NO_COLOR (https://no-color.org). */
export function wantsColour(isTty: boolean | undefined, env: Record<string, string | undefined>): boolean {
  return isTty === true && !env.NO_COLOR && env.TERM !== 'dumb';
}

const CODES: Record<Verdict['state'], number> = { whole: 32, damaged: 33, outage: 31, nothing: 31 };

/** The summary of a run: a verdict line and aligned rows with units, ending in a newline. Widths assume no wide characters. */
export function terminalSummary(data: ReportData, options: TerminalOptions): string {
  const paint = (code: number, text: string) => (options.colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const { metrics: m, identification: id, rbSnr } = data;
  const v = verdict(data);
  const rows: [string, string][] = [];
  const quality = [
    m.psnrDb === null ? null : `PSNR ${fixed(m.psnrDb, 2)} dB`,
    m.msSsim === null ? null : `MS-SSIM ${fixed(m.msSsim, 4)}`,
    m.lpips === null ? null : `LPIPS ${fixed(m.lpips, 4)}`,
    m.roiPsnrDb === null ? null : `ROI-PSNR ${fixed(m.roiPsnrDb, 2)} dB`,
    m.mIoU === null ? null : `mIoU ${fixed(m.mIoU, 3)}`,
    m.judgeMIoU === null ? null : `judge ${judgedText(m)}`,
  ];
  if (m.speech) {
    const { stoi, segmentalSnrDb, sfvs, seconds } = m.speech;
    const figures = [
      stoi === null ? null : `STOI ${fixed(stoi, 3)}`,
      segmentalSnrDb === null ? null : `segmental SNR ${fixed(segmentalSnrDb, 1)} dB`,
      seconds === null ? null : `${fixed(seconds, 2)} s`,
      sfvs.length > 0 ? `${sfvs.filter((s) => s.symbols > 0).length} of ${sfvs.length} SFVs came` : null,
    ];
    rows.push(['speech', join(figures) || NOT_MEASURED]);
  }
  const sounding = data.purpose === 'sounding'; // no picture was to come, by no codec
  if (m.codec !== 'speech' && !sounding)
    rows.push(['picture', join(quality) || `quality ${NOT_MEASURED}: ${reasonOf(data, 'psnrDb')}`]);
  if (m.machine) {
    const { classes, streetProbability } = m.machine;
    const present = classes.filter((c) => c.present).map((c) => c.name);
    const latency = data.semantics?.task?.latencyMs;
    rows.push([
      'machine',
      join([
        `sees ${present.join(', ') || 'no class for certain'}`,
        `street scene ${fixed(100 * streetProbability, 0)} %`,
        ...machineAgreement(m),
        latency === undefined ? null : si(latency / 1e3, 's', 3),
      ]),
    ]);
  }
  const codec = id.codecDetail ? `${id.codec}: ${id.codecDetail}` : id.codec;
  if (!sounding) rows.push(['codec', join([codec, id.mapping && `mapping ${id.mapping}`])]);
  rows.push([
    'channel',
    join([
      id.channel,
      id.snrDb === null ? null : `${fixed(id.snrDb)} dB SNR`,
      id.seed === null ? null : `seed ${id.seed}`,
    ]),
  ]);
  rows.push(['numerology', id.numerology]);
  if (id.facts.session) rows.push(['session', id.facts.session]);
  if (m.symbolsPerPixel !== null && m.cbr !== null) {
    rows.push([
      'cost',
      join([
        `R ${fixed(m.symbolsPerPixel, 4)} symbols/pixel`,
        `CBR ${fixed(m.cbr, 5)} (1/${fixed(1 / m.cbr, 1)})`,
        repeated(m),
      ]),
    ]);
  }
  if (m.sfvs.length > 0) {
    const side = m.sideInfoBytes === null ? null : `side information ${grouped(m.sideInfoBytes)} bytes`;
    rows.push(['SFVs', join([sfvStates(data), side])]);
  }
  if (rbSnr) {
    const means = Array.from(rbSnr.meanDb).filter(Number.isFinite);
    const range = means.length
      ? `${fixed(Math.min(...means))} to ${fixed(Math.max(...means))} dB over ${rbSnr.subbands} subbands`
      : NOT_MEASURED;
    rows.push([
      'RB SNR',
      join([range, rbSnr.reportAgeMs === null ? 'no CSI report' : `CSI report ${fixed(rbSnr.reportAgeMs)} ms old`]),
    ]);
  }
  rows.push([
    'radio',
    join([
      m.evmDb === null ? null : `EVM ${withUnit(fixed(m.evmDb), 'dB')}`,
      `CFO ${withUnit(grouped(m.cfoHz), 'Hz')}`,
      m.bler === null ? null : `BLER ${fixed(100 * m.bler, 1)} %`,
    ]),
  ]);
  rows.push([
    'samples',
    join([grouped(m.samples), `lost ${grouped(m.lostSamples)}`, `clipped ${grouped(m.clippedSamples)}`]),
  ]);
  const total = m.timings.totalMs ?? sum(Object.values(m.timings));
  if (total > 0) rows.push(['time', si(total / 1e3, 's', 3)]);
  if (options.check) rows.push(['check', options.check]);
  if (options.directory) rows.push(['report', `${options.directory}/report.html`]);

  const label = Math.max(...rows.map(([k]) => k.length));
  const body = rows.map(([k, text]) => `  ${paint(2, k.padEnd(label))}  ${printable(text)}`);
  const notes = (data.notes ?? []).map((n) => `  ${'note'.padEnd(label)}  ${printable(n)}`);
  const warnings = data.warnings.map((w) => `  ${paint(33, 'warning'.padEnd(label))}  ${printable(w)}`);
  return `${[paint(1, printable(id.title)), paint(CODES[v.state], v.text), ...body, ...notes, ...warnings].join('\n')}\n`
    .replaceAll('\u202f', ' ') // plain spaces and signs: terminals differ, and the lines get pasted elsewhere
    .replaceAll('\u2212', '-');
}

function withUnit(text: string, unit: string): string {
  return text === NOT_MEASURED ? text : `${text} ${unit}`;
}

function repeated(m: ReportData['metrics']): string | null {
  const { count, unit } = sentAgain(m);
  return count === null ? null : `${grouped(count)} ${unit}${count === 1 ? '' : 's'} sent again`;
}

function join(parts: readonly (string | null | false | undefined)[]): string {
  return parts.filter((p) => p).join('  ·  ');
}

/** Text from outside without the control characters that could drive a terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly what must go
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
