import { IioError } from './iio-error.ts';

/** One file of a device's folder in sysfs or debugfs; text without its line end. */
export interface Attribute {
  readonly name: string;
  /** Stands once for all channels of a type and direction, and in each of their lists. */
  readonly shared?: boolean;
  /** Its file when that does not follow from the channel. */
  readonly filename?: string;
  /** IioError where the driver refuses to show it. */
  read(): string;
  /** IioError; absent = read only. Text as it was sent, cut at the first NUL, with or without a line end. */
  write?(text: string): void;
}

/** Text that does not change while the board runs. */
export function constant(name: string, text: string, extra: { shared?: boolean; filename?: string } = {}): Attribute {
  return { name, ...extra, read: () => text };
}

/** Text that follows from the state of the board. */
export function shown(name: string, read: () => string, extra: { shared?: boolean } = {}): Attribute {
  return { name, ...extra, read };
}

/** An attribute whose driver refuses to show it. */
export function unreadable(name: string, read: () => never, write?: (text: string) => void): Attribute {
  return write ? { name, read, write } : { name, read };
}

/** A whole number within a range (kstrtoll, base 10); EINVAL outside. */
export function integer(
  name: string,
  value: { get(): number; set(value: number): void; min: number; max: number; shared?: boolean },
): Attribute {
  return {
    name,
    shared: value.shared,
    read: () => String(value.get()),
    write(text) {
      const number = parseInteger(text);
      if (number < value.min || number > value.max) throw new IioError('EINVAL');
      value.set(number);
    },
  };
}

/** 0 or 1, as kstrtobool reads it. */
export function flag(name: string, value: { get(): boolean; set(value: boolean): void; shared?: boolean }): Attribute {
  return {
    name,
    shared: value.shared,
    read: () => (value.get() ? '1' : '0'),
    write(text) {
      const word = text.trim().toLowerCase();
      if (['1', 'y', 'yes', 'on', 't', 'true'].includes(word)) value.set(true);
      else if (['0', 'n', 'no', 'off', 'f', 'false'].includes(word)) value.set(false);
      else throw new IioError('EINVAL');
    },
  };
}

/** One of some words. */
export function word<T extends string>(
  name: string,
  words: readonly T[],
  value: { get(): T; set(value: T): void; shared?: boolean },
): Attribute {
  return {
    name,
    shared: value.shared,
    read: () => value.get(),
    write(text) {
      const found = words.find((known) => known === text.replace(/\n$/, ''));
      if (found === undefined) throw new IioError('EINVAL');
      value.set(found);
    },
  };
}

/** kstrtoll in base 10: sign, digits, at most one line end. */
export function parseInteger(text: string): number {
  if (!/^[+-]?\d{1,19}\n?$/.test(text)) throw new IioError('EINVAL');
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new IioError('EINVAL');
  return value;
}

/** A decimal fraction in millionths (iio_str_to_fixpoint): further digits are cut off, as the kernel does. */
export function parseMicro(text: string): number {
  const match = /^([+-]?)(\d{1,9})(?:\.(\d{0,20}))?\n?$/.exec(text);
  if (!match) throw new IioError('EINVAL');
  const micro = Number(match[2]) * 1e6 + Number((match[3] ?? '').slice(0, 6).padEnd(6, '0'));
  return match[1] === '-' ? -micro : micro;
}

/** As the kernel prints IIO_VAL_INT_PLUS_MICRO. */
export function formatMicro(micro: number): string {
  const whole = Math.trunc(Math.abs(micro) / 1e6);
  return `${micro < 0 ? '-' : ''}${whole}.${String(Math.abs(micro) % 1e6).padStart(6, '0')}`;
}
