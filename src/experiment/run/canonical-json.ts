/**
 * JSON that two runs can be compared by: finite numbers or null, typed arrays as arrays, bytes and functions refused,
 * keys in the order given first and the rest sorted, so that equal values are equal text.
 */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A plain copy of `value` by the rules above; `order` names the keys that come first at the top level. */
export function canonical(value: unknown, order: readonly string[] = []): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null; // + 0 turns -0 into 0
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((v) => canonical(v));
  if (ArrayBuffer.isView(value)) {
    if (value instanceof Uint8Array || value instanceof DataView) {
      throw new TypeError('bytes do not belong in a JSON record');
    }
    return Array.from(value as unknown as ArrayLike<number>, (v) => canonical(v));
  }
  if (typeof value === 'object') {
    const source = value as Record<string, unknown>;
    const rest = Object.keys(source)
      .filter((k) => !order.includes(k))
      .sort();
    const keys = [...order.filter((k) => Object.hasOwn(source, k)), ...rest];
    return Object.fromEntries(keys.filter((k) => source[k] !== undefined).map((k) => [k, canonical(source[k])]));
  }
  throw new TypeError(`a ${typeof value} does not belong in a JSON record`);
}

/** Indented text of `canonical(value, order)` with a final newline. */
export function canonicalText(value: unknown, order: readonly string[] = []): string {
  return `${JSON.stringify(canonical(value, order), null, 2)}\n`;
}
