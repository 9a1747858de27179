import { html } from 'lit';
import type uPlot from 'uplot';
import { theme } from '../draw/colours.ts';
import { unit } from '../draw/format.ts';
import { LinePlot } from '../draw/line-plot.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

/** The cyclic prefix is 9/128 of the transform (docs/air-interface.md). */
const CP_SHARE = 9 / 128;
const LOWEST_DB = -50;

/** Impulse response of the last burst; what comes inside the cyclic prefix (shaded) does no harm. */
export class ImpulsePanel extends Panel {
  protected readonly topics = ['burst', 'run'] as const;
  protected readonly heading = 'Impulse response, µs';
  private plot: LinePlot | null = null;

  protected body() {
    const burst = withImpulse();
    const spread = burst ? delaySpreadS(burst.impulseDb, burst.impulseStepS) : null;
    const cp = cpS();
    return html`<p class="read"><span class="key shade">prefix <b data-is="cp">${unit(cp === null ? null : cp * 1e6, 2, 'µs')}</b></span>
        <span title="root mean square delay spread of what is within 20 dB of the peak">spread <b data-is="spread">${unit(spread === null ? null : spread * 1e9, 0, 'ns')}</b></span></p>
      <div class="plot lines" data-none=${burst ? '' : 'no burst yet'} role="img" aria-label="Power over delay; delay spread ${unit(spread === null ? null : spread * 1e9, 0, 'ns')}"></div>`;
  }

  protected override draw(): void {
    const parent = this.querySelector<HTMLElement>('.plot');
    if (!parent) return;
    this.plot ??= new LinePlot(parent, {
      xLabel: '',
      yLabel: 'dB',
      yRange: [LOWEST_DB, 3],
      lines: [{ label: 'power', colour: 2, fill: true }],
      under: shadePrefix,
    });
    const burst = withImpulse();
    if (!burst) {
      this.plot.set([[], []]);
      return;
    }
    const { impulseDb, impulseStartS, impulseStepS } = burst;
    const x = Float64Array.from(impulseDb, (_, i) => 1e6 * (impulseStartS + i * impulseStepS));
    this.plot.set([x, impulseDb.map((v) => Math.max(LOWEST_DB, v))]);
  }
}

function withImpulse() {
  return store.bursts.last(({ impulseDb, use }) => impulseDb.length > 0 && use !== 'reverse');
}

function cpS(): number | null {
  return store.run && store.run.fftSize > 0 ? (CP_SHARE * store.run.fftSize) / store.run.modemRateHz : null;
}

/** The window that a receiver leaves room for: one cyclic prefix from the first path on. */
function shadePrefix(plot: uPlot): void {
  const length = cpS();
  if (length === null) return;
  const { top, height, left, width } = plot.bbox;
  const from = Math.max(left, plot.valToPos(0, 'x', true));
  const to = Math.min(left + width, plot.valToPos(1e6 * length, 'x', true));
  if (!(to > from)) return;
  plot.ctx.save();
  plot.ctx.fillStyle = theme().series[0];
  plot.ctx.globalAlpha = 0.14;
  plot.ctx.fillRect(from, top, to - from, height);
  plot.ctx.restore();
}

/** Root mean square spread of the power within 20 dB of the peak, s. */
function delaySpreadS(db: Float32Array, stepS: number): number | null {
  let p = 0;
  let pt = 0;
  let ptt = 0;
  for (let i = 0; i < db.length; i++) {
    if (!(db[i] > -20)) continue;
    const power = 10 ** (db[i] / 10);
    const t = i * stepS;
    p += power;
    pt += power * t;
    ptt += power * t * t;
  }
  return p > 0 ? Math.sqrt(Math.max(0, ptt / p - (pt / p) ** 2)) : null;
}

customElements.define('sct-impulse', ImpulsePanel);
