/** Not yet in the library that this project compiles against (ES2024). */
type WaitAsync = (words: Int32Array, at: number, value: number) => { async: boolean; value: Promise<string> | string };
const { waitAsync } = Atomics as unknown as { waitAsync: WaitAsync };

/** How long one wait lasts before its reason is looked at again all the same. */
const LOOK_AGAIN_MS = 100;

/** Waits on a word of shared memory that another thread raises: without blocking this one. One wait at a time. */
export class SharedWait {
  private readonly words: Int32Array;
  private readonly at: number;
  private waiting: Promise<unknown> | null = null;

  constructor(words: Int32Array, at: number) {
    this.words = words;
    this.at = at;
  }

  /** Until the word is no longer `seen` (Atomics.load of it, before the reason was looked at), at most 100 ms. */
  async until(seen: number): Promise<void> {
    if (!this.waiting) {
      const waiter = waitAsync(this.words, this.at, seen);
      if (!waiter.async) return;
      this.waiting = Promise.resolve(waiter.value).then(() => {
        this.waiting = null;
      });
    }
    let timer: NodeJS.Timeout | undefined;
    const later = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LOOK_AGAIN_MS);
    });
    await Promise.race([this.waiting, later]);
    clearTimeout(timer);
  }
}

/** The same for a thread that may block. */
export function blockUntil(words: Int32Array, at: number, seen: number): void {
  Atomics.wait(words, at, seen, LOOK_AGAIN_MS);
}

/** Tells whoever waits on the word. */
export function raise(words: Int32Array, at: number): void {
  Atomics.add(words, at, 1);
  Atomics.notify(words, at);
}
