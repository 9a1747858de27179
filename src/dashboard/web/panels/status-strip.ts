import { html, type TemplateResult } from 'lit';
import { switchTheme, theme } from '../draw/colours.ts';
import { clock } from '../draw/format.ts';
import { loop } from '../draw/loop.ts';
import { act, busy, lastAction } from '../state/actions.ts';
import { connection } from '../state/connection.ts';
import { commandWord } from '../state/events.ts';
import { store } from '../state/store.ts';
import { levelMeter, meters, queueMeter } from './meters.ts';
import { Panel } from './panel.ts';

/** Silence of a running command that is worth saying, ms. */
const QUIET_MS = 4000;

/** Always in sight: what runs, how the radio does, whether anything is lost, and the way to stop it. */
export class StatusStrip extends Panel {
  protected readonly topics = ['status', 'run', 'loss', 'connection', 'replay'] as const;
  protected readonly heading = 'Dashboard';
  override readonly alwaysLive = true;
  private timer: number | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    // Elapsed time, and the countdown of a lost connection.
    this.timer = setInterval(() => this.changed(), 500);
  }

  /** It is pinned: on a phone its first line alone, which an observer of the whole does not see. */
  override see(): void {
    super.see(true);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  protected override render(): TemplateResult {
    return this.body();
  }

  protected body() {
    const { run } = store;
    const state = runState();
    const said = message();
    return html`<div class="top"><h1>sct</h1><span class="pill ${state.kind}" data-is="state" title=${run?.commandLine ?? ''}>${state.text}</span>
        <span class="title"><b data-is="title">${run?.title ?? 'no run'}</b> <small data-is="run" title="run ${run?.runId ?? ''}">${run?.directory ?? run?.runId ?? ''}</small></span>
        ${run ? html`<span class="elapsed" data-is="elapsed" title="time since it was started">${clock(elapsedS())}</span>` : ''}
        ${this.link()}<span class="said ${said.failed ? 'bad' : ''}" role="status" data-is="said" title=${said.text}>${said.text}</span>
        <span class="buttons">${this.buttons()}</span></div>
      ${run ? html`<dl class="meters">${meters().map(([name, value, is, kind, why]) => html`<div class=${kind ?? ''} title=${why ?? ''}><dt>${name}</dt><dd data-is=${is}>${value}</dd></div>`)}${queueMeter()}${levelMeter()}</dl>` : ''}`;
  }

  private link(): TemplateResult {
    const { state, nextAtMs, losses } = connection;
    const waitS = Math.max(0, Math.ceil((nextAtMs - performance.now()) / 1000));
    const words = {
      open: losses > 0 ? `connected (again, ${losses}×)` : 'connected',
      connecting: 'connecting …',
      waiting: `no connection; trying again in ${waitS} s`,
      refused: 'the server refuses this token: open the address that it printed',
    }[state];
    const quiet = state === 'open' && store.run?.state === 'running' && performance.now() - store.heardAtMs > QUIET_MS;
    const bad = store.unreadable > 0 ? `, ${store.unreadable} unreadable frames` : '';
    return html`<span class="link ${state}" role="status" data-is="link">${words}${quiet ? ', but nothing is told' : ''}${bad}</span>
      ${state === 'waiting' || state === 'refused' ? html`<button @click=${() => connection.retry()}>try now</button>` : ''}
      ${loop.frozen ? html`<span class="pill warn" data-is="frozen">view frozen: space goes on</span>` : ''}`;
  }

  private buttons(): TemplateResult {
    const ask = (name: string) => () => this.dispatchEvent(new CustomEvent(name, { bubbles: true }));
    const controls =
      connection.access === 'control'
        ? html`<button class="go" @click=${ask('sct-open-control')} data-is="start">Start …</button>
          <button class="stop" ?disabled=${!busy()} @click=${() => act('stop')} data-is="stop">Stop</button>`
        : connection.access === 'read'
          ? html`<span class="readonly" data-is="readonly">watching only (read-only token)</span>`
          : '';
    return html`${controls}<button @click=${() => switchTheme()} aria-label=${theme().dark ? 'Light colours' : 'Dark colours'}>${theme().dark ? '☀' : '☾'}</button>
      <button @click=${ask('sct-screenshot')} aria-label="Save a screenshot">${CAMERA}</button><button @click=${ask('sct-help')} aria-label="Help">?</button>`;
  }
}

const CAMERA = html`<svg width="15" height="13" viewBox="0 0 15 13" aria-hidden="true"><path fill="none" stroke="currentColor" stroke-width="1.4" d="M1 3.5h3l1-2h5l1 2h3v8.5h-13z"></path><circle cx="7.5" cy="7.3" r="2.6" fill="none" stroke="currentColor" stroke-width="1.4"></circle></svg>`;

function runState(): { kind: string; text: string } {
  const { run, replay } = store;
  if (!run) return { kind: 'idle', text: connection.job ? `starting ${connection.job}` : 'idle' };
  const word = commandWord(run.command);
  if (run.state === 'ended') {
    return run.exitCode === 0
      ? { kind: 'ok', text: `${word} ended` }
      : { kind: 'bad', text: `${word} ended: exit ${run.exitCode}` };
  }
  if (replay?.paused) return { kind: 'warn', text: 'replay paused' };
  const where = run.modelled ? ', modelled' : '';
  return { kind: 'run', text: `${word}${where}${run.state === 'starting' ? ', starting' : ''}` };
}

function elapsedS(): number | null {
  const { run, status } = store;
  if (!run) return null;
  if (run.state === 'ended') {
    // Its last word is its end.
    const tookS = (Date.parse(store.log.fromEnd(0)?.at ?? '') - Date.parse(run.startedAt)) / 1000;
    return tookS >= 0 ? tookS : (status?.timeS ?? null);
  }
  return Math.max(0, (Date.now() - Date.parse(run.startedAt)) / 1000);
}

/** What the last press of a button came to; else how the run ended. */
function message(): { text: string; failed: boolean } {
  const { run } = store;
  if (lastAction.failed) return lastAction;
  // A command that never became a run says why in the log.
  const last = store.log.fromEnd(0);
  if (last?.level === 'error' && !busy()) return { text: last.text, failed: true };
  if (run?.state === 'ended' && run.outcome) return { text: run.outcome, failed: run.exitCode !== 0 };
  return lastAction;
}

customElements.define('sct-strip', StatusStrip);
