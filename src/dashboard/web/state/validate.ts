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
  /** A number as the command line takes it: text with an SI suffix and its unit, or a ratio. */
  readonly 'x-quantity'?: Quantity;
  /** Names of the lists that values stand in. */
  readonly 'x-list'?: readonly string[];
  readonly examples?: readonly string[];
}

export interface Quantity {
  readonly unit: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly integer: boolean;
  readonly ratio: boolean;
  /** Several with commas between them. */
  readonly list?: boolean;
}

export interface OptionsSchema {
  readonly properties: Readonly<Record<string, OptionSchema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  /** What stands in the command without a flag. */
  readonly 'x-source'?: {
    readonly name: string;
    readonly description: string;
    readonly required: boolean;
    readonly 'x-list': readonly string[];
  };
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
  const quantity = of['x-quantity'];
  if (quantity) {
    for (const part of quantity.list ? text.split(',') : [text]) {
      const value = parseQuantity(part, quantity);
      if (value === null) {
        return `is a number${quantity.unit ? ` (${quantity.unit})` : ''}, such as ${exampleOf(quantity)}`;
      }
      if (quantity.integer && !Number.isInteger(value)) return 'is a whole number';
      if (value < quantity.minimum || value > quantity.maximum) return rangeText(quantity);
    }
    return null;
  }
  if (of.minLength !== undefined && text.length < of.minLength) return `has ${of.minLength} characters or more`;
  if (of.maxLength !== undefined && text.length > of.maxLength) return `has ${of.maxLength} characters at most`;
  if (of.pattern !== undefined && !new RegExp(of.pattern, 'u').test(text))
    return `does not have the form ${of.pattern}`;
  return null;
}

const SI: Readonly<Record<string, number>> = { G: 1e9, M: 1e6, k: 1e3, K: 1e3, m: 1e-3, u: 1e-6, n: 1e-9 };

/** "868.3M", "915 MHz", "1/16" (where ratios are taken) as the command line reads them; null: none. */
export function parseQuantity(text: string, { unit = '', ratio = false }: Partial<Quantity> = {}): number | null {
  const [top, bottom, more] = ratio ? text.split('/') : [text];
  if (bottom !== undefined) {
    const [a, b] = [parseQuantity(top, { unit }), parseQuantity(bottom, { unit })];
    return more !== undefined || a === null || b === null || b === 0 ? null : a / b;
  }
  let rest = top.trim();
  if (unit && rest.toLowerCase().endsWith(unit.toLowerCase())) rest = rest.slice(0, -unit.length).trim();
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([GMkKmun]?)$/.exec(rest);
  return match ? Number(match[1]) * (match[2] ? SI[match[2]] : 1) : null;
}

function exampleOf({ minimum, maximum, integer, unit }: Quantity): string {
  if (unit === 'Hz' && maximum >= 1e8) return '868.3M';
  const middle = (minimum + maximum) / 2;
  return String(integer ? Math.round(middle) : Number(middle.toPrecision(2)));
}

export function rangeText({
  minimum,
  maximum,
  exclusiveMinimum,
  exclusiveMaximum,
}: Pick<OptionSchema, 'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum'>): string {
  const low =
    minimum !== undefined ? `${minimum}` : exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : null;
  const high =
    maximum !== undefined ? `${maximum}` : exclusiveMaximum !== undefined ? `below ${exclusiveMaximum}` : null;
  if (low !== null && high !== null) return `is from ${low} to ${high}`;
  if (low !== null) return minimum !== undefined ? `is ${low} or more` : `is ${low}`;
  return maximum !== undefined ? `is ${high} or less` : `is ${high}`;
}
