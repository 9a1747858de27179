import { html } from 'lit';
import { LEFT, RIGHT } from '../draw/axes.ts';
import { theme } from '../draw/colours.ts';
import { fixed } from '../draw/format.ts';
import { FONT, haloText, Surface } from '../draw/surface.ts';
import { WaterfallImage } from '../draw/waterfall-image.ts';
import type { BurstTelemetry, SpectrumEvent } from '../state/events.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';
import { floorOf } from './spectrum.ts';

/** Subbands are 12 subcarriers of 15 kHz. */
const SUBBAND_HZ = 180e3;
const LOWEST_DB = -140;
const HIGHEST_DB = 0;
/** The automatic range follows once a second, in steps: each step paints the whole history again. */
const AUTO_MS = 1000;
const AUTO_STEP_DB = 5;
const LEAST_BOX_PX = 7;
/** Width of the mark of a loss that is taller than that. */
const TALL_LOSS_PX = 14;
/** No room for dashes. */
const SHORT_PX = 3;

/** Spectra in time, newest on top, with a box around every burst; the same frequencies as the spectrum above it. */
export class WaterfallPanel extends Panel {
  protected readonly topics = ['spectrum', 'burst', 'loss', 'run'] as const;
  protected readonly heading = 'Waterfall';
  private surface: Surface | null = null;
  private readonly image = new WaterfallImage();
  private auto = true;
  private lowDb = -100;
  private highDb = -20;
  /** All that is kept is in sight, else a line a spectrum. */
  private all = true;
  private autoAtMs = Number.NEGATIVE_INFINITY;

  protected body() {
    const newest = store.spectra.fromEnd(0);
    const oldest = store.spectra.fromEnd(store.spectra.length - 1);
    const spanS = newest && oldest ? newest.timeS + newest.durationS - oldest.timeS : null;
    return html`<div class="plot fall"><canvas role="img" aria-label="Spectra of the last ${fixed(spanS, 2)} seconds, bursts boxed"></canvas></div>
      <p class="read"><span><b data-is="rows">${store.spectra.length}</b> rows</span><span><b data-is="span">${fixed(spanS, 2)} s</b></span>
        <span class="key box-data">data</span><span class="key box-sounding">sounding</span><span class="key box-retransmission">sent again</span><span class="key box-loss">lost samples</span></p>`;
  }

  protected override tools() {
    const set = (which: 'lowDb' | 'highDb') => (event: Event) => {
      this.auto = false;
      this[which] = Number((event.target as HTMLInputElement).value);
      if (this.lowDb > this.highDb - 5) {
        if (which === 'lowDb') this.lowDb = this.highDb - 5;
        else this.highDb = this.lowDb + 5;
      }
      this.changed();
    };
    const toggle = () => {
      this.auto = !this.auto;
      this.autoAtMs = Number.NEGATIVE_INFINITY;
      this.changed();
    };
    const slider = (name: string, which: 'lowDb' | 'highDb') => html`<label>${name}
      <input type="range" min=${LOWEST_DB} max=${HIGHEST_DB} step="1" .value=${String(this[which])} @input=${set(which)} data-is=${which} />
      <output>${fixed(this[which], 0)}</output></label>`;
    const zoom = (event: Event) => {
      this.all = (event.target as HTMLSelectElement).value === 'all';
      this.changed();
    };
    return html`<span class="tools"><select aria-label="Time in sight" @change=${zoom} data-is="zoom"><option value="all">all</option><option value="each">by row</option></select>
      ${slider('from', 'lowDb')}${slider('to', 'highDb')}
      <label><input type="checkbox" .checked=${this.auto} @change=${toggle} data-is="auto" /> auto</label></span>`;
  }

  protected override draw(nowMs: number): void {
    const canvas = this.querySelector('canvas');
    if (!canvas) return;
    this.surface ??= new Surface(canvas, () => this.changed());
    if (this.auto && nowMs - this.autoAtMs > AUTO_MS && store.spectra.length > 0) {
      this.autoAtMs = nowMs;
      this.follow();
    }
    const g = this.surface.begin();
    const { width, height, scale } = this.surface;
    const [widePx, tallPx] = [Math.round((width - LEFT - RIGHT) * scale), Math.round(height * scale)];
    if (store.spectra.length === 0 || widePx < 1) return;
    const rows = store.spectra.length;
    const pool = this.all ? Math.ceil(rows / tallPx) : 1;
    // Few rows are tall ones.
    const linePx = [32, 16, 8, 4, 2].find((px) => rows * px <= tallPx) ?? 1;
    const { lowDb, highDb } = this;
    this.image.update(store.spectra, { lowDb, highDb, pool, linePx }, widePx, tallPx);
    this.image.paint(g, Math.round(LEFT * scale), 0);
    const rowPx = linePx / pool / scale;
    this.marks(g, this.surface, rowPx);
    ages(g, this.surface, rowPx);
  }

  /** Limits around what is received: a little below the floor, a little above the peaks. */
  private follow(): void {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    const rows = Math.min(64, store.spectra.length);
    for (let age = 0; age < rows; age += rows > 16 ? 4 : 1) {
      const { meanDbfs } = store.spectra.fromEnd(age) as SpectrumEvent;
      low = Math.min(low, floorOf(meanDbfs) ?? low);
      for (const value of meanDbfs) if (value > high) high = value;
    }
    if (!Number.isFinite(low) || !Number.isFinite(high)) return;
    const clip = (value: number) => Math.max(LOWEST_DB, Math.min(HIGHEST_DB, value));
    this.lowDb = clip(AUTO_STEP_DB * Math.floor((low - 1) / AUTO_STEP_DB));
    this.highDb = clip(Math.max(this.lowDb + 20, AUTO_STEP_DB * Math.ceil((high + 1) / AUTO_STEP_DB)));
  }

  /** Boxes around bursts, bars over losses. */
  private marks(g: CanvasRenderingContext2D, surface: Surface, rowPx: number): void {
    const newest = store.spectra.fromEnd(0) as SpectrumEvent;
    const oldestS = (store.spectra.fromEnd(store.spectra.length - 1) as SpectrumEvent).timeS;
    const { bad, series } = theme();
    const width = surface.width - LEFT - RIGHT;
    // Lines of one pixel on whole pixels: all others cost ten times as much.
    const x = (hz: number) => Math.round(LEFT + width * (0.5 + (hz - newest.centreHz) / newest.spanHz)) + 0.5;
    const y = (timeS: number) => Math.round(rowPx * ageAt(timeS)) + 0.5;
    const centreHz = newest.centreHz + signalOffsetHz(newest);
    g.save();
    g.beginPath();
    g.rect(LEFT, 0, width, surface.height);
    g.clip();
    g.lineWidth = 1;
    for (const burst of store.bursts.newest()) {
      if (burst.startS + burst.durationS < oldestS) break;
      const top = y(burst.startS + burst.durationS);
      if (top > surface.height) break;
      const bottom = Math.max(top + 1, y(burst.startS));
      const half = (burst.subbands * SUBBAND_HZ) / 2;
      const [left, right] = [x(centreHz - half), x(centreHz + half)];
      g.setLineDash(bottom - top > SHORT_PX ? DASHES[burst.use] : []);
      g.strokeStyle = burst.suspect ? bad : '#ffffff';
      g.beginPath();
      // Boxes that low would hide what they stand around: only their sides.
      if (bottom - top >= LEAST_BOX_PX) g.rect(left, top, right - left, bottom - top);
      else {
        for (const side of [left, right]) {
          g.moveTo(side, top);
          g.lineTo(side, bottom);
        }
      }
      g.stroke();
    }
    g.setLineDash([]);
    g.fillStyle = series[1];
    for (const loss of store.losses.newest()) {
      if (loss.toS < oldestS) break;
      const top = Math.floor(y(loss.toS));
      const height = Math.max(2, Math.floor(y(loss.fromS)) - top);
      // Of a tall one only the left: what was heard between losses whose place is not exact stays in sight.
      g.fillRect(LEFT, top, height > LEAST_BOX_PX ? TALL_LOSS_PX : width, height);
      if (height > LEAST_BOX_PX) for (const at of [top, top + height - 1]) g.fillRect(LEFT, at, width, 1);
    }
    g.restore();
    const last = store.losses.fromEnd(0);
    if (!last || last.toS < oldestS) return;
    g.font = FONT;
    g.textAlign = 'left';
    g.textBaseline = 'middle';
    const words = `${last.min === last.max ? last.min : `${last.min} to ${last.max}`} lost`;
    haloText(g, words, LEFT + 6, y(last.toS) + 8, '#fff', '#000');
  }
}

/** Seconds before now, left of the rows. */
function ages(g: CanvasRenderingContext2D, surface: Surface, rowPx: number): void {
  const newest = store.spectra.fromEnd(0) as SpectrumEvent;
  const nowS = newest.timeS + newest.durationS;
  g.font = FONT;
  g.textAlign = 'right';
  g.textBaseline = 'middle';
  g.fillStyle = theme().mute;
  for (let at = 8; at < surface.height; at += 40) {
    const row = store.spectra.fromEnd(Math.floor(at / rowPx));
    if (row) g.fillText(fixed(row.timeS - nowS, 2), LEFT - 5, at);
  }
}

const DASHES: Readonly<Record<BurstTelemetry['use'], number[]>> = {
  data: [],
  sounding: [2, 3],
  retransmission: [7, 3],
  reverse: [1, 5],
};

/** Of the signal's centre against the spectrum's, which is the LO. */
function signalOffsetHz(spectrum: SpectrumEvent): number {
  return (store.run?.frequencyHz ?? 0) - spectrum.centreHz;
}

/** Rows from the top at which a time is shown, with fractions: the newest row begins at 0. */
function ageAt(timeS: number): number {
  const { spectra } = store;
  let low = 0;
  let high = spectra.length - 1;
  // The first row, from the newest on, that begins at or before this time.
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spectra.fromEnd(middle) as SpectrumEvent).timeS <= timeS) high = middle;
    else low = middle + 1;
  }
  const row = spectra.fromEnd(low);
  if (!row) return 0;
  const inside = (timeS - row.timeS) / (row.durationS || 1);
  return low + 1 - Math.max(0, Math.min(1, inside));
}

customElements.define('sct-waterfall', WaterfallPanel);
