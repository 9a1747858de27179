import { addSideLlrs, decodeSide } from '../../phy/frame/side-block.ts';

/** What one burst brought of the side information, as the MMSE equaliser gives it. */
export interface SidePiece {
  readonly bytes: number;
  readonly rate: number;
  readonly symbols: Float32Array; // [symbol][re, im]
  readonly snr: Float32Array; // linear, [symbol]
}

/** A picture's side information as far as it has come; receptions of the same bytes are added up before decoding. */
export class SideState {
  readonly bytes: number;
  readonly rate: number;
  /** The bytes once their CRC has held. */
  payload: Uint8Array | null = null;
  receptions = 0;
  /** Sum of the soft bits, [symbol][b0, b1]; null before the first reception, after the last, or given up for want of memory. */
  private llr: Float32Array | null = null;

  constructor({ bytes, rate }: Pick<SidePiece, 'bytes' | 'rate'>) {
    this.bytes = bytes;
    this.rate = rate;
  }

  get ok(): boolean {
    return this.payload !== null;
  }

  get softBytes(): number {
    return this.llr?.byteLength ?? 0;
  }

  releaseSoft(): void {
    this.llr = null;
  }

  agrees({ bytes, rate }: Pick<SidePiece, 'bytes' | 'rate'>): boolean {
    return bytes === this.bytes && rate === this.rate;
  }

  /** Takes one reception and decodes unless it is known already. */
  add({ symbols, snr }: SidePiece): void {
    this.receptions++;
    if (this.payload) return;
    this.llr ??= new Float32Array(symbols.length);
    addSideLlrs(symbols, snr, this.llr);
    const result = decodeSide(this.llr, this.bytes);
    if (!result.ok) return;
    this.payload = result.bytes;
    this.llr = null;
  }
}
