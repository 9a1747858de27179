import { connection, Refused } from './connection.ts';
import { store } from './store.ts';

/** What the last command to the server came to; the strip says it. */
export const lastAction = { text: '', failed: false };

/** Something runs on the server, so there is something to stop. */
export function busy(): boolean {
  const { run } = store;
  return connection.job !== null || (run !== null && run.state !== 'ended');
}

/** Has the server do something and says what came of it. True where it did it. */
export async function act(
  what: 'start' | 'stop' | 'replay',
  body: Readonly<Record<string, unknown>> = {},
): Promise<boolean> {
  if (what !== 'replay') say(what === 'stop' ? 'stopping …' : `starting ${String(body.command)} …`, false);
  try {
    await connection.command(what, body);
    if (what !== 'replay') say(what === 'stop' ? 'stopped' : `${String(body.command)} started`, false);
    else if (lastAction.failed) say('', false);
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(error.hint ? `${error.message}: ${error.hint}` : error.message, true);
    return false;
  }
}

export function say(text: string, failed: boolean): void {
  lastAction.text = text;
  lastAction.failed = failed;
  store.say('connection');
}
