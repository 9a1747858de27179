import { html, type TemplateResult } from 'lit';
import { type FormValues, isNumeric, type OptionSchema, type OptionsSchema, rangeText } from '../state/validate.ts';

/** What is asked first, by command; all else is behind "more". */
const FIRST: Readonly<Record<string, readonly string[]>> = {
  loopback: ['codec', 'channel', 'snr', 'mapping', 'cbr', 'seed'],
  link: ['tx', 'rx', 'freq', 'tx-gain', 'rx-gain', 'cabled', 'codec'],
  sound: ['tx', 'rx', 'freq', 'tx-gain', 'rx-gain', 'cabled', 'period', 'duration', 'channel', 'snr'],
  record: ['from', 'freq', 'rate', 'rx-gain', 'duration'],
  receive: ['from', 'freq', 'rx-gain', 'duration', 'reference'],
  monitor: ['freq', 'numerology', 'rx-gain', 'duration'],
  spectrum: ['freq', 'rate', 'gain', 'duration'],
  replay: ['check', 'reference'],
  stream: ['to', 'size-px', 'fps', 'deadline', 'channel', 'snr', 'freq', 'tx-gain', 'cabled', 'duration'],
  watch: ['from', 'freq', 'rx-gain', 'size-px', 'deadline', 'duration'],
};
/** Flags that the server sets itself, or that mean nothing on a page; the demo photo is what no photo means. */
const HIDDEN = new Set(['json', 'quiet', 'verbose', 'help', 'color', 'no-color', 'demo']);

/** A form's state, for those who show its fields. */
export interface FieldsOf {
  readonly command: string;
  readonly schema: OptionsSchema;
  readonly values: FormValues;
  readonly problems: ReadonlyMap<string, string>;
  /** Values that stand in lists, by name of the list. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  typed(name: string, value: string | boolean): void;
}

export function firstFields(form: FieldsOf): TemplateResult[] {
  return first(form).map((name) => field(form, name));
}

/** All others that hold the words, under their headings. What is set or wrong is always there. */
export function otherFields(form: FieldsOf, words: string): TemplateResult[] {
  const groups = new Map<string, TemplateResult[]>();
  for (const [name, of] of others(form)) {
    const found = `${name} ${of.description ?? ''}`.toLowerCase().includes(words.toLowerCase());
    if (!found && !form.values.has(name) && !form.problems.has(name)) continue;
    const group = (of['x-group'] || 'Options').replace(/:$/, '');
    groups.set(group, [...(groups.get(group) ?? []), field(form, name)]);
  }
  return [...groups].map(([group, fields]) => html`<fieldset><legend>${group}</legend>${fields}</fieldset>`);
}

/** How many there are behind "more", how many of them are set, and whether one of them is wrong. */
export function othersCount(form: FieldsOf): { all: number; set: number; wrong: boolean } {
  const names = others(form).map(([name]) => name);
  return {
    all: names.length,
    set: names.filter((name) => form.values.has(name)).length,
    wrong: names.some((name) => form.problems.has(name)),
  };
}

/** Identifier of the input of an option. */
export function fieldId(name: string): string {
  return `sct-o-${name}`;
}

function first({ command, schema }: FieldsOf): string[] {
  const needed = schema.required ?? [];
  const wanted = FIRST[command] ?? [];
  return [...needed.filter((name) => !wanted.includes(name)), ...wanted].filter((name) => name in schema.properties);
}

function others(form: FieldsOf): [string, OptionSchema][] {
  const shown = new Set(first(form));
  return Object.entries(form.schema.properties).filter(([name]) => !HIDDEN.has(name) && !shown.has(name));
}

function field(form: FieldsOf, name: string): TemplateResult {
  const of = form.schema.properties[name];
  const id = fieldId(name);
  const problem = form.problems.get(name) ?? '';
  const needed = form.schema.required?.includes(name) ? html` <span class="mu">needed</span>` : '';
  return html`<div class="field ${problem ? 'wrong' : ''}"><label for=${id}>${name}${needed}</label>${control(form, name, of, problem !== '')}
    <small id="${id}-hint">${hintOf(of)}</small><small class="problem" id="${id}-problem">${problem ? `${name} ${problem}` : ''}</small></div>`;
}

function control(form: FieldsOf, name: string, of: OptionSchema, wrong: boolean): TemplateResult {
  const id = fieldId(name);
  const value = form.values.get(name);
  const about = `${id}-hint ${id}-problem`;
  const said = defaultOf(of);
  const typed = (event: Event) => form.typed(name, (event.target as HTMLInputElement).value);
  if (of.type === 'boolean') {
    const ticked = (event: Event) => form.typed(name, (event.target as HTMLInputElement).checked);
    return html`<input id=${id} type="checkbox" .checked=${value === true} @change=${ticked} aria-describedby=${about} />`;
  }
  if (of.enum) {
    return html`<select id=${id} @change=${typed} aria-invalid=${wrong} aria-describedby=${about}><option value="" ?selected=${!value}>${said ? `default: ${said}` : '—'}</option>
      ${of.enum.map((v) => html`<option value=${v} ?selected=${value === String(v)}>${v}</option>`)}</select>`;
  }
  const known = [...(of['x-list'] ?? []).flatMap((list) => form.lists.get(list) ?? []), ...(of.examples ?? [])];
  const numeric = isNumeric(of) || of['x-quantity'] !== undefined;
  return html`<input id=${id} .value=${String(value ?? '')} placeholder=${said} inputmode=${numeric ? 'decimal' : 'text'} @input=${typed}
    list=${known.length > 0 ? `${id}-list` : ''} aria-invalid=${wrong} aria-describedby=${about} autocomplete="off" spellcheck="false" />${
      known.length > 0
        ? html`<datalist id="${id}-list">${known.map((v) => html`<option value=${v}></option>`)}</datalist>`
        : ''
    }`;
}

/** As the schema says, or the description: "integrated (default): …". */
function defaultOf({ default: value, description = '' }: OptionSchema): string {
  if (value !== undefined && value !== null) return String(value);
  return /([\w-]+) \(default\)/.exec(description)?.[1] ?? '';
}

function hintOf(of: OptionSchema): string {
  if (of.description) return of.description;
  return of.minimum !== undefined || of.maximum !== undefined ? rangeText(of) : '';
}
