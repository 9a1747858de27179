import type { FftRow } from '../../src/experiment/bench/speed/fft-speed.ts';
import type { ShapeReport } from '../../src/experiment/bench/speed/modem-speed.ts';
import type { WholeSpeedReport } from '../../src/experiment/bench/speed/speed.ts';
import type { Spread } from '../../src/experiment/bench/spread.ts';
import { apartVerdict, type ComparedRow, inverse } from './verdict.ts';

/** A figure as a speed relative to a peer of the same run, so that the machine drops out. */
interface Relative {
  readonly what: string;
  readonly speed: Spread | null;
  readonly note?: string;
}

/** What has no peer of its own is held against liquid-dsp's receiver at this many points. */
const YARDSTICK_POINTS = 1024;

/**
 * A fresh run of `sct bench` against one that was kept: only ratios to peers of the same run are compared. Figures without a
 * peer (modulation, pictures, idle search) are held against the time of liquid-dsp's receiver in their run.
 */
export function compareReports(old: WholeSpeedReport, fresh: WholeSpeedReport): ComparedRow[] {
  const before = new Map(relatives(old).map((r) => [r.what, r]));
  return relatives(fresh).map(({ what, speed, note }) => {
    const known = before.get(what)?.speed ?? null;
    if (!speed) return { what, change: null, verdict: 'unknown', note: 'no peer in this run' };
    if (!known) return { what, change: null, verdict: 'unknown', note: 'the kept run has no such ratio' };
    return apartVerdict(what, known, speed, note);
  });
}

function relatives(report: WholeSpeedReport): Relative[] {
  const { modem, mcs, idle, fft, ldpc, images, rbs } = report;
  const yardstick = modem?.shapes.find((s) => s.fftSize === YARDSTICK_POINTS)?.liquid?.receive.median ?? null;
  // Msps of the yardstick: a time in ns times that is free of the machine.
  const held = (what: string, time: Spread): Relative => ({
    what,
    speed: yardstick === null ? null : inverse(scaled(time, yardstick)),
    note: 'held against liquid-dsp',
  });
  return [
    ...(modem?.shapes ?? []).flatMap(modemRatios),
    ...(rbs ?? []).map((r) => held(`receive, ${r.rbs} RBs a burst`, r.receiveNs)),
    ...(mcs ?? []).flatMap((r) => {
      const name = `${2 ** r.qm}-point modulation, rate ${Number(r.codeRate.toFixed(2))}`;
      return (['receive', 'decode', 'encode'] as const).map((part) => held(`${part}, ${name}`, r.ns[part]));
    }),
    ...(idle ? [held('idle search at 20 Msps', idle.ns.idle), held('resampling down', idle.ns.down)] : []),
    ...(fft?.sizes ?? []).map(fftRatio),
    ...(ldpc?.rows ?? []).map((r) => ({
      what: `LDPC BG${r.baseGraph} Z=${r.z} rate ${r.codeRate.toFixed(2)} / srsRAN_4G`,
      speed: r.ratio,
    })),
    ...(images ?? []).flatMap((r) =>
      (['encode', 'decode'] as const).map((side) =>
        held(`${side}, ${r.set} ${r.precision} ${r.width}x${r.height}`, r[`${side}Ms`]),
      ),
    ),
  ];
}

function modemRatios(s: ShapeReport): Relative[] {
  return (['receive', 'generate', 'idle'] as const).map((part) => ({
    what: `${part}, ${s.subbands} subbands / liquid-dsp`,
    speed: s.ratio?.[part] ?? null,
  }));
}

function fftRatio({ size, ratioToFftw }: FftRow): Relative {
  return { what: `FFT, ${size} points / FFTW`, speed: ratioToFftw ? inverse(ratioToFftw) : null };
}

function scaled({ median, low, high }: Spread, by: number): Spread {
  return { median: by * median, low: by * low, high: by * high };
}
