import { html } from 'lit';
import { theme } from '../draw/colours.ts';
import { fixed, unit } from '../draw/format.ts';
import { Bitmap, emptyText, type Placed, pixelAt, place, ScaledLayer } from '../draw/picture-view.ts';
import { type SfvShape, scaledPath, sfvAt, shapesOf } from '../draw/sfv-shapes.ts';
import { patternOf, STATE_LOOKS, STATES } from '../draw/states.ts';
import { BOLD, haloText, Surface } from '../draw/surface.ts';
import type { PictureEvent, SfvState } from '../state/events.ts';
import { hover, pin, selection } from '../state/selection.ts';
import { store } from '../state/store.ts';
import { pictureKey } from './keys.ts';
import { Panel } from './panel.ts';

/** Differences are shown so many times larger. */
const DIFFERENCE_TIMES = 4;

type View = 'after' | 'before' | 'difference';

/** The picture as it arrives, SFV by SFV: what is not whole is covered by the pattern of its state. */
export class ReceivedPicturePanel extends Panel {
  protected readonly topics = ['picture', 'sfvs', 'source', 'selection', 'run'] as const;
  protected readonly heading = 'Received';
  private surface: Surface | null = null;
  private readonly bitmaps = {
    source: new Bitmap(() => this.changed()),
    before: new Bitmap(() => this.changed()),
    after: new Bitmap(() => this.changed()),
  };
  private readonly layer = new ScaledLayer();
  private view: View = 'after';
  private states = true;

  protected body() {
    const picture = this.picture();
    const counts = new Map<SfvState, number>();
    for (const { state } of store.sfvs?.sfvs ?? []) counts.set(state, (counts.get(state) ?? 0) + 1);
    const shown = STATES.filter((state) => counts.has(state));
    const words = shown.map((state) => `${counts.get(state)} ${STATE_LOOKS[state].word}`).join(', ');
    return html`<div class="plot picture"><canvas role="application" aria-roledescription="picture" tabindex="0" aria-label="Received picture: ${words || 'nothing yet'}; PSNR ${unit(picture?.psnrDb, 1, 'dB')}"
        @pointermove=${(e: PointerEvent) => hover(this.at(e))} @pointerleave=${() => hover(null)} @click=${(e: PointerEvent) => pin(this.at(e))}
        @keydown=${pictureKey} @blur=${() => hover(null)}></canvas></div>
      <p class="read"><span>PSNR <b data-is="psnr">${unit(picture?.psnrDb, 2, 'dB')}</b></span><span>MS-SSIM <b data-is="ssim">${fixed(picture?.msSsim, 4)}</b></span>
        ${shown.map((state) => html`<span class="key st-${state}"><i>${STATE_LOOKS[state].symbol}</i>${STATE_LOOKS[state].word} <b data-is="n-${state}">${counts.get(state)}</b></span>`)}</p>`;
  }

  protected override tools() {
    const choose = (event: Event) => {
      this.view = (event.target as HTMLSelectElement).value as View;
      this.changed();
    };
    const flip = () => {
      this.states = !this.states;
      this.changed();
    };
    return html`<span class="tools"><label><input type="checkbox" .checked=${this.states} @change=${flip} data-is="states" /> states</label>
      <select aria-label="What is shown" @change=${choose} data-is="view"><option value="after">corrected</option><option value="before">as it came</option>
      <option value="difference">difference × ${DIFFERENCE_TIMES}</option></select></span>`;
  }

  protected override draw(): void {
    const canvas = this.querySelector('canvas');
    if (!canvas) return;
    this.surface ??= new Surface(canvas, () => this.changed());
    const { source, pictures } = store;
    this.bitmaps.source.show(source);
    this.bitmaps.before.show(pictures.before);
    this.bitmaps.after.show(pictures.after);
    const g = this.surface.begin();
    const picture = this.picture();
    const size = picture ?? source;
    if (!size) {
      emptyText(g, this.surface, 'nothing received yet', theme().mute);
      return;
    }
    const at = place(this.surface, size.width, size.height);
    this.pixels(g, at);
    if (!source) return;
    const shapes = shapesOf(source);
    if (this.states) this.cover(g, shapes, at);
    this.pick(g, shapes, at);
  }

  /** What there is of the picture; mid-grey until then, as it would be scored. */
  private pixels(g: CanvasRenderingContext2D, at: Placed): void {
    const image = this.image();
    const original = this.bitmaps.source.image;
    const differs = this.view === 'difference';
    const layer = this.layer.get(at.width, at.height, [image, differs ? original : null, differs], (under) => {
      under.fillStyle = '#808080';
      under.fillRect(0, 0, at.width, at.height);
      if (!image) return;
      under.drawImage(image, 0, 0, at.width, at.height);
      if (differs && original) subtract(under, original, at);
    });
    g.drawImage(layer, at.left, at.top, at.width, at.height);
  }

  private cover(g: CanvasRenderingContext2D, shapes: readonly SfvShape[], at: Placed): void {
    const states = new Map((store.sfvs?.sfvs ?? []).map(({ id, state }) => [id, state]));
    g.save();
    g.translate(at.left, at.top);
    for (const shape of shapes) {
      const state = states.get(shape.id) ?? 'waiting';
      const scaled = scaledPath(shape, at.scale);
      const pattern = patternOf(g, state);
      if (pattern) {
        g.fillStyle = pattern;
        g.fill(scaled, 'evenodd');
      }
      g.strokeStyle = 'rgb(255 255 255 / 70%)';
      g.lineWidth = 1;
      g.stroke(scaled);
    }
    g.restore();
    g.font = BOLD;
    g.textAlign = 'center';
    g.textBaseline = 'middle';
    for (const { id, x, y, area } of shapes) {
      if (area * at.scale * at.scale < 150) continue;
      const { symbol, colour } = STATE_LOOKS[states.get(id) ?? 'waiting'];
      const cx = at.left + x * at.scale;
      const cy = at.top + y * at.scale;
      g.beginPath();
      g.arc(cx, cy, 8, 0, 2 * Math.PI);
      g.fillStyle = '#111418';
      g.fill();
      g.strokeStyle = colour;
      g.lineWidth = 2;
      g.stroke();
      g.fillStyle = '#ffffff';
      g.fillText(symbol, cx, cy + 0.5);
    }
  }

  private pick(g: CanvasRenderingContext2D, shapes: readonly SfvShape[], at: Placed): void {
    const picked = shapes.find(({ id }) => id === selection().sfv);
    if (!picked) return;
    g.save();
    g.translate(at.left, at.top);
    g.scale(at.scale, at.scale);
    for (const [colour, width] of [
      ['#000000', 6],
      ['#ffffff', 3],
    ] as const) {
      g.strokeStyle = colour;
      g.lineWidth = width / at.scale;
      g.stroke(picked.path);
    }
    g.restore();
    g.font = BOLD;
    haloText(
      g,
      `SFV ${picked.id}`,
      at.left + picked.x * at.scale,
      at.top + picked.y * at.scale - 17,
      '#ffffff',
      '#111418',
    );
  }

  private picture(): PictureEvent | null {
    const { before, after } = store.pictures;
    return this.view === 'before' ? (before ?? after) : (after ?? before);
  }

  private image(): ImageBitmap | null {
    const { before, after } = this.bitmaps;
    return this.view === 'before' ? (before.image ?? after.image) : (after.image ?? before.image);
  }

  private at(event: PointerEvent) {
    const { source } = store;
    if (!source || !this.surface) return null;
    const size = this.picture() ?? source;
    const sfv = sfvAt(source, ...pixelAt(place(this.surface, size.width, size.height), event));
    return sfv === null ? null : { sfv, rb: null };
  }
}

/** Puts the difference from the original in the place of what was painted, as the reports show it. */
function subtract(g: CanvasRenderingContext2D, original: ImageBitmap, { width, height }: Placed): void {
  const { canvas } = g;
  const received = g.getImageData(0, 0, canvas.width, canvas.height);
  g.drawImage(original, 0, 0, width, height);
  const sent = g.getImageData(0, 0, canvas.width, canvas.height).data;
  const { data } = received;
  for (let i = 0; i < data.length; i++) {
    if (i % 4 !== 3) data[i] = DIFFERENCE_TIMES * Math.abs(data[i] - sent[i]);
  }
  g.putImageData(received, 0, 0);
}

customElements.define('sct-received', ReceivedPicturePanel);
