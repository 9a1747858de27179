import { html } from 'lit';
import { type Box, LEFT, RIGHT } from '../draw/axes.ts';
import { theme } from '../draw/colours.ts';
import { count, DASH, fixed, unit } from '../draw/format.ts';
import { FONT, Surface } from '../draw/surface.ts';
import type { BurstTelemetry } from '../state/events.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

const MOST = 160;
const COLUMN_PX = 7;

/** One column a burst, newest on the right: which part of its coded blocks was lost. What has no blocks (soundings, analog symbols) is low and grey. */
export class BurstsPanel extends Panel {
  protected readonly topics = ['burst', 'run'] as const;
  protected readonly heading = 'Block errors';
  private surface: Surface | null = null;
  private shown: BurstTelemetry[] = [];
  private pointed: number | null = null;

  protected override figures() {
    const { blocks, lost, suspect } = totals();
    const bler = blocks > 0 ? fixed(lost / blocks, 4) : DASH;
    return html`<p class="read"><span><b data-is="bursts">${count(store.bursts.length)}</b> bursts</span>
      <span title=${blocks > 0 ? 'code blocks whose CRC failed, of all' : 'nothing in these bursts is coded in blocks: soundings and analog symbols have no CRC'}>BLER <b data-is="bler">${bler}</b></span>
      <span><b data-is="lost">${lost}</b> of ${count(blocks)} blocks lost</span>${suspect > 0 ? html`<span class="bad"><b data-is="suspect">${suspect}</b> suspect</span>` : ''}
      <span class="key good">whole</span><span class="key lost">lost</span><span class="key none">no blocks</span></p>`;
  }

  protected body() {
    const { blocks, lost } = totals();
    const at = this.pointed === null ? undefined : this.shown[this.pointed];
    return html`<div class="plot strip" title=${at ? describe(at) : ''}><canvas role="img" aria-label="Blocks lost: ${lost} of ${blocks}"
      @pointermove=${this.point} @pointerleave=${() => this.say(null)}></canvas></div>`;
  }

  protected override draw(): void {
    const canvas = this.querySelector('canvas');
    if (!canvas) return;
    this.surface ??= new Surface(canvas, () => this.changed());
    const g = this.surface.begin();
    const room = Math.max(1, Math.min(MOST, Math.floor((this.surface.width - LEFT - RIGHT) / COLUMN_PX)));
    this.shown = [];
    for (const burst of store.bursts.newest()) {
      if (this.shown.length === room) break;
      this.shown.push(burst);
    }
    this.blocks(g, { left: LEFT, right: LEFT + room * COLUMN_PX, top: 3, bottom: this.surface.height - 3 });
  }

  private blocks(g: CanvasRenderingContext2D, box: Box): void {
    const { series, mute, line, ink } = theme();
    const tall = box.bottom - box.top;
    g.font = FONT;
    g.textAlign = 'right';
    g.textBaseline = 'middle';
    g.fillStyle = mute;
    g.fillText('blocks', box.left - 5, (box.top + box.bottom) / 2);
    g.fillStyle = line;
    g.fillRect(box.left, box.bottom, box.right - box.left, 1);
    this.shown.forEach((burst, age) => {
      const x = box.right - (age + 1) * COLUMN_PX;
      if (burst.blocks === 0) {
        g.fillStyle = line;
        g.fillRect(x, box.bottom - 6, COLUMN_PX - 1, 6);
      } else {
        const part = burst.blocksLost / burst.blocks;
        g.fillStyle = series[2];
        g.fillRect(x, box.top, COLUMN_PX - 1, tall);
        // Lost: another colour, ended by a line, so that it is seen without colour, too.
        g.fillStyle = series[1];
        const lostPx = part > 0 ? Math.max(3, part * tall) : 0;
        g.fillRect(x, box.top, COLUMN_PX - 1, lostPx);
        g.fillStyle = ink;
        if (part > 0) g.fillRect(x, box.top + lostPx, COLUMN_PX - 1, 1.5);
      }
      if (burst.suspect) {
        g.fillStyle = ink;
        g.fillText('!', x + COLUMN_PX - 2, box.bottom - 12);
      }
    });
  }

  private readonly point = ({ offsetX }: PointerEvent): void => {
    const room = Math.max(1, Math.min(MOST, Math.floor(((this.surface?.width ?? 0) - LEFT - RIGHT) / COLUMN_PX)));
    const age = Math.floor((LEFT + room * COLUMN_PX - offsetX) / COLUMN_PX);
    this.say(age >= 0 && age < this.shown.length ? age : null);
  };

  private say(age: number | null): void {
    if (age === this.pointed) return;
    this.pointed = age;
    this.requestUpdate();
  }
}

function describe(burst: BurstTelemetry): string {
  const blocks = burst.blocks > 0 ? `${burst.blocksLost} of ${burst.blocks} blocks lost` : 'no coded blocks';
  const again = burst.harq
    ? `, process ${burst.harq.process}, redundancy version ${burst.harq.redundancyVersion}: ${burst.harq.outcome}`
    : '';
  const suspect = burst.suspect ? `; suspect: ${burst.suspect}` : '';
  return `burst ${burst.burst} (${burst.use}): ${unit(burst.snrDb, 1, 'dB')}, ${blocks}${again}${suspect}`;
}

function totals(): { blocks: number; lost: number; suspect: number } {
  let blocks = 0;
  let lost = 0;
  let suspect = 0;
  for (const burst of store.bursts.newest()) {
    blocks += burst.blocks;
    lost += burst.blocksLost;
    if (burst.suspect) suspect++;
  }
  return { blocks, lost, suspect };
}

customElements.define('sct-bursts', BurstsPanel);
