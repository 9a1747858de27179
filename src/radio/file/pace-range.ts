/** Capture time that passes in a second, and how often a capture is played: what a URI may ask for. */
export const PACE_RANGE = { min: 0.001, max: 1000 } as const;
export const LOOPS_RANGE = { min: 1, max: 1_000_000 } as const;
