import { splitGain } from '../../link/session/gain-control.ts';
import { profileCapabilities, type RadioProfile } from '../../radio/profile.ts';
import type { TxStream } from '../../radio/radio.ts';
import { emissionSpan } from '../../radio/safety/occupied-band.ts';
import { PowerRise } from '../../radio/safety/power-rise.ts';
import { checkTransmission, TransmitRefused } from '../../radio/safety/transmit-permission.ts';
import { permissionRequest, type RadioEnd } from './radio-end.ts';

/** SNR at which the power rises no further, dB: what 64QAM needs, with room for a fade. */
export const WANTED_SNR_DB = 20;
/** Rises in a row that bring nothing before it is left at that: the noise is then the boards' own. */
const IDLE_RISES = 2;
/** A rise that brings less than this brings nothing, dB. */
const LEAST_USE_DB = 1;

/** What the far end made of a sounding. */
export interface HeardSounding {
  readonly snrDb: number;
  /** Its converter was at its limit, and its gain cannot go lower. */
  readonly clipped: boolean;
  /** Level at its connector, dBm; null where it cannot tell. */
  readonly receivedDbm: number | null;
}

/** How the transmit power of a session was found, for run.json and the report. */
export interface PowerFacts {
  readonly startGainDb: number;
  readonly finalGainDb: number;
  /** The strongest gain that permission and receiver allow. */
  readonly ceilingGainDb: number;
  readonly soundings: number;
  readonly why: string;
}

/**
 * The transmit power of a session: low at first, raised after soundings that are not heard or too weakly until the SNR is there or the strongest
 * permitted gain is. PermittedTx checks every step again.
 */
export class PowerKeeper {
  private readonly rise: PowerRise;
  private readonly ceilingGainDb: number;
  private readonly wantedSnrDb: number;
  private readonly startGainDb: number;
  private lastSnrDb: number | null = null;
  private idleRises = 0;
  private soundings = 0;
  private why: string | null = null;

  constructor(rise: PowerRise, ceilingGainDb: number, wantedSnrDb = WANTED_SNR_DB) {
    this.rise = rise;
    this.ceilingGainDb = ceilingGainDb;
    this.wantedSnrDb = wantedSnrDb;
    this.startGainDb = sumOf(rise.gainsDb);
  }

  get gainsDb(): Readonly<Record<string, number>> {
    return this.rise.gainsDb;
  }

  /** Takes what became of a sounding; true: the gain was changed, and another sounding should follow. */
  async settle(tx: Pick<TxStream, 'setGains'>, heard: HeardSounding | null): Promise<boolean> {
    this.soundings++;
    if (this.why !== null) return false;
    if (!tx.setGains) return this.stop('the radio cannot change its gain while it is open');
    const before = this.rise.gainsDb;
    const { wantedSnrDb } = this;
    if (heard?.clipped) {
      this.rise.heard({ ...heard, wantedSnrDb });
      this.stop("the receiver's converter was at its limit");
    } else if (heard && heard.snrDb >= wantedSnrDb) {
      this.rise.heard({ ...heard, wantedSnrDb });
      return this.stop(`SNR ${heard.snrDb.toFixed(1)} dB, wanted ${wantedSnrDb} dB`);
    } else if (this.rise.atCeiling) {
      const snr = heard ? `SNR ${heard.snrDb.toFixed(1)} dB` : 'not heard';
      return this.stop(`the strongest gain that is permitted (${snr})`);
    } else if (heard) {
      const useless = this.lastSnrDb !== null && heard.snrDb < this.lastSnrDb + LEAST_USE_DB;
      this.idleRises = useless ? this.idleRises + 1 : 0;
      if (this.idleRises >= IDLE_RISES) return this.stop(`more brings no more SNR than ${heard.snrDb.toFixed(1)} dB`);
      this.lastSnrDb = heard.snrDb;
      this.rise.heard({ ...heard, wantedSnrDb });
    } else this.rise.notHeard();
    if (sumOf(before) === sumOf(this.rise.gainsDb)) return false;
    await tx.setGains(this.rise.gainsDb);
    return true;
  }

  /** It is heard well enough, as is known without a sounding: nothing is changed any more. */
  enough(why: string): void {
    this.why ??= why;
  }

  facts(): PowerFacts {
    const { startGainDb, ceilingGainDb, soundings } = this;
    const why = this.why ?? 'no further soundings';
    return { startGainDb, finalGainDb: sumOf(this.rise.gainsDb), ceilingGainDb, soundings, why };
  }

  private stop(why: string): false {
    this.why = why;
    return false;
  }
}

/** One line: "transmit gain 23 dB, raised to 41 dB: SNR 21.3 dB, wanted 20 dB". */
export function describePower({ startGainDb, finalGainDb, ceilingGainDb, why }: PowerFacts): string {
  const moved =
    finalGainDb === startGainDb ? '' : `, ${finalGainDb > startGainDb ? 'raised' : 'lowered'} to ${finalGainDb} dB`;
  return `transmit gain ${startGainDb} dB${moved} (at most ${ceilingGainDb} dB): ${why}`;
}

/**
 * The power of an end that transmits; null for one that reaches no air, and where the user named the gain.
 *
 * @param receiver the board at the other end of the cable; null where it is on another host
 * @param wantedSnrDb of an attenuator that takes the rest away again; less than the usual one changes nothing
 */
export function powerOf(end: RadioEnd, receiver: RadioProfile | null, wantedSnrDb = 0): PowerKeeper | null {
  if (!end.board || end.config.txGainDb !== undefined) return null;
  const { transmission, rules } = permissionRequest(end, receiver);
  const { profile } = end;
  const stages = profileCapabilities(profile).gains.filter((g) => g.direction === 'tx' && g.step < g.max - g.min);
  const startDb = sumOf(end.request.gainsDb ?? {});
  const stepDb = Math.max(...stages.map((s) => s.step), 0.25);
  let ceiling = end.request.gainsDb ?? {};
  for (let totalDb = stages.reduce((sum, s) => sum + s.max, 0); totalDb > startDb; totalDb -= stepDb) {
    const gainsDb = splitGain(stages, totalDb);
    if (!isPermitted(() => checkTransmission({ ...transmission, gainsDb }, rules))) continue;
    ceiling = gainsDb;
    break;
  }
  const span = emissionSpan(transmission, profile.frontEnd.clockTolerancePpm.value);
  const rise = new PowerRise(profile, span, ceiling, { cabledDb: rules.cabledDb });
  return new PowerKeeper(rise, sumOf(ceiling), Math.max(WANTED_SNR_DB, wantedSnrDb));
}

function isPermitted(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof TransmitRefused) return false;
    throw error;
  }
}

function sumOf(gainsDb: Readonly<Record<string, number>>): number {
  return Object.values(gainsDb).reduce((sum, gainDb) => sum + gainDb, 0);
}
