/**
 * Every error a user can cause or meet carries the exit code of the command line contract and, where there is one,
 * a hint that says what to do next. Programming errors stay plain `Error`s and exit with 1.
 */
export const ExitCode = {
  ok: 0,
  internal: 1,
  usage: 2,
  device: 3,
  noSignal: 4,
  quality: 5,
  samplesLost: 6,
  replayDiffers: 7,
  checkFailed: 8,
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export class SctError extends Error {
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  constructor(message: string, exitCode: ExitCode, hint?: string) {
    super(message);
    this.name = new.target.name;
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** Wrong words on the command line, a value out of range, an unreadable or unsupported input file. Exit code 2. */
export class UsageError extends SctError {
  constructor(message: string, hint?: string) {
    super(message, ExitCode.usage, hint);
  }
}

/** A device, file or peer that is not there or may not be opened. Exit code 3. */
export class DeviceError extends SctError {
  constructor(message: string, hint?: string) {
    super(message, ExitCode.device, hint);
  }
}

/** Nothing that could be decoded was found in the samples. Exit code 4. */
export class NoSignalError extends SctError {
  constructor(message: string, hint?: string) {
    super(message, ExitCode.noSignal, hint);
  }
}

/** Bytes from air, network or file that break their format; `field` names the offending field. */
export class FormatError extends SctError {
  readonly field: string;
  constructor(field: string, message: string, hint?: string) {
    super(`${field}: ${message}`, ExitCode.usage, hint);
    this.field = field;
  }
}

/** Throws a UsageError naming the value and the allowed range unless `min <= value <= max`; returns the value. */
export function inRange(name: string, value: number, min: number, max: number, unit = ''): number {
  if (!(value >= min && value <= max)) {
    const u = unit ? ` ${unit}` : '';
    throw new UsageError(`${name} ${value}${u} is out of range: allowed ${min} to ${max}${u}`);
  }
  return value;
}
