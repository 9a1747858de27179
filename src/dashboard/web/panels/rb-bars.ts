import { html } from 'lit';
import { type Box, LEFT, RIGHT, subbandAxis, yAxis } from '../draw/axes.ts';
import { inkOn, theme } from '../draw/colours.ts';
import { fixed, unit } from '../draw/format.ts';
import { modulationOf, THRESHOLDS } from '../draw/modulation.ts';
import { emptyText } from '../draw/picture-view.ts';
import { BOLD, FONT, haloText, Surface } from '../draw/surface.ts';
import type { BurstTelemetry } from '../state/events.ts';
import { blocksOf, hover, mappedBurst, ownerOf, pin, selection, sfvColour, sfvOf } from '../state/selection.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

/**
 * SNR of each subband in the burst that carries the picture. A bar is cut into its slots, the first at the bottom, each in the colour of the SFV
 * that rides there; a tick says what the CSI report had promised.
 */
export class RbBarsPanel extends Panel {
  protected readonly topics = ['burst', 'source', 'selection', 'run'] as const;
  protected readonly heading = 'SNR of resource blocks, and who rides there';
  private surface: Surface | null = null;
  private low = 0;
  private high = 30;

  protected body() {
    const burst = mappedBurst();
    const codes = [...new Set(burst?.modulation ?? [])].map((code) => modulationOf(code).name).join(', ');
    return html`<p class="read">${
      burst
        ? html`<span>burst <b data-is="burst">${burst.burst}</b> (${burst.use})</span><span>mean <b data-is="mean">${unit(burst.snrDb, 1, 'dB')}</b></span>
          <span>${codes || 'no data'}</span><span>report <b data-is="age">${burst.csiAgeMs === null ? '—' : `${fixed(burst.csiAgeMs)} ms old`}</b></span>`
        : ''
    }
        <span class="key tick">reported</span><span class="key dashed">a QAM at rate ½ needs</span></p>
      <div class="plot bars"><canvas role="img" aria-label=${describe(burst)}
        @pointermove=${this.point} @pointerleave=${() => hover(null)} @click=${(e: PointerEvent) => pin(this.at(e))}></canvas></div>
      <p class="read pick" data-is="picked" aria-live="polite">${pickedText(burst)}</p>`;
  }

  protected override draw(): void {
    const canvas = this.querySelector('canvas');
    if (!canvas) return;
    this.surface ??= new Surface(canvas, () => this.changed());
    const g = this.surface.begin();
    const burst = mappedBurst();
    if (!burst || burst.subbands < 1) {
      emptyText(g, this.surface, 'no burst yet', theme().mute);
      return;
    }
    this.limits(burst);
    const box = this.box();
    yAxis(g, box, this.low, this.high, 'RB SNR, dB', (v) => this.y(v));
    subbandAxis(g, box, burst.subbands);
    const width = (box.right - box.left) / burst.subbands;
    const chosen = selection();
    for (let s = 0; s < burst.subbands; s++) this.bar(g, burst, s, box.left + s * width, width, chosen.sfv);
    this.thresholds(g, box, burst);
    if (chosen.rb && chosen.rb.subband < burst.subbands) {
      g.strokeStyle = theme().ink;
      g.lineWidth = 2;
      g.strokeRect(box.left + chosen.rb.subband * width + 1, box.top, width - 2, box.bottom - box.top);
    }
  }

  private bar(
    g: CanvasRenderingContext2D,
    burst: BurstTelemetry,
    s: number,
    x: number,
    width: number,
    chosen: number | null,
  ): void {
    const { ink, card, mute } = theme();
    const snr = burst.subbandSnrDb[s];
    if (!Number.isFinite(snr)) return;
    const bottom = this.y(this.low);
    const top = Math.min(bottom - 2, this.y(snr));
    const left = x + 0.09 * width;
    const wide = 0.82 * width;
    const slots = Math.max(1, Math.floor(burst.owner.length / burst.subbands));
    const step = (bottom - top) / slots;
    for (let from = 0; from < slots; ) {
      const owner = ownerOf(burst, from, s);
      let to = from + 1;
      while (to < slots && ownerOf(burst, to, s) === owner) to++;
      const colour = owner === null ? mute : sfvColour(owner);
      g.globalAlpha = chosen === null ? (owner === null ? 0.55 : 1) : chosen === owner ? 1 : 0.18;
      g.fillStyle = colour;
      g.fillRect(left, bottom - to * step, wide, (to - from) * step);
      if (owner !== null && (to - from) * step > 13 && wide > 11) {
        g.font = BOLD;
        g.textAlign = 'center';
        g.textBaseline = 'middle';
        g.fillStyle = inkOn(colour);
        g.fillText(String(owner), left + wide / 2, bottom - ((from + to) / 2) * step);
      }
      if (to < slots) {
        g.fillStyle = card;
        g.fillRect(left, bottom - to * step - 0.5, wide, 1);
      }
      from = to;
    }
    g.globalAlpha = 1;
    const error = burst.subbandSnrErrorDb[s];
    g.strokeStyle = ink;
    g.lineWidth = 1.2;
    g.beginPath();
    if (error > 0) {
      const middle = x + width / 2;
      g.moveTo(middle, this.y(snr - error));
      g.lineTo(middle, this.y(snr + error));
      g.moveTo(middle - 3, this.y(snr + error));
      g.lineTo(middle + 3, this.y(snr + error));
      g.moveTo(middle - 3, this.y(snr - error));
      g.lineTo(middle + 3, this.y(snr - error));
    }
    g.stroke();
    const reported = burst.reportedDb[s];
    if (reported === undefined || !Number.isFinite(reported)) return;
    // Dark under light: seen on every colour.
    for (const [colour, thick] of [
      [card, 5],
      [ink, 2.5],
    ] as const) {
      g.strokeStyle = colour;
      g.lineWidth = thick;
      g.beginPath();
      g.moveTo(x + 0.05 * width, this.y(reported));
      g.lineTo(x + 0.95 * width, this.y(reported));
      g.stroke();
    }
  }

  private thresholds(g: CanvasRenderingContext2D, box: Box, burst: BurstTelemetry): void {
    const { mute, ink, card, series } = theme();
    const used = new Set((burst.modulation ?? []).map((code) => modulationOf(code).name));
    g.font = FONT;
    g.textAlign = 'right';
    g.textBaseline = 'bottom';
    g.setLineDash([5, 4]);
    for (const { name, snrDb, colour } of THRESHOLDS) {
      if (snrDb <= this.low || snrDb >= this.high) continue;
      const y = Math.round(this.y(snrDb)) + 0.5;
      g.strokeStyle = used.has(name) ? series[colour] : mute;
      g.globalAlpha = used.has(name) ? 1 : 0.6;
      g.lineWidth = used.has(name) ? 1.5 : 1;
      g.beginPath();
      g.moveTo(box.left, y);
      g.lineTo(box.right, y);
      g.stroke();
      g.globalAlpha = 1;
      g.setLineDash([]);
      haloText(g, name, box.right, y - 1, ink, card);
      g.setLineDash([5, 4]);
    }
    g.setLineDash([]);
    g.globalAlpha = 1;
  }

  /** In steps of 5 dB around everything shown. */
  private limits(burst: BurstTelemetry): void {
    let low = 0;
    let high = 10;
    for (const values of [burst.subbandSnrDb, burst.reportedDb]) {
      for (const v of values) {
        if (v < low) low = v;
        if (v > high) high = v;
      }
    }
    this.low = Math.max(-25, 5 * Math.floor((low - 1) / 5));
    this.high = 5 * Math.ceil((high + 1.5) / 5);
  }

  private box(): Box {
    const { width, height } = this.surface ?? { width: 0, height: 0 };
    return { left: LEFT, top: 6, right: width - RIGHT, bottom: height - 18 };
  }

  private y(db: number): number {
    const { top, bottom } = this.box();
    return bottom - ((db - this.low) / (this.high - this.low)) * (bottom - top);
  }

  private readonly point = (event: PointerEvent): void => hover(this.at(event));

  /** Resource block under the pointer; above a bar: its last slot. */
  private at({ offsetX, offsetY }: PointerEvent) {
    const burst = mappedBurst();
    const box = this.box();
    if (!burst || offsetX < box.left || offsetX >= box.right) return null;
    const subband = Math.floor(((offsetX - box.left) / (box.right - box.left)) * burst.subbands);
    const slots = Math.max(1, Math.floor(burst.owner.length / burst.subbands));
    const top = this.y(burst.subbandSnrDb[subband]);
    const part = (box.bottom - offsetY) / Math.max(2, box.bottom - top);
    const slot = Math.max(0, Math.min(slots - 1, Math.floor(part * slots)));
    return { sfv: ownerOf(burst, slot, subband), rb: { slot, subband } };
  }
}

function pickedText(burst: BurstTelemetry | undefined): string {
  const { sfv, rb } = selection();
  const block =
    rb && burst
      ? `RB ${rb.subband} in slot ${rb.slot}: ${unit(burst.rbSnrDb[rb.slot * burst.subbands + rb.subband], 1, 'dB')}`
      : '';
  if (sfv === null)
    return block ? `${block}, no SFV` : burst?.owner.length ? 'Point at a block, or at a part of the picture.' : '';
  const blocks = blocksOf(sfv);
  const subbands = [...new Set(blocks.map(([, subband]) => subband))].sort((a, b) => a - b);
  const what = `SFV ${sfv} (${sfvOf(sfv)?.label ?? 'unknown'}) rides on ${blocks.length} RBs, subbands ${runs(subbands)}`;
  return block ? `${block}. ${what}` : what;
}

/** 1, 4–7, 9 */
function runs(values: readonly number[]): string {
  const out: string[] = [];
  for (let i = 0; i < values.length; ) {
    let j = i;
    while (values[j + 1] === values[j] + 1) j++;
    out.push(j > i ? `${values[i]}–${values[j]}` : String(values[i]));
    i = j + 1;
  }
  return out.join(', ') || '—';
}

function describe(burst: BurstTelemetry | undefined): string {
  if (!burst) return 'SNR of resource blocks: nothing received';
  const said = Array.from(burst.subbandSnrDb, (v, s) => `${s}: ${fixed(v)}`).join(', ');
  return `SNR of ${burst.subbands} subbands in dB, reported values as ticks. ${store.source ? 'Coloured by SFV. ' : ''}${said}`;
}

customElements.define('sct-rb-bars', RbBarsPanel);
