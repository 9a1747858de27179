import { html, type TemplateResult } from 'lit';
import { act, busy } from '../state/actions.ts';
import { ApiError, api } from '../state/api.ts';
import { connection } from '../state/connection.ts';

/**
 * Opens a file of the server in a tab of its own, or saves it, by an address that is good once.
 *
 * @returns what went wrong; null: nothing
 */
export async function openFile(path: string, save = false): Promise<string | null> {
  try {
    const link = document.createElement('a');
    link.href = await api.ticket(path);
    link.rel = 'noopener';
    if (save) link.download = '';
    else link.target = '_blank';
    link.click();
    return null;
  } catch (error) {
    if (error instanceof ApiError || error instanceof TypeError) return error.message;
    throw error;
  }
}

/** Starts a replay; where it cannot, it says why. */
export function replayButton(source: string, label: string): TemplateResult | string {
  if (connection.access !== 'control') return '';
  const start = () => act('start', { command: 'replay', options: {}, source });
  return html`<button ?disabled=${busy()} title=${busy() ? 'something runs: stop it first' : ''} aria-label=${label} @click=${start}>replay</button>`;
}
