import { html } from 'lit';
import { fixed, hertz, unit } from '../draw/format.ts';
import { LinePlot } from '../draw/line-plot.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

/** Power spectrum of what is received: mean, the strongest since the last one, and the peaks held. */
export class SpectrumPanel extends Panel {
  protected readonly topics = ['spectrum', 'run'] as const;
  protected readonly heading = 'Spectrum';
  private plot: LinePlot | null = null;
  private x = new Float64Array(0); // MHz
  private held = new Float32Array(0);
  private seen = 0;
  private holds = true;

  protected override figures() {
    const { peak, at } = strongest();
    const spectrum = store.spectra.fromEnd(0);
    return html`<p class="read"><span><b data-is="peak">${unit(peak?.value, 1, levelUnit())}</b> at <b data-is="peak-at">${hertz(at)}</b></span>
      <span class="wide">floor <b data-is="floor">${fixed(spectrum ? floorOf(spectrum.meanDbfs) : null)}</b></span></p>`;
  }

  protected body() {
    const { peak, at } = strongest();
    return html`<div class="plot lines" data-none=${at === null ? 'no samples yet' : ''} role="img" aria-label="Power over frequency${at === null ? ': nothing received' : `: strongest ${unit(peak?.value, 1, levelUnit())} at ${hertz(at)}`}"></div>`;
  }

  protected override tools() {
    const toggle = () => {
      this.holds = !this.holds;
      this.held.fill(Number.NEGATIVE_INFINITY);
      this.changed();
    };
    return html`<span class="tools"><span class="key k0">mean</span><span class="key k1">peak</span>
      <label class="key k7" title="Highest peaks since it was ticked; untick and tick again to begin anew"><input type="checkbox" .checked=${this.holds} @change=${toggle} data-is="hold" /> hold</label></span>`;
  }

  protected override draw(): void {
    const parent = this.querySelector<HTMLElement>('.plot');
    if (!parent) return;
    this.plot ??= new LinePlot(parent, {
      xLabel: '',
      yLabel: 'dB',
      lines: [
        { label: 'hold', colour: 7 },
        { label: 'peak', colour: 1 },
        { label: 'mean', colour: 0 },
      ],
    });
    const spectrum = store.spectra.fromEnd(0);
    if (!spectrum) {
      this.held.fill(Number.NEGATIVE_INFINITY);
      this.seen = 0;
      this.plot.set([[], [], [], []]);
      return;
    }
    const bins = spectrum.meanDbfs.length;
    const first = (spectrum.centreHz - spectrum.spanHz / 2) / 1e6;
    const step = spectrum.spanHz / bins / 1e6;
    if (this.x.length !== bins || this.x[0] !== first || (bins > 1 && this.x[1] !== first + step)) {
      this.x = Float64Array.from({ length: bins }, (_, i) => first + i * step);
      this.held = new Float32Array(bins).fill(Number.NEGATIVE_INFINITY);
      this.seen = Math.max(0, store.spectra.total - 1);
    }
    if (store.spectra.total < this.seen) this.seen = 0;
    const fresh = Math.min(store.spectra.length, store.spectra.total - this.seen);
    for (let age = fresh - 1; age >= 0; age--) {
      const peaks = store.spectra.fromEnd(age)?.peakDbfs ?? [];
      if (peaks.length === bins) for (let i = 0; i < bins; i++) if (peaks[i] > this.held[i]) this.held[i] = peaks[i];
    }
    this.seen = store.spectra.total;
    this.plot.set([this.x, this.holds ? this.held : new Float32Array(0), spectrum.peakDbfs, spectrum.meanDbfs]);
  }
}

/** The strongest bin of the last spectrum, and its frequency, Hz. */
function strongest(): { peak: { bin: number; value: number } | null; at: number | null } {
  const spectrum = store.spectra.fromEnd(0);
  const peak = spectrum ? peakOf(spectrum.peakDbfs) : null;
  if (!spectrum || !peak) return { peak: null, at: null };
  return { peak, at: spectrum.centreHz + (peak.bin / spectrum.peakDbfs.length - 0.5) * spectrum.spanHz };
}

/** What levels of this run are relative to. */
export function levelUnit(): string {
  return store.run?.levelUnit ?? 'dBFS';
}

function peakOf(values: Float32Array): { bin: number; value: number } | null {
  let bin = -1;
  for (let i = 0; i < values.length; i++)
    if (Number.isFinite(values[i]) && (bin < 0 || values[i] > values[bin])) bin = i;
  return bin < 0 ? null : { bin, value: values[bin] };
}

/** Level that a tenth of the bins is below, dB. */
export function floorOf(values: Float32Array): number | null {
  const finite = values.filter(Number.isFinite).sort();
  return finite.length > 0 ? finite[Math.floor(finite.length / 10)] : null;
}

customElements.define('sct-spectrum', SpectrumPanel);
