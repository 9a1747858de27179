/** What a replay can be told. Times in s of the capture. */
export type ReplayCommand =
  | { readonly action: 'pause' | 'resume' | 'step'; readonly value: null }
  | { readonly action: 'seek' | 'speed'; readonly value: number }
  | { readonly action: 'loop'; readonly value: readonly [number, number] | null };

/** Slowest and fastest pace; 0 is as fast as it goes. */
const SPEEDS = [1e-3, 100] as const;
/** Shortest loop, s. */
const SHORTEST_LOOP_S = 1e-3;
const MOST_CHARACTERS = 1000;

/** A replay that is watched lasts so long at least, s, at its first pace. */
const LEAST_S = 5;

/** Pace at which a capture of this length can be followed: its own time, or slower by 2, 5, 10, 20 … where it would be over at once. */
export function watchablePace(spanS: number): number {
  const most = spanS / LEAST_S;
  for (const pace of [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002]) if (pace <= most) return pace;
  return SPEEDS[0];
}

/** The command in a line of JSON; a text that says what is wrong with it otherwise. */
export function parseReplayCommand(line: string, lengthS: number): ReplayCommand | string {
  if (line.length > MOST_CHARACTERS) return `more than ${MOST_CHARACTERS} characters`;
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    return 'not JSON';
  }
  if (typeof read !== 'object' || read === null) return 'not an object';
  const { action, value } = read as { action?: unknown; value?: unknown };
  const within = (v: unknown, min: number, max: number): v is number => typeof v === 'number' && v >= min && v <= max;
  switch (action) {
    case 'pause':
    case 'resume':
    case 'step':
      return { action, value: null };
    case 'seek':
      return within(value, 0, lengthS) ? { action, value } : `seek: from 0 to ${lengthS} s`;
    case 'speed':
      if (value === 0 || within(value, ...SPEEDS)) return { action, value };
      return `speed: from ${SPEEDS[0]} to ${SPEEDS[1]}, or 0 for as fast as it goes`;
    case 'loop': {
      if (value === null || value === undefined) return { action, value: null };
      const [from, to] = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : [];
      return within(from, 0, lengthS) && within(to, from + SHORTEST_LOOP_S, lengthS)
        ? { action, value: [from, to] }
        : `loop: [from, to], ${SHORTEST_LOOP_S} s or more apart, from 0 to ${lengthS} s`;
    }
    default:
      return 'action: pause, resume, step, seek, speed or loop';
  }
}
