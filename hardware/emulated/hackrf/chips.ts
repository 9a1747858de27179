/**
 * Registers of the chips on the board and the program memory, as a host may read and write them. Writing changes what
 * is read back; the radio follows the requests for gains and frequencies, not these bits.
 */
export class Chips {
  /** Transceiver MAX2837: 32 registers of 10 bits, at power-on by its driver in the firmware. */
  readonly max2837 = Uint16Array.from([
    ...[0x150, 0x002, 0x1f4, 0x1b9, 0x00a, 0x080, 0x006, 0x000, 0x080, 0x018, 0x058, 0x016, 0x24f, 0x150, 0x1c5, 0x081],
    ...[0x01c, 0x155, 0x155, 0x153, 0x241, 0x02d, 0x1a9, 0x24f, 0x180, 0x100, 0x3ca, 0x3e3, 0x0c0, 0x3f0, 0x080, 0x000],
  ]);
  /** Mixer RFFC5072: 31 registers of 16 bits. */
  readonly rffc5071 = Uint16Array.from([
    ...[0xbefa, 0x4064, 0x9055, 0x2d02, 0xacbf, 0xacbf, 0x0028, 0x0028, 0xff00, 0x8220, 0x0202, 0x4800, 0x1a94, 0xd89d],
    ...[0x8900, 0x1e84, 0x89d8, 0x9d00, 0x2a20, 0x0000, 0x0000, 0x0000, 0x0206, 0x4900, 0x0281, 0xf00f, 0x0000, 0x0000],
    ...[0xc840, 0x1000, 0x0005],
  ]);
  /** Clock generator Si5351C: 256 registers of 8 bits; bit 4 of register 0 says that CLKIN is missing. */
  readonly si5351c = new Uint8Array(256);
  /** W25Q80BV: 1 MiB, erased where nothing was written. */
  private flash: Uint8Array | null = null;

  static readonly flashBytes = 1 << 20;
  static readonly flashPageBytes = 256;

  setClkinPresent(present: boolean): void {
    this.si5351c[0] = present ? 0 : 0x10;
  }

  readFlash(address: number, length: number): Uint8Array {
    return this.flash?.slice(address, address + length) ?? new Uint8Array(length).fill(0xff);
  }

  /** Programming turns bits from 1 to 0 only; a page wraps at its end. */
  writeFlash(address: number, data: Uint8Array): void {
    this.flash ??= new Uint8Array(Chips.flashBytes).fill(0xff);
    const page = address - (address % Chips.flashPageBytes);
    for (let i = 0; i < data.length; i++) {
      this.flash[page + ((address - page + i) % Chips.flashPageBytes)] &= data[i];
    }
  }

  eraseFlash(): void {
    this.flash = null;
  }
}
