import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Asked } from './recorder.ts';

/** Steps whose words to the Pluto are kept. */
export const IIO_STEPS = ['iio_attr', 'iio_readdev', 'iio_writedev'] as const;

/** What clients of libiio said to a Pluto over USB; of samples that they wrote only how many bytes. */
export interface IioSaid {
  /** "bmRequestType bRequest wValue wIndex wLength", in order. */
  readonly controls: readonly string[];
  /** By the address of the OUT endpoint: what was said there, a character a byte; samples are "<N bytes>". */
  readonly pipes: Readonly<Record<string, string>>;
}

export interface IioVector {
  readonly command: string;
  readonly said: IioSaid;
}

const PATH = fileURLToPath(new URL('../vectors/radio/iio-clients-usb.json', import.meta.url));
const VENDOR_TO_INTERFACE = 0x41;

export function saidOf(
  asked: readonly Asked[],
  sent: readonly { readonly endpoint: number; readonly data: Uint8Array }[],
): IioSaid {
  const controls = asked.flatMap((a) =>
    a.kind === 'control' && a.requestType === VENDOR_TO_INTERFACE
      ? [`${a.requestType.toString(16)} ${a.request} ${a.value} ${a.index} ${a.length}`]
      : [],
  );
  const bytes: Record<string, string> = {};
  for (const { endpoint, data } of sent) {
    bytes[endpoint] = (bytes[endpoint] ?? '') + Buffer.from(data).toString('latin1');
  }
  const pipes = Object.entries(bytes).map(([endpoint, text]) => [endpoint, withoutSamples(text)]);
  return { controls, pipes: Object.fromEntries(pipes) };
}

/** The words, with "<N bytes>" for what follows a WRITEBUF. */
function withoutSamples(text: string): string {
  const line = /WRITEBUF \S+ (\d+)\r\n/y;
  let out = '';
  for (let at = 0; at < text.length; ) {
    line.lastIndex = at;
    const count = Number(line.exec(text)?.[1] ?? 0);
    const end = count > 0 ? line.lastIndex : text.indexOf('\n', at) + 1 || text.length;
    out += text.slice(at, end) + (count > 0 ? `<${count} bytes>\n` : '');
    at = end + count;
  }
  return out;
}

export function readIioVectors(): readonly IioVector[] {
  return (JSON.parse(readFileSync(PATH, 'utf8')) as { clients: IioVector[] }).clients;
}

export function writeIioVectors(from: string, clients: readonly IioVector[]): void {
  writeFileSync(PATH, `${JSON.stringify({ schema: 'sct.iio-clients-usb/1', from, clients }, null, 1)}\n`);
}
