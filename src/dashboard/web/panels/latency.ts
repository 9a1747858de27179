import { html } from 'lit';
import { LEFT } from '../draw/axes.ts';
import { fixed, unit } from '../draw/format.ts';
import type { Latencies } from '../draw/latency-bins.ts';
import { paintHistogram, paintTrend } from '../draw/latency-chart.ts';
import { Surface } from '../draw/surface.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

/** A frame more or less in 300 is not worth a painting; ten a second are. */
const PERIOD_MS = 100;
/** Share of the width that the histogram has. */
const BESIDE = 0.24;
const MARGIN_PX = 7;

/** Latency of the last frames of a video: one by one, how often each, and against the deadline. */
export class LatencyPanel extends Panel {
  protected readonly topics = ['video', 'run'] as const;
  protected readonly heading = 'Latency';
  private surface: Surface | null = null;
  private timer: number | undefined;

  override changed(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      super.changed();
    }, PERIOD_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  protected override figures() {
    const { p50Ms, p99Ms, deadlineMs } = latencies();
    return html`<p class="read"><span title="half of the frames took no longer">p50 <b data-is="p50">${fixed(p50Ms)}</b></span>
      <span title="99 of 100 frames took no longer">p99 <b class=${deadlineMs !== null && (p99Ms ?? 0) > deadlineMs ? 'bad' : ''} data-is="p99">${fixed(p99Ms)}</b></span>
      <span>deadline <b data-is="deadline">${unit(deadlineMs, 0, 'ms')}</b></span></p>`;
  }

  protected body() {
    const { p50Ms, p99Ms, deadlineMs, frames } = latencies();
    return html`<div class="plot latency" data-none=${frames.length === 0 ? 'no frame yet' : ''}><canvas role="img" aria-label="Latency of the last ${frames.length} frames: half within ${unit(p50Ms, 1, 'ms')}, 99 of 100 within ${unit(p99Ms, 1, 'ms')}, deadline ${unit(deadlineMs, 0, 'ms')}"></canvas></div>`;
  }

  protected override draw(): void {
    const canvas = this.querySelector('canvas');
    if (!canvas) return;
    this.surface ??= new Surface(canvas, () => super.changed());
    const g = this.surface.begin();
    const { width, height } = this.surface;
    const all = latencies();
    const right = Math.round(width * (1 - BESIDE));
    // Half of a number of the axis is above its line, or below.
    const box = { top: MARGIN_PX, bottom: height - MARGIN_PX };
    paintTrend(g, { ...box, left: LEFT, right: right - 4 }, all);
    paintHistogram(g, { ...box, left: right, right: width - 1 }, all);
  }
}

function latencies(): Latencies {
  const { latest } = store.video;
  return {
    frames: [...store.frames.newest()],
    room: store.frames.capacity,
    deadlineMs: latest?.deadlineMs ?? null,
    p50Ms: latest?.latencyP50Ms ?? null,
    p99Ms: latest?.latencyP99Ms ?? null,
  };
}

customElements.define('sct-latency', LatencyPanel);
