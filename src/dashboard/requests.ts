import type { JobRequest } from '../link/controller.ts';
import type { Client } from './client.ts';
import { type Hub, HubError } from './hub.ts';

/** Options of a job, and characters of a text, at most. */
const MOST_OPTIONS = 100;
const MOST_TEXT = 4096;
/** Characters of a message at most. */
const MOST_MESSAGE = 1 << 16;

/** What a page may ask over its WebSocket. */
export type PageRequest =
  | { readonly id: number; readonly do: 'start'; readonly job: JobRequest }
  | { readonly id: number; readonly do: 'stop' }
  | { readonly id: number; readonly do: 'replay'; readonly message: Readonly<Record<string, unknown>> }
  | { readonly id: number; readonly do: 'again'; readonly options: JobRequest['options'] | null }
  | { readonly id: number; readonly do: 'export'; readonly fromS: number; readonly toS: number };

/** The request in a message of a page; a text that says what is wrong with it otherwise. */
export function parseRequest(text: string): PageRequest | string {
  if (text.length > MOST_MESSAGE) return `more than ${MOST_MESSAGE} characters`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  if (!isRecord(value)) return 'not an object';
  const { id } = value;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) return 'id: a whole number from 0 up';
  if (value.do === 'stop') return { id, do: 'stop' };
  if (value.do === 'start') {
    const job = jobOf(value);
    return typeof job === 'string' ? job : { id, do: 'start', job };
  }
  if (value.do === 'replay') {
    const message = replayOf(value);
    return typeof message === 'string' ? message : { id, do: 'replay', message };
  }
  if (value.do === 'again') {
    if (value.options === undefined) return { id, do: 'again', options: null };
    const job = jobOf({ command: 'replay', options: value.options });
    return typeof job === 'string' ? job : { id, do: 'again', options: job.options };
  }
  if (value.do === 'export') {
    const range = rangeOf(value.value);
    return range ? { id, do: 'export', fromS: range[0], toS: range[1] } : 'value: [from, to] in s, from 0 up';
  }
  return 'do: start, stop, replay, again or export';
}

/** Does what a page asks, if it may, and answers it. */
export async function answer(text: string, client: Client, hub: Hub): Promise<void> {
  const request = parseRequest(text);
  if (typeof request === 'string') {
    client.say({ reply: null, ok: false, error: { message: request, hint: null } });
    return;
  }
  const { id } = request;
  let result: unknown;
  try {
    if (client.access !== 'control') {
      throw new HubError('this token only watches', 'open the page with the control token');
    }
    if (request.do === 'start') {
      // The answer is that it runs; how it ends is told to everybody.
      void hub.start(request.job);
    } else if (request.do === 'stop') await hub.stop();
    else if (request.do === 'again') await hub.again(request.options);
    else if (request.do === 'export') result = await hub.exportRange(request.fromS, request.toS);
    else {
      if (!hub.job) throw new HubError('nothing runs', 'start a replay first');
      hub.job.tell(request.message);
    }
    client.say({ reply: id, ok: true, ...(result === undefined ? {} : { result }) });
  } catch (error) {
    const { message, hint } = error as { message: string; hint?: string };
    client.say({ reply: id, ok: false, error: { message, hint: hint ?? null } });
  }
}

function jobOf({ command, options = {}, source }: Record<string, unknown>): JobRequest | string {
  if (!isText(command)) return 'command: a word';
  if (!isRecord(options) || Object.keys(options).length > MOST_OPTIONS) return `options: up to ${MOST_OPTIONS} flags`;
  for (const [flag, value] of Object.entries(options)) {
    if (!/^[a-z][a-z0-9-]{0,40}$/.test(flag) || Object.hasOwn(Object.prototype, flag))
      return 'options: names are long flags without their dashes';
    if (value !== true && value !== false && !isText(value) && !isNumber(value)) return `options: ${flag}: no value`;
  }
  if (source !== undefined && !isText(source)) return `source: a text of up to ${MOST_TEXT} characters`;
  return { command, options, ...(source === undefined ? {} : { source }) };
}

const REPLAY_ACTIONS = ['pause', 'resume', 'seek', 'step', 'speed', 'loop'];

function replayOf({ action, value }: Record<string, unknown>): Readonly<Record<string, unknown>> | string {
  if (typeof action !== 'string' || !REPLAY_ACTIONS.includes(action)) return `action: ${REPLAY_ACTIONS.join(', ')}`;
  const numbers = Array.isArray(value) && value.length === 2 && value.every(isNumber);
  if (value !== undefined && value !== null && !isNumber(value) && !numbers) return 'value: a number, two, or none';
  return { action, value: value ?? null };
}

function rangeOf(value: unknown): readonly [number, number] | null {
  const [from, to] = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : [];
  return isNumber(from) && isNumber(to) && from >= 0 && to > from ? [from, to] : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MOST_TEXT && !value.includes('\0');
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
