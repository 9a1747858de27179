import { html } from 'lit';
import { type Box, LEFT, RIGHT } from '../draw/axes.ts';
import { theme } from '../draw/colours.ts';
import { count, fixed, hertz } from '../draw/format.ts';
import { FONT, Surface } from '../draw/surface.ts';
import type { BurstTelemetry } from '../state/events.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

const MOST = 120;
const COLUMN_PX = 7;

/** One column a burst, newest on the right: its coded blocks that were lost, and below them the frequency offset. */
export class BurstsPanel extends Panel {
  protected readonly topics = ['burst', 'run'] as const;
  protected readonly heading = 'Block errors and offsets, burst by burst';
  private surface: Surface | null = null;

  protected body() {
    const { blocks, lost, suspect } = totals();
    const newest = store.bursts.fromEnd(0);
    const bler = blocks > 0 ? lost / blocks : null;
    return html`<div class="plot strip"><canvas role="img" aria-label="Blocks lost: ${lost} of ${blocks}"></canvas></div>
      <p class="read"><span><b data-is="bursts">${count(store.bursts.length)}</b> bursts</span><span>BLER <b data-is="bler">${bler === null ? '—' : fixed(bler, 4)}</b></span>
        <span><b data-is="lost">${lost}</b> of ${count(blocks)} blocks lost</span>${suspect > 0 ? html`<span class="bad"><b>${suspect}</b> suspect</span>` : ''}
        <span>CFO <b>${hertz(newest?.cfoHz)}</b></span>
        <span class="key good">whole</span><span class="key lost">lost</span><span class="key none">no blocks</span></p>`;
  }

  protected override draw(): void {
    const canvas = this.querySelector('canvas');
    if (!canvas) return;
    this.surface ??= new Surface(canvas, () => this.changed());
    const g = this.surface.begin();
    const { width, height } = this.surface;
    const room = Math.max(1, Math.min(MOST, Math.floor((width - LEFT - RIGHT) / COLUMN_PX)));
    const shown: BurstTelemetry[] = [];
    for (const burst of store.bursts.newest()) {
      if (shown.length === room) break;
      shown.push(burst);
    }
    const split = Math.round(height * 0.52);
    const box = { left: LEFT, right: LEFT + room * COLUMN_PX, top: 4, bottom: split };
    this.blocks(g, shown, box);
    this.offsets(g, shown, { ...box, top: split + 6, bottom: height - 4 });
  }

  private blocks(g: CanvasRenderingContext2D, shown: readonly BurstTelemetry[], box: Box): void {
    const { series, mute, line, ink } = theme();
    const tall = box.bottom - box.top;
    g.font = FONT;
    g.textAlign = 'right';
    g.textBaseline = 'middle';
    g.fillStyle = mute;
    g.fillText('blocks', box.left - 5, (box.top + box.bottom) / 2);
    shown.forEach((burst, age) => {
      const x = box.right - (age + 1) * COLUMN_PX;
      if (burst.blocks === 0) {
        g.fillStyle = line;
        g.fillRect(x, box.bottom - 5, COLUMN_PX - 1, 5);
      } else {
        const part = burst.blocksLost / burst.blocks;
        g.fillStyle = series[2];
        g.fillRect(x, box.top, COLUMN_PX - 1, tall);
        // Lost: another colour, and full width with a notch, so that it is seen without colour, too.
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

  private offsets(g: CanvasRenderingContext2D, shown: readonly BurstTelemetry[], box: Box): void {
    const values = shown.map(({ cfoHz }) => cfoHz).filter(Number.isFinite);
    if (values.length === 0) return;
    const { mute, line, series } = theme();
    const middle = (Math.min(...values) + Math.max(...values)) / 2;
    const reach = Math.max(5, (Math.max(...values) - Math.min(...values)) / 2);
    const y = (v: number) => (box.top + box.bottom) / 2 - ((v - middle) / reach) * ((box.bottom - box.top) / 2 - 2);
    g.fillStyle = mute;
    g.textAlign = 'right';
    g.fillText('CFO', box.left - 5, (box.top + box.bottom) / 2);
    g.textAlign = 'left';
    g.textBaseline = 'top';
    g.fillText(`${hertz(middle)} ± ${hertz(reach)}`, box.left + 4, box.top + 2);
    g.strokeStyle = line;
    g.strokeRect(box.left + 0.5, box.top + 0.5, box.right - box.left - 1, box.bottom - box.top - 1);
    g.strokeStyle = series[0];
    g.lineWidth = 1.5;
    g.beginPath();
    shown.forEach(({ cfoHz }, age) => {
      const x = box.right - (age + 0.5) * COLUMN_PX;
      if (age === 0) g.moveTo(x, y(cfoHz));
      else g.lineTo(x, y(cfoHz));
    });
    g.stroke();
  }
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
