import { FormatError } from '../common/errors.ts';
import type { BurstRecord } from '../phy/burst/record.ts';
import { Scratch } from '../phy/burst/scratch.ts';
import { blocksOfStreams, type Extension } from '../phy/frame/extension.ts';
import { powerOf } from '../phy/frame/power-level.ts';
import { sidePositions } from '../phy/frame/side-block.ts';
import { AnalogMapper } from '../phy/modulation/analog.ts';
import { type Numerology, RB_DATA_RE } from '../phy/numerology.ts';
import type { StreamPiece } from './harq/received-part.ts';
import type { SidePiece } from './harq/side-state.ts';
import { bitsAt, placeExtension, sideReOf } from './resource-map.ts';
import { blocksOfBytes, MAX_BLOCKS } from './transport.ts';

/** A piece and where in the burst it lay. */
export interface PlacedPiece extends StreamPiece {
  /** Payload RE, [re]. */
  readonly positions: Uint32Array;
}

/** Everything that a burst brought. */
export interface BurstPieces {
  readonly side: SidePiece | null;
  readonly streams: readonly PlacedPiece[];
}

/** An analog stream's RE carry no coded bits. */
const NO_BITS = new Uint8Array(0);

/** Reads bursts of one numerology, one after another. */
export class PieceReader {
  private readonly n: Numerology;
  private readonly mapper = new AnalogMapper();
  private readonly scratch: Scratch | undefined;
  /** Of a passing burst. */
  private places = new Uint32Array(0);

  /** @param passing the streams' positions, symbols and SNRs are valid until the next burst is read, which saves their memory */
  constructor(n: Numerology, passing = false) {
    this.n = n;
    this.scratch = passing ? new Scratch() : undefined;
  }

  /**
   * What a burst brought: side information, and stream by stream what their RE hold, analog ones despread, with the subbands' power levels
   * divided out. FormatError where its extension contradicts itself or names more RE or blocks than a burst has, before anything large is made.
   */
  read(record: BurstRecord, e: Extension, repeats: boolean): BurstPieces {
    const { n } = this;
    if (e.streams.length === 0 && e.sideBytes === 0) throw new FormatError('streams', 'are none');
    if ((e.repeats === 1) !== repeats) throw new FormatError('repeats', `is ${e.repeats}, the header says otherwise`);
    if (repeats && e.blocks.length === 0 && e.streams.some((s) => !s.analog))
      throw new FormatError('blocks', 'are none');
    if (!repeats) checkBlockCount(e);
    const lists = repeats ? blocksOfStreams(e) : null;
    const { slots } = record.header;
    const { positions, start } = placeExtension(n, slots, e, this.scratch && this.placesOf(slots));
    const reserved = sideReOf(n, e);
    const side = reserved === 0 ? null : this.gather('side', record, sidePositions(n, reserved), e.power);
    const { symbols, snr } = this.gather('streams', record, positions, e.power);
    const streams = e.streams.map((entry, i) => {
      const [from, to] = [start[i], start[i + 1]];
      const placed = positions.subarray(from, to);
      const seen = { symbols: symbols.subarray(2 * from, 2 * to), snr: snr.subarray(from, to) };
      if (entry.analog) this.mapper.demap(seen.symbols, seen.snr, placed);
      return {
        entry,
        positions: placed,
        qm: entry.analog ? NO_BITS : bitsAt(n, e.modulation, placed),
        ...seen,
        blocks: lists?.[i] ?? null,
        earlier: i === 0 ? e.earlier : 0,
        later: i === e.streams.length - 1 ? e.later : 0,
      };
    });
    return { side: side ? { bytes: e.sideBytes, rate: e.sideRate, ...side } : null, streams };
  }

  /**
   * Symbols and SNRs of payload positions; slots that never came have SNR 0. A level p multiplied what was sent by
   * sqrt(p): the equaliser gave s / (1 + s) sqrt(p) x, and without the level, of SNR p s, it would be p s / (1 + p s) x.
   */
  private gather(
    name: string,
    record: BurstRecord,
    positions: Uint32Array,
    levels: readonly number[] | null,
  ): { symbols: Float32Array; snr: Float32Array } {
    const symbols = this.zeros(`${name} symbols`, 2 * positions.length);
    const snr = this.zeros(`${name} snr`, positions.length);
    if (levels) gatherLevelled(record, positions, levels.map(powerOf), this.n.nSubbands, symbols, snr);
    else gatherPlain(record, positions, symbols, snr);
    return { symbols, snr };
  }

  private zeros(name: string, length: number): Float32Array {
    return this.scratch?.take(name, length).fill(0) ?? new Float32Array(length);
  }

  /** Memory for the positions of a burst's streams. */
  private placesOf(slots: number): Uint32Array {
    const most = slots * this.n.nSubbands * RB_DATA_RE;
    if (this.places.length < most) this.places = new Uint32Array(most);
    return this.places;
  }
}

/** An acknowledgement and a repetition can name MAX_BLOCKS blocks, over all streams of a burst. */
function checkBlockCount(e: Extension): void {
  let blocks = e.sideBytes > 0 ? 1 : 0;
  for (const s of e.streams) if (!s.analog) blocks += blocksOfBytes(s.bytes, s.baseGraph ? 2 : 1);
  if (blocks > MAX_BLOCKS)
    throw new FormatError('streams', `have ${blocks} code blocks; a burst has at most ${MAX_BLOCKS}`);
}

/** Payload RE of one RB that are taken together where neighbours in time are a row apart: a cache line of SNRs. */
const TILE = 16;

/**
 * Where streams go round over all RBs (RbMap.layout `interleaved`), the RE of one RB are a row of RBs apart: tiles of rows keep to few cache
 * lines. Such rows are found in the positions themselves, so nothing else need say that there are any.
 */
function gatherPlain(record: BurstRecord, positions: Uint32Array, symbols: Float32Array, snr: Float32Array): void {
  const { payload, payloadSnr } = record;
  const count = positions.length;
  for (let at = 0; at < count; ) {
    const row = rowAt(positions, at);
    if (row > 0 && isTile(positions, at, row, payloadSnr.length)) {
      for (let i = at; i < at + row; i++) {
        for (let k = 0, to = i, p = positions[i]; k < TILE; k++, to += row, p++) {
          snr[to] = payloadSnr[p];
          symbols[2 * to] = payload[2 * p];
          symbols[2 * to + 1] = payload[2 * p + 1];
        }
      }
      at += TILE * row;
      continue;
    }
    const end = row === 0 ? count : Math.min(count, at + row);
    for (; at < end; at++) {
      const p = positions[at];
      if (p >= payloadSnr.length) continue;
      snr[at] = payloadSnr[p];
      symbols[2 * at] = payload[2 * p];
      symbols[2 * at + 1] = payload[2 * p + 1];
    }
  }
}

/** Elements until the RE after that of `at` comes: the length of a row; 0 where it comes at once or never. */
function rowAt(positions: Uint32Array, at: number): number {
  const next = positions.indexOf(positions[at] + 1, at + 1) - at;
  return next > 1 ? next : 0;
}

/** Whether TILE rows from `at` on are each the one before, one RE later, all of them below `limit`. */
function isTile(positions: Uint32Array, at: number, row: number, limit: number): boolean {
  if (at + TILE * row > positions.length) return false;
  for (let i = at; i < at + row; i++) if (positions[i] + TILE > limit) return false;
  for (let k = 1; k < TILE; k++) {
    const shifted = at + k * row;
    for (let i = 0; i < row; i++) if (positions[shifted + i] !== positions[at + i] + k) return false;
  }
  return true;
}

function gatherLevelled(
  record: BurstRecord,
  positions: Uint32Array,
  power: readonly number[],
  nSubbands: number,
  symbols: Float32Array,
  snr: Float32Array,
): void {
  for (let i = 0; i < positions.length; i++) {
    const p = positions[i];
    if (p >= record.payloadSnr.length) continue;
    const s = record.payloadSnr[p];
    const level = power[Math.floor(p / RB_DATA_RE) % nSubbands];
    snr[i] = level * s;
    const scale = (Math.sqrt(level) * (1 + s)) / (1 + level * s);
    symbols[2 * i] = scale * record.payload[2 * p];
    symbols[2 * i + 1] = scale * record.payload[2 * p + 1];
  }
}
