import { html } from 'lit';
import { theme } from '../draw/colours.ts';
import { count, DASH, fixed, unit } from '../draw/format.ts';
import { loop } from '../draw/loop.ts';
import { Bitmap, emptyText, place } from '../draw/picture-view.ts';
import { Surface } from '../draw/surface.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

/** The frames of a video as they are shown, and what became of all others. */
export class VideoPanel extends Panel {
  protected readonly topics = ['video', 'run'] as const;
  protected readonly heading = 'Video';
  private surface: Surface | null = null;
  private readonly bitmap = new Bitmap(() => super.changed());
  /** What the canvas holds: words change more often. */
  private held: readonly unknown[] = [];

  /** A frame is read as soon as it is there, not when the page paints next. */
  override changed(): void {
    if (this.visible && !loop.frozen) this.bitmap.show(store.video.shown);
    super.changed();
  }

  protected override figures() {
    const { latest, shown } = store.video;
    return html`<p class="read"><span>frame <b data-is="frame">${count(latest?.frame)}</b></span><span><b data-is="fps">${fixed(latest?.fps)}</b> fps</span>
      <span>PSNR <b data-is="psnr">${unit(shown?.psnrDb, 1, 'dB')}</b></span></p>`;
  }

  protected body() {
    const { latest, shown } = store.video;
    const {
      captured = null,
      sent = null,
      shown: good = null,
      late = null,
      lost = null,
      dropped = null,
    } = latest?.counts ?? {};
    const conditioned = shown?.conditioned ?? null;
    const bad = (n: number | null) => (n !== null && n > 0 ? 'bad' : '');
    return html`<div class="plot picture"><canvas role="img" aria-label="Frame ${count(shown?.frame)} of the video; PSNR ${unit(shown?.psnrDb, 1, 'dB')}"></canvas></div>
      <p class="read"><span>captured <b data-is="captured">${count(captured)}</b></span><span>sent <b data-is="sent">${count(sent)}</b></span>
        <span title="left out by the sender: the frame before was not done">dropped <b data-is="dropped">${count(dropped)}</b></span><span>shown <b data-is="shown">${count(good)}</b></span>
        <span title="decoded after the deadline">× late <b class=${bad(late)} data-is="late">${count(late)}</b></span><span title="never decoded">| lost <b class=${bad(lost)} data-is="lost">${count(lost)}</b></span>
        <span title="late, lost and dropped of all that should have been shown">missed <b data-is="missed">${missed(good, late, lost, dropped)}</b></span>
        ${conditioned === null ? '' : html`<span title="what the receiver's corrector had besides the frame itself">corrected <b data-is="conditioned">${conditioned ? 'by the frame before' : 'alone'}</b></span>`}</p>`;
  }

  protected override draw(): void {
    const canvas = this.querySelector('canvas');
    if (!canvas) return;
    this.surface ??= new Surface(canvas, () => super.changed());
    const { shown } = store.video;
    this.bitmap.show(shown);
    const { image } = this.bitmap;
    const { width, height } = this.surface;
    const now = [image, width, height, theme(), shown === null];
    if (now.every((part, i) => part === this.held[i])) return;
    this.held = now;
    const g = this.surface.begin();
    if (!image) {
      if (!shown) emptyText(g, this.surface, 'no frame shown yet', theme().mute);
      return;
    }
    const at = place(this.surface, image.width, image.height);
    g.drawImage(image, at.left, at.top, at.width, at.height);
  }
}

function missed(shown: number | null, ...others: readonly (number | null)[]): string {
  const bad = others.reduce<number>((sum, n) => sum + (n ?? 0), 0);
  const all = (shown ?? 0) + bad;
  return all === 0 ? DASH : unit((100 * bad) / all, 2, '%');
}

customElements.define('sct-video', VideoPanel);
