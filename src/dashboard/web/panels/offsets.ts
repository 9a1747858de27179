import { html } from 'lit';
import { type Box, LEFT, RIGHT } from '../draw/axes.ts';
import { theme } from '../draw/colours.ts';
import { fixed, hertz, unit } from '../draw/format.ts';
import { FONT, Surface } from '../draw/surface.ts';
import type { BurstTelemetry } from '../state/events.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

/** Bursts in sight at most. */
const MOST = 200;
/** Half of the least height of an axis: what is steadier is shown as steady. */
const LEAST_HZ = 5;
const LEAST_PPM = 0.5;

/** Offset of the carrier and of the sample clock, burst by burst, the newest on the right. */
export class OffsetsPanel extends Panel {
  protected readonly topics = ['burst', 'run'] as const;
  protected readonly heading = 'Offsets';
  private surface: Surface | null = null;

  protected override figures() {
    const burst = trend()[0];
    return html`<p class="read"><span class="key k0">carrier (CFO) <b data-is="cfo">${hertz(burst?.cfoHz)}</b></span>
      <span class="key k1">sample clock (SFO) <b data-is="sfo">${unit(burst?.sfoPpm, 2, 'ppm')}</b></span></p>`;
  }

  protected body() {
    const burst = trend()[0];
    return html`<div class="plot offsets"><canvas role="img" aria-label="Offsets burst by burst: carrier ${hertz(burst?.cfoHz)}, sample clock ${unit(burst?.sfoPpm, 2, 'ppm')}"></canvas></div>`;
  }

  protected override draw(): void {
    const canvas = this.querySelector('canvas');
    if (!canvas) return;
    this.surface ??= new Surface(canvas, () => this.changed());
    const g = this.surface.begin();
    const { width, height } = this.surface;
    const bursts = trend();
    const { series } = theme();
    const middle = Math.round(height / 2);
    const box = { left: LEFT, right: width - RIGHT };
    const hz = (v: number, reach: boolean) => (reach ? `± ${hertz(v)}` : hertz(v));
    const ppm = (v: number, reach: boolean) => `${reach ? '± ' : ''}${fixed(v, 2)} ppm`;
    const cfo = bursts.map(({ cfoHz }) => cfoHz);
    const sfo = bursts.map(({ sfoPpm }) => sfoPpm);
    line(g, cfo, { ...box, top: 2, bottom: middle - 2 }, series[0], 'CFO', LEAST_HZ, hz);
    line(g, sfo, { ...box, top: middle + 2, bottom: height - 2 }, series[1], 'SFO', LEAST_PPM, ppm);
  }
}

/** Newest first. */
function trend(): BurstTelemetry[] {
  const out: BurstTelemetry[] = [];
  for (const burst of store.bursts.newest()) {
    if (burst.use === 'reverse') continue;
    out.push(burst);
    if (out.length === MOST) break;
  }
  return out;
}

/** One trend in its frame, with the value in its middle and how far it reaches. */
function line(
  g: CanvasRenderingContext2D,
  values: readonly number[],
  box: Box,
  colour: string,
  name: string,
  least: number,
  say: (value: number, reach: boolean) => string,
): void {
  const { mute, line: frame } = theme();
  const { left, right, top, bottom } = box;
  g.font = FONT;
  g.fillStyle = mute;
  g.textAlign = 'right';
  g.textBaseline = 'middle';
  g.fillText(name, left - 5, (top + bottom) / 2);
  g.strokeStyle = frame;
  g.lineWidth = 1;
  g.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return;
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const middle = (low + high) / 2;
  const reach = Math.max(least, (high - low) / 2);
  const y = (v: number) => (top + bottom) / 2 - ((v - middle) / reach) * ((bottom - top) / 2 - 3);
  const step = (right - left - 8) / Math.max(20, values.length - 1);
  g.strokeStyle = colour;
  g.beginPath();
  values.forEach((value, age) => {
    if (!Number.isFinite(value)) return;
    const x = right - 4 - age * step;
    if (age === 0) g.moveTo(x, y(value));
    else g.lineTo(x, y(value));
  });
  g.stroke();
  if (values.length === 1) g.fillRect(right - 6, y(values[0]) - 2, 4, 4);
  g.textAlign = 'left';
  g.textBaseline = 'top';
  g.fillText(`${say(middle, false)} ${say(reach, true)}`, left + 4, top + 2);
}

customElements.define('sct-offsets', OffsetsPanel);
