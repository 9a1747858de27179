import { z } from 'zod';

/**
 * The SigMF metadata this project reads and writes: the core namespace of SigMF 1.2.5 as far as it concerns a
 * conforming one-channel recording, and the `sct` extension of docs/sigmf-extension.md.
 * Source: [SigMF] v1.2.5, sigmf-schema.json.
 */
export const SIGMF_VERSION = '1.2.5';
export const SCT_EXTENSION = { name: 'sct', version: '0.1.0', optional: true } as const;

/** Bounds on what is read from a metadata file, and so also on what is written. */
export const META_LIMITS = {
  /** Bytes of the .sigmf-meta file. */
  bytes: 32 * 1024 * 1024,
  /** Nesting depth of objects and arrays. */
  depth: 32,
  /** JSON values in the file (counted by their separators): bounds the memory that parsing takes to about 256 MiB. */
  values: 2_000_000,
  captures: 32_768,
  annotations: 32_768,
  /** Characters of one text field. */
  text: 65_536,
  /** Highest sample index; 2^52 keeps sums of two indices exact. */
  index: 2 ** 52,
} as const;

const text = z.string().max(META_LIMITS.text);
const sampleIndex = z.int().min(0).max(META_LIMITS.index);
const frequencyHz = z.number().min(-1e12).max(1e12);
const gainsDb = z.record(z.string().max(64), z.number().min(-1000).max(1000));

const lostBefore = z
  .strictObject({
    /** Nobody listened: a half-duplex radio was sending. */
    deaf: z.boolean().optional(),
    min: sampleIndex,
    max: sampleIndex,
    exact: z.boolean(),
    from: sampleIndex,
    to: sampleIndex,
  })
  .refine((l) => l.min <= l.max && l.from <= l.to && (!l.exact || l.min === l.max), {
    message: 'needs min <= max, from <= to, and min = max where exact',
  });

const globalSchema = z.looseObject({
  'core:datatype': text,
  'core:version': text.regex(/^\d+\.\d+\.\d+/, 'is not a version X.Y.Z'),
  'core:sample_rate': z.number().min(1).max(1e12).optional(),
  'core:num_channels': z.int().min(1).optional(),
  'core:sha512': z
    .string()
    .regex(/^[0-9a-fA-F]{128}$/, 'is not 128 hexadecimal digits')
    .optional(),
  'core:offset': sampleIndex.optional(),
  'core:dataset': text.optional(),
  'core:metadata_only': z.boolean().optional(),
  'core:trailing_bytes': z.int().min(0).optional(),
  'core:hw': text.optional(),
  'core:recorder': text.optional(),
  'core:author': text.optional(),
  'core:description': text.optional(),
  'core:license': text.optional(),
  'core:extensions': z
    .array(z.looseObject({ name: text, version: text, optional: z.boolean() }))
    .max(64)
    .optional(),
  'sct:full_scale': z.number().positive().max(3e38).optional(),
  'sct:complete': z.boolean().optional(),
  'sct:sample_count': sampleIndex.optional(),
});

const captureSchema = z.looseObject({
  'core:sample_start': sampleIndex,
  'core:global_index': sampleIndex.optional(),
  'core:frequency': frequencyHz.optional(),
  'core:datetime': z.string().max(64).optional(),
  'core:header_bytes': z.int().min(0).optional(),
  'sct:lost_before': lostBefore.optional(),
  'sct:gains_db': gainsDb.optional(),
});

const annotationSchema = z.looseObject({
  'core:sample_start': sampleIndex,
  'core:sample_count': sampleIndex.optional(),
  'core:freq_lower_edge': frequencyHz.optional(),
  'core:freq_upper_edge': frequencyHz.optional(),
  'core:label': text.optional(),
  'core:comment': text.optional(),
  'core:generator': text.optional(),
  'core:uuid': text.optional(),
});

export const metaSchema = z.strictObject({
  global: globalSchema,
  captures: z.array(captureSchema).max(META_LIMITS.captures),
  annotations: z.array(annotationSchema).max(META_LIMITS.annotations),
});

export type SigmfMeta = z.infer<typeof metaSchema>;
export type SigmfCapture = SigmfMeta['captures'][number];
export type SigmfAnnotation = SigmfMeta['annotations'][number];

/** A value that JSON can carry. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Extra fields of the project's own namespace. */
export type SctFields = { readonly [key: `sct:${string}`]: JsonValue };

/** What a capture says of a clock error that was taken out of its rate and frequency. */
export function clockField({ clockPpm }: { readonly clockPpm?: number }): SctFields {
  return clockPpm === undefined ? {} : { 'sct:clock_ppm': clockPpm };
}
