/** The part of JSON Schema that options use. */
export interface OptionSchema {
  readonly type?: 'string' | 'number' | 'integer' | 'boolean';
  readonly title?: string;
  readonly description?: string;
  readonly enum?: readonly (string | number)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly default?: unknown;
  readonly 'x-group'?: string;
}

export interface OptionsSchema {
  readonly properties: Readonly<Record<string, OptionSchema>>;
  readonly required?: readonly string[];
}

/** What a form holds: the text of a field, or whether a box is ticked. */
export type FormValues = ReadonlyMap<string, string | boolean>;

export interface Checked {
  /** Only what was filled in. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** What is wrong, by field. */
  readonly problems: ReadonlyMap<string, string>;
}

/** A form's values against the schema of a command: what to send, or what to say. The server checks again. */
export function check(schema: OptionsSchema, values: FormValues): Checked {
  const options: Record<string, string | number | boolean> = {};
  const problems = new Map<string, string>();
  for (const [name, of] of Object.entries(schema.properties)) {
    const value = values.get(name);
    if (typeof value === 'boolean') {
      if (value !== (of.default === true)) options[name] = value;
      continue;
    }
    const text = (value ?? '').trim();
    if (text === '') {
      if (schema.required?.includes(name)) problems.set(name, 'is needed');
      continue;
    }
    const problem = problemOf(of, text);
    if (problem) problems.set(name, problem);
    else options[name] = isNumeric(of) ? Number(text) : text;
  }
  return { options, problems };
}

export function isNumeric({ type }: OptionSchema): boolean {
  return type === 'number' || type === 'integer';
}

/** What is wrong with the text of a field; null: nothing. */
export function problemOf(of: OptionSchema, text: string): string | null {
  if (of.enum && !of.enum.map(String).includes(text)) return `is one of ${of.enum.join(', ')}`;
  if (isNumeric(of)) {
    const value = Number(text);
    if (!Number.isFinite(value)) return 'is a number';
    if (of.type === 'integer' && !Number.isInteger(value)) return 'is a whole number';
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = of;
    const low =
      (minimum !== undefined && value < minimum) || (exclusiveMinimum !== undefined && value <= exclusiveMinimum);
    const high =
      (maximum !== undefined && value > maximum) || (exclusiveMaximum !== undefined && value >= exclusiveMaximum);
    return low || high ? rangeText(of) : null;
  }
  if (of.minLength !== undefined && text.length < of.minLength) return `has ${of.minLength} characters or more`;
  if (of.maxLength !== undefined && text.length > of.maxLength) return `has ${of.maxLength} characters at most`;
  if (of.pattern !== undefined && !new RegExp(of.pattern, 'u').test(text))
    return `does not have the form ${of.pattern}`;
  return null;
}

export function rangeText({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: OptionSchema): string {
  const low =
    minimum !== undefined ? `${minimum}` : exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : null;
  const high =
    maximum !== undefined ? `${maximum}` : exclusiveMaximum !== undefined ? `below ${exclusiveMaximum}` : null;
  if (low !== null && high !== null) return `is from ${low} to ${high}`;
  if (low !== null) return minimum !== undefined ? `is ${low} or more` : `is ${low}`;
  return maximum !== undefined ? `is ${high} or less` : `is ${high}`;
}
