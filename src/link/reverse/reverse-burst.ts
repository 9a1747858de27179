import { FormatError, UsageError } from '../../common/errors.ts';
import { BurstTransmitter, paddingSymbols } from '../../phy/burst/transmit.ts';
import { BurstKind, EXTENSION_RATES } from '../../phy/frame/header.ts';
import { type Numerology, RB_DATA_RE, SLOT_SYMBOLS } from '../../phy/numerology.ts';
import { MAX_REVERSE_BYTES } from './reverse-messages.ts';

/** A reverse burst takes at most as many OFDM symbols as so many slots have, its control part and its slot of padding together. */
export const MAX_REVERSE_SLOTS = 4;
/** Slots of padding behind the messages: pilots that tell the channel, and nothing else. */
const SLOTS = 1;

/** Messages in a burst's extension: each behind its length in one byte, zeros behind the last. UsageError for one that is too long. */
export function packMessages(messages: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(messages.reduce((sum, m) => sum + 1 + m.length, 0));
  let at = 0;
  for (const message of messages) {
    if (message.length === 0 || message.length > MAX_REVERSE_BYTES) {
      throw new UsageError(`a reverse message has 1 to ${MAX_REVERSE_BYTES} bytes, not ${message.length}`);
    }
    out[at] = message.length;
    out.set(message, at + 1);
    at += 1 + message.length;
  }
  return out;
}

/** The messages of an extension that was received. FormatError where a length leads out of it or padding is not zero. */
export function unpackMessages(bytes: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length && bytes[at] !== 0) {
    const end = at + 1 + bytes[at];
    if (bytes[at] > MAX_REVERSE_BYTES) throw new FormatError('length', `${bytes[at]} is above ${MAX_REVERSE_BYTES}`);
    if (end > bytes.length) throw new FormatError('length', 'leads out of the burst');
    out.push(bytes.slice(at + 1, end));
    at = end;
  }
  if (bytes.subarray(at).some((b) => b !== 0)) throw new FormatError('padding', 'is not zero');
  return out;
}

/** Makes the reverse bursts of a receiver: reports and acknowledgements over the air (docs/air-interface.md). */
export class ReverseTransmitter {
  private readonly n: Numerology;
  private readonly phy: BurstTransmitter;
  private burst = 0;

  constructor(numerology: Numerology) {
    this.n = numerology;
    this.phy = new BurstTransmitter(numerology);
  }

  /**
   * The messages in as few bursts as they fit into, at the most robust rate that each allows; samples of each at the modem rate,
   * [n][re, im].
   */
  bursts(session: number, messages: readonly Uint8Array[]): Float32Array[] {
    const groups: Uint8Array[][] = [];
    for (const message of messages) {
      const last = groups.at(-1);
      // Together where the most robust rate still has room, so that many messages do not make a weak burst.
      if (last && this.rateFor(packMessages([...last, message]).length) === 0) last.push(message);
      else groups.push([message]);
    }
    return groups.map((group) => this.build(session, packMessages(group)));
  }

  /** Index of the most robust rate at which so many bytes fit; null where none does. */
  rateFor(bytes: number): number | null {
    const most = MAX_REVERSE_SLOTS * SLOT_SYMBOLS;
    for (let mcs = 0; mcs < EXTENSION_RATES.length; mcs++) {
      if (this.phy.layout(SLOTS, bytes, mcs).symbols <= most) return mcs;
    }
    return null;
  }

  private build(session: number, extension: Uint8Array): Float32Array {
    const { n, phy } = this;
    const extensionMcs = this.rateFor(extension.length);
    if (extensionMcs === null) throw new UsageError(`${extension.length} bytes do not fit into a reverse burst`);
    const burst = this.burst;
    this.burst = (this.burst + 1) & 1023;
    const header = {
      numerology: n.id,
      session,
      burst,
      kind: BurstKind.reverse,
      slots: SLOTS,
      csiNumber: 0,
      modelSet: 0,
    };
    const payload = paddingSymbols(n, SLOTS * n.nSubbands * RB_DATA_RE);
    return phy.build({ header: { ...header, extensionMcs }, extension, payload });
  }
}
