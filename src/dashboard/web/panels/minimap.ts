import { html, type TemplateResult } from 'lit';
import { theme } from '../draw/colours.ts';
import { fixed } from '../draw/format.ts';
import { highest, LANE, type MapSize, paintCapture, paintHeard, xOf } from '../draw/minimap-image.ts';
import { Surface } from '../draw/surface.ts';
import type { OverviewEvent } from '../state/events.ts';
import { mayControl, pick, type Range, range, seek, span, timeText } from '../state/replay.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

/** So near to an edge of the range the pointer takes hold of it, px; a finger is less exact. */
const GRIP_PX = { mouse: 6, touch: 18 };

/** What the pointer that is down moves: the position, a range from where it went down, or one edge of the range. */
type Drag =
  | { readonly what: 'seek' }
  | { readonly what: 'range'; readonly fromS: number }
  | { readonly what: 'edge'; readonly otherS: number };

/** The whole capture that is replayed: levels, bursts, losses, the picked range, the loop and the position. */
export class Minimap extends Panel {
  protected readonly topics = ['replay', 'overview', 'burst', 'connection'] as const;
  protected readonly heading = 'The whole capture';
  override readonly alwaysLive = true;
  private surface: Surface | null = null;
  private readonly image = document.createElement('canvas');
  private imageOf: readonly unknown[] = [];
  private drag: Drag | null = null;
  /** Where the pointer is, s. */
  private pointedS: number | null = null;

  protected override render(): TemplateResult {
    return this.body();
  }

  protected body(): TemplateResult {
    const { replay } = store;
    const [startS, endS] = span();
    const positionS = replay?.positionS ?? startS;
    const may = mayControl();
    const text = `${timeText(positionS, endS)} of ${timeText(endS, endS)}`;
    return html`<div class="plot minimap"><canvas role=${may ? 'slider' : 'img'} tabindex=${may ? 0 : -1} aria-label=${may ? 'Position in the capture' : `The whole capture; position ${text}`}
      aria-valuemin=${startS.toFixed(3)} aria-valuemax=${endS.toFixed(3)} aria-valuenow=${positionS.toFixed(3)} aria-valuetext=${text}
      title=${this.pointed()} @pointerdown=${this.press} @pointermove=${this.move} @pointerup=${this.release} @pointercancel=${this.release}
      @pointerleave=${this.left} @keydown=${this.key}></canvas></div>`;
  }

  protected override updated(): void {
    if (!this.surface && this.querySelector('canvas')) this.changed();
  }

  protected override draw(): void {
    const canvas = this.querySelector('canvas');
    const { replay, overview } = store;
    if (!canvas || !replay) return;
    this.surface ??= new Surface(canvas, () => this.changed());
    const g = this.surface.begin();
    const size = this.size();
    g.drawImage(this.captureImage(size, overview), 0, 0, size.width, size.height);
    paintHeard(g, size, store.bursts.newest());
    const { series, ink } = theme();
    if (replay.loop) this.paintRange(g, size, replay.loop, series[3], false);
    const picked = range();
    if (picked) this.paintRange(g, size, picked, series[4], true);
    const x = Math.round(xOf(size, replay.positionS));
    g.fillStyle = ink;
    g.fillRect(Math.min(size.width - 2, x), 0, 2, size.height);
    if (this.pointedS !== null) g.fillRect(Math.round(xOf(size, this.pointedS)), LANE, 1, size.height - LANE);
  }

  /** What stays as it is while the replay goes on, painted once. */
  private captureImage(size: MapSize, overview: OverviewEvent | null): HTMLCanvasElement {
    const { width, height } = this.surface?.canvas ?? this.image;
    const of = [overview, theme(), size.startS, size.endS, width, height];
    if (of.every((part, i) => part === this.imageOf[i])) return this.image;
    this.imageOf = of;
    this.image.width = width;
    this.image.height = height;
    const g = this.image.getContext('2d', { alpha: false });
    g?.scale(width / size.width, height / size.height);
    if (g) paintCapture(g, size, overview);
    return this.image;
  }

  private paintRange(
    g: CanvasRenderingContext2D,
    size: MapSize,
    [from, to]: Range,
    colour: string,
    handles: boolean,
  ): void {
    const [a, b] = [Math.round(xOf(size, from)), Math.round(xOf(size, to))];
    g.fillStyle = colour;
    g.globalAlpha = 0.25;
    g.fillRect(a, 0, Math.max(1, b - a), size.height);
    g.globalAlpha = 1;
    for (const [x, inward] of [
      [a, 0],
      [b, -1],
    ]) {
      g.fillRect(x + inward, 0, 1, size.height);
      // Something to take hold of.
      if (handles) g.fillRect(x - 3, Math.round(size.height / 2) - 8, 6, 16);
    }
  }

  private size(): MapSize {
    const [startS, endS] = span();
    const { width, height } = this.surface ?? { width: 1, height: 1 };
    return { startS, endS, width, height };
  }

  /** What is where the pointer is. */
  private pointed(): string {
    const { overview, replay } = store;
    const { pointedS: at } = this;
    if (at === null || !overview || !replay) return '';
    const share = (at - overview.startS) / Math.max(1e-9, overview.lengthS - overview.startS);
    const db = highest(overview.rmsDbfs, share, share);
    const mark = overview.bursts.findLast(({ startS, durationS }) => startS <= at && at <= startS + durationS);
    const lost = overview.losses.some(({ fromS, toS }) => fromS <= at && at < toS);
    const parts = [timeText(at, replay.lengthS)];
    if (Number.isFinite(db)) parts.push(`${fixed(db)} dBFS`);
    if (mark) parts.push(mark.use);
    if (lost) parts.push('samples lost');
    return parts.join(' · ');
  }

  private timeAt({ clientX }: PointerEvent): number {
    const [startS, endS] = span();
    const { left, width } = this.querySelector('canvas')!.getBoundingClientRect();
    return startS + Math.max(0, Math.min(1, (clientX - left) / Math.max(1, width))) * (endS - startS);
  }

  private readonly press = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const at = this.timeAt(event);
    const otherS = this.otherEdge(event);
    if (otherS !== null) this.drag = { what: 'edge', otherS };
    else if (!mayControl()) return;
    else if (event.shiftKey) this.drag = { what: 'range', fromS: at };
    else {
      this.drag = { what: 'seek' };
      seek(at);
    }
    (event.target as Element).setPointerCapture(event.pointerId);
  };

  private readonly move = (event: PointerEvent): void => {
    const at = this.timeAt(event);
    const { drag } = this;
    if (drag?.what === 'seek') seek(at, true);
    else if (drag?.what === 'range') pick([drag.fromS, at]);
    else if (drag?.what === 'edge') pick([drag.otherS, at]);
    this.pointedS = at;
    (event.target as HTMLElement).style.cursor = this.otherEdge(event) === null ? 'pointer' : 'ew-resize';
    this.changed();
  };

  private readonly release = (event: PointerEvent): void => {
    const { drag } = this;
    this.move(event); // the last move may have been left out
    this.drag = null;
    if (drag?.what === 'seek') seek(this.timeAt(event));
    if (event.pointerType === 'touch') this.left();
  };

  private readonly left = (): void => {
    if (this.drag) return;
    this.pointedS = null;
    this.changed();
  };

  /** The edge of the range that stays where it is while the one under the pointer is dragged; null: none is under it. */
  private otherEdge({ clientX, pointerType }: PointerEvent): number | null {
    const picked = range();
    const { left } = this.querySelector('canvas')!.getBoundingClientRect();
    const grip = pointerType === 'touch' ? GRIP_PX.touch : GRIP_PX.mouse;
    if (!picked) return null;
    const away = picked.map((s) => Math.abs(clientX - left - xOf(this.size(), s)));
    if (Math.min(...away) > grip) return null;
    return away[0] < away[1] ? picked[1] : picked[0];
  }

  private readonly key = (event: KeyboardEvent): void => {
    const { replay } = store;
    const fine = event.shiftKey ? 0.1 : 1;
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: 0.01 * fine,
      ArrowUp: 0.01 * fine,
      ArrowLeft: -0.01 * fine,
      ArrowDown: -0.01 * fine,
      PageUp: 0.1,
      PageDown: -0.1,
      Home: -1,
      End: 1,
    };
    const step = steps[event.key];
    if (step === undefined || !replay) return;
    event.preventDefault();
    const [startS, endS] = span();
    seek(replay.positionS + step * (endS - startS));
  };
}

customElements.define('sct-minimap', Minimap);
