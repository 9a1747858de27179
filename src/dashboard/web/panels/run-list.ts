import { html } from 'lit';
import { DASH } from '../draw/format.ts';
import { api, type RunSummary } from '../state/api.ts';
import { connection } from '../state/connection.ts';
import { store } from '../state/store.ts';
import { openFile, replayButton } from './kept-file.ts';
import { Panel } from './panel.ts';

const SHOWN = 40;

/** Runs that are kept on the server; two of them are shown side by side. */
export class RunListPanel extends Panel {
  protected readonly topics = ['connection', 'run'] as const;
  protected readonly heading = 'Runs';
  private runs: readonly RunSummary[] = [];
  private problem: string | null = null;
  private filter = '';
  private readonly chosen: string[] = [];
  private asked = '';

  protected body() {
    const words = this.filter.toLowerCase();
    const shown = this.runs.filter(({ name }) => name.toLowerCase().includes(words)).slice(0, SHOWN);
    return html`${this.problem ? html`<p class="fault">${this.problem}</p>` : ''}
      <div class="scroll" tabindex="0" role="region" aria-label="Table of runs"><table><thead><tr><th><span class="sr">compare</span></th><th>run</th><th>command</th><th>begun, UTC</th><th>end</th><th><span class="sr">what to do with it</span></th></tr></thead>
      <tbody>${shown.map((run) => this.row(run))}</tbody></table></div>
      ${this.runs.length === 0 && !this.problem ? html`<p class="empty">None yet: what is started here is kept and listed.</p>` : ''}
      <p class="read"><span>${shown.length < this.runs.length ? `${shown.length} of ` : ''}${this.runs.length} ${this.runs.length === 1 ? 'run' : 'runs'}</span><span>${this.chosen.length < 2 ? 'tick two to see them side by side' : ''}</span></p>`;
  }

  private row({ name, source, modifiedAt, manifest }: RunSummary) {
    const ticked = this.chosen.includes(name);
    const argv = Array.isArray(manifest?.argv) ? manifest.argv.map(String) : [];
    const { message, state } = (manifest?.exit ?? {}) as { message?: string; state?: string };
    const began = begunAt({ manifest, modifiedAt });
    return html`<tr class=${ticked ? 'chosen' : ''}><td><input type="checkbox" .checked=${ticked} aria-label="Compare ${name}" @change=${() => this.tick(name)} /></td>
      <td class="cut" title=${name}>${title(name)}</td><td class="cut" title=${argv.join(' ')}>${argv[1] ?? DASH}</td><td class="when" title=${began}>${began.slice(5, 16).replace('T', ' ')}</td><td class="cut" title=${message ?? ''}>${message || state || DASH}</td>
      <td class="does"><button @click=${() => this.report(name)} aria-label="Report of ${name}">report</button>${replayButton(source ?? name, `Replay ${name}`)}</td></tr>`;
  }

  protected override tools() {
    const type = (event: Event) => {
      this.filter = (event.target as HTMLInputElement).value;
      this.requestUpdate();
    };
    return html`<span class="tools"><input type="search" placeholder="filter" aria-label="Filter runs" @input=${type} /><button @click=${() => this.load()}>refresh</button></span>`;
  }

  override changed(): void {
    super.changed();
    // A run that ended, and a server that came back, have something new.
    const now = `${connection.state} ${store.run?.state === 'ended' ? store.run.startedAt : ''}`;
    if (connection.state === 'open' && now !== this.asked) void this.load();
    this.asked = now;
  }

  private tick(name: string): void {
    const at = this.chosen.indexOf(name);
    if (at >= 0) this.chosen.splice(at, 1);
    else this.chosen.push(name);
    if (this.chosen.length > 2) this.chosen.shift();
    this.requestUpdate();
    this.dispatchEvent(new CustomEvent('sct-compare', { bubbles: true, detail: [...this.chosen] }));
  }

  private async report(name: string): Promise<void> {
    this.problem = await openFile(`/api/runs/${encodeURIComponent(name)}/files/report.html`);
    this.requestUpdate();
  }

  private async load(): Promise<void> {
    try {
      this.runs = [...(await api.runs())].sort((a, b) => begunAt(b).localeCompare(begunAt(a)));
      this.problem = null;
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.requestUpdate();
  }
}

/** UTC, ISO 8601. */
function begunAt({ manifest, modifiedAt }: Pick<RunSummary, 'manifest' | 'modifiedAt'>): string {
  return typeof manifest?.startedAt === 'string' ? manifest.startedAt : modifiedAt;
}

/** A run's name without its time. */
export function title(name: string): string {
  return name.replace(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ_/, '');
}

customElements.define('sct-runs', RunListPanel);
