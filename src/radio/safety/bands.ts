import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { FormatError, UsageError } from '../../common/errors.ts';
import { findHardwareFile } from '../profile.ts';
import type { Span } from './occupied-band.ts';
import { formatSpan } from './occupied-band.ts';

/** A stretch of spectrum in which the user has said that they may transmit. */
export interface AllowedBand {
  /** `eu:868.0` for a band of hardware/bands, null for the user's own. */
  readonly name: string | null;
  readonly fromHz: number;
  readonly toHz: number;
  /** Largest effective radiated power, dBm; null: not limited here (a licence may). */
  readonly maxErpDbm: number | null;
  /** Share of any hour in the air, 0 to 1; null: not limited. */
  readonly maxDutyCycle: number | null;
  /** Why it is allowed: the rule, the licence, the shielded room. */
  readonly why: string;
}

export const MAX_ALLOWED_BANDS = 64;
const hz = z.number().min(1).max(1e11);

const ownBandSchema = z.strictObject({
  fromHz: hz,
  toHz: hz,
  maxErpDbm: z.number().min(-100).max(60).optional(),
  maxDutyCycle: z.number().positive().max(1).optional(),
  why: z.string().trim().min(3).max(500),
});

const legalFileSchema = z.strictObject({
  schema: z.literal('sct.bands/1'),
  region: z.string().regex(/^[a-z]{2,8}$/),
  about: z.string().min(1),
  bands: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[0-9][0-9a-z.]{0,15}$/),
        fromHz: hz,
        toHz: hz,
        /** As the rule states it. */
        limit: z.strictObject({
          value: z.number().positive(),
          unit: z.enum(['mW e.r.p.', 'mW e.i.r.p.', 'mV/m at 3 m']),
        }),
        maxDutyCycle: z.number().positive().max(1).nullable(),
        conditions: z.string().min(1),
        basis: z.enum(['documented', 'unchecked']),
        source: z.string().min(10),
      }),
    )
    .min(1)
    .max(MAX_ALLOWED_BANDS),
});

export type LegalBandFile = z.infer<typeof legalFileSchema>;
export type LegalBand = LegalBandFile['bands'][number];

/** Files of hardware/bands. None of their bands is allowed until the user names it. */
export const BAND_REGIONS = ['eu', 'us'] as const;

/**
 * Reads the `allowedBands` of a config file: a list of names of hardware/bands (`eu:868.0`) and of the user's own stretches
 * `{fromHz, toHz, maxErpDbm?, maxDutyCycle?, why}`. Absent means none. FormatError naming the entry and the field.
 */
export function parseAllowedBands(value: unknown, field = 'allowedBands'): AllowedBand[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new FormatError(field, 'is not a list');
  if (value.length > MAX_ALLOWED_BANDS) throw new FormatError(field, `has more than ${MAX_ALLOWED_BANDS} entries`);
  return value.map((entry: unknown, i) => parseEntry(entry, `${field}[${i}]`));
}

/** The band of a name such as `eu:868.0`. UsageError listing the names there are. */
export function legalBand(name: string): AllowedBand {
  const [region, band] = name.split(':', 2);
  const known = BAND_REGIONS.find((candidate) => candidate === region);
  const file = known ? loadLegalBands(known) : null;
  const found = file?.bands.find((candidate) => candidate.name === band);
  if (!file || !found) {
    const names = BAND_REGIONS.flatMap((r) => loadLegalBands(r).bands.map((b) => `${r}:${b.name}`));
    throw new UsageError(`no band "${name.slice(0, 40)}" in hardware/bands; there are: ${names.join(', ')}`);
  }
  return {
    name: `${file.region}:${found.name}`,
    fromHz: found.fromHz,
    toHz: found.toHz,
    maxErpDbm: limitErpDbm(found.limit),
    maxDutyCycle: found.maxDutyCycle,
    why: found.source,
  };
}

/** Loads `hardware/bands/REGION.json`. */
export function loadLegalBands(region: (typeof BAND_REGIONS)[number]): LegalBandFile {
  return parseLegalBands(JSON.parse(readFileSync(findHardwareFile(`bands/${region}.json`), 'utf8')));
}

/** Checks the contents of a file of hardware/bands; a FormatError names the wrong field. */
export function parseLegalBands(json: unknown): LegalBandFile {
  const result = legalFileSchema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new FormatError(issue.path.join('.') || 'bands', issue.message);
  }
  result.data.bands.forEach((band, i) => {
    if (!(band.toHz > band.fromHz)) throw new FormatError(`bands.${i}.toHz`, 'is not above fromHz');
  });
  return result.data;
}

/**
 * A limit as effective radiated power, dBm. EIRP is 2.15 dB more than ERP. A field strength E at distance d in free space belongs to
 * EIRP = (E d)^2 / 30 ohm: 50 mV/m at 3 m is 0.75 mW.
 */
export function limitErpDbm(limit: LegalBand['limit']): number {
  switch (limit.unit) {
    case 'mW e.r.p.':
      return 10 * Math.log10(limit.value);
    case 'mW e.i.r.p.':
      return 10 * Math.log10(limit.value) - 2.15;
    case 'mV/m at 3 m':
      return 10 * Math.log10(((limit.value * 1e-3 * 3) ** 2 / 30) * 1e3) - 2.15;
  }
}

/** "868 to 868.6 MHz (eu:868.0)". */
export function describeBand(band: AllowedBand): string {
  return `${formatSpan(bandSpan(band))}${band.name ? ` (${band.name})` : ''}`;
}

export function bandSpan(band: AllowedBand): Span {
  return { lowHz: band.fromHz, highHz: band.toHz };
}

function parseEntry(entry: unknown, field: string): AllowedBand {
  if (typeof entry === 'string') {
    try {
      return legalBand(entry);
    } catch (error) {
      throw new FormatError(field, error instanceof Error ? error.message : String(error));
    }
  }
  const result = ownBandSchema.safeParse(entry);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new FormatError([field, ...issue.path].join('.'), issue.message);
  }
  const { fromHz, toHz, maxErpDbm, maxDutyCycle, why } = result.data;
  if (!(toHz > fromHz)) throw new FormatError(`${field}.toHz`, `is not above fromHz: ${fromHz} to ${toHz} Hz`);
  return { name: null, fromHz, toHz, maxErpDbm: maxErpDbm ?? null, maxDutyCycle: maxDutyCycle ?? null, why };
}
