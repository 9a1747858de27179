/** The last `capacity` things, oldest first; `total` counts all that ever came, so that a reader knows what it has not seen. */
export class Ring<T> {
  private readonly slots: T[] = [];
  total = 0;

  constructor(readonly capacity: number) {}

  get length(): number {
    return this.slots.length;
  }

  push(value: T): void {
    this.slots[this.total % this.capacity] = value;
    this.total++;
  }

  /** @param age 0: the newest */
  fromEnd(age: number): T | undefined {
    if (age < 0 || age >= this.slots.length) return undefined;
    return this.slots[(this.total - 1 - age) % this.capacity];
  }

  /** Newest first. */
  *newest(): Generator<T> {
    for (let age = 0; age < this.slots.length; age++) yield this.fromEnd(age) as T;
  }

  /** The newest that passes. */
  last(passes: (value: T) => boolean): T | undefined {
    for (const value of this.newest()) if (passes(value)) return value;
    return undefined;
  }

  clear(): void {
    this.slots.length = 0;
    this.total = 0;
  }
}
