import { html, type TemplateResult } from 'lit';
import { act, resultOf } from '../state/actions.ts';
import { ask, hasEnded, mayControl, pick, pickFromHere, range, span, stepBack, timeText } from '../state/replay.ts';
import { store } from '../state/store.ts';
import { openFile } from './kept-file.ts';
import './minimap.ts';
import { Panel } from './panel.ts';
import { ReceiveAgain } from './receive-again.ts';

const SPEEDS = [0.001, 0.01, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 0];

/** What came of an export: the recording's name and files. */
interface Exported {
  readonly name: string;
  readonly files: readonly string[];
  readonly samples: number;
}

/** Where a replay stands, over a map of the whole capture: seek, range, loop, step, speed, export, receive again. Hidden where nothing is replayed. */
export class ReplayBar extends Panel {
  protected readonly topics = ['replay', 'run', 'connection', 'overview'] as const;
  protected readonly heading = 'Replay';
  override readonly alwaysLive = true;
  private exporting = false;
  private exported: Exported | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('keydown', this.key);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('keydown', this.key);
  }

  override changed(): void {
    const ended = store.replay === null && !this.hidden;
    this.hidden = store.replay === null;
    // Letting go of a range is a change as well: the bar is hidden by then.
    if (ended) {
      pick(null);
      this.exported = null;
    }
    super.changed();
  }

  protected override render(): TemplateResult {
    return this.body();
  }

  protected body(): TemplateResult {
    const { replay } = store;
    if (!replay) return html``;
    const [startS, endS] = span();
    const length = startS > 0 ? `${timeText(startS, endS)} to ${timeText(endS, endS)}` : timeText(endS, endS);
    return html`<h2 class="sr">Replay</h2><sct-minimap></sct-minimap>
      <div class="replay"><span class="at"><b data-is="position">${timeText(replay.positionS, endS)}</b> / <span data-is="length">${length}</span></span>
        ${mayControl() ? this.controls(replay) : html`<span data-is="pace">${replay.paused ? 'paused' : speedText(replay.speed)}</span>`}
        <span class="range ${range() || replay.loop ? '' : 'hint'}" data-is="range">${this.rangeText(replay.loop, endS)}</span>${this.export()}</div>
      ${mayControl() ? html`<sct-again hidden></sct-again>` : ''}`;
  }

  private controls({ paused, speed, loop }: NonNullable<typeof store.replay>): TemplateResult {
    const picked = range();
    const speeds = SPEEDS.includes(speed) ? SPEEDS : [...SPEEDS, speed].sort((a, b) => (a || 1e3) - (b || 1e3));
    return html`<span class="group"><button @click=${() => void stepBack()} title="to the burst before (,)" aria-label="to the burst before" data-is="back">◂ burst</button>
        ${
          hasEnded()
            ? html`<button class="go" @click=${() => void act('again')} data-is="restart">▶ play again</button>`
            : html`<button class="go" @click=${() => void ask(store.replay?.paused ? 'resume' : 'pause')} data-is="pause">${paused ? '▶ go on' : '❚❚ pause'}</button>`
        }
        <button @click=${() => void ask('step')} title="to the next burst, and pause (.)" aria-label="step a burst" data-is="step">burst ▸</button></span>
      <label><span class="pace-word">speed </span><select aria-label="speed" @change=${this.choose} data-is="speed">
        ${speeds.map((s) => html`<option value=${s} ?selected=${s === speed}>${speedText(s)}</option>`)}</select></label>
      <span class="group"><button @click=${() => pickFromHere('begin')} title="the range begins at the position ([)" aria-label="the range begins here" data-is="begin">[</button>
        <button @click=${() => pickFromHere('end')} title="the range ends at the position (])" aria-label="the range ends here" data-is="end">]</button>
        <button ?disabled=${!picked && !loop} aria-pressed=${loop !== null} @click=${() => void ask('loop', store.replay?.loop ? null : range())} title="(l)" data-is="loop">${loop ? 'end the loop' : 'loop'}</button>
        <button ?disabled=${!picked || this.exporting} @click=${() => void this.exportRange()} data-is="export">${this.exporting ? 'exporting …' : 'export as SigMF'}</button></span>
      <button aria-haspopup="dialog" @click=${this.again} data-is="again">receive again …</button>`;
  }

  private rangeText(loop: readonly [number, number] | null, endS: number): string {
    const between = ([from, to]: readonly [number, number]) => `${timeText(from, endS)} to ${timeText(to, endS)}`;
    const picked = range();
    if (picked) return `range ${between(picked)}`;
    if (loop) return `loop ${between(loop)}`;
    return mayControl() ? 'drag with Shift, or [ and ], for a range' : '';
  }

  private export(): TemplateResult | string {
    if (!this.exported) return '';
    const { name, files, samples } = this.exported;
    const save = (file: string) => () =>
      void openFile(`/api/captures/${encodeURIComponent(name)}/files/${encodeURIComponent(file)}`, true);
    return html`<span class="exported" role="status" data-is="exported">${name}: ${samples} samples
      ${files.map((file) => html`<button class="link" @click=${save(file)} aria-label="save ${file}">${file.slice(file.lastIndexOf('.'))} ⤓</button>`)}</span>`;
  }

  private readonly choose = (event: Event): void => {
    void ask('speed', Number((event.target as HTMLSelectElement).value));
  };

  private readonly again = (): void => {
    const panel = this.querySelector('sct-again');
    if (panel instanceof ReceiveAgain) void panel.flip();
  };

  private async exportRange(): Promise<void> {
    const picked = range();
    if (!picked || this.exporting) return;
    this.exporting = true;
    this.exported = null;
    this.requestUpdate();
    const made = await resultOf('export', { value: picked });
    this.exporting = false;
    if (isExported(made?.result)) this.exported = made.result;
    this.requestUpdate();
  }

  /** Keys of the bar, wherever the focus is but in a field. */
  private readonly key = (event: KeyboardEvent): void => {
    const { target, key, ctrlKey, metaKey, altKey } = event;
    const typing = target instanceof Element && target.matches('input, select, textarea, dialog *');
    if (this.hidden || !mayControl() || typing || ctrlKey || metaKey || altKey) return;
    if (key === '[') pickFromHere('begin');
    else if (key === ']') pickFromHere('end');
    else if (key === '.') void ask('step');
    else if (key === ',') void stepBack();
    else if (key === 'l' && (range() || store.replay?.loop)) void ask('loop', store.replay?.loop ? null : range());
    else if (key === 'Escape') pick(null);
  };
}

function speedText(speed: number): string {
  return speed === 0 ? 'as fast as it can' : `${speed} ×`;
}

function isExported(result: unknown): result is Exported {
  const { name, files, samples } = (result ?? {}) as Partial<Exported>;
  return typeof name === 'string' && typeof samples === 'number' && Array.isArray(files);
}

customElements.define('sct-replay', ReplayBar);
