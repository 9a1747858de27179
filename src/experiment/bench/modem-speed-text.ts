import type { SpeedReport, Spread } from './modem-speed.ts';

const spread = (s: Spread) => `${s.median.toFixed(2)} (${s.low.toFixed(2)} to ${s.high.toFixed(2)})`;

/** A speed report as lines of text. */
export function speedTable(report: SpeedReport): string {
  const lines = [report.method, ''];
  for (const s of report.shapes) {
    lines.push(
      `${s.fftSize}-point, ${s.subbands} subbands, Msps: generate ${spread(s.ours.generate)}, receive ${spread(s.ours.receive)}`,
    );
    if (s.liquid && s.ratio) {
      lines.push(`  liquid-dsp: generate ${spread(s.liquid.generate)}, receive ${spread(s.liquid.receive)}`);
      lines.push(`  ratio: generate ${spread(s.ratio.generate)}, receive ${spread(s.ratio.receive)}`);
    }
    const stages = s.stages.map((c) => `${c.stage} ${(100 * c.share).toFixed(0)} %`);
    lines.push(`  receive time: ${stages.join(', ')}`);
  }
  lines.push(
    `receive, ns a sample: ${report.growth.map((g) => `${g.fftSize}-point ${g.nsPerSample.toFixed(0)}`).join(', ')}`,
  );
  for (const l of report.ldpc) {
    lines.push(
      `LDPC rate ${l.codeRate.toFixed(2)}, ${l.iterations} iterations, Mb/s: decode ${l.decodeMbps.toFixed(1)}, encode ${l.encodeMbps.toFixed(0)}`,
    );
  }
  const ratio = report.ratioToLiquid;
  lines.push(ratio === null ? `no ratio to liquid-dsp: ${report.noPeer}` : `ratio to liquid-dsp: ${ratio.toFixed(2)}`);
  return `${lines.join('\n')}\n`;
}
