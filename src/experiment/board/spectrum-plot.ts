import { formatSi } from '../../common/units.ts';
import { plot } from '../report/svg/plot.ts';
import { dbfs, type Heard } from './listen.ts';

/** Points that a plot is wide; more bins are drawn as the largest of each group. */
const POINTS = 1024;

/** Mean, maximum and noise floor over frequency, as an SVG of its own. */
export function spectrumPlot(heard: Heard, title: string): string {
  const { spectrum, floor, settings } = heard;
  const { frequencyHz, mean, max } = spectrum;
  const group = Math.ceil(mean.length / POINTS);
  const x: number[] = [];
  const [meanDb, maxDb]: [number[], number[]] = [[], []];
  for (let bin = 0; bin < mean.length; bin += group) {
    x.push(frequencyHz[Math.min(mean.length - 1, bin + (group >> 1))] / 1e6);
    meanDb.push(largestDb(mean.subarray(bin, bin + group)));
    maxDb.push(largestDb(max.subarray(bin, bin + group)));
  }
  const floorDb = dbfs(floor);
  return plot({
    title: `${title}, ${formatSi(settings.rateHz, 6)}sps, ${gainText(settings.gainsDb)}${heard.durationS.toPrecision(3)} s`,
    xLabel: 'frequency, MHz',
    yLabel: `dBFS in ${formatSi(settings.rateHz / mean.length)}Hz`,
    width: 900,
    height: 420,
    series: [
      { kind: 'line', x, y: maxDb, label: 'maximum' },
      { kind: 'line', x, y: meanDb, label: 'mean' },
      ...(floorDb === null
        ? []
        : [{ kind: 'threshold' as const, axis: 'y' as const, value: floorDb, text: 'noise floor' }]),
    ],
  });
}

function gainText(gainsDb: Readonly<Record<string, number>>): string {
  return Object.entries(gainsDb)
    .map(([stage, db]) => `${stage} ${db} dB, `)
    .join('');
}

function largestDb(power: Float64Array): number {
  return dbfs(power.reduce((a, b) => Math.max(a, b), 0)) ?? Number.NaN;
}
