import { spreadText } from '../spread.ts';
import type { SpeedReport } from './modem-speed.ts';

/** A speed report as lines of text. */
export function speedTable(report: SpeedReport): string {
  const lines = [report.method, ''];
  for (const s of report.shapes) {
    lines.push(
      `${s.fftSize}-point, ${s.subbands} subbands, Msps: generate ${spreadText(s.ours.generate)}, receive ${spreadText(s.ours.receive)}`,
    );
    if (s.liquid && s.ratio) {
      lines.push(`  liquid-dsp: generate ${spreadText(s.liquid.generate)}, receive ${spreadText(s.liquid.receive)}`);
      lines.push(`  ratio: generate ${spreadText(s.ratio.generate)}, receive ${spreadText(s.ratio.receive)}`);
    }
    lines.push(
      `  real-time factor of one core: generate ${s.realTimeFactor.generate.toFixed(1)}, receive ${s.realTimeFactor.receive.toFixed(1)}`,
    );
    const stages = s.stages.map((c) => `${c.stage} ${(100 * c.share).toFixed(0)} %`);
    lines.push(`  receive time: ${stages.join(', ')}`);
  }
  lines.push(
    `receive, ns a sample: ${report.shapes.map((s) => `${s.fftSize}-point ${(1e3 / s.ours.receive.median).toFixed(0)}`).join(', ')}`,
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
