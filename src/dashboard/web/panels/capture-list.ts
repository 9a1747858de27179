import { html } from 'lit';
import { bytes, DASH, fixed, hertz, unit } from '../draw/format.ts';
import { api, type CaptureSummary } from '../state/api.ts';
import { connection } from '../state/connection.ts';
import { store } from '../state/store.ts';
import { openFile, replayButton } from './kept-file.ts';
import { Panel } from './panel.ts';

const SHOWN = 60;

/** Recordings that are kept on the server: to replay, and to save. */
export class CaptureListPanel extends Panel {
  protected readonly topics = ['connection', 'run'] as const;
  protected readonly heading = 'Recordings';
  private captures: readonly CaptureSummary[] = [];
  private problem: string | null = null;
  private filter = '';
  private asked = '';

  protected body() {
    const words = this.filter.toLowerCase();
    const shown = this.captures.filter(({ name }) => name.toLowerCase().includes(words)).slice(0, SHOWN);
    const none = this.captures.length === 0 && !this.problem;
    return html`${this.problem ? html`<p class="fault">${this.problem}</p>` : ''}
      ${none ? html`<p class="empty">None: what "record" and "export as SigMF" write is listed here.</p>` : ''}
      ${
        shown.length > 0
          ? html`<div class="scroll" tabindex="0" role="region" aria-label="Table of recordings"><table><thead><tr><th>recording</th><th class="n">length</th><th class="n">rate</th><th class="n">frequency</th><th class="n">size</th><th><span class="sr">what to do with it</span></th></tr></thead>
      <tbody>${shown.map((capture) => this.row(capture))}</tbody></table></div>`
          : ''
      }
      ${shown.length < this.captures.length ? html`<p class="read">${shown.length} of ${this.captures.length} recordings</p>` : ''}`;
  }

  private row({ name, source, bytes: size, files = [], lengthS, rateHz, frequencyHz }: CaptureSummary) {
    const save = (file: string) => async () => {
      this.problem = await openFile(
        `/api/captures/${encodeURIComponent(name)}/files/${encodeURIComponent(file)}`,
        true,
      );
      this.requestUpdate();
    };
    return html`<tr><td class="name">${name}</td><td class="n">${unit(lengthS, 2, 's')}</td>
      <td class="n">${rateHz == null ? DASH : `${fixed(rateHz / 1e6, 2)} MS/s`}</td><td class="n">${hertz(frequencyHz)}</td><td class="n">${bytes(size)}</td>
      <td class="does">${files.map(({ name: file }) => html`<button @click=${save(file)} title="save ${file}" aria-label="Save ${file} of ${name}">${file.replace(/^.*\.sigmf-/, '')}</button>`)}${replayButton(source ?? name, `Replay ${name}`)}</td></tr>`;
  }

  protected override tools() {
    const type = (event: Event) => {
      this.filter = (event.target as HTMLInputElement).value;
      this.requestUpdate();
    };
    return html`<span class="tools"><input type="search" placeholder="filter" aria-label="Filter recordings" @input=${type} /><button @click=${() => this.load()} aria-label="refresh recordings">refresh</button></span>`;
  }

  override changed(): void {
    super.changed();
    // A recording or an export that ended has made one more.
    const now = `${connection.state} ${store.run?.state === 'ended' ? store.run.startedAt : ''} ${connection.job ?? ''}`;
    if (connection.state === 'open' && now !== this.asked) void this.load();
    this.asked = now;
  }

  private async load(): Promise<void> {
    try {
      this.captures = await api.captures();
      this.problem = null;
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.requestUpdate();
  }
}

customElements.define('sct-captures', CaptureListPanel);
