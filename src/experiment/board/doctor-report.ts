import { formatSi } from '../../common/units.ts';
import { printable } from '../report/terminal.ts';
import type { Examined } from './examine-board.ts';

/** The object of `sct doctor URI --json`. */
export function doctorDocument(uri: string, examined: Examined): object {
  const { heard, clock, sustained, turnaround, advice, saved } = examined;
  const { settings, dcIq, lost } = heard;
  return {
    schema: 'sct.doctor/1',
    ok: !heard.interrupted && sustained?.rateHz !== null,
    uri,
    opened: examined.uri,
    board: examined.board,
    serial: examined.serial,
    frequencyHz: settings.frequencyHz,
    rateHz: settings.rateHz,
    gainsDb: settings.gainsDb,
    durationS: heard.durationS,
    samples: heard.samples,
    lostSamples: lost,
    rmsDbfs: heard.rmsDbfs,
    peakDbfs: heard.peakDbfs,
    clippedSamples: heard.clippedSamples,
    noiseFloorDbfs: heard.floorDbfs,
    noiseFloorDbfsHz: heard.floorDbfsHz,
    dcDbfs: finite(dcIq?.dcDbfs),
    image: dcIq && {
      db: finite(dcIq.imageDb),
      gainDb: finite(dcIq.gainDb),
      phaseDeg: finite(dcIq.phaseDeg),
      significant: dcIq.iqSignificant,
    },
    clock: clock && { ...clock, saved },
    sustained,
    turnaround,
    advice,
  };
}

/** What a person reads. */
export function doctorText(uri: string, examined: Examined): string {
  const { heard, clock, sustained, turnaround, advice, saved, referenceHz } = examined;
  const { settings, dcIq, lost } = heard;
  const db = (value: number | null | undefined, unit = 'dBFS') =>
    value === null || value === undefined || !Number.isFinite(value) ? 'none' : `${value.toFixed(1)} ${unit}`;
  const rows: [string, string][] = [
    ['board', examined.board],
    [
      'at',
      `${formatSi(settings.frequencyHz, 9)}Hz, ${formatSi(settings.rateHz, 7)}sps, ${heard.durationS.toPrecision(4)} s`,
    ],
    [
      'level',
      `${db(heard.rmsDbfs)} RMS, ${db(heard.peakDbfs)} peak, ${heard.clippedSamples} of ${heard.samples} samples at the limit`,
    ],
    ['noise floor', `${db(heard.floorDbfs)}, ${db(heard.floorDbfsHz, 'dBFS/Hz')}`],
    ['DC, LO leak', db(dcIq?.dcDbfs)],
    [
      'image',
      dcIq?.iqSignificant
        ? `${db(dcIq.imageDb, 'dB')} (${dcIq.gainDb.toFixed(2)} dB, ${dcIq.phaseDeg.toFixed(2)} deg)`
        : 'none found',
    ],
    ...(lost.gaps > 0 ? [['lost', `${lost.min} to ${lost.max} samples in ${lost.gaps} gaps`] as [string, string]] : []),
  ];
  if (referenceHz !== null) rows.push(['clock', clockText(clock, saved)]);
  if (sustained) {
    const tried = sustained.trials.map(
      (t) => `${formatSi(t.rateHz, 6)}sps: ${t.lostMax === 0 ? 'whole' : `${t.lostMin} to ${t.lostMax} lost`}`,
    );
    rows.push(['rate', tried.join('; ')]);
  }
  if (turnaround) {
    const { count, rxToTx, txToRx } = turnaround;
    const figures = (f: { p50Ms: number; p99Ms: number }) =>
      `${f.p50Ms.toFixed(1)} ms (99 %: ${f.p99Ms.toFixed(1)} ms)`;
    rows.push(['turnaround', `to sending ${figures(rxToTx)}, to receiving ${figures(txToRx)}, ${count} turns`]);
  }
  rows.push(...advice.map(({ text }): [string, string] => ['change', text]));
  if (advice.length === 0) rows.push(['change', 'nothing']);
  return `${[`${uri}`, ...rows.map(([name, text]) => `${name.padEnd(12)} ${text}`)].map((row) => printable(row)).join('\n')}\n`;
}

function clockText(clock: Examined['clock'], saved: boolean): string {
  if (!clock) return 'no tone near the reference';
  const before = clock.appliedPpm === 0 ? '' : `, of which ${clock.appliedPpm.toFixed(3)} ppm were taken out`;
  return `${clock.ppm.toFixed(3)} ppm${before}${saved ? '; saved for this serial' : ''}`;
}

/** JSON has no infinity. */
function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
