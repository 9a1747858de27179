import { type Command, connection, Refused } from './connection.ts';
import { store } from './store.ts';

/** What the last command to the server came to; the strip says it. */
export const lastAction = { text: '', failed: false };

/** Something runs on the server, so there is something to stop. */
export function busy(): boolean {
  const { run } = store;
  return connection.job !== null || (run !== null && run.state !== 'ended');
}

type Body = Readonly<Record<string, unknown>>;

/** What is said while something is done, and when it has been; of steering nothing. */
const WORDS: Readonly<Record<Exclude<Command, 'replay'>, (body: Body) => readonly [string, string]>> = {
  start: ({ command }) => [`starting ${String(command)} …`, `${String(command)} started`],
  stop: () => ['stopping …', 'stopped'],
  again: () => ['starting the replay again …', 'replay started'],
  export: () => ['exporting …', 'exported'],
};

/** Has the server do something and says what came of it. True where it did it. */
export async function act(what: Command, body: Body = {}): Promise<boolean> {
  return (await resultOf(what, body)) !== null;
}

/** The same; the server's result where it did it, null where not. */
export async function resultOf(what: Command, body: Body = {}): Promise<{ readonly result: unknown } | null> {
  const [doing, done] = what === 'replay' ? [] : WORDS[what](body);
  if (doing !== undefined) say(doing, false);
  try {
    const result = await connection.command(what, body);
    if (done !== undefined) say(done, false);
    else if (lastAction.failed) say('', false);
    return { result };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(error.hint ? `${error.message}: ${error.hint}` : error.message, true);
    return null;
  }
}

export function say(text: string, failed: boolean): void {
  lastAction.text = text;
  lastAction.failed = failed;
  store.say('connection');
}
