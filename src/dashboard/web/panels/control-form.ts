import { html, type TemplateResult } from 'lit';
import { act, busy, lastAction } from '../state/actions.ts';
import { api } from '../state/api.ts';
import { connection } from '../state/connection.ts';
import { store } from '../state/store.ts';
import { check, type OptionsSchema } from '../state/validate.ts';
import { type FieldsOf, fieldId, firstFields, otherFields, othersCount } from './form-fields.ts';
import { rememberedCommand, rememberedForm, rememberForm } from './form-memory.ts';
import { Panel } from './panel.ts';
import { sourceField } from './source-field.ts';
import { transmitNotice } from './transmit-notice.ts';

const COMMANDS = [
  ...(['loopback', 'link', 'sound', 'record', 'receive', 'monitor', 'spectrum', 'replay', 'stream', 'watch'] as const),
] as const;
type Command = (typeof COMMANDS)[number];

/** Lists that values stand in: how each is got. One that is not got is empty: names can be typed as well. */
const LISTS: Readonly<Record<string, () => Promise<string[]>>> = {
  pictures: async () => (await api.pictures()).map(({ name }) => name),
  captures: async () => (await api.captures()).map(({ source }) => source),
  runs: async () => (await api.runs()).map(({ name }) => name),
  devices: async () => (await api.devices()).map(({ uri }) => uri),
};

/** Starts a command: a form made from the schema of its options, checked as one types, filled as it was left. */
export class ControlForm extends Panel {
  protected readonly topics = ['connection', 'run'] as const;
  protected readonly heading = 'Start';
  override readonly alwaysLive = true;
  private command: Command = 'loopback';
  private schema: OptionsSchema | null = null;
  private problem: string | null = null;
  private source = '';
  private wanted = '';
  private more = false;
  /** What is about to be transmitted was shown, and the next press means it. */
  private warned = false;
  private values = new Map<string, string | boolean>();
  private lists = new Map<string, readonly string[]>();
  /** What the server said of a field, until it is changed. */
  private readonly refused = new Map<string, string>();

  /** @param command the one to show; without: the one that was shown last @param source what it is filled with */
  async open(command?: string, source?: string): Promise<void> {
    const wanted = command ?? (this.schema ? this.command : rememberedCommand());
    if (isCommand(wanted)) this.command = wanted;
    this.hidden = false;
    await this.load();
    if (source !== undefined) this.source = source;
    this.requestUpdate();
    this.querySelector<HTMLElement>('select')?.focus();
  }

  close(): void {
    this.hidden = true;
  }

  protected override tools() {
    return html`<span class="tools"><button type="button" @click=${() => this.close()} aria-label="Close the form">✕</button></span>`;
  }

  protected body(): TemplateResult {
    const form = this.fields();
    return html`<form novalidate @submit=${(e: Event) => this.submit(e)}>
      <div class="field"><label for="sct-command">command</label><select id="sct-command" .value=${this.command} @change=${this.choose}>${COMMANDS.map((c) => html`<option>${c}</option>`)}</select>
        <small>${(this.schema?.description ?? '').split('\n')[0]}</small></div>
      ${this.problem ? html`<p class="fault" role="alert">${this.problem}</p>` : ''}
      ${form ? html`<div class="fields" tabindex="0" role="region" aria-label="Options of ${this.command}">${this.options(form)}</div>` : ''}
      ${this.end(form)}</form>`;
  }

  private options(form: FieldsOf): TemplateResult {
    const { all, set, wrong } = othersCount(form);
    const open = this.more || wrong;
    const source = this.schema?.['x-source'] ?? null;
    const chosen = (value: string) => {
      this.source = value;
      this.refused.delete('');
      this.requestUpdate();
    };
    return html`${source ? sourceField({ command: this.command, source, value: this.source, lists: this.lists, problem: this.refused.get('') ?? '', chosen }) : ''}
      ${firstFields(form)}
      <p><button type="button" aria-expanded=${open} @click=${this.flip} data-is="more">${open ? 'fewer options' : `more options (${all}${set > 0 ? `, ${set} set` : ''})`}</button></p>
      ${
        open
          ? html`<div class="field"><label for="sct-filter">show those with</label><input id="sct-filter" type="search" .value=${this.wanted} @input=${this.filter} /></div>${otherFields(form, this.wanted)}`
          : ''
      }`;
  }

  private end(form: FieldsOf | null): TemplateResult {
    const notice = transmitNotice(this.command, this.values);
    const ready = connection.access === 'control' && connection.state === 'open' && form !== null && !busy();
    const wrong = form?.problems.size ?? 0;
    const words =
      wrong > 0 ? `${wrong} of the options cannot be used as they are` : busy() ? 'Something runs: stop it first.' : '';
    const label = notice
      ? this.warned
        ? 'Transmit now'
        : `Transmit: start ${this.command} …`
      : `Start ${this.command}`;
    return html`${notice ? html`<div class="warning-box" role="status" data-is="transmits"><b>This transmits.</b> ${notice.map((line) => html`<div>${line}</div>`)}</div>` : ''}
      <p class="note" role="status" data-is="problems">${words}</p>
      <p class="go"><button class=${notice ? 'transmit' : 'go'} type="submit" ?disabled=${!ready || wrong > 0} data-is="go">${label}</button>
        ${this.values.size > 0 || this.source ? html`<button type="button" @click=${this.clear} data-is="clear">Clear</button>` : ''}</p>`;
  }

  private fields(): FieldsOf | null {
    const { schema, command, values, lists } = this;
    if (!schema) return null;
    const problems = new Map(check(schema, values).problems);
    for (const [name, said] of this.refused) if (name !== '' && !problems.has(name)) problems.set(name, said);
    const typed = (name: string, value: string | boolean) => {
      if (value === '' || value === false) values.delete(name);
      else values.set(name, value);
      this.refused.delete(name);
      this.warned = false;
      this.requestUpdate();
    };
    return { command, schema, values, problems, lists, typed };
  }

  private readonly choose = (event: Event): void => {
    this.command = (event.target as HTMLSelectElement).value as Command;
    void this.load();
  };

  private readonly flip = (): void => {
    this.more = !this.more;
    this.requestUpdate();
  };

  private readonly filter = (event: Event): void => {
    this.wanted = (event.target as HTMLInputElement).value;
    this.requestUpdate();
  };

  private readonly clear = (): void => {
    this.values = new Map();
    this.source = '';
    this.refused.clear();
    this.warned = false;
    this.requestUpdate();
  };

  private async load(): Promise<void> {
    const { command } = this;
    this.schema = null;
    this.problem = null;
    this.warned = false;
    this.refused.clear();
    const { source, values } = rememberedForm(command);
    this.source = source;
    this.values = values;
    this.requestUpdate();
    try {
      const schema = await api.options(command);
      if (this.command !== command) return;
      // What the command does not know any more goes.
      for (const name of values.keys()) if (!(name in schema.properties)) values.delete(name);
      this.schema = schema;
      void this.loadLists(schema);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.requestUpdate();
    await this.updateComplete;
  }

  private async loadLists(schema: OptionsSchema): Promise<void> {
    const wanted = [...(schema['x-source']?.['x-list'] ?? [])];
    for (const of of Object.values(schema.properties)) wanted.push(...(of['x-list'] ?? []));
    for (const name of new Set(wanted)) {
      this.lists.set(name, (await LISTS[name]?.().catch(() => [])) ?? []);
      this.requestUpdate();
    }
  }

  private async submit(event: Event): Promise<void> {
    event.preventDefault();
    if (!this.schema || (this.fields()?.problems.size ?? 1) > 0) return;
    if (transmitNotice(this.command, this.values) && !this.warned) {
      this.warned = true;
      this.requestUpdate();
      return;
    }
    const { options } = check(this.schema, this.values);
    const source = this.source.trim();
    const demo = source === '' && 'demo' in this.schema.properties;
    const body = {
      command: this.command,
      options: demo ? { ...options, demo: true } : options,
      ...(source ? { source } : {}),
    };
    rememberForm(this.command, source, this.values);
    this.warned = false;
    this.problem = null;
    if (await act('start', body)) this.close();
    else this.refuse(lastAction.text);
    store.say('connection');
  }

  /** Puts what the server said at the field that it names. */
  private refuse(said: string): void {
    const named = [...said.matchAll(/--([a-z][a-z0-9-]*)/g)].map(([, name]) => name);
    const name = named.find((word) => word in (this.schema?.properties ?? {}));
    if (name === undefined) this.problem = said;
    else this.refused.set(name, `was refused: ${said}`);
    this.requestUpdate();
    if (name !== undefined) void this.updateComplete.then(() => document.getElementById(fieldId(name))?.focus());
  }
}

function isCommand(name: string | undefined): name is Command {
  return COMMANDS.includes(name as Command);
}

customElements.define('sct-control', ControlForm);
