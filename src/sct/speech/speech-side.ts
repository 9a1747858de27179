import { BitReader, BitWriter } from '../../common/bits.ts';
import { FormatError, inRange } from '../../common/errors.ts';
import { SFV_SCALE_BITS } from '../codec/sfv-power.ts';
import { RangeDecoder, RangeEncoder } from '../partition/range-coder.ts';
import { SHARE_STEPS } from './linear-code.ts';
import { MAX_SPEECH_SFVS } from './segments.ts';
import { MAX_SPEECH_SAMPLES } from './speech.ts';
import { readModel, type SpeechModel, writeModel } from './speech-model.ts';
import type { SpeechLabel } from './voicing.ts';

const BITS = { samples: 20, sfvs: 8, kind: 1, label: 2, share: 4, step: 8 } as const;
export const SPEECH_KINDS = ['analog', 'coded'] as const;
export type SpeechKind = (typeof SPEECH_KINDS)[number];

/** How one SFV's symbols were made. */
export interface SfvCoding {
  readonly label: SpeechLabel;
  /** encodeSfvScale of what the symbols were divided by; 0 = not sent. */
  readonly scale: number;
  /** Different coefficients, 1..16 sixteenths of the places. */
  readonly share: number;
}

/** Side information of analog speech. */
export interface SpeechSide {
  readonly model: SpeechModel;
  readonly sfvs: readonly SfvCoding[]; // [SFV]
}

/** Layout of docs/adr/0031-speech.md. UsageError naming a field that is out of range. */
export function encodeSpeechSide({ model, sfvs }: SpeechSide): Uint8Array {
  const w = new BitWriter();
  writeHead(w, model, 'analog');
  for (const { label, scale, share } of sfvs) {
    w.write(label, BITS.label);
    w.write(scale, SFV_SCALE_BITS);
    w.write(inRange('share', share, 1, SHARE_STEPS) - 1, BITS.share);
  }
  const coder = new RangeEncoder();
  writeModel(model, coder);
  return joined(w.finish(), coder.finish());
}

/**
 * Parses untrusted bytes; what follows the fixed fields decodes to something whatever it is.
 *
 * @throws FormatError naming the field
 */
export function decodeSpeechSide(bytes: Uint8Array): SpeechSide {
  const r = new BitReader(bytes);
  const { samples, count, kind } = readHead(r);
  if (kind !== 'analog') throw new FormatError('kind', 'is coded speech, which has no side information');
  const sfvs = Array.from({ length: count }, (): SfvCoding => {
    const label = r.read(BITS.label, 'label');
    if (label > 2) throw new FormatError('label', `${label}, allowed 0 to 2`);
    const scale = r.read(SFV_SCALE_BITS, 'power code');
    return { label: label as SpeechLabel, scale, share: r.read(BITS.share, 'share') + 1 };
  });
  const model = readModel(new RangeDecoder(bytes.subarray(aligned(r))), samples, count);
  return { model, sfvs };
}

/** A file of coded speech: head, step's code 8 bits, then model and numbers in one range code that `write` goes on with. */
export function encodeSpeechFile(model: SpeechModel, step: number, write: (coder: RangeEncoder) => void): Uint8Array {
  const w = new BitWriter();
  writeHead(w, model, 'coded');
  w.write(inRange('step', step, 0, 255), BITS.step);
  const coder = new RangeEncoder();
  writeModel(model, coder);
  write(coder);
  return joined(w.finish(), coder.finish());
}

/** @throws FormatError naming the field */
export function decodeSpeechFile(bytes: Uint8Array): { model: SpeechModel; step: number; coder: RangeDecoder } {
  const r = new BitReader(bytes);
  const { samples, count, kind } = readHead(r);
  if (kind !== 'coded') throw new FormatError('kind', 'is analog, not a file of coded speech');
  const step = r.read(BITS.step, 'step');
  const coder = new RangeDecoder(bytes.subarray(aligned(r)));
  return { model: readModel(coder, samples, count), step, coder };
}

function writeHead(w: BitWriter, { samples, sfvs }: SpeechModel, kind: SpeechKind): void {
  w.write(inRange('samples', samples, 1, MAX_SPEECH_SAMPLES) - 1, BITS.samples);
  w.write(inRange('SFVs', sfvs.length, 1, MAX_SPEECH_SFVS) - 1, BITS.sfvs);
  w.write(SPEECH_KINDS.indexOf(kind), BITS.kind);
}

function readHead(r: BitReader) {
  const samples = r.read(BITS.samples, 'samples') + 1;
  const count = r.read(BITS.sfvs, 'SFVs') + 1;
  if (count > MAX_SPEECH_SFVS) throw new FormatError('SFVs', `${count}, allowed 1 to ${MAX_SPEECH_SFVS}`);
  return { samples, count, kind: SPEECH_KINDS[r.read(BITS.kind, 'kind')] };
}

/** The byte behind the fixed fields; bits up to it must be zero. */
function aligned(r: BitReader): number {
  if (r.read((8 - (r.position % 8)) % 8, 'padding') !== 0) throw new FormatError('padding', 'is not zero');
  return r.position / 8;
}

function joined(head: Uint8Array, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(head.length + body.length);
  out.set(head);
  out.set(body, head.length);
  return out;
}
