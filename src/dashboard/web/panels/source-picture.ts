import { html } from 'lit';
import { level, theme, VIRIDIS } from '../draw/colours.ts';
import { DASH, fixed } from '../draw/format.ts';
import { Bitmap, emptyText, pixelAt, place, ScaledLayer } from '../draw/picture-view.ts';
import { type SfvShape, sfvAt, shapesOf } from '../draw/sfv-shapes.ts';
import { BOLD, haloText, Surface } from '../draw/surface.ts';
import { commandWord, type SourceEvent } from '../state/events.ts';
import { hover, pin, selection, sfvColour } from '../state/selection.ts';
import { store } from '../state/store.ts';
import { pictureKey } from './keys.ts';
import { Panel } from './panel.ts';

/** The picture that is sent, cut into its SFVs, with the importance of its cells over it. */
export class SourcePicturePanel extends Panel {
  protected readonly topics = ['source', 'selection', 'run'] as const;
  protected readonly heading = 'Source';
  private surface: Surface | null = null;
  private readonly bitmap = new Bitmap(() => this.changed());
  private readonly layer = new ScaledLayer();
  private importance = false;
  private outlines = true;

  protected body() {
    const { source } = store;
    const top = source ? Math.max(0, ...source.importance) : 0;
    return html`<div class="plot picture"><canvas role="application" aria-roledescription="picture" tabindex="0" aria-label=${describe(source)}
        @pointermove=${(e: PointerEvent) => hover(this.at(e))} @pointerleave=${() => hover(null)} @click=${(e: PointerEvent) => pin(this.at(e))}
        @keydown=${pictureKey} @blur=${() => hover(null)}></canvas></div>
      <p class="read">${
        this.importance && top > 0
          ? html`<span class="scale">0<i></i>${fixed(top)} × mean importance</span>`
          : html`<span>${source ? `${source.width} × ${source.height}` : DASH}</span>
            <span title="SFVs that symbols were granted to, of all"><b data-is="sfvs">${usedText(source)}</b> SFVs used</span>
            <span title="R: channel symbols a pixel; at the end with side information and what was sent again, as in the metrics">R <b data-is="symbols-per-pixel">${fixed(symbolsPerPixel(source), 4)}</b> symbols/px</span>`
      }</p>`;
  }

  protected override tools() {
    const flip = (what: 'importance' | 'outlines') => () => {
      this[what] = !this[what];
      this.changed();
    };
    return html`<span class="tools"><label><input type="checkbox" .checked=${this.importance} @change=${flip('importance')} data-is="importance" /> importance</label>
      <label><input type="checkbox" .checked=${this.outlines} @change=${flip('outlines')} /> outlines</label></span>`;
  }

  protected override draw(): void {
    const canvas = this.querySelector('canvas');
    if (!canvas) return;
    this.surface ??= new Surface(canvas, () => this.changed());
    const { source } = store;
    this.bitmap.show(source);
    const g = this.surface.begin();
    const { image } = this.bitmap;
    if (!source || !image) {
      emptyText(g, this.surface, source ? 'the picture is read …' : unknownWords(), theme().mute);
      return;
    }
    const at = place(this.surface, source.width, source.height);
    const layer = this.layer.get(at.width, at.height, [image, this.importance], (under) => {
      under.drawImage(image, 0, 0, at.width, at.height);
      if (this.importance) paintImportance(under, source, at.scale);
    });
    g.drawImage(layer, at.left, at.top, at.width, at.height);
    if (this.outlines) outline(g, shapesOf(source), at);
  }

  private at(event: PointerEvent) {
    const { source } = store;
    if (!source || !this.surface) return null;
    const sfv = sfvAt(source, ...pixelAt(place(this.surface, source.width, source.height), event));
    return sfv === null ? null : { sfv, rb: null };
  }
}

/** Cells against the mean cell, viridis, the most important yellow. */
function paintImportance(g: CanvasRenderingContext2D, { grid, importance }: SourceEvent, scale: number): void {
  if (!grid || importance.length < grid.rows * grid.columns) return;
  const top = Math.max(1e-9, ...importance);
  const cell = grid.cellPx * scale;
  g.globalAlpha = 0.68;
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      const i = 3 * level(importance[row * grid.columns + column], 0, top);
      g.fillStyle = `rgb(${VIRIDIS[i]} ${VIRIDIS[i + 1]} ${VIRIDIS[i + 2]})`;
      g.fillRect(column * cell, row * cell, cell + 0.5, cell + 0.5);
    }
  }
  g.globalAlpha = 1;
}

/** Outlines in the SFVs' colours with their numbers; of a picked one the inside stays bright, all else is dimmed. */
export function outline(
  g: CanvasRenderingContext2D,
  shapes: readonly SfvShape[],
  at: {
    readonly left: number;
    readonly top: number;
    readonly scale: number;
    readonly width: number;
    readonly height: number;
  },
): void {
  const chosen = selection().sfv;
  g.save();
  g.translate(at.left, at.top);
  g.scale(at.scale, at.scale);
  const picked = shapes.find(({ id }) => id === chosen);
  if (picked) {
    const around = new Path2D();
    around.rect(0, 0, at.width / at.scale, at.height / at.scale);
    around.addPath(picked.path);
    g.fillStyle = 'rgb(0 0 0 / 62%)';
    g.fill(around, 'evenodd');
  }
  for (const { id, path } of shapes) {
    g.globalAlpha = chosen === null || chosen === id ? 1 : 0.35;
    g.strokeStyle = 'rgb(0 0 0 / 60%)';
    g.lineWidth = (id === chosen ? 5 : 3) / at.scale;
    g.stroke(path);
    g.strokeStyle = sfvColour(id);
    g.lineWidth = (id === chosen ? 3 : 1.5) / at.scale;
    g.stroke(path);
  }
  g.restore();
  g.font = BOLD;
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  for (const { id, x, y, area } of shapes) {
    if (area * at.scale * at.scale < 150) continue;
    g.globalAlpha = chosen === null || chosen === id ? 1 : 0.4;
    haloText(g, String(id), at.left + x * at.scale, at.top + y * at.scale, '#ffffff', '#111418');
  }
  g.globalAlpha = 1;
}

/** Why there is no picture to show. */
function unknownWords(): string {
  const { run } = store;
  const receives = run !== null && ['receive', 'replay'].includes(commandWord(run.command));
  return receives ? 'who only receives does not know what was sent' : 'not told yet';
}

/** "12", or "9 of 12" where some were granted nothing. */
function usedText(source: SourceEvent | null): string {
  if (!source) return DASH;
  const used = source.sfvs.filter(({ symbols }) => symbols > 0).length;
  return used === source.sfvs.length ? String(used) : `${used} of ${source.sfvs.length}`;
}

/** R as the metrics count it once they are there, else the symbols that the SFVs were granted. */
function symbolsPerPixel(source: SourceEvent | null): number | null {
  const counted = store.run?.metrics?.symbolsPerPixel;
  if (typeof counted === 'number') return counted;
  if (!source || source.sfvs.length === 0) return null;
  return source.sfvs.reduce((sum, { symbols }) => sum + symbols, 0) / (source.width * source.height);
}

function describe(source: SourceEvent | null): string {
  if (!source) return 'No picture is sent';
  return `${source.title}, ${source.width} by ${source.height} pixels, cut into ${source.sfvs.length} SFVs`;
}

customElements.define('sct-source', SourcePicturePanel);
