/** State of a GPS-disciplined oscillator, as logged beside a capture. */
export interface GpsdoStatus {
  readonly identity: string;
  readonly satellitesTracked: number;
  /** Its oscillator follows the satellites. */
  readonly locked: boolean;
  readonly holdover: {
    readonly active: boolean;
    /** Of this holdover, or of the last one, s. */
    readonly durationS: number;
  };
  /** Its pulse per second minus that of the satellites, s. */
  readonly timeIntervalS: number;
  /** Bits of what is wrong, 0: nothing; null where the instrument does not tell. */
  readonly healthBits: number | null;
}

export interface Gpsdo {
  readonly identity: string;
  status(): Promise<GpsdoStatus>;
  /** Safe to call twice. */
  close(): Promise<void>;
  describe(): string;
}

/** What keeps a GPSDO from being a reference; null where nothing does. */
export function gpsdoTrouble(status: GpsdoStatus): string | null {
  if (status.holdover.active) return `in holdover for ${status.holdover.durationS} s`;
  if (!status.locked) return 'not locked';
  if (status.healthBits !== null && status.healthBits !== 0) return `health 0x${status.healthBits.toString(16)}`;
  return null;
}
