import { inRange, UsageError } from '../../common/errors.ts';
import { formatSi } from '../../common/units.ts';
import type { RadioProfile } from '../profile.ts';
import type { RadioUri } from '../uri.ts';
import { type AllowedBand, bandSpan, describeBand } from './bands.ts';
import { MAX_CABLED_ATTENUATION_DB, MAX_CABLED_INPUT_DBM } from './cable-limits.ts';
import { type Emission, emissionSpan, formatSpan, type Span, spanInside } from './occupied-band.ts';
import { cabledInputDbm, DIPOLE_GAIN_DBI, erpDbm, outputBoundDbm } from './output-level.ts';

/** What is about to be sent. */
export interface Transmission extends Emission {
  /** The transmitting board. */
  readonly profile: RadioProfile;
  /** Gains of its transmit stages; those not named stand at their minimum. */
  readonly gainsDb: Readonly<Record<string, number>>;
  /** Error of its clock either way, ppm; default the profile's tolerance. */
  readonly clockErrorPpm?: number;
}

/** What the user has said about where it goes. */
export interface TransmitRules {
  /** Attenuation between the boards as promised by --cabled, dB; null: an antenna. */
  readonly cabledDb: number | null;
  /** The config's allowedBands. */
  readonly allowedBands: readonly AllowedBand[];
  /** The receiving board, where it is known; null: on another host. */
  readonly receiver: RadioProfile | null;
  /** Default that of a half-wave dipole, 2.15 dBi. */
  readonly antennaGainDbi?: number;
}

export type TransmitPermission =
  | {
      readonly kind: 'cabled';
      readonly span: Span;
      readonly attenuationDb: number;
      /** Upper bound at the transmitter's connector. */
      readonly outputDbm: number;
      /** Upper bound at the receiver's connector, and the limit it was held against. */
      readonly receiverDbm: number;
      readonly limitDbm: number;
    }
  | {
      readonly kind: 'band';
      readonly span: Span;
      readonly band: AllowedBand;
      readonly outputDbm: number;
      readonly erpDbm: number;
    };

/** Nothing may be sent like this. Exit code 2; the hint says what would be allowed. */
export class TransmitRefused extends UsageError {}

/** Whether a radio puts anything on the air or on a cable: a board does, a file and the loopback do not. */
export function radiates(uri: RadioUri): boolean {
  return uri.kind !== 'file' && uri.kind !== 'loopback';
}

/**
 * Says by what right a transmission may happen, or throws TransmitRefused. With --cabled DB: the bound of the output minus the attenuation is
 * at most -10 dBm and at most what the receiver stands. Without: the span (occupied band, carrier at the LO, clock error) lies inside one allowed
 * band, or inside several that touch, and the bound of the ERP is at most the lowest limit among them.
 */
export function checkTransmission(transmission: Transmission, rules: TransmitRules): TransmitPermission {
  const { profile } = transmission;
  const clockErrorPpm = transmission.clockErrorPpm ?? profile.frontEnd.clockTolerancePpm.value;
  const span = emissionSpan(transmission, clockErrorPpm);
  const outputDbm = outputBoundDbm(profile, span, transmission.gainsDb);
  if (rules.cabledDb !== null) return cabled(profile, span, outputDbm, rules.cabledDb, rules.receiver);
  if (rules.allowedBands.length === 0) {
    throw new TransmitRefused(
      `${profile.board} may not transmit: no band is allowed and no --cabled attenuation is given`,
      'give --cabled DB for boards on a cable, or name an allowed band in the config (allowedBands, see hardware/bands)',
    );
  }
  const band = bandHolding(span, rules.allowedBands);
  if (!band) {
    const mirror = transmission.offsetHz === 0 ? '' : `; the LO leaks at ${formatSi(transmission.loHz, 9)}Hz`;
    throw new TransmitRefused(
      `${formatSpan(span)} (occupied band, LO and clock error) is not inside an allowed band${mirror}`,
      `allowed: ${rules.allowedBands.map(describeBand).join(', ')}`,
    );
  }
  const radiatedDbm = erpDbm(outputDbm, rules.antennaGainDbi ?? DIPOLE_GAIN_DBI);
  if (band.maxErpDbm !== null && radiatedDbm > band.maxErpDbm) {
    throw new TransmitRefused(
      `up to ${radiatedDbm.toFixed(1)} dBm ERP at these gains; ${describeBand(band)} allows ${band.maxErpDbm.toFixed(2)} dBm`,
      `take at least ${(Math.ceil((radiatedDbm - band.maxErpDbm) * 10 - 1e-9) / 10).toFixed(1)} dB off the transmit gain`,
    );
  }
  return { kind: 'band', span, band, outputDbm, erpDbm: radiatedDbm };
}

/** The input limit of a receiver on a cable, dBm: -10, or less where the board stands less. */
export function cabledLimitDbm(receiver: RadioProfile | null): number {
  return Math.min(MAX_CABLED_INPUT_DBM, receiver?.limits.maxInputDbm.value ?? MAX_CABLED_INPUT_DBM);
}

/** "cabled, 40 dB: at most -25.0 dBm at the receiver (limit -10 dBm)" or the band with the ERP. */
export function describePermission(permission: TransmitPermission): string {
  if (permission.kind === 'cabled') {
    const { attenuationDb, receiverDbm, limitDbm } = permission;
    return `cabled, ${attenuationDb} dB: at most ${receiverDbm.toFixed(1)} dBm at the receiver (limit ${limitDbm} dBm)`;
  }
  const { band, erpDbm: radiatedDbm } = permission;
  const limit = band.maxErpDbm === null ? 'no limit given' : `limit ${band.maxErpDbm.toFixed(2)} dBm`;
  const share = band.maxDutyCycle;
  const duty =
    share === null ? '' : `; ${Number((100 * share).toPrecision(3))} % of any hour, counted in this program alone`;
  return `${describeBand(band)}: at most ${radiatedDbm.toFixed(1)} dBm ERP (${limit})${duty}; ${band.why}`;
}

function cabled(
  profile: RadioProfile,
  span: Span,
  outputDbm: number,
  attenuationDb: number,
  receiver: RadioProfile | null,
): TransmitPermission {
  inRange('--cabled', attenuationDb, 0, MAX_CABLED_ATTENUATION_DB, 'dB');
  const receiverDbm = cabledInputDbm(outputDbm, attenuationDb);
  const limitDbm = cabledLimitDbm(receiver);
  if (receiverDbm > limitDbm) {
    const missingDb = Math.ceil(receiverDbm - limitDbm);
    throw new TransmitRefused(
      `${profile.board} gives up to ${outputDbm.toFixed(1)} dBm at these gains; behind ${attenuationDb} dB the receiver gets up to ${receiverDbm.toFixed(1)} dBm, limit ${limitDbm} dBm`,
      `put ${missingDb} dB more between the boards, or take ${missingDb} dB off the transmit gain`,
    );
  }
  return { kind: 'cabled', span, attenuationDb, outputDbm, receiverDbm, limitDbm };
}

/**
 * The allowed band that holds a span: the one of highest power where several do; else the union of bands that touch or overlap, with the strictest
 * of their limits ((EU) 2019/1345, annex: adjacent bands may be used as one provided the conditions of each are met).
 */
function bandHolding(span: Span, bands: readonly AllowedBand[]): AllowedBand | null {
  const whole = bands.filter((band) => spanInside(span, bandSpan(band)));
  if (whole.length > 0) return whole.reduce((best, band) => (limitOf(band) > limitOf(best) ? band : best));
  const touched = bands
    .filter((band) => band.fromHz <= span.highHz && band.toHz >= span.lowHz)
    .sort((a, b) => a.fromHz - b.fromHz);
  let joined: AllowedBand | null = null;
  for (const band of touched) {
    if (joined === null) joined = band;
    else if (band.fromHz > joined.toHz) return null;
    else joined = join(joined, band);
  }
  return joined && spanInside(span, bandSpan(joined)) ? joined : null;
}

function join(a: AllowedBand, b: AllowedBand): AllowedBand {
  return {
    name: a.name && b.name ? `${a.name}+${b.name}` : null,
    fromHz: a.fromHz,
    toHz: Math.max(a.toHz, b.toHz),
    maxErpDbm: strictest(a.maxErpDbm, b.maxErpDbm),
    maxDutyCycle: strictest(a.maxDutyCycle, b.maxDutyCycle),
    why: `${a.why}; ${b.why}`,
  };
}

function limitOf(band: AllowedBand): number {
  return band.maxErpDbm ?? Number.POSITIVE_INFINITY;
}

function strictest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}
