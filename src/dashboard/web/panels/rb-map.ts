import { html } from 'lit';
import { type Box, LEFT, RIGHT, subbandAxis } from '../draw/axes.ts';
import { level, theme, VIRIDIS_WORDS } from '../draw/colours.ts';
import { fixed, unit } from '../draw/format.ts';
import { emptyText } from '../draw/picture-view.ts';
import { FONT, Surface } from '../draw/surface.ts';
import type { BurstTelemetry } from '../state/events.ts';
import { hover, ownerOf, pin, selection, shareOf } from '../state/selection.ts';
import { store } from '../state/store.ts';
import { blockKey } from './keys.ts';
import { Panel } from './panel.ts';
import { ridersText } from './riders-text.ts';

/** Slots in sight: as many as there are, within these; few of them are tall. */
const FEWEST = 8;
const MOST = 160;
const STEP_DB = 5;

interface Row {
  readonly burst: BurstTelemetry;
  readonly slot: number;
}

/** SNR of every resource block in time, newest slot on top, under the bars of the same subbands. */
export class RbMapPanel extends Panel {
  protected readonly topics = ['burst', 'selection', 'run'] as const;
  protected readonly heading = 'SNR in time';
  private surface: Surface | null = null;
  private readonly scratch = document.createElement('canvas');
  private image: ImageData | null = null;
  private rows: Row[] = [];
  private shown = FEWEST;
  private low = 0;
  private pointed = '';
  private high = 30;

  protected override figures() {
    return html`<p class="read"><span><b data-is="slots">${this.rows.length}</b> slots, newest on top</span></p>`;
  }

  protected override tools() {
    return html`<span class="tools scale"><b data-is="low">${fixed(this.low, 0)}</b><i></i><b data-is="high">${fixed(this.high, 0)}</b> dB</span>`;
  }

  protected body() {
    return html`<div class="plot map" title=${this.pointed}><canvas role="application" aria-roledescription="heat map" tabindex="0"
      aria-label="SNR of resource blocks over subband and slot, from ${fixed(this.low, 0)} to ${fixed(this.high, 0)} dB"
      @pointermove=${this.point} @pointerleave=${() => hover(null)} @click=${(e: PointerEvent) => pin(this.at(e))}
      @keydown=${blockKey} @blur=${() => hover(null)}></canvas></div>`;
  }

  protected override draw(): void {
    const canvas = this.querySelector('canvas');
    if (!canvas) return;
    this.surface ??= new Surface(canvas, () => this.changed());
    const g = this.surface.begin();
    const subbands = store.bursts.last(({ use }) => use !== 'reverse')?.subbands ?? 0;
    this.collect(subbands);
    if (this.rows.length === 0) {
      emptyText(g, this.surface, 'no burst yet', theme().mute);
      return;
    }
    const box = this.box();
    this.paintImage(subbands);
    g.imageSmoothingEnabled = false;
    const { left, top, right, bottom } = box;
    g.drawImage(this.scratch, 0, 0, subbands, this.shown, left, top, right - left, bottom - top);
    this.marks(g, box, subbands);
    subbandAxis(g, box, subbands);
  }

  /** The newest slots of bursts with as many subbands, and limits of colour around them. */
  private collect(subbands: number): void {
    this.rows = [];
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const burst of store.bursts.newest()) {
      if (burst.use === 'reverse' || burst.subbands !== subbands || subbands < 1) continue;
      const slots = Math.floor(burst.rbSnrDb.length / subbands);
      for (let slot = slots - 1; slot >= 0 && this.rows.length < MOST; slot--) this.rows.push({ burst, slot });
      for (const v of burst.rbSnrDb) {
        if (v < low) low = v;
        if (v > high) high = v;
      }
      if (this.rows.length >= MOST) break;
    }
    this.shown = Math.max(FEWEST, Math.min(MOST, this.rows.length));
    if (!Number.isFinite(low) || !Number.isFinite(high)) return;
    this.low = STEP_DB * Math.floor(low / STEP_DB);
    this.high = Math.max(this.low + STEP_DB, STEP_DB * Math.ceil(high / STEP_DB));
  }

  private paintImage(subbands: number): void {
    if (!this.image || this.image.width !== subbands) {
      this.scratch.width = subbands;
      this.scratch.height = MOST;
      this.image = new ImageData(subbands, MOST);
    }
    const words = new Uint32Array(this.image.data.buffer);
    words.fill(0);
    const { sfv } = selection();
    this.rows.forEach(({ burst, slot }, row) => {
      for (let s = 0; s < subbands; s++) {
        const word = VIRIDIS_WORDS[level(burst.rbSnrDb[slot * subbands + s], this.low, this.high)];
        // Where the SFV has no symbols steps back.
        const back = sfv !== null && shareOf(burst, slot, s, sfv) === 0;
        words[row * subbands + s] = back ? (word & 0x00ffffff) | 0x38000000 : word;
      }
    });
    this.scratch.getContext('2d')?.putImageData(this.image, 0, 0);
  }

  /** Lines between bursts, their numbers, and the block that is picked. */
  private marks(g: CanvasRenderingContext2D, box: Box, subbands: number): void {
    const { card, mute, ink } = theme();
    const rowPx = (box.bottom - box.top) / this.shown;
    g.font = FONT;
    g.textAlign = 'right';
    g.textBaseline = 'middle';
    let textAt = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < this.rows.length; ) {
      const { burst } = this.rows[row];
      let end = row + 1;
      while (end < this.rows.length && this.rows[end].burst === burst) end++;
      const y = box.top + end * rowPx;
      g.fillStyle = card;
      if (rowPx * (end - row) > 3) g.fillRect(box.left, y - 0.5, box.right - box.left, 1);
      const middle = box.top + ((row + end) / 2) * rowPx;
      if (middle - textAt > 13) {
        g.fillStyle = mute;
        g.fillText(`${burst.use === 'sounding' ? 's' : ''}${burst.burst}`, box.left - 5, middle);
        textAt = middle;
      }
      row = end;
    }
    const { rb } = selection();
    if (!rb) return;
    const width = (box.right - box.left) / subbands;
    const row = this.rows.findIndex(({ burst, slot }) => slot === rb.slot && burst.owner.length > 0);
    g.strokeStyle = ink;
    g.lineWidth = 2;
    if (row >= 0) g.strokeRect(box.left + rb.subband * width, box.top + row * rowPx - 1, width, rowPx + 2);
  }

  private box(): Box {
    const { width, height } = this.surface ?? { width: 0, height: 0 };
    return { left: LEFT, top: 2, right: width - RIGHT, bottom: height - 18 };
  }

  private readonly point = (event: PointerEvent): void => {
    const at = this.at(event);
    hover(at);
    const text = at
      ? `burst ${at.burst.burst}, slot ${at.rb.slot}, subband ${at.rb.subband}: ${unit(at.burst.rbSnrDb[at.rb.slot * at.burst.subbands + at.rb.subband], 1, 'dB')}${ridersText(at.burst, at.rb)}`
      : '';
    if (text === this.pointed) return;
    this.pointed = text;
    this.requestUpdate();
  };

  private at({ offsetX, offsetY }: PointerEvent) {
    const box = this.box();
    const row = this.rows[Math.floor(((offsetY - box.top) / (box.bottom - box.top)) * this.shown)];
    if (!row || offsetX < box.left || offsetX >= box.right) return null;
    const { burst, slot } = row;
    const subband = Math.floor(((offsetX - box.left) / (box.right - box.left)) * burst.subbands);
    return { sfv: ownerOf(burst, slot, subband), rb: { slot, subband }, burst };
  }
}

customElements.define('sct-rb-map', RbMapPanel);
