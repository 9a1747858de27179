import { UsageError } from '../../common/errors.ts';
import { splitGain } from '../../link/session/gain-control.ts';
import { openRadio } from '../../radio/open-radio.ts';
import { loadProfile, type ProfileName, profileCapabilities, type RadioProfile } from '../../radio/profile.ts';
import type { GainStage, Radio, StreamRequest, TxStream } from '../../radio/radio.ts';
import { parseAllowedBands } from '../../radio/safety/bands.ts';
import { PermittedTx } from '../../radio/safety/permitted-tx.ts';
import {
  checkTransmission,
  radiates,
  type Transmission,
  type TransmitPermission,
  type TransmitRules,
} from '../../radio/safety/transmit-permission.ts';
import { parseRadioUri, type RadioUri } from '../../radio/uri.ts';
import type { LinkCodec } from '../config/link-codecs.ts';
import { type LinkConfig, linkInputSchema, occupiedHz, resolveLinkConfig } from '../config/link-config.ts';
import { type LinkSetup, setupLink } from '../config/link-setup.ts';

/** One end of a link by radio: the board, how the modem is set up for it, and what is asked of its streams. */
export interface RadioEnd {
  /** As it was given. */
  readonly name: string;
  readonly uri: RadioUri;
  readonly profile: RadioProfile;
  readonly config: LinkConfig;
  readonly setup: LinkSetup;
  readonly request: StreamRequest;
  /** Whether it puts anything on the air or on a cable. */
  readonly board: boolean;
  /** Whether the program may change its receive gain. */
  readonly ownGain: boolean;
}

/** Gains with which a board begins where none are named, dB: at most START_OUTPUT_DBM, and the middle of the range. */
const DEFAULT_TX_DB: Readonly<Record<string, number>> = { hackrf: 23, pluto: -30 };
const DEFAULT_RX_DB: Readonly<Record<string, number>> = { hackrf: 40, pluto: 30 };

/**
 * An end of a link on a radio. UsageError where the board's rate does not carry the numerology, a gain is out of range, or a
 * board was given no frequency.
 */
export function radioEnd(config: LinkConfig, name: string, direction: 'rx' | 'tx', coding: LinkCodec | null): RadioEnd {
  const uri = parseRadioUri(name);
  const board = radiates(uri);
  const profileName = profileOf(uri, config.profile);
  const own = configOf(config, profileName);
  const setup = setupLink(own, null, coding);
  const profile = loadProfile(profileName);
  const { loOffsetHz, deviceRateHz } = setup.frontend;
  const most = profile.limits.maxContinuousRateHz.value;
  if (board && direction === 'rx' && deviceRateHz > most) {
    throw new UsageError(
      `${name} receives ${most / 1e6} Msps without gaps; numerology ${own.numerology} needs ${deviceRateHz / 1e6} Msps`,
      'give a smaller --numerology (6 or 15)',
    );
  }
  if (board && own.frequencyHz === undefined) {
    throw new UsageError(`${name}: no frequency`, 'give -f HZ, the centre of the signal');
  }
  const given = direction === 'tx' ? own.txGainDb : own.rxGainDb;
  const inUri = uri.kind === 'hackrf' && Object.keys(uri.options).some((key) => key !== 'ppm');
  const stages = profileCapabilities(profile).gains.filter((g) => g.direction === direction && g.step < g.max - g.min);
  const fallback = (direction === 'tx' ? DEFAULT_TX_DB : DEFAULT_RX_DB)[profileName];
  const asked = given ?? (direction === 'rx' && inUri ? undefined : fallback);
  return {
    name,
    uri,
    profile,
    config: own,
    setup,
    board,
    ownGain: board && direction === 'rx' && given === undefined && !inUri,
    request: {
      rateHz: deviceRateHz,
      ...(own.frequencyHz === undefined ? {} : { frequencyHz: own.frequencyHz + (board ? loOffsetHz : 0) }),
      ...(board && asked !== undefined ? { gainsDb: gainsOf(name, direction, stages, asked) } : {}),
    },
  };
}

/**
 * By what right an end may transmit; null for one that reaches no air. TransmitRefused (exit 2) where it may not.
 *
 * @param receiver the board at the other end of the cable; null where it is on another host
 */
export function permissionOf(end: RadioEnd, receiver: RadioProfile | null): TransmitPermission | null {
  if (!end.board) return null;
  const { transmission, rules } = permissionRequest(end, receiver);
  return checkTransmission(transmission, rules);
}

/** UsageError where both ends are one board that cannot send and receive at once. */
export function checkEnds(tx: RadioEnd, rx: RadioEnd): void {
  if (tx.uri.kind !== 'hackrf' || tx.name !== rx.name) return;
  throw new UsageError(
    `${tx.name}: a HackRF is half-duplex, so that it cannot hear what it sends`,
    'name another board as the receiver (sct devices lists those that are there)',
  );
}

/** The transmitter of an end, kept within its permission while it is open; as it is where it reaches no air. */
export function permittedTx(end: RadioEnd, receiver: RadioProfile | null, tx: TxStream): TxStream {
  return end.board ? new PermittedTx(tx, permissionRequest(end, receiver)) : tx;
}

/** The same end with other gains. */
export function withGains(end: RadioEnd, gainsDb: Readonly<Record<string, number>>): RadioEnd {
  return { ...end, request: { ...end.request, gainsDb } };
}

/** What an end may send and by which rules, as checkTransmission takes it. */
export function permissionRequest(
  end: RadioEnd,
  receiver: RadioProfile | null,
): { transmission: Transmission; rules: TransmitRules } {
  const { config, setup, profile, request } = end;
  return {
    transmission: {
      profile,
      loHz: request.frequencyHz!,
      offsetHz: -setup.frontend.loOffsetHz,
      occupiedHz: occupiedHz(setup.numerology),
      gainsDb: request.gainsDb ?? {},
    },
    rules: { cabledDb: config.cabledDb ?? null, allowedBands: parseAllowedBands(config.allowedBands), receiver },
  };
}

function profileOf(uri: RadioUri, fallback: ProfileName): ProfileName {
  if (uri.kind === 'hackrf') return 'hackrf';
  if (uri.kind === 'pluto-usb' || uri.kind === 'pluto-ip') return 'pluto';
  return fallback;
}

/** The configuration with the board's rate and format, unless a rate was given. */
function configOf(config: LinkConfig, profile: ProfileName): LinkConfig {
  const keys = Object.keys(linkInputSchema.shape);
  const {
    rateHz,
    sampleFormat: _,
    ...rest
  } = Object.fromEntries(Object.entries(config).filter(([key]) => keys.includes(key))) as unknown as LinkConfig;
  const usual = resolveLinkConfig(rest).rateHz;
  return resolveLinkConfig({ ...rest, profile, ...(rateHz === usual ? {} : { rateHz }) });
}

/** A receive gain shared out over a board's stages, amplifiers that are on or off left out. UsageError out of range or off the steps. */
export function receiveGains(name: string, gains: readonly GainStage[], totalDb: number): Record<string, number> {
  return gainsOf(
    name,
    'rx',
    gains.filter((g) => g.direction === 'rx' && g.step < g.max - g.min),
    totalDb,
  );
}

function gainsOf(name: string, direction: 'rx' | 'tx', stages: readonly GainStage[], totalDb: number) {
  const min = stages.reduce((sum, s) => sum + s.min, 0);
  const max = stages.reduce((sum, s) => sum + s.max, 0);
  if (!(totalDb >= min && totalDb <= max)) {
    throw new UsageError(`--${direction}-gain ${totalDb} dB is out of range for ${name}: allowed ${min} to ${max} dB`);
  }
  const gainsDb = splitGain(stages, totalDb);
  const set = Object.values(gainsDb).reduce((a, b) => a + b, 0);
  if (Math.abs(set - totalDb) > 1e-6) {
    throw new UsageError(
      `--${direction}-gain ${totalDb} dB is not possible on ${name}`,
      `${set} dB is the nearest below`,
    );
  }
  return gainsDb;
}

/** The radios of two ends; one radio where both name the same. */
export async function openRadios(tx: RadioEnd, rx: RadioEnd): Promise<{ tx: Radio; rx: Radio }> {
  const fields = { 'sct:numerology': tx.config.numerology, 'sct:lo_offset_hz': tx.setup.frontend.loOffsetHz };
  const file = { format: tx.setup.format, fullScale: tx.setup.fullScale, overwrite: true, capture: { fields } };
  const sending = await openRadio(tx.uri, { file });
  if (tx.name === rx.name && tx.board) return { tx: sending, rx: sending };
  try {
    return { tx: sending, rx: await openRadio(rx.uri) };
  } catch (error) {
    await sending.close();
    throw error;
  }
}
