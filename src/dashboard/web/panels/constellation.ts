import { html } from 'lit';
import { theme } from '../draw/colours.ts';
import { fixed, unit } from '../draw/format.ts';
import { idealPoints, modulationNamed } from '../draw/modulation.ts';
import { emptyText } from '../draw/picture-view.ts';
import { FONT, Surface } from '../draw/surface.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

/** Half of the side of the square that is shown, in units of the root mean power; analog symbols reach further out. */
const REACH = 1.8;
const REACH_ANALOG = 2.8;

/** Equalised symbols of the last burst that has some, with the points they were sent as. */
export class ConstellationPanel extends Panel {
  protected readonly topics = ['burst', 'run'] as const;
  protected readonly heading = 'Constellation';
  private surface: Surface | null = null;

  protected body() {
    const burst = withPoints();
    const evm = burst?.evmDb ?? null;
    const text = evm === null ? '—' : `${fixed(100 * 10 ** (evm / 20), 1)} % (${unit(evm, 1, 'dB')})`;
    return html`<div class="plot square"><canvas role="img" aria-label="Constellation: ${burst?.pointsOf ?? 'nothing received'}, EVM ${text}"></canvas></div>
      <p class="read"><span><b data-is="modulation">${burst ? (burst.pointsOf ?? burst.use) : '—'}</b></span><span title=${burst?.pointsOf === 'analog' ? 'analog symbols have no points that they should lie on' : 'root mean square, against unit mean power'}>EVM <b data-is="evm">${text}</b></span>
        <span>SNR <b data-is="snr">${unit(burst?.snrDb, 1, 'dB')}</b></span><span>burst <b data-is="burst">${burst?.burst ?? '—'}</b></span></p>`;
  }

  protected override draw(): void {
    const canvas = this.querySelector('canvas');
    if (!canvas) return;
    this.surface ??= new Surface(canvas, () => this.changed());
    const { width, height } = this.surface;
    const g = this.surface.begin();
    const { line, mute, series } = theme();
    const side = Math.min(width, height);
    const left = (width - side) / 2;
    const top = (height - side) / 2;
    const burst = withPoints();
    const { bits, colour } = modulationNamed(burst?.pointsOf ?? null);
    const reach = bits > 0 ? REACH : REACH_ANALOG;
    const scale = side / 2 / reach;
    const x0 = left + side / 2;
    const y0 = top + side / 2;
    g.strokeStyle = line;
    g.lineWidth = 1;
    g.beginPath();
    for (let k = -Math.floor(reach); k <= reach; k++) {
      const offset = Math.round(k * scale) + 0.5;
      g.moveTo(x0 + offset, top);
      g.lineTo(x0 + offset, top + side);
      g.moveTo(left, y0 + offset);
      g.lineTo(left + side, y0 + offset);
    }
    g.stroke();
    g.font = FONT;
    g.fillStyle = mute;
    g.textAlign = 'left';
    g.textBaseline = 'bottom';
    g.fillText('I', left + side - 8, y0 - 3);
    g.fillText('Q', x0 + 4, top + 13);
    if (!burst) {
      emptyText(g, this.surface, 'no payload symbols received yet', mute);
      return;
    }
    const { points } = burst;
    g.fillStyle = series[colour];
    g.globalAlpha = 0.6;
    for (let i = 0; i + 1 < points.length; i += 2) {
      const re = points[i] * scale;
      const im = points[i + 1] * scale;
      // On whole pixels: a square between them is four times the work.
      if (Math.abs(re) < side / 2 && Math.abs(im) < side / 2) {
        g.fillRect(Math.round(x0 + re) - 1, Math.round(y0 - im) - 1, 2, 2);
      }
    }
    g.globalAlpha = 1;
    this.crosses(g, idealPoints(bits), x0, y0, scale);
  }

  private crosses(g: CanvasRenderingContext2D, ideal: Float32Array, x0: number, y0: number, scale: number): void {
    const { ink } = theme();
    const arm = ideal.length > 128 ? 2 : 4;
    g.strokeStyle = ink;
    g.lineWidth = 1;
    g.beginPath();
    for (let i = 0; i < ideal.length; i += 2) {
      const x = x0 + ideal[i] * scale;
      const y = y0 - ideal[i + 1] * scale;
      g.moveTo(x - arm, y);
      g.lineTo(x + arm, y);
      g.moveTo(x, y - arm);
      g.lineTo(x, y + arm);
    }
    g.stroke();
  }
}

function withPoints() {
  return store.bursts.last(({ points }) => points.length > 0);
}

customElements.define('sct-constellation', ConstellationPanel);
