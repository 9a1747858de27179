import { printable } from './terminal.ts';

/** Where progress goes; process.stderr fits. */
export interface ProgressStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

export interface ProgressOptions {
  stream: ProgressStream;
  /** Milliseconds, monotone; performance.now fits. */
  now: () => number;
  /** -q: nothing at all but notes that must be seen. */
  quiet?: boolean;
  /** Without a terminal: one line each `intervalMs` (default 2000), or none with 'none'. */
  plain?: 'lines' | 'none';
  intervalMs?: number;
  /** Takes the notes that -q keeps from the stream: somebody may watch in another way. */
  unwritten?: (text: string) => void;
}

/**
 * Progress of a run on stderr: on a terminal one line that is redrawn (at most ten times a second), elsewhere a line
 * every two seconds that can be pasted into a bug report. It draws only when called and owns no timer, so it can never
 * keep a program alive or disturb the radio.
 */
export class Progress {
  private readonly options: ProgressOptions;
  private readonly tty: boolean;
  private lastDrawn = Number.NEGATIVE_INFINITY;
  private onScreen = false;
  private finished = false;

  constructor(options: ProgressOptions) {
    this.options = options;
    this.tty = options.stream.isTTY === true;
  }

  /** The current state, for example "receive  burst 2/3  SNR 14.2 dB  drops 0". Cheap when it is not yet time to draw. */
  update(text: string | (() => string)): void {
    const { now, quiet, plain, intervalMs } = this.options;
    if (this.finished || quiet || (!this.tty && plain === 'none')) return;
    const time = now();
    if (time - this.lastDrawn < (this.tty ? 100 : (intervalMs ?? 2000))) return;
    this.lastDrawn = time;
    this.draw(printable(typeof text === 'string' ? text : text()));
  }

  /** A line that stays (a warning, a stage that ended); shown even when quiet if `important`. */
  note(text: string, important = false): void {
    if (this.options.quiet && !important) {
      this.options.unwritten?.(text);
      return;
    }
    this.clear();
    this.options.stream.write(`${printable(text)}\n`);
  }

  /** Removes the redrawn line; nothing is drawn afterwards. Safe to call twice. */
  done(): void {
    this.clear();
    this.finished = true;
  }

  private draw(text: string): void {
    if (!this.tty) {
      this.options.stream.write(`${text}\n`);
      return;
    }
    // One column stays free: a full line would wrap on some terminals and could not be redrawn.
    const width = Math.max(20, (this.options.stream.columns ?? 80) - 1);
    const cut = text.length > width ? `${text.slice(0, width - 1)}…` : text;
    this.options.stream.write(`\r\u001b[2K${cut}`);
    this.onScreen = true;
  }

  private clear(): void {
    if (this.onScreen) this.options.stream.write('\r\u001b[2K');
    this.onScreen = false;
  }
}

/** "[######----] 60 %" for a share of 0..1. */
export function progressBar(share: number, width = 20): string {
  const s = Math.max(0, Math.min(1, Number.isFinite(share) ? share : 0));
  const full = Math.round(s * width);
  return `[${'#'.repeat(full)}${'-'.repeat(width - full)}] ${Math.floor(100 * s)} %`;
}
