import { html, type TemplateResult } from 'lit';
import { DASH, fixed } from '../draw/format.ts';
import { LinePlot } from '../draw/line-plot.ts';
import { api, type RunDetails } from '../state/api.ts';
import { openFile } from './kept-file.ts';
import { Panel } from './panel.ts';
import { title } from './run-list.ts';

type Metrics = Readonly<Record<string, unknown>>;

interface Side {
  readonly run: RunDetails;
  /** Address of the received picture; null where there is none. */
  readonly picture: string | null;
}

/** What two runs differ in that a reader wants to know: name, unit, digits, and how to get it. */
const ROWS: readonly (readonly [string, string, number, (m: Metrics) => unknown])[] = [
  ['codec', '', 0, (m) => m.codec],
  ['channel', '', 0, (m) => m.channel],
  ['mapping', '', 0, (m) => m.mapping],
  ['SNR asked for', 'dB', 1, (m) => m.snrDb],
  ['PSNR', 'dB', 2, (m) => m.psnrDb],
  ['MS-SSIM', '', 4, (m) => m.msSsim],
  ['R, symbols a pixel', '', 4, (m) => m.symbolsPerPixel],
  ['CBR', '', 4, (m) => m.cbr],
  ['BLER', '', 4, (m) => m.bler],
  ['CSI age', 'ms', 1, (m) => m.csiAgeMs],
  ['CFO', 'Hz', 0, (m) => m.cfoHz],
  ['sent again', '', 0, (m) => m.retransmissions],
  ['lost samples', '', 0, (m) => m.lostSamples],
  ['SFVs received', '', 0, (m) => states(m, 'received')],
  ['SFVs repaired', '', 0, (m) => states(m, 'repaired')],
  ['SFVs synthesised', '', 0, (m) => states(m, 'synthesised')],
  ['SFVs lost', '', 0, (m) => states(m, 'lost')],
  ['time', 's', 1, (m) => seconds(m)],
];

/** Two runs side by side: pictures, figures with their difference, SNR of the resource blocks. */
export class RunComparePanel extends Panel {
  protected readonly topics = [] as const;
  protected readonly heading = 'Two runs side by side';
  private sides: readonly Side[] = [];
  private problem: string | null = null;
  private wanted: readonly string[] = [];
  private plot: LinePlot | null = null;

  /** @param names none, one or two runs */
  async show(names: readonly string[]): Promise<void> {
    this.wanted = names;
    try {
      const sides = await Promise.all(names.map(load));
      if (this.wanted !== names) return;
      for (const { picture } of this.sides) if (picture) URL.revokeObjectURL(picture);
      this.sides = sides;
      this.problem = null;
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.hidden = names.length < 2;
    this.requestUpdate();
    await this.updateComplete;
    this.changed();
    if (!this.hidden) this.scrollIntoView({ block: 'nearest' });
  }

  private async report(name: string): Promise<void> {
    this.problem = await openFile(`/api/runs/${encodeURIComponent(name)}/files/report.html`);
    this.requestUpdate();
  }

  protected body(): TemplateResult {
    const [a, b] = this.sides;
    if (!a || !b) return html`<p class="empty">${this.problem ?? 'Tick two runs.'}</p>`;
    return html`${this.problem ? html`<p class="fault">${this.problem}</p>` : ''}
      <div class="compared"><div><div class="sides">${[a, b].map(
        (
          { run, picture },
          i,
        ) => html`<figure><figcaption><span class="key k${i}">${title(run.name)}</span><button @click=${() => this.report(run.name)} aria-label="Report of ${run.name}">report</button></figcaption>
        ${picture ? html`<img src=${picture} alt="Received picture of ${run.name}" />` : html`<p class="empty">This run kept no picture.</p>`}</figure>`,
      )}</div>
      <p class="read">SNR of resource blocks, dB by subband</p><div class="plot lines" role="img" aria-label="SNR of resource blocks of both runs"></div></div>
      <div><table><thead><tr><th scope="col"><span class="sr">figure</span></th><th class="n"><span class="key k0">first</span></th><th class="n"><span class="key k1">second</span></th><th class="n">difference</th></tr></thead>
      <tbody>${ROWS.map((row) => compare(row, a.run.metrics ?? {}, b.run.metrics ?? {}))}</tbody></table></div></div>`;
  }

  protected override draw(): void {
    const parent = this.querySelector<HTMLElement>('.plot');
    if (!parent || this.sides.length < 2) return;
    this.plot ??= new LinePlot(parent, {
      xLabel: '',
      yLabel: 'dB',
      counts: true,
      lines: [
        { label: 'first', colour: 0 },
        { label: 'second', colour: 1, dash: [6, 3] },
      ],
    });
    const values = this.sides.map(({ run }) =>
      Array.isArray(run.metrics?.rbSnrDb) ? (run.metrics.rbSnrDb as number[]) : [],
    );
    const length = Math.max(...values.map((v) => v.length));
    this.plot.set([Array.from({ length }, (_, i) => i), ...values]);
  }
}

async function load(name: string): Promise<Side> {
  const run = await api.run(name);
  const kept = run.files?.includes('received.png') ?? true;
  const picture = kept ? await api.file(name, 'received.png').then(URL.createObjectURL, () => null) : null;
  return { run, picture };
}

function compare([name, unitName, digits, of]: (typeof ROWS)[number], a: Metrics, b: Metrics): TemplateResult {
  const [x, y] = [of(a), of(b)];
  const both = typeof x === 'number' && typeof y === 'number';
  const text = (value: unknown) =>
    typeof value === 'number' ? `${fixed(value, digits)} ${unitName}` : value ? String(value) : DASH;
  const gap = both ? y - x : null;
  return html`<tr><th scope="row">${name}</th><td class="n" title=${text(x)}>${text(x)}</td><td class="n" title=${text(y)}>${text(y)}</td>
    <td class="n">${gap === null ? '' : difference(gap, digits)}</td></tr>`;
}

/** With its sign; "=" where it is none. */
function difference(gap: number, digits: number): string {
  if (gap === 0) return '=';
  const text = fixed(gap, digits);
  return gap > 0 && Number(text) !== 0 ? `+${text}` : text;
}

function states(metrics: Metrics, wanted: string): number | null {
  const { sfvs } = metrics;
  if (!Array.isArray(sfvs) || sfvs.length === 0) return null;
  return sfvs.filter((sfv: { state?: unknown } | null) => sfv?.state === wanted).length;
}

function seconds(metrics: Metrics): number | null {
  const total = (metrics.timings as { totalMs?: unknown } | null | undefined)?.totalMs;
  return typeof total === 'number' ? total / 1000 : null;
}

customElements.define('sct-compare', RunComparePanel);
