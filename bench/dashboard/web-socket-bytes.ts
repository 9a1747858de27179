import { randomBytes } from 'node:crypto';

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The request that asks a dashboard for its WebSocket (RFC 6455 §4.1), as text. */
export function upgradeRequest(at: { readonly host: string; readonly port: number }, token: string): string {
  return [
    'GET /ws HTTP/1.1',
    `Host: ${at.host}:${at.port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    `Sec-WebSocket-Protocol: sct.v1, token.${token}`,
    '\r\n',
  ].join('\r\n');
}

/** A frame as a client sends it (RFC 6455 §5.2), masked with zeros. */
export function clientFrame(opcode: number, payload: Uint8Array, last = true): Buffer {
  const n = payload.length;
  const length = n < 126 ? [n] : n < 65_536 ? [126, n >> 8, n & 255] : [127, 0, 0, 0, 0, ...bytesOf(n)];
  length[0] |= 0x80;
  return Buffer.concat([Buffer.from([(last ? 0x80 : 0) | opcode, ...length, 0, 0, 0, 0]), payload]);
}

/** A frame of a server that begins `bytes`; null where it is not whole. Servers do not mask and ours does not divide. */
export function serverFrame(bytes: Buffer): { opcode: number; payload: Buffer; length: number } | null {
  if (bytes.length < 2) return null;
  const short = bytes[1] & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return null;
  const n = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + n) return null;
  return { opcode: bytes[0] & 15, payload: bytes.subarray(start, start + n), length: start + n };
}

function bytesOf(n: number): number[] {
  return [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
}
