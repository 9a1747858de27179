/** A few things that are dear to make, by name; the one that was not asked for the longest goes first. */
export class Kept<T> {
  private readonly entries = new Map<string, Promise<T>>();
  private readonly most: number;

  constructor(most: number) {
    this.most = most;
  }

  /** What was made under this name, or is made now; what failed is tried again when it is next asked for. */
  async get(name: string, make: () => Promise<T>): Promise<T> {
    const known = this.entries.get(name);
    const entry = known ?? make();
    this.entries.delete(name);
    this.entries.set(name, entry);
    if (this.entries.size > this.most) this.entries.delete(this.entries.keys().next().value!);
    try {
      return await entry;
    } catch (error) {
      if (this.entries.get(name) === entry) this.entries.delete(name);
      throw error;
    }
  }

  clear(): void {
    this.entries.clear();
  }
}
