/** Time as the waiting code sees it; injected in tests. */
export interface WaitClock {
  nowMs(): number;
  sleep(ms: number): Promise<void>;
}

export const systemClock: WaitClock = {
  nowMs: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
