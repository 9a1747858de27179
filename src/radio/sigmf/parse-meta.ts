import { FormatError } from '../../common/errors.ts';
import type { SampleFormat } from '../radio.ts';
import { META_LIMITS, metaSchema, type SigmfMeta } from './meta.ts';

/**
 * Reads a .sigmf-meta file's bytes into checked metadata. Size, nesting and number of values are bounded before
 * JSON.parse sees them; every complaint is a FormatError naming the field, such as `captures[2].core:sample_start`.
 */
export function parseMeta(bytes: Uint8Array): SigmfMeta {
  if (bytes.length > META_LIMITS.bytes) {
    throw new FormatError('sigmf-meta', `is ${bytes.length} bytes long; at most ${META_LIMITS.bytes} are read`);
  }
  boundJson(bytes);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new FormatError('sigmf-meta', `is not UTF-8 JSON (${(error as Error).message.slice(0, 120)})`);
  }
  const result = metaSchema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new FormatError(fieldName(issue.path), issue.message.slice(0, 200));
  }
  checkSupported(result.data);
  checkOrder(result.data);
  return result.data;
}

/** The project's format for a SigMF datatype, or a FormatError listing those that are read. */
export function datatypeToFormat(datatype: string): SampleFormat {
  switch (datatype) {
    case 'ci8':
    case 'ci8_le':
      return 'ci8';
    case 'ci16_le':
      return 'ci16_le';
    case 'cf32_le':
      return 'cf32_le';
    default:
      throw new FormatError(
        'core:datatype',
        `"${datatype.slice(0, 40)}" is not supported; supported: ci8, ci16_le, cf32_le`,
      );
  }
}

/** One pass over the text outside strings: depth and number of values. */
function boundJson(bytes: Uint8Array): void {
  let depth = 0;
  let values = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i];
    if (inString) {
      if (b === 0x5c) i++;
      else if (b === 0x22) inString = false;
    } else if (b === 0x22) inString = true;
    else if (b === 0x7b || b === 0x5b) {
      values++;
      if (++depth > META_LIMITS.depth) {
        throw new FormatError('sigmf-meta', `nests deeper than ${META_LIMITS.depth} levels`);
      }
    } else if (b === 0x7d || b === 0x5d) depth--;
    else if (b === 0x2c || b === 0x3a) values++;
  }
  if (values > META_LIMITS.values) {
    throw new FormatError('sigmf-meta', `holds more than ${META_LIMITS.values} values`);
  }
}

function fieldName(path: readonly PropertyKey[]): string {
  let name = '';
  for (const part of path) name += typeof part === 'number' ? `[${part}]` : `${name ? '.' : ''}${String(part)}`;
  return name ? name.slice(0, 120) : 'sigmf-meta';
}

/** Refuses kinds of recordings whose samples this reader would misplace. */
function checkSupported(meta: SigmfMeta): void {
  const global = meta.global;
  datatypeToFormat(global['core:datatype']);
  if ((global['core:num_channels'] ?? 1) !== 1) {
    throw new FormatError('core:num_channels', `${global['core:num_channels']} channels; only 1 is supported`);
  }
  if (global['core:offset']) throw new FormatError('core:offset', 'recordings split over files are not supported');
  if (global['core:metadata_only']) throw new FormatError('core:metadata_only', 'there is no sample data to read');
  for (const field of ['core:dataset', 'core:trailing_bytes'] as const) {
    if (global[field]) throw new FormatError(field, 'non-conforming datasets are not supported');
  }
  meta.captures.forEach((capture, i) => {
    if (capture['core:header_bytes']) {
      throw new FormatError(`captures[${i}].core:header_bytes`, 'non-conforming datasets are not supported');
    }
  });
  for (const extension of global['core:extensions'] ?? []) {
    if (!extension.optional && extension.name !== 'sct') {
      throw new FormatError(
        'core:extensions',
        `needs the extension "${extension.name.slice(0, 40)}", which is not known here`,
      );
    }
  }
}

function checkOrder(meta: SigmfMeta): void {
  for (let i = 1; i < meta.captures.length; i++) {
    if (meta.captures[i]['core:sample_start'] < meta.captures[i - 1]['core:sample_start']) {
      throw new FormatError(`captures[${i}].core:sample_start`, 'is lower than the one before; captures must ascend');
    }
  }
}
