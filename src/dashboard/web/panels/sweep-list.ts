import { html } from 'lit';
import { count, DASH } from '../draw/format.ts';
import { api, type SweepSummary } from '../state/api.ts';
import { connection } from '../state/connection.ts';
import { store } from '../state/store.ts';
import { openFile } from './kept-file.ts';
import { Panel } from './panel.ts';

const SHOWN = 60;

/** Sweeps among the runs, how far they are, and reports of them. Hidden where there are none. */
export class SweepListPanel extends Panel {
  protected readonly topics = ['connection', 'run'] as const;
  protected readonly heading = 'Sweeps and reports';
  /** It cannot be seen before something is listed. */
  override readonly alwaysLive = true;
  private sweeps: readonly SweepSummary[] = [];
  private problem: string | null = null;
  private asked = '';

  protected body() {
    const shown = this.sweeps.slice(0, SHOWN);
    return html`${this.problem ? html`<p class="fault">${this.problem}</p>` : ''}
      <div class="scroll" tabindex="0" role="region" aria-label="Table of sweeps and reports"><table><thead><tr><th>folder</th><th>state</th><th class="n">measured</th><th class="n">failed</th><th>begun, UTC</th><th><span class="sr">what to do with it</span></th></tr></thead>
      <tbody>${shown.map((sweep) => this.row(sweep))}</tbody></table></div>
      ${shown.length < this.sweeps.length ? html`<p class="read">${shown.length} of ${this.sweeps.length}</p>` : ''}`;
  }

  private row({ name, kind, state, startedAt, points, measured, failed, report }: SweepSummary) {
    const open = async () => {
      this.problem = await openFile(`/api/sweeps/${encodeURIComponent(report ?? '')}/files/report.html`);
      this.requestUpdate();
    };
    const sweep = kind === 'sweep';
    const unknown = measured === null && points === null;
    const done = unknown ? DASH : `${measured === null ? DASH : count(measured)} of ${count(points)}`;
    const how =
      state ??
      (unknown
        ? html`<span class="bad" title="sweep.json cannot be read, or is none of sct sweep">unreadable</span>`
        : DASH);
    const begun = startedAt?.slice(0, 16).replace('T', ' ') ?? DASH;
    return html`<tr><td class="name">${name}</td><td>${sweep ? how : 'report'}</td><td class="n">${sweep ? done : ''}</td>
      <td class="n ${failed ? 'bad' : ''}">${sweep ? count(failed) : ''}</td><td class="when">${sweep ? begun : ''}</td>
      <td class="does">${report === null ? html`<small title="sct report FOLDER -o FOLDER/report makes one">no report</small>` : html`<button @click=${open} aria-label="Report of ${name}">report</button>`}</td></tr>`;
  }

  protected override tools() {
    return html`<span class="tools"><button @click=${() => this.load()} aria-label="refresh sweeps">refresh</button></span>`;
  }

  override changed(): void {
    super.changed();
    const now = `${connection.state} ${store.run?.state === 'ended' ? store.run.startedAt : ''}`;
    if (connection.state === 'open' && now !== this.asked) void this.load();
    this.asked = now;
  }

  private async load(): Promise<void> {
    try {
      this.sweeps = await api.sweeps();
      this.problem = null;
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.hidden = this.sweeps.length === 0;
    this.requestUpdate();
  }
}

customElements.define('sct-sweeps', SweepListPanel);
