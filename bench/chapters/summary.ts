/** The head of docs/results.md: what matters most in one table, and the list of contents. */

import type { ModelsReport } from '../../src/experiment/bench/models/models.ts';
import { ANCHOR_CBR, KODAK_SNR_DB, PUBLISHED_OVER_SNR } from '../../src/experiment/bench/models/models-published.ts';
import type { RequirementsReport } from '../../src/experiment/bench/modem/requirements.ts';
import type { SpeedReport } from '../../src/experiment/bench/speed/modem-speed.ts';
import type { WholeSpeedReport } from '../../src/experiment/bench/speed/speed.ts';
import type { FftResult, LdpcPeerResult } from './kernels.ts';
import type { LinkResult, PowerLoadingResult, PowerLoadingRow } from './link.ts';
import { measuredOf } from './modem.ts';
import { figure, table, verdict } from './parts.ts';
import type { LdpcBlerResult } from './phy.ts';
import { type MeasuredRuns, realTimeLines } from './real-time.ts';
import { ASKED_GENERATE, ASKED_RECEIVE, ASKED_SUBBANDS } from './speed.ts';

export interface Measured {
  readonly seeds: readonly LinkResult[];
  readonly kodak: LinkResult | null;
  readonly powerLoading: PowerLoadingResult | null;
  readonly models: ModelsReport | null;
  readonly modem: RequirementsReport | null;
  readonly ldpcBler: LdpcBlerResult | null;
  readonly modemSpeed: SpeedReport | null;
  readonly wholeSpeed: WholeSpeedReport | null;
  readonly fft: FftResult | null;
  readonly ldpcPeer: LdpcPeerResult | null;
  readonly realTime: MeasuredRuns | null;
  readonly video: MeasuredRuns | null;
}

/** One line: what was asked or compared with, and what came out. */
type Line = readonly [what: string, figure: string];

/** The table; only what was measured stands in it. */
export function summaryChapter(m: Measured): string {
  const lines = [
    ...wholeLines(m.seeds),
    ...kodakLines(m.kodak, m.models),
    ...powerLines(m.powerLoading),
    ...modelLines(m.models),
    ...modemLines(m.modem),
    ...codeLines(m.ldpcBler),
    ...speedLines(m),
    ...realTimeLines([m.realTime, m.video]),
  ];
  return ['## In short', table(['what', 'measured'], lines)].join('\n\n');
}

function wholeLines(seeds: readonly LinkResult[]): Line[] {
  const rows = seeds.flatMap((s) => s.rows);
  const kinds = [...new Set(rows.map((r) => `${r.channel} ${r.snrDb}`))];
  const said = kinds.map((kind) => {
    const own = rows.filter((r) => `${r.channel} ${r.snrDb}` === kind);
    const sum = (of: 'whole' | 'trials') => own.reduce((n, r) => n + r[of], 0);
    return `${kind.replace(' ', ', ').toUpperCase()} dB: ${sum('whole')} of ${sum('trials')}`;
  });
  const subbands = [...new Set(rows.map((r) => r.numerology))].join(', ');
  const link = '[default loopback](#the-default-loopback-many-seeds)';
  return said.length > 0
    ? [[`${link}: photos that arrived whole, ${subbands} subbands together`, said.join('; ')]]
    : [];
}

/** The conventional codec beside the networks and the published curves, at the same rate and SNR. */
function kodakLines(kodak: LinkResult | null, models: ModelsReport | null): Line[] {
  const at = KODAK_SNR_DB.indexOf(10);
  const said = [
    ...(kodak?.rows ?? [])
      .filter((r) => r.snrDb === 10)
      .map(
        (r) =>
          `[conventional codec through the whole modem](#conventional-codec-on-the-kodak-images-awgn-cbr-116) ${r.meanPsnrDb.toFixed(2)}`,
      ),
    ...(models?.kodak?.curves ?? [])
      .filter((c) => c.cbr === ANCHOR_CBR)
      .map(
        (c) => `[networks](#kodak-over-awgn) on known AWGN symbols, \`${c.set}\` ${c.psnrDb[at]?.toFixed(2) ?? '–'}`,
      ),
    ...PUBLISHED_OVER_SNR.map((p) => `${p.name} (published) ${p.psnrDb[at].toFixed(2)}`),
  ];
  return [['Kodak, AWGN 10 dB, CBR 1/16: mean PSNR, dB', said.join('; ')]];
}

function powerLines(result: PowerLoadingResult | null): Line[] {
  if (!result) return [];
  const sum = (of: (r: PowerLoadingRow) => number) => result.rows.reduce((n, r) => n + of(r), 0);
  const gains = [...new Set(result.rows.map((r) => r.snrDb))].map((snrDb) => {
    const own = result.rows.filter((r) => r.snrDb === snrDb).map((r) => r.psnrGainBothWholeDb.value);
    return `${snrDb} dB: ${figure(Math.min(...own), 2)} to ${figure(Math.max(...own), 2)} dB`;
  });
  return [
    [
      '[power loading](#power-loading) on against off: gain in mean PSNR of photos whole with both, by channel',
      `${gains.join('; ')}; not whole ${sum((r) => r.off.outages)} off, ${sum((r) => r.on.outages)} on, of ${sum((r) => r.trials)} each`,
    ],
  ];
}

function modelLines(models: ModelsReport | null): Line[] {
  if (!models) return [];
  const { limitsMet, limitsMissed, targetsMet, targetsMissed } = models;
  return [
    [
      '[networks](#models): what was asked of them',
      `limits: ${limitsMet} met, ${limitsMissed} missed; targets beyond: ${targetsMet} reached, ${targetsMissed} not`,
    ],
  ];
}

function modemLines(modem: RequirementsReport | null): Line[] {
  if (!modem) return [];
  const short = modem.rows.filter((r) => r.state !== 'met');
  const named = short.map(
    (r) => `${r.state}: ${r.name}, ${r.subbands} subbands (${measuredOf(r, 2)} ${r.unit}, asked ${r.asked})`,
  );
  const counts = `${modem.passed} met, ${modem.open} open, ${modem.failed} missed`;
  return [['[modem](#modem) against its requirements', [counts, ...named].join('; ')]];
}

function codeLines(bler: LdpcBlerResult | null): Line[] {
  const differences = (bler?.rows ?? []).map((r) => r.differenceDb).filter((v): v is number => v !== null);
  if (!bler || differences.length === 0) return [];
  return [
    [
      `[LDPC](#ldpc): SNR at BLER ${bler.targetBler} beyond the references', ${differences.length} codes`,
      `${figure(Math.min(...differences), 2)} to ${figure(Math.max(...differences), 2)} dB, asked at most ${bler.allowedDb}`,
    ],
  ];
}

function speedLines({ modemSpeed: speed, wholeSpeed, fft, ldpcPeer }: Measured): Line[] {
  const lines: Line[] = [];
  if (speed?.liquid && speed.ratioToLiquid !== null) {
    const each = (part: 'receive' | 'generate') =>
      speed.shapes.map((s) => `${s.ratio?.[part].median.toFixed(2) ?? '–'} at ${s.fftSize} points`).join(', ');
    const sends = speed.shapes.filter((s) => ASKED_SUBBANDS.includes(s.subbands) && s.ratio);
    const met = sends.every((s) => s.ratio!.generate.median >= ASKED_GENERATE);
    const where = 'over liquid-dsp, one core';
    const received = `${each('receive')}: ${verdict(speed.ratioToLiquid >= ASKED_RECEIVE)}`;
    lines.push(
      [`[receiver](#speed-of-the-modem) ${where}, asked >= ${ASKED_RECEIVE} at 64 and 1024 points`, received],
      [
        `[transmitter](#transmitting) ${where}, asked >= ${ASKED_GENERATE} there`,
        `${each('generate')}: ${verdict(met)}`,
      ],
    );
  }
  const idle = wholeSpeed?.idle;
  if (idle) {
    const what = `[idle search](#idle-search-and-resampling) at ${figure(idle.deviceRateHz / 1e6)} Msps, asked <= ${100 * idle.askedShare} % of a core`;
    lines.push([what, `${(100 * idle.share.idle.median).toFixed(1)} %: ${verdict(idle.met)}`]);
  }
  const sizes = (fft?.sizes ?? []).filter((s) => s.met !== null && s.ratioToFftw);
  if (fft && sizes.length > 0) {
    const each = sizes.map((s) => `${s.ratioToFftw!.median.toFixed(2)} at ${s.size} points`).join(', ');
    const what = `[FFT](#fft-beside-fftw), time over FFTW's, asked <= ${fft.allowedRatio}`;
    lines.push([what, `${each}: ${verdict(sizes.every((s) => s.met))}`]);
  }
  const codes = (ldpcPeer?.rows ?? []).filter((r) => r.ratio);
  if (codes.length > 0) {
    const least = Math.min(...codes.map((r) => r.ratio!.median));
    const missed = codes.filter((r) => !r.met).length;
    const what =
      '[LDPC decoder](#ldpc-decoder-beside-srsran_4g) over srsRAN_4G AVX2, asked >= 2 at Z = 384, >= 1 elsewhere';
    lines.push([
      what,
      `at least ${least.toFixed(2)} of ${codes.length} codes, ${missed} missed: ${verdict(missed === 0)}`,
    ]);
  }
  return lines;
}

/** GitHub's anchor of a heading: lower case, marks dropped, blanks as hyphens. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

/** Chapters and their sections as links, in the order of the page; no two headings have one name. */
export function contents(page: string): string {
  const lines: string[] = [];
  for (const [, marks, heading] of page.matchAll(/^(##|###) (.+)$/gm)) {
    const link = `[${heading}](#${anchorOf(heading)})`;
    if (marks === '##') lines.push(`- ${link}`);
    else lines[lines.length - 1] += `${lines.at(-1)!.includes('): ') ? ',' : ':'} ${link}`;
  }
  return lines.join('\n');
}
