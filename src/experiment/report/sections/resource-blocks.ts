import type { Modulation, ReportData, ReportRbSnr } from '../data.ts';
import { figure, html, type Markup } from '../markup.ts';
import { plot } from '../svg/plot.ts';
import type { Series } from '../svg/series.ts';
import { fixed } from '../svg/text.ts';

/** Palette index of each modulation, the same in every plot of the report. */
export const MODULATION_COLOUR: Record<Modulation, number> = {
  QPSK: 0,
  '16-QAM': 2,
  '64-QAM': 4,
  '256-QAM': 1,
  analog: 3,
};
const UNUSED_COLOUR = 7;
export const WIDTH = 1160;
export const MARGINS = { marginLeft: 48, marginRight: 96 };

/** RB SNR bars with standard errors, modulation and thresholds, and the RB x time map under the same axis. */
export function resourceBlockSection(data: ReportData): Markup | null {
  const rb = data.rbSnr;
  if (!rb) return null;
  return html`<section><h2>Resource blocks</h2>
${figure(barsCaption(rb), bars(rb), true)}
${rb.slots > 0 && figure('RB SNR in time: every resource block of the image bursts', heatmap(rb), true)}</section>`;
}

function barsCaption(rb: ReportRbSnr): Markup {
  const error = rb.standardErrorDb ? ' with its standard error' : '';
  const lines = rb.thresholds.length > 0 ? '; dashed: the SNR each modulation needs' : '';
  const report = rb.reportedDb
    ? html`; rings: the CSI report that placed the symbols${rb.reportAgeMs === null ? '' : `, ${fixed(rb.reportAgeMs)} ms old`}`
    : '; no CSI report was used';
  return html`RB SNR per subband${error}, coloured by modulation${lines}${report}`;
}

function bars(rb: ReportRbSnr): string {
  const x = Array.from({ length: rb.subbands }, (_, i) => i);
  const used = (Object.keys(MODULATION_COLOUR) as Modulation[]).filter((m) => rb.modulation.includes(m));
  const error = rb.standardErrorDb ?? undefined;
  const lowest = finiteMin(rb.meanDb);
  const series: Series[] = [
    {
      kind: 'bars',
      x,
      y: rb.meanDb,
      error,
      barWidth: 0.82,
      baseline: lowest < 0 ? Math.floor(lowest - 1) : 0,
      colours: rb.modulation.map((m) => (m ? MODULATION_COLOUR[m] : UNUSED_COLOUR)),
      tooltips: x.map((i) => {
        const spread = error ? ` ± ${fixed(error[i], 2)}` : '';
        const said = rb.reportedDb ? `, reported ${fixed(rb.reportedDb[i], 2)} dB` : '';
        return `subband ${i}: ${fixed(rb.meanDb[i], 2)}${spread} dB${said}, ${rb.modulation[i] ?? 'unused'}`;
      }),
    },
  ];
  for (const t of rb.thresholds) {
    series.push({
      kind: 'threshold',
      axis: 'y',
      value: t.snrDb,
      text: `${t.modulation} ${fixed(t.snrDb)}`,
      outside: true,
    });
  }
  if (rb.reportedDb) {
    series.push({ kind: 'scatter', label: 'CSI report', x, y: rb.reportedDb, shape: 'ring', size: 9 });
  }
  for (const m of used) series.push({ kind: 'legend', label: m, colour: MODULATION_COLOUR[m] });
  if (rb.modulation.includes(null)) series.push({ kind: 'legend', label: 'unused', colour: UNUSED_COLOUR });
  const means = Array.from(rb.meanDb).filter(Number.isFinite);
  return plot({
    ...MARGINS,
    title: 'RB SNR per subband',
    description: means.length
      ? `${rb.subbands} subbands from ${fixed(Math.min(...means))} to ${fixed(Math.max(...means))} dB.`
      : 'Nothing was measured.',
    xLabel: 'subband',
    yLabel: 'RB SNR, dB',
    width: WIDTH,
    height: 330,
    xRange: [-0.5, rb.subbands - 0.5],
    xTicks: subbandTicks(rb.subbands),
    series,
    showTitle: false,
    standalone: false,
  });
}

function heatmap(rb: ReportRbSnr): string {
  const finite = Array.from(rb.perRbDb).filter(Number.isFinite);
  const range = [Math.floor(Math.min(...finite, 0)), Math.ceil(Math.max(...finite, 1))] as const;
  return plot({
    ...MARGINS,
    title: 'RB SNR over subband and slot',
    description: `${rb.slots} slots by ${rb.subbands} subbands.`,
    xLabel: 'subband',
    yLabel: 'slot',
    width: WIDTH,
    height: Math.min(460, Math.max(170, 70 + 11 * rb.slots)),
    xTicks: subbandTicks(rb.subbands),
    yDown: true,
    colourBar: { range, label: 'RB SNR, dB' },
    grid: false,
    series: [
      {
        kind: 'heatmap',
        rows: rb.slots,
        columns: rb.subbands,
        values: rb.perRbDb,
        x: [-0.5, rb.subbands - 0.5],
        y: [-0.5, rb.slots - 0.5],
        range,
        tooltip: (slot, subband, v) => `slot ${slot}, subband ${subband}: ${fixed(v, 1)} dB`,
      },
    ],
    showTitle: false,
    standalone: false,
  });
}

export function subbandTicks(subbands: number) {
  const every = subbands > 30 ? 5 : 1;
  return Array.from({ length: Math.ceil(subbands / every) }, (_, i) => ({
    value: i * every,
    label: String(i * every),
  }));
}

function finiteMin(v: ArrayLike<number>): number {
  let low = 0;
  for (let i = 0; i < v.length; i++) if (Number.isFinite(v[i])) low = Math.min(low, v[i]);
  return low;
}
