import { inRange, UsageError } from '../../common/errors.ts';

/** A board of relays that switch RF paths. Channels count from 1. */
export interface Relay {
  readonly channels: number;
  /** Switches and, where the board can tell, reads back: InstrumentError of kind refused if it did not. */
  set(channel: number, on: boolean): Promise<void>;
  /** The state that the board tells; null where it has no way to tell. */
  read(channel: number): Promise<boolean | null>;
  /** Every relay without current: the rest position of the wiring. */
  allOff(): Promise<void>;
  /** Leaves the relays where they are. Safe to call twice. */
  close(): Promise<void>;
  describe(): string;
}

/** Refuses a channel that the board does not have. */
export function checkChannel(channel: number, channels: number): number {
  if (!Number.isInteger(channel)) throw new UsageError(`relay channel ${channel} is not a whole number`);
  return inRange('relay channel', channel, 1, channels);
}
