import type { Numerology } from '../../phy/numerology.ts';
import { loadProfile, type ProfileName } from '../../radio/profile.ts';
import type { StreamSettings } from '../../radio/radio.ts';
import { parseRadioUri } from '../../radio/uri.ts';
import { type LinkConfig, occupiedHz } from '../config/link-config.ts';
import type { Json } from '../run/canonical-json.ts';
import type { BudgetEnd, BudgetFacts } from './link-budget.ts';

/** What a run directory says of the link that it recorded; of a recording alone nothing is known. */
export interface RecordedLink {
  readonly modelled: boolean;
  readonly known: boolean;
  /** `device` of run.json, as it was read. */
  readonly device: { readonly [key: string]: Json } | null;
}

/**
 * Link budget of a recording: the SNR that a model was asked for; of radios the sender as run.json has it, and the receiver by its profile and the gains
 * that stand in the recording.
 */
export function recordedBudget(
  config: Pick<LinkConfig, 'snrDb' | 'profile' | 'cabledDb'>,
  { modelled, known, device }: RecordedLink,
  n: Numerology,
  loOffsetHz: number,
  settings: Pick<StreamSettings, 'gainsDb' | 'frequencyHz'>,
): BudgetFacts {
  const band = { occupiedHz: occupiedHz(n), offsetHz: -loOffsetHz };
  if (modelled || !known) {
    return { tx: null, rx: null, cabledDb: null, askedSnrDb: modelled ? config.snrDb : null, ...band };
  }
  const attenuator = objectOf(device?.attenuator);
  const attenuationDb = typeof attenuator.attenuationDb === 'number' ? attenuator.attenuationDb : 0;
  return {
    tx: senderOf(objectOf(device?.tx)),
    rx: config.profile === 'loopback' ? null : { profile: loadProfile(config.profile), settings },
    cabledDb: config.cabledDb === undefined ? null : config.cabledDb + attenuationDb,
    askedSnrDb: null,
    ...band,
  };
}

/** A sender's board and gains, where run.json has them. */
function senderOf(tx: JsonObject): BudgetEnd | null {
  const { frequencyHz, gainsDb } = objectOf(tx.settings);
  const profile = typeof tx.uri === 'string' ? profileOf(tx.uri) : null;
  const gains = Object.entries(objectOf(gainsDb)).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  if (profile === null || typeof frequencyHz !== 'number' || gains.length === 0) return null;
  return { profile: loadProfile(profile), settings: { frequencyHz, gainsDb: Object.fromEntries(gains) } };
}

function profileOf(uri: string): ProfileName | null {
  try {
    const { kind } = parseRadioUri(uri);
    return kind === 'hackrf' ? 'hackrf' : kind === 'pluto-usb' || kind === 'pluto-ip' ? 'pluto' : null;
  } catch {
    return null;
  }
}

type JsonObject = { readonly [key: string]: Json | undefined };

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
