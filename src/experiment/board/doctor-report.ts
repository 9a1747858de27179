import { formatSi } from '../../common/units.ts';
import { printable } from '../report/terminal.ts';
import type { Examined } from './examine-board.ts';
import { describeFullScale, inDbm } from './full-scale.ts';

/** The object of `sct doctor URI --json`. */
export function doctorDocument(uri: string, examined: Examined): object {
  const { heard, clock, sustained, turnaround, advice, saved, fullScale } = examined;
  const { settings, dcIq, image, lost } = heard;
  return {
    schema: 'sct.doctor/1',
    ok: !heard.interrupted && passed(examined),
    uri,
    board: examined.board,
    serial: examined.serial,
    frequencyHz: settings.frequencyHz,
    rateHz: settings.rateHz,
    gainsDb: settings.gainsDb,
    clockCorrection: examined.correction,
    fullScale,
    durationS: heard.durationS,
    samples: heard.samples,
    lostSamples: lost,
    rmsDbfs: heard.rmsDbfs,
    signalDbfs: heard.signalDbfs,
    peakDbfs: heard.peakDbfs,
    clippedSamples: heard.clippedSamples,
    noiseFloorDbfs: heard.floorDbfs,
    noiseFloorDbfsHz: heard.floorDbfsHz,
    dcDbfs: finite(dcIq?.dcDbfs),
    image: image && {
      db: finite(image.imageDb),
      gainDb: finite(image.gainDb),
      phaseDeg: finite(image.phaseDeg),
      significant: image.significant,
      tooWeak: image.tooWeak,
    },
    occupancy: heard.occupancy,
    clock: clock && { ...clock, saved },
    sustained,
    turnaround,
    advice,
  };
}

/** Whether what was asked about was found: a rate that holds, a reference. */
export function passed({ sustained, referenceHz, clock }: Examined): boolean {
  return sustained?.rateHz !== null && (referenceHz === null || clock !== null);
}

/** What a person reads. */
export function doctorText(uri: string, examined: Examined): string {
  const { heard, clock, sustained, turnaround, advice, saved, referenceHz, fullScale, correction } = examined;
  const { settings, dcIq, image, lost, occupancy } = heard;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
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
      `${db(heard.rmsDbfs)} RMS, without the LO's leak ${db(heard.signalDbfs)}${inDbm(heard.signalDbfs, fullScale)}, largest I or Q ${db(heard.peakDbfs)}, ${heard.clippedSamples} of ${heard.samples} samples at the limit`,
    ],
    ['full scale', describeFullScale(fullScale)],
    [
      'noise floor',
      `${db(heard.floorDbfs)}, ${db(heard.floorDbfsHz, 'dBFS/Hz')}${inDbm(heard.floorDbfsHz, fullScale, 'dBm/Hz')}`,
    ],
    [
      'occupied',
      `${percent(occupancy.maxShare)} of ${formatSi(heard.spectrum.usableHz)}Hz at any time, ${percent(occupancy.meanShare)} in the mean`,
    ],
    ['DC, LO leak', db(dcIq?.dcDbfs)],
    [
      'image',
      image?.significant
        ? `${db(image.imageDb, 'dB')} (${image.gainDb.toFixed(2)} dB, ${image.phaseDeg.toFixed(2)} deg)`
        : image?.tooWeak
          ? "not known: what is heard is no more than the converter's noise"
          : 'none found',
    ],
    ...(lost.gaps > 0 ? [['lost', `${lost.min} to ${lost.max} samples in ${lost.gaps} gaps`] as [string, string]] : []),
  ];
  if (correction) rows.push(['calibration', correctionText(correction)]);
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
  const lo = `LO ${formatSi(Math.abs(clock.loOffsetHz), 4)}Hz too ${clock.loOffsetHz < 0 ? 'low' : 'high'} by itself`;
  return `${clock.ppm.toFixed(3)} +- ${clock.errorPpm.toFixed(3)} ppm, ${lo}${before}${saved ? '; saved for this serial' : ''}`;
}

function correctionText({ ppm, from, measuredAt }: NonNullable<Examined['correction']>): string {
  const why = from === 'uri' ? 'as the URI says' : `stored for this serial, measured ${measuredAt}`;
  return `${ppm} ppm are taken out, ${why}`;
}

/** JSON has no infinity. */
function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
