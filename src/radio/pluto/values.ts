import { FormatError } from '../../common/errors.ts';
import type { NumberRange } from '../radio.ts';

/** What attributes of IIO devices say, as numbers. They come from the network: anything else is a FormatError naming the attribute. */

const NUMBER = /^[+-]?(?:\d{1,15}(?:\.\d{0,12})?|\.\d{1,12})(?:e[+-]?\d{1,2})?/i;

/** The number that a value begins with: "71.000000 dB" is 71. */
export function parseNumber(attribute: string, text: string): number {
  const match = NUMBER.exec(text.trim());
  const rest = match ? text.trim().slice(match[0].length) : '';
  if (!match || !/^(\s*[A-Za-z%]{1,8})?$/.test(rest)) {
    throw new FormatError(attribute, `"${text.slice(0, 40)}" is not a number`);
  }
  return Number(match[0]);
}

/** A range `[min step max]`, as `*_available` attributes give it. */
export function parseRange(attribute: string, text: string): NumberRange {
  const match = /^\[([^\]]{1,120})\]$/.exec(text.trim());
  const parts = match ? match[1].trim().split(/\s+/) : [];
  if (parts.length !== 3) throw new FormatError(attribute, `"${text.slice(0, 40)}" is not like [min step max]`);
  const [min, step, max] = parts.map((part) => parseNumber(attribute, part));
  if (!(min <= max && step >= 0)) throw new FormatError(attribute, `"${text.slice(0, 40)}" is no range`);
  return { min, max, step };
}

/** A list of numbers between blanks, at most 64. */
export function parseList(attribute: string, text: string): number[] {
  const parts = text.trim().split(/\s+/, 65).filter(Boolean);
  if (parts.length > 64) throw new FormatError(attribute, 'more than 64 numbers');
  return parts.map((part) => parseNumber(attribute, part));
}

/** A register's value, hexadecimal or decimal, of 32 bits. */
export function parseRegister(attribute: string, text: string): number {
  const trimmed = text.trim();
  if (!/^(0x[0-9a-fA-F]{1,8}|\d{1,10})$/.test(trimmed) || Number(trimmed) > 0xffff_ffff) {
    throw new FormatError(attribute, `"${text.slice(0, 40)}" is not the value of a register`);
  }
  return Number(trimmed);
}
