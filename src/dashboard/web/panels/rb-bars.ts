import { html } from 'lit';
import { type Box, LEFT, RIGHT, subbandAxis, yAxis } from '../draw/axes.ts';
import { inkOn, theme } from '../draw/colours.ts';
import { DASH, fixed, mean, unit } from '../draw/format.ts';
import { modulationOf, neededDb, QAMS } from '../draw/modulation.ts';
import { emptyText } from '../draw/picture-view.ts';
import { BOLD, FONT, haloText, Surface } from '../draw/surface.ts';
import type { BurstTelemetry } from '../state/events.ts';
import { hover, mappedBurst, ownerOf, pin, selection, sfvColour, shareOf } from '../state/selection.ts';
import { store } from '../state/store.ts';
import { blockKey } from './keys.ts';
import { Panel } from './panel.ts';
import { pickedText } from './riders-text.ts';

/**
 * SNR of each subband in the burst that carries the picture. A bar is cut into its slots, the first at the bottom, each in the colour of the SFV
 * that has the most symbols there, one that is picked as wide as its part of the RB; a tick says what the CSI report had promised.
 */
export class RbBarsPanel extends Panel {
  protected readonly topics = ['burst', 'source', 'selection', 'run'] as const;
  protected readonly heading = 'RB SNR';
  private surface: Surface | null = null;
  private low = 0;
  private high = 30;

  protected override figures() {
    const burst = mappedBurst();
    if (!burst) return '';
    return html`<p class="read"><span>burst <b data-is="burst">${burst.burst}</b> (${burst.use})</span><span title="mean of the bars' dB; of the burst as a whole, with what was disturbed in it: ${unit(burst.snrDb, 1, 'dB')}">mean <b data-is="mean">${unit(mean(burst.subbandSnrDb), 1, 'dB')}</b></span>
      <span data-is="mcs">${mcsText(burst)}</span><span title="age of the CSI report that placed the SFVs">report <b data-is="age">${burst.csiAgeMs === null ? DASH : `${fixed(burst.csiAgeMs)} ms old`}</b></span></p>`;
  }

  protected override tools() {
    return html`<span class="tools"><span class="key tick">reported</span><span class="key dashed" title="SNR that modulation and code rate need by Shannon's bound; faint: a QAM at rate ½ that is not used here">needed</span></span>`;
  }

  protected body() {
    const burst = mappedBurst();
    return html`<div class="plot bars"><canvas role="application" aria-roledescription="bar chart" tabindex="0" aria-label=${describe(burst)}
        @pointermove=${this.point} @pointerleave=${() => hover(null)} @click=${(e: PointerEvent) => pin(this.at(e))}
        @keydown=${blockKey} @blur=${() => hover(null)}></canvas></div>
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
      g.globalAlpha = chosen === null ? (owner === null ? 0.55 : 1) : 0.18;
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
    if (chosen !== null) {
      g.fillStyle = sfvColour(chosen);
      for (let slot = 0; slot < slots; slot++) {
        const part = shareOf(burst, slot, s, chosen);
        if (part > 0) g.fillRect(left, bottom - (slot + 1) * step, Math.max(2, part * wide), step);
      }
    }
    // Rectangles, not lines: thick lines are dear to paint.
    const error = burst.subbandSnrErrorDb[s];
    if (error > 0) {
      const middle = Math.round(x + width / 2);
      const [upper, lower] = [Math.round(this.y(snr + error)), Math.round(this.y(snr - error))];
      g.fillStyle = ink;
      g.fillRect(middle, upper, 1, lower - upper);
      g.fillRect(middle - 3, upper, 7, 1);
      g.fillRect(middle - 3, lower, 7, 1);
    }
    const reported = burst.reportedDb[s];
    if (reported === undefined || !Number.isFinite(reported)) return;
    mark(g, x + 0.05 * width, 0.9 * width, this.y(reported), false);
  }

  private thresholds(g: CanvasRenderingContext2D, box: Box, burst: BurstTelemetry): void {
    const { ink, card } = theme();
    const used = needsOf(burst);
    g.font = FONT;
    g.textAlign = 'right';
    g.textBaseline = 'bottom';
    let saidAt = Number.POSITIVE_INFINITY;
    for (const { name, bits } of QAMS) {
      const db = neededDb(bits, 0.5);
      if (used.some((need) => need.name === name) || db <= this.low || db >= this.high) continue;
      const y = Math.round(this.y(db));
      g.fillStyle = ink;
      g.globalAlpha = 0.35;
      for (let x = box.left; x < box.right; x += 9) g.fillRect(x, y, 5, 1);
      g.globalAlpha = 1;
      if (saidAt - y < 12) continue;
      haloText(g, `${name} ½`, box.right, y, ink, card);
      saidAt = y;
    }
    const width = (box.right - box.left) / burst.subbands;
    for (const { name, rate, subbands } of used) {
      for (const { subband, db } of subbands) mark(g, box.left + subband * width, width, this.y(db), true);
      const { subband, db } = subbands[subbands.length - 1];
      haloText(g, `${name} ${fixed(rate, 2)}`, box.left + (subband + 1) * width, this.y(db) - 2, ink, card);
    }
  }

  /** In steps of 5 dB around everything shown. */
  private limits(burst: BurstTelemetry): void {
    let low = 0;
    let high = 10;
    const needs = needsOf(burst).flatMap(({ subbands }) => subbands.map(({ db }) => db));
    for (const values of [burst.subbandSnrDb, burst.reportedDb, needs]) {
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

/** A level over a bar: on a lighter or darker ground, so that it is seen on every colour. */
function mark(g: CanvasRenderingContext2D, x: number, width: number, y: number, dashed: boolean): void {
  const { card, ink } = theme();
  const top = Math.round(y) - 1;
  g.fillStyle = card;
  g.fillRect(x, top - 1, width, 4);
  g.fillStyle = ink;
  const dash = dashed ? width / 4 : width;
  for (let at = 0; at < width - 0.5; at += 2 * dash) g.fillRect(x + at, top, Math.min(dash, width - at), 2);
}

/** What modulation and code rate need in each subband that carries coded bits, by modulation. */
function needsOf({ modulation, codeRate, subbands }: BurstTelemetry) {
  const out: { name: string; rate: number; subbands: { subband: number; db: number }[] }[] = [];
  for (let subband = 0; subband < subbands; subband++) {
    const { name, bits } = modulationOf(modulation?.[subband] ?? 0);
    const rate = codeRate[subband] ?? 0;
    if (bits === 0 || !(rate > 0)) continue;
    let known = out.find((need) => need.name === name);
    if (!known) {
      known = { name, rate: 0, subbands: [] };
      out.push(known);
    }
    known.rate += (rate - known.rate) / (known.subbands.length + 1);
    known.subbands.push({ subband, db: neededDb(bits, rate) });
  }
  return out;
}

/** "16-QAM 0.45, QPSK 0.38", or the modulation alone where nothing is coded. */
function mcsText(burst: BurstTelemetry): string {
  const needs = needsOf(burst);
  if (needs.length > 0) return needs.map(({ name, rate }) => `${name} ${fixed(rate, 2)}`).join(', ');
  const names = [...new Set(burst.modulation ?? [])].map((code) => modulationOf(code).name);
  return names.join(', ') || 'no data';
}

function describe(burst: BurstTelemetry | undefined): string {
  if (!burst) return 'SNR of resource blocks: nothing received';
  const said = Array.from(burst.subbandSnrDb, (v, s) => `${s}: ${fixed(v)}`).join(', ');
  return `SNR of ${burst.subbands} subbands in dB, reported values as ticks. ${store.source ? 'Coloured by SFV. ' : ''}${said}`;
}

customElements.define('sct-rb-bars', RbBarsPanel);
