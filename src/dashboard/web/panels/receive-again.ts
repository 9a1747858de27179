import { html, type TemplateResult } from 'lit';
import { act } from '../state/actions.ts';
import { api } from '../state/api.ts';
import { connection } from '../state/connection.ts';
import { check, type OptionSchema, type OptionsSchema } from '../state/validate.ts';
import { Panel } from './panel.ts';

/** What of a receiver is chosen here; the form of sct replay has all. */
const SETTINGS = ['estimator', 'correction', 'perceptual', 'task', 'distortion', 'known', 'min-psnr', 'check'];

/** A small form of a receiver's settings: replays the same source with them. */
export class ReceiveAgain extends Panel {
  protected readonly topics = ['connection'] as const;
  protected readonly heading = 'Receive again';
  override readonly alwaysLive = true;
  private schema: OptionsSchema | null = null;
  private problem: string | null = null;
  private readonly values = new Map<string, string | boolean>();

  /** Opens or closes it. */
  async flip(): Promise<void> {
    this.hidden = !this.hidden;
    if (this.hidden) return;
    try {
      const { properties } = await api.options('replay');
      const wanted = SETTINGS.filter((name) => name in properties);
      this.schema = { properties: Object.fromEntries(wanted.map((name) => [name, properties[name]])) };
      this.problem = null;
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.requestUpdate();
    await this.updateComplete;
    this.querySelector<HTMLElement>('select, input')?.focus();
  }

  protected override render(): TemplateResult {
    return this.body();
  }

  protected body(): TemplateResult {
    const { schema } = this;
    const problems = schema ? check(schema, this.values).problems : new Map<string, string>();
    return html`<form class="again" aria-label="Receive again with other settings" @submit=${this.submit} @keydown=${this.key}>
      ${this.problem ? html`<p class="fault" role="alert">${this.problem}</p>` : ''}
      ${Object.entries(schema?.properties ?? {}).map(([name, of]) => this.field(name, of, problems.get(name)))}
      <button class="go" type="submit" ?disabled=${!schema || problems.size > 0 || connection.state !== 'open'} data-is="again-go">Receive again</button>
      <button type="button" @click=${() => void this.flip()}>Close</button></form>`;
  }

  private field(name: string, of: OptionSchema, problem: string | undefined): TemplateResult {
    const id = `sct-again-${name}`;
    const value = this.values.get(name);
    const typed = (to: string | boolean) => {
      if (to === '' || to === false) this.values.delete(name);
      else this.values.set(name, to);
      this.requestUpdate();
    };
    if (of.type === 'boolean') {
      const ticked = (event: Event) => typed((event.target as HTMLInputElement).checked);
      return html`<label title=${of.description ?? ''}><input id=${id} type="checkbox" .checked=${value === true} @change=${ticked} /> ${name}</label>`;
    }
    const chosen = (event: Event) => typed((event.target as HTMLInputElement).value);
    const input = of.enum
      ? html`<select id=${id} @change=${chosen}><option value="">as it was</option>${of.enum.map((v) => html`<option ?selected=${value === v}>${v}</option>`)}</select>`
      : html`<input id=${id} .value=${String(value ?? '')} placeholder="as it was" size="9" aria-invalid=${problem !== undefined} @input=${chosen} autocomplete="off" />`;
    return html`<label title=${of.description ?? ''}>${name} ${input}${problem ? html` <small class="problem">${problem}</small>` : ''}</label>`;
  }

  private readonly submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!this.schema) return;
    const { options, problems } = check(this.schema, this.values);
    if (problems.size === 0 && (await act('again', { options }))) this.hidden = true;
  };

  private readonly key = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    this.hidden = true;
  };
}

customElements.define('sct-again', ReceiveAgain);
