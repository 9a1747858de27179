import { html, type TemplateResult } from 'lit';
import { theme } from '../draw/colours.ts';
import { clock, fixed } from '../draw/format.ts';
import { Surface } from '../draw/surface.ts';
import { act } from '../state/actions.ts';
import { connection } from '../state/connection.ts';
import type { SpectrumEvent } from '../state/events.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

const COLUMNS = 1000;
const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10];
/** A press that moves less than this is a seek, not a selection. */
const DRAG_PX = 4;

/** Where a replay stands, over a map of the whole capture: seek, select, loop, step, speed, export. Hidden where nothing is replayed. */
export class ReplayBar extends Panel {
  protected readonly topics = ['replay', 'run', 'burst', 'spectrum', 'loss', 'connection'] as const;
  protected readonly heading = 'Replay';
  private surface: Surface | null = null;
  private level = new Float32Array(COLUMNS).fill(Number.NEGATIVE_INFINITY);
  private seenSpectra = 0;
  private lengthS = 0;
  /** Range picked on the map, s. */
  private picked: readonly [number, number] | null = null;
  private pressedAt: number | null = null;

  override changed(): void {
    this.hidden = store.replay === null;
    super.changed();
  }

  protected override render(): TemplateResult {
    return this.body();
  }

  protected body(): TemplateResult {
    const { replay } = store;
    if (!replay) return html``;
    const { positionS, lengthS, paused, speed, loop } = replay;
    const may = connection.access === 'control';
    const send = (action: string, value?: unknown) => () =>
      void act('replay', { action, ...(value === undefined ? {} : { value }) });
    const range = this.picked
      ? `${clock(this.picked[0], true)} to ${clock(this.picked[1], true)}`
      : 'drag on the map to pick a range';
    return html`<h2 class="sr">Replay</h2>
      <div class="plot minimap"><canvas role="slider" tabindex=${may ? 0 : -1} aria-label="Position in the capture" aria-valuemin="0" aria-valuemax=${lengthS.toFixed(2)} aria-valuenow=${positionS.toFixed(2)}
        aria-valuetext="${clock(positionS, true)} of ${clock(lengthS, true)}" @pointerdown=${this.press} @pointermove=${this.drag} @pointerup=${this.release} @keydown=${this.key}></canvas></div>
      <div class="replay"><span class="at"><b data-is="position">${clock(positionS, true)}</b> / <span data-is="length">${clock(lengthS, true)}</span></span>
        ${
          may
            ? html`<button @click=${send(paused ? 'resume' : 'pause')} data-is="pause">${paused ? '▶ go on' : '❚❚ pause'}</button>
        <button @click=${send('step')} data-is="step">step a burst</button>
        <label>speed <select @change=${(e: Event) => send('speed', Number((e.target as HTMLSelectElement).value))()} data-is="speed">
          ${SPEEDS.map((s) => html`<option value=${s} ?selected=${s === speed}>${s} ×</option>`)}</select></label>
        <button aria-pressed=${loop !== null} ?disabled=${!this.picked && !loop} @click=${() => send('loop', loop ? null : this.picked)()} data-is="loop">${loop ? 'end the loop' : 'loop the range'}</button>
        <button ?disabled=${!this.picked} @click=${() => send('export', this.picked)()} data-is="export">export as SigMF</button>`
            : html`<span>${paused ? 'paused' : `${fixed(speed, 2)} ×`}</span>`
        }
        <span class="range" data-is="range">${loop ? `loop ${clock(loop[0], true)} to ${clock(loop[1], true)}` : range}</span></div>`;
  }

  /** The map is in the page only once a replay is known: it is painted then. */
  protected override updated(): void {
    if (!this.surface && this.querySelector('canvas')) this.changed();
  }

  protected override draw(): void {
    const canvas = this.querySelector('canvas');
    const { replay } = store;
    if (!canvas || !replay) return;
    this.surface ??= new Surface(canvas, () => this.changed());
    if (replay.lengthS !== this.lengthS || store.spectra.total < this.seenSpectra) {
      this.lengthS = replay.lengthS;
      this.level.fill(Number.NEGATIVE_INFINITY);
      this.seenSpectra = 0;
    }
    this.collect();
    const g = this.surface.begin();
    const { width, height } = this.surface;
    const { series, ink, line } = theme();
    const x = (s: number) => (width * s) / Math.max(1e-9, this.lengthS);
    g.fillStyle = line;
    g.fillRect(0, 0, width, height);
    g.fillStyle = series[0];
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const v of this.level) {
      if (!Number.isFinite(v)) continue;
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    const wide = Math.max(1, width / COLUMNS);
    this.level.forEach((v, i) => {
      if (!Number.isFinite(v)) return;
      const tall = (0.15 + 0.85 * ((v - low) / Math.max(3, high - low))) * (height - 8);
      g.fillRect((i * width) / COLUMNS, height - tall, wide, tall);
    });
    g.fillStyle = series[2];
    for (const { startS, durationS } of store.bursts.newest()) g.fillRect(x(startS), 0, Math.max(1.5, x(durationS)), 5);
    g.fillStyle = series[1];
    for (const { fromS, toS } of store.losses.newest()) g.fillRect(x(fromS), 0, Math.max(2, x(toS - fromS)), height);
    for (const [range, colour] of [
      [this.picked, series[4]],
      [replay.loop, series[3]],
    ] as const) {
      if (!range) continue;
      g.globalAlpha = 0.3;
      g.fillStyle = colour;
      g.fillRect(x(range[0]), 0, x(range[1] - range[0]), height);
      g.globalAlpha = 1;
      g.strokeStyle = colour;
      g.lineWidth = 2;
      g.strokeRect(x(range[0]), 1, x(range[1] - range[0]), height - 2);
    }
    g.fillStyle = ink;
    g.fillRect(x(replay.positionS) - 1, 0, 2.5, height);
  }

  /** Strongest level that was seen at each place of the capture. */
  private collect(): void {
    const fresh = Math.min(store.spectra.length, store.spectra.total - this.seenSpectra);
    for (let age = fresh - 1; age >= 0; age--) {
      const { timeS, meanDbfs } = store.spectra.fromEnd(age) as SpectrumEvent;
      const column = Math.floor((timeS / Math.max(1e-9, this.lengthS)) * COLUMNS);
      if (column < 0 || column >= COLUMNS) continue;
      let top = Number.NEGATIVE_INFINITY;
      for (const v of meanDbfs) if (v > top) top = v;
      this.level[column] = Math.max(this.level[column], top);
    }
    this.seenSpectra = store.spectra.total;
  }

  private timeAt({ offsetX }: PointerEvent): number {
    const { width } = this.surface ?? { width: 1 };
    return Math.max(0, Math.min(1, offsetX / width)) * this.lengthS;
  }

  private readonly press = (event: PointerEvent): void => {
    this.pressedAt = event.offsetX;
    (event.target as Element).setPointerCapture(event.pointerId);
  };

  private readonly drag = (event: PointerEvent): void => {
    if (this.pressedAt === null || Math.abs(event.offsetX - this.pressedAt) < DRAG_PX) return;
    const { width } = this.surface ?? { width: 1 };
    const began = Math.max(0, this.pressedAt / width) * this.lengthS;
    const now = this.timeAt(event);
    this.picked = [Math.min(began, now), Math.max(began, now)];
    this.changed();
  };

  private readonly release = (event: PointerEvent): void => {
    this.drag(event); // the last move may have been left out
    const moved = this.pressedAt !== null && Math.abs(event.offsetX - this.pressedAt) >= DRAG_PX;
    this.pressedAt = null;
    if (moved || connection.access !== 'control') return;
    this.picked = null;
    void act('replay', { action: 'seek', value: this.timeAt(event) });
  };

  private readonly key = (event: KeyboardEvent): void => {
    const { replay } = store;
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: 0.01,
      ArrowLeft: -0.01,
      PageUp: 0.1,
      PageDown: -0.1,
      Home: -1,
      End: 1,
    };
    const step = steps[event.key];
    if (step === undefined || !replay || connection.access !== 'control') return;
    event.preventDefault();
    const value = Math.max(0, Math.min(replay.lengthS, replay.positionS + step * replay.lengthS));
    void act('replay', { action: 'seek', value });
  };
}

customElements.define('sct-replay', ReplayBar);
