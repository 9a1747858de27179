import { UsageError } from '../../common/errors.ts';

const TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let c = i;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

/** CRC-32 of ISO 3309 (zip, PNG). */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = TABLE[(c ^ bytes[i]) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** 1980-01-01 00:00, so that equal contents make equal archives. */
const DOS_DATE = 0x21;
const MAX_BYTES = 2 ** 32 - 1;

/** A zip archive of uncompressed entries. UsageError above 4 GiB or 65535 files. Source: PKWARE APPNOTE 6.3. */
export function zipStored(files: readonly { readonly name: string; readonly bytes: Uint8Array }[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  const total = files.reduce((sum, f) => sum + f.bytes.length + 2 * f.name.length + 76, 22);
  if (total > MAX_BYTES || files.length > 65_535)
    throw new UsageError('the export is too large for a zip archive (4 GiB)');
  for (const { name, bytes } of files) {
    const encoded = Buffer.from(name, 'utf8');
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0); // version needed
    common.writeUInt16LE(0x800, 2); // names are UTF-8
    common.writeUInt16LE(0, 4); // stored
    common.writeUInt16LE(0, 6);
    common.writeUInt16LE(DOS_DATE, 8);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(encoded.length, 22);
    common.writeUInt16LE(0, 24);
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), common, encoded, bytes);
    const entry = Buffer.alloc(14);
    entry.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, entry, encoded);
    offset += 30 + encoded.length + bytes.length;
  }
  const directoryBytes = directory.reduce((sum, p) => sum + p.length, 0);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directoryBytes, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}
