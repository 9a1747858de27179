import type { FormValues } from '../state/validate.ts';

const KEY = 'sct.form';
/** Commands of which values are kept, and characters of all of it, at most. */
const MOST_COMMANDS = 12;
const MOST_TEXT = 20_000;

/** What a form held when it was last used. */
export interface FormState {
  readonly source: string;
  readonly values: Map<string, string | boolean>;
}

interface Kept {
  command?: unknown;
  forms?: Record<string, { source?: unknown; values?: unknown }>;
}

/** The last settings of each command, kept by this browser. What is kept is checked as if it were typed. */
export function rememberedForm(command: string): FormState {
  const form = Object.hasOwn(read().forms ?? {}, command) ? read().forms?.[command] : undefined;
  const values = new Map<string, string | boolean>();
  if (typeof form?.values === 'object' && form.values !== null) {
    for (const [name, value] of Object.entries(form.values)) {
      if (typeof value === 'string' || typeof value === 'boolean') values.set(name, value);
    }
  }
  return { source: typeof form?.source === 'string' ? form.source : '', values };
}

export function rememberedCommand(): string | undefined {
  const { command } = read();
  return typeof command === 'string' ? command : undefined;
}

export function rememberForm(command: string, source: string, values: FormValues): void {
  const { forms = {} } = read();
  const others = Object.entries(forms).filter(([name]) => name !== command);
  const kept = [...others.slice(1 - MOST_COMMANDS), [command, { source, values: Object.fromEntries(values) }]];
  const text = JSON.stringify({ command, forms: Object.fromEntries(kept) });
  if (text.length <= MOST_TEXT) localStorage.setItem(KEY, text);
}

function read(): Kept {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof kept === 'object' && kept !== null ? (kept as Kept) : {};
  } catch {
    return {};
  }
}
