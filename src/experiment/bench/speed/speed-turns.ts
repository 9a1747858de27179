import { type Spread, spreads } from '../spread.ts';
import { OurProcess, type Subject } from './modem-speed-child.ts';

/** How the parts of a speed bench are run. */
export interface TurnOptions {
  readonly rounds: number;
  readonly progress?: ((what: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What came of one subject: what it said of itself, and its figures over the rounds. */
export interface Turned<F, C extends string> {
  readonly facts: F;
  readonly costs: Record<C, Spread>;
}

/** Ends the bench where Ctrl-C was pressed. */
export function checkInterrupt(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new DOMException('interrupted', 'AbortError');
}

/**
 * Measures subjects each in a process of its own, in turns, so that what else the machine does meets all alike.
 *
 * @param together false: one after the other with all its rounds, for subjects that take much memory
 */
export async function inTurns<F, C extends string>(
  what: string,
  subjects: readonly Subject[],
  { rounds, progress, signal }: TurnOptions,
  together = true,
): Promise<Turned<F, C>[]> {
  if (!together && subjects.length > 1) {
    const turned: Turned<F, C>[] = [];
    for (const [i, subject] of subjects.entries()) {
      const name = `${what}, ${i + 1} of ${subjects.length}`;
      turned.push(...(await inTurns<F, C>(name, [subject], { rounds, progress, signal })));
    }
    return turned;
  }
  const processes: OurProcess[] = [];
  try {
    const facts: F[] = [];
    for (const [i, subject] of subjects.entries()) {
      checkInterrupt(signal);
      progress?.(subjects.length > 1 ? `${what}, warming up ${i + 1} of ${subjects.length}` : what);
      const ours = new OurProcess();
      processes.push(ours);
      facts.push((await ours.subject(subject)) as F);
    }
    const results: Record<C, number>[][] = subjects.map(() => []);
    for (let round = 0; round < rounds; round++) {
      progress?.(`${what}, round ${round + 1} of ${rounds}`);
      for (const [i, ours] of processes.entries()) {
        checkInterrupt(signal);
        results[i].push((await ours.measureSubject()) as Record<C, number>);
      }
    }
    return results.map((r, i) => ({ facts: facts[i], costs: spreads(r) }));
  } finally {
    for (const ours of processes) ours.close();
  }
}
