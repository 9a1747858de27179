import { html } from 'lit';
import { DASH, fixed } from '../draw/format.ts';
import { LinePlot } from '../draw/line-plot.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

/** Frequency response of the channel in the middle of the last burst: magnitude and phase. */
export class ChannelPanel extends Panel {
  protected readonly topics = ['burst', 'run'] as const;
  protected readonly heading = 'Channel';
  private plot: LinePlot | null = null;
  private magnitude: number[] = [];

  protected override figures() {
    return html`<p class="read"><b data-is="range">${this.range()}</b></p>`;
  }

  protected body() {
    return html`<p class="read"><span class="key k0">|H|, dB</span><span class="key k4">phase, °</span><span>over MHz</span></p>
      <div class="plot lines" data-none=${withChannel() ? '' : 'no burst yet'} role="img" aria-label="Channel over frequency: ${this.range()}"></div>`;
  }

  private range(): string {
    if (this.magnitude.length === 0) return DASH;
    return `${fixed(Math.min(...this.magnitude))} to ${fixed(Math.max(...this.magnitude))} dB`;
  }

  protected override draw(): void {
    const parent = this.querySelector<HTMLElement>('.plot');
    if (!parent) return;
    this.plot ??= new LinePlot(parent, {
      xLabel: '',
      yLabel: 'dB',
      rightLabel: '°',
      rightRange: [-180, 180],
      lines: [
        { label: 'phase', colour: 4, right: true },
        { label: '|H|', colour: 0 },
      ],
    });
    const burst = withChannel();
    const h = burst?.channel ?? new Float32Array(0);
    const carriers = h.length / 2;
    const half = carriers / 2;
    const spacingHz = store.run ? store.run.modemRateHz / store.run.fftSize : 15e3;
    const x: number[] = [];
    const phase: (number | null)[] = [];
    this.magnitude = [];
    let before = 0;
    for (let c = 0; c < carriers; c++) {
      // The carrier in the middle of the band is not used.
      x.push(((c < half ? c - half : c - half + 1) * spacingHz) / 1e6);
      this.magnitude.push(10 * Math.log10(Math.max(1e-12, h[2 * c] ** 2 + h[2 * c + 1] ** 2)));
      const degrees = (Math.atan2(h[2 * c + 1], h[2 * c]) * 180) / Math.PI;
      // No line across the jump from 180 to -180 degrees.
      phase.push(c > 0 && Math.abs(degrees - before) > 180 ? null : degrees);
      before = degrees;
    }
    this.plot.set([x, phase as number[], this.magnitude]);
  }
}

export function withChannel() {
  return store.bursts.last(({ channel, use }) => channel.length > 0 && use !== 'reverse');
}

customElements.define('sct-channel', ChannelPanel);
