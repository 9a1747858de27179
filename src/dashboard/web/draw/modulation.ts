/** Modulations by the codes of the air interface: 0 unused, 1..4 QAM of 2, 4, 6, 8 bits, 5 analog symbols. */
export interface Modulation {
  readonly name: string;
  readonly bits: number;
  /** Place in the palette, the same in every plot. */
  readonly colour: number;
}

const UNUSED: Modulation = { name: 'unused', bits: 0, colour: 7 };
const TABLE: readonly Modulation[] = [
  UNUSED,
  { name: 'QPSK', bits: 2, colour: 0 },
  { name: '16-QAM', bits: 4, colour: 2 },
  { name: '64-QAM', bits: 6, colour: 4 },
  { name: '256-QAM', bits: 8, colour: 1 },
  { name: 'analog', bits: 0, colour: 3 },
];

export function modulationOf(code: number): Modulation {
  return TABLE[code] ?? UNUSED;
}

export function modulationNamed(name: string | null): Modulation {
  return TABLE.find((m) => m.name === name) ?? UNUSED;
}

/** The modulations that carry bits. */
export const QAMS: readonly Modulation[] = TABLE.filter(({ bits }) => bits > 0);

/** SNR from which bits x rate fit in a symbol: 2^(bits x rate) - 1, Shannon's bound; what codes need is 1 to 2 dB above it. */
export function neededDb(bits: number, codeRate: number): number {
  return 10 * Math.log10(2 ** (bits * codeRate) - 1);
}

/** Points of a QAM at unit mean power, [point][re, im]; none for other modulations. */
export function idealPoints(bits: number): Float32Array {
  if (bits === 0) return new Float32Array(0);
  const side = 2 ** (bits / 2);
  const scale = Math.sqrt(3 / (2 * (side * side - 1)));
  const out = new Float32Array(2 * side * side);
  for (let i = 0; i < side * side; i++) {
    out[2 * i] = scale * (2 * (i % side) - side + 1);
    out[2 * i + 1] = scale * (2 * Math.floor(i / side) - side + 1);
  }
  return out;
}
