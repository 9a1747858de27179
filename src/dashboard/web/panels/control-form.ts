import { html, type TemplateResult } from 'lit';
import { act, busy } from '../state/actions.ts';
import { api, type CaptureSummary } from '../state/api.ts';
import { connection } from '../state/connection.ts';
import { store } from '../state/store.ts';
import { check, isNumeric, type OptionSchema, type OptionsSchema, rangeText } from '../state/validate.ts';
import { Panel } from './panel.ts';

const COMMANDS = ['loopback', 'link', 'sound', 'record', 'receive', 'replay'] as const;
type Command = (typeof COMMANDS)[number];

/** What stands in a command without a flag. */
const SOURCES: Partial<Record<Command, string>> = {
  loopback: 'photo: a path on the server; empty: the demo photo',
  link: 'photo: a path on the server',
  replay: 'capture or run: a path on the server',
};
const TRANSMITS: readonly Command[] = ['link', 'sound'];
/** Flags that the server sets itself, or that mean nothing on a page. */
const HIDDEN = new Set(['json', 'quiet', 'verbose', 'help', 'color', 'no-color']);

/** Starts a command: a form made from the schema of its options, checked as one types. */
export class ControlForm extends Panel {
  protected readonly topics = ['connection', 'run'] as const;
  protected readonly heading = 'Start';
  override readonly alwaysLive = true;
  private command: Command = 'loopback';
  private schema: OptionsSchema | null = null;
  private problem: string | null = null;
  private source = '';
  private wanted = '';
  private captures: readonly CaptureSummary[] = [];
  private readonly values = new Map<string, string | boolean>();

  /** @param command the one to show; without: the one that was shown last */
  async open(command?: string): Promise<void> {
    if (isCommand(command)) this.command = command;
    this.hidden = false;
    await this.load();
    this.querySelector<HTMLElement>('select')?.focus();
  }

  close(): void {
    this.hidden = true;
  }

  protected body(): TemplateResult {
    const checked = this.schema ? check(this.schema, this.values) : null;
    const problems = checked?.problems ?? new Map<string, string>();
    const ready = connection.access === 'control' && connection.state === 'open' && this.schema !== null;
    return html`<form novalidate @submit=${(e: Event) => this.submit(e)}>
      <div class="field"><label for="sct-command">command</label><select id="sct-command" .value=${this.command} @change=${this.choose}>${COMMANDS.map((c) => html`<option>${c}</option>`)}</select></div>
      ${this.sourceField()}
      <div class="field"><label for="sct-filter">show options with</label><input id="sct-filter" type="search" @input=${this.filter} /></div>
      ${this.problem ? html`<p class="fault">${this.problem}</p>` : ''}
      <div class="fields" tabindex="0" role="region" aria-label="Options of ${this.command}">${this.groups(problems)}</div>
      ${TRANSMITS.includes(this.command) ? html`<p class="note warn">This may transmit: band, power and antenna are yours to answer for.</p>` : ''}
      <p class="note" role="status" data-is="problems">${problems.size > 0 ? `${problems.size} of the options cannot be used as they are` : busy() ? 'Something runs: stop it first.' : ''}</p>
      <p class="go"><button class="go" type="submit" ?disabled=${!ready || problems.size > 0 || busy()} data-is="go">Start ${this.command}</button>
        <button type="button" @click=${() => this.close()}>Close</button></p></form>`;
  }

  private sourceField(): TemplateResult | string {
    const hint = SOURCES[this.command];
    if (!hint) return '';
    const type = (event: Event) => {
      this.source = (event.target as HTMLInputElement).value;
    };
    return html`<div class="field"><label for="sct-source">source</label><input id="sct-source" .value=${this.source} @input=${type} list="sct-captures" aria-describedby="sct-source-hint" />
      <small id="sct-source-hint">${hint}</small>
      <datalist id="sct-captures">${this.command === 'replay' ? this.captures.map(({ name }) => html`<option value=${name}></option>`) : ''}</datalist></div>`;
  }

  private groups(problems: ReadonlyMap<string, string>): TemplateResult[] {
    const words = this.wanted.toLowerCase();
    const groups = new Map<string, TemplateResult[]>();
    for (const [name, of] of Object.entries(this.schema?.properties ?? {})) {
      if (HIDDEN.has(name)) continue;
      const kept = this.values.has(name) || `${name} ${of.description ?? ''}`.toLowerCase().includes(words);
      if (!kept) continue;
      const group = of['x-group'] ?? 'Options';
      groups.set(group, [...(groups.get(group) ?? []), this.field(name, of, problems.get(name))]);
    }
    return [...groups].map(
      ([group, fields]) => html`<fieldset><legend>${group.replace(/:$/, '')}</legend>${fields}</fieldset>`,
    );
  }

  private field(name: string, of: OptionSchema, problem: string | undefined): TemplateResult {
    const id = `sct-o-${name}`;
    const type = (event: Event) => this.type(name, event);
    const value = this.values.get(name);
    const hint = of.description ?? (of.minimum !== undefined || of.maximum !== undefined ? rangeText(of) : '');
    const said = of.default === undefined || of.default === null ? '' : String(of.default);
    const wrong = problem ? 'true' : 'false';
    const input =
      of.type === 'boolean'
        ? html`<input id=${id} type="checkbox" .checked=${value === true} @change=${type} aria-describedby="${id}-hint" />`
        : of.enum
          ? html`<select id=${id} @change=${type} aria-describedby="${id}-hint"><option value="" ?selected=${!value}>${said ? `default: ${said}` : '—'}</option>
              ${of.enum.map((v) => html`<option value=${v} ?selected=${value === String(v)}>${v}</option>`)}</select>`
          : html`<input id=${id} .value=${String(value ?? '')} placeholder=${said} inputmode=${isNumeric(of) ? 'decimal' : 'text'} @input=${type}
              aria-invalid=${wrong} aria-describedby="${id}-hint ${id}-problem" autocomplete="off" spellcheck="false" />`;
    return html`<div class="field ${problem ? 'wrong' : ''}"><label for=${id}>${name}</label>${input}<small id="${id}-hint">${hint}</small>
      <small class="problem" id="${id}-problem">${problem ? `${name} ${problem}` : ''}</small></div>`;
  }

  private type(name: string, event: Event): void {
    const { type, checked, value } = event.target as HTMLInputElement;
    if (type === 'checkbox' ? !checked : value === '') this.values.delete(name);
    else this.values.set(name, type === 'checkbox' ? checked : value);
    this.requestUpdate();
  }

  private readonly choose = (event: Event): void => {
    this.command = (event.target as HTMLSelectElement).value as Command;
    void this.load();
  };

  private readonly filter = (event: Event): void => {
    this.wanted = (event.target as HTMLInputElement).value;
    this.requestUpdate();
  };

  private async load(): Promise<void> {
    const { command } = this;
    this.schema = null;
    this.problem = null;
    this.requestUpdate();
    try {
      const schema = await api.options(command);
      this.captures = command === 'replay' ? await api.captures() : [];
      if (this.command !== command) return;
      this.schema = schema;
      // What the other command does not know goes.
      for (const name of this.values.keys()) if (!(name in schema.properties)) this.values.delete(name);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.requestUpdate();
    await this.updateComplete;
  }

  private async submit(event: Event): Promise<void> {
    event.preventDefault();
    if (!this.schema) return;
    const { options, problems } = check(this.schema, this.values);
    if (problems.size > 0) return;
    const source = this.source.trim();
    const demo = this.command === 'loopback' && source === '' && 'demo' in this.schema.properties;
    const body = {
      command: this.command,
      options: demo ? { ...options, demo: true } : options,
      ...(source && SOURCES[this.command] ? { source } : {}),
    };
    if (await act('start', body)) this.close();
    store.say('connection');
  }
}

function isCommand(name: string | undefined): name is Command {
  return COMMANDS.includes(name as Command);
}

customElements.define('sct-control', ControlForm);
