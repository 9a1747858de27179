import { randomBytes } from 'node:crypto';
import type { ServedFile } from './folder-files.ts';

/** A ticket is good for so long, ms; and so many are at once, the oldest go. */
const GOOD_FOR_MS = 60_000;
const MOST_TICKETS = 200;

/**
 * Addresses that open one file once, without the token: a browser opens a report and saves a recording by an address, and a token in an address would
 * stay in its history and in logs.
 */
export class Tickets {
  private readonly held = new Map<string, { readonly file: ServedFile; readonly untilMs: number }>();

  /** Path of the address. */
  issue(file: ServedFile, nowMs = performance.now()): string {
    const id = randomBytes(24).toString('base64url');
    this.held.set(id, { file, untilMs: nowMs + GOOD_FOR_MS });
    if (this.held.size > MOST_TICKETS) this.held.delete(this.held.keys().next().value!);
    return `/files/${id}/${encodeURIComponent(file.name)}`;
  }

  /** The file that it opens, which it does not a second time; null where it is none. */
  take(id: string, nowMs = performance.now()): ServedFile | null {
    const ticket = this.held.get(id);
    this.held.delete(id);
    return ticket && nowMs <= ticket.untilMs ? ticket.file : null;
  }
}
