import { NoSignalError } from '../../common/errors.ts';
import { fromDb, toDb } from '../../common/units.ts';
import type { Air } from '../../link/session/air.ts';
import type { SenderSession } from '../../link/session/sender.ts';
import type { Attenuator } from '../../radio/instruments/attenuator.ts';
import { type SnrReference, setSnr } from '../../radio/instruments/cabled-snr.ts';
import type { LinkTrace } from '../metrics/link-trace.ts';

/** Soundings that an SNR is measured by: their mean is within 0.1 dB. */
const SOUNDINGS = 3;
/** Corrections after the first setting. Where more than noise limits the SNR, each one takes off only what is above the wanted one. */
const MOST_CORRECTIONS = 12;
/** Longest wait for a sounding, s of the receiver's stream. */
const WAIT_S = 0.5;

/** How the SNR of a link on a cable was set, for run.json. */
export interface SnrSettingFacts {
  readonly attenuator: string;
  readonly wantedSnrDb: number;
  /** Read back. */
  readonly attenuationDb: number;
  /** By soundings at this attenuation and these gains; null where they were not heard. */
  readonly measuredSnrDb: number | null;
  /** With the attenuator at its least. */
  readonly reference: SnrReference;
  readonly corrections: number;
}

/** What a setter needs of a link that is open and has set its gains. */
export interface SoundedLink {
  readonly sender: Pick<SenderSession, 'soundOnce'>;
  readonly trace: Pick<LinkTrace, 'bursts'>;
  readonly air: Air;
  /** Sets the receive gain anew for what now arrives; the transmitter's stays. */
  regain(): Promise<void>;
}

/**
 * Sets the SNR of a link on a cable by a step attenuator between the boards. The attenuator begins at its least (--cabled alone protects the receiver), where the transmit
 * power is found; then it is raised until the measured SNR is the wanted one to the nearest step:
 *
 *     A' = A + SNR_measured - SNR_wanted,    again from what is then measured, until A' = A.
 */
export class SnrSetter {
  readonly uri: string;
  readonly wantedSnrDb: number;
  private readonly attenuator: Attenuator;
  private found: SnrSettingFacts | null = null;

  /** @param uri as it was given, for the record */
  constructor(attenuator: Attenuator, uri: string, wantedSnrDb: number) {
    this.uri = uri;
    this.attenuator = attenuator;
    this.wantedSnrDb = wantedSnrDb;
  }

  /** To be called before the first burst. */
  async open(): Promise<void> {
    await this.attenuator.set(this.attenuator.rangeDb.min);
  }

  /** UsageError with the SNRs that can be had where the wanted one is not among them. NoSignalError where nothing is heard even at the least attenuation. */
  async settle(link: SoundedLink): Promise<void> {
    const { attenuator, wantedSnrDb } = this;
    const snrDb = await measureSnr(link);
    if (snrDb === null) {
      throw new NoSignalError(
        `nothing is heard with ${attenuator.model} at ${attenuator.rangeDb.min} dB`,
        'is it between the boards, and the cable on the right connectors?',
      );
    }
    const reference: SnrReference = { attenuationDb: attenuator.rangeDb.min, snrDb };
    let from = reference;
    let measuredSnrDb: number | null = snrDb;
    let corrections = 0;
    for (; corrections <= MOST_CORRECTIONS; corrections++) {
      const { attenuationDb } = await setSnr(attenuator, from, wantedSnrDb);
      if (attenuationDb === from.attenuationDb) break;
      await link.regain();
      measuredSnrDb = await measureSnr(link);
      from = { attenuationDb, snrDb: measuredSnrDb ?? from.snrDb + from.attenuationDb - attenuationDb };
      // Too weak to be heard is too weak to be corrected.
      if (measuredSnrDb === null) break;
    }
    const attenuationDb = from.attenuationDb;
    this.found = { attenuator: attenuator.model, wantedSnrDb, attenuationDb, measuredSnrDb, reference, corrections };
  }

  facts(): SnrSettingFacts | null {
    return this.found;
  }
}

/** Mean SNR (of power ratios) of a few soundings, dB; null where fewer than half are heard. */
async function measureSnr({ sender, trace }: SoundedLink): Promise<number | null> {
  const heard: number[] = [];
  for (let i = 0; i < SOUNDINGS; i++) {
    let snrDb: number | undefined;
    await sender.soundOnce(WAIT_S, (number) => {
      snrDb = trace.bursts.findLast((b) => b.burst === number && b.use === 'sounding')?.snrDb;
      return snrDb !== undefined;
    });
    if (snrDb !== undefined) heard.push(fromDb(snrDb));
  }
  return heard.length * 2 > SOUNDINGS ? toDb(heard.reduce((a, b) => a + b, 0) / heard.length) : null;
}

/** One line: "SNR 15.1 dB (wanted 15 dB) with DC-6GHZ-90DB-V3 at 22.75 dB". */
export function describeSnrSetting({ attenuator, wantedSnrDb, attenuationDb, measuredSnrDb }: SnrSettingFacts): string {
  const measured = measuredSnrDb === null ? 'SNR not measured' : `SNR ${measuredSnrDb.toFixed(1)} dB`;
  return `${measured} (wanted ${wantedSnrDb} dB) with ${attenuator} at ${attenuationDb} dB`;
}
