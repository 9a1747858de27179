import { UsageError } from '../../common/errors.ts';

/** Bits per symbol of QPSK, 16-, 64- and 256-QAM. */
export type ModulationOrder = 2 | 4 | 6 | 8;

export const MODULATION_ORDERS: readonly ModulationOrder[] = [2, 4, 6, 8];

/** Half the distance of neighbouring points at unit mean power: 1/sqrt(2), 1/sqrt(10), 1/sqrt(42), 1/sqrt(170). */
export function halfSpacing(qm: ModulationOrder): number {
  return 1 / Math.sqrt((2 * (2 ** qm - 1)) / 3);
}

export function modulationName(qm: ModulationOrder): string {
  return qm === 2 ? 'QPSK' : `${2 ** qm}-QAM`;
}

export function requireModulationOrder(qm: number): ModulationOrder {
  if (qm === 2 || qm === 4 || qm === 6 || qm === 8) return qm;
  throw new UsageError(`modulation order ${qm} does not exist: allowed 2, 4, 6 and 8 bits per symbol`);
}

/**
 * Amplitudes of one axis by its Qm/2 bits, first bit most significant (TS 38.211 §5.1.3 to §5.1.6): with s_k = 1 - 2 b_k
 * QPSK s_0; 16-QAM s_0 (2 - s_1); 64-QAM s_0 (4 - s_1 (2 - s_2)); 256-QAM s_0 (8 - s_1 (4 - s_2 (2 - s_3))),
 * times halfSpacing. Float32Array [2^(Qm/2)].
 */
export function axisLevels(qm: ModulationOrder): Float32Array {
  const known = levels.get(qm);
  if (known) return known;
  const bits = qm / 2;
  const scale = halfSpacing(qm);
  const table = new Float32Array(2 ** bits);
  for (let index = 0; index < table.length; index++) {
    // From the innermost sign outwards; the innermost amplitude is 1.
    let amplitude = 1;
    for (let k = bits - 1; k >= 0; k--) {
      const sign = (index >> (bits - 1 - k)) & 1 ? -1 : 1;
      amplitude = k === 0 ? sign * amplitude : 2 ** (bits - k) - sign * amplitude;
    }
    table[index] = scale * amplitude;
  }
  levels.set(qm, table);
  return table;
}
const levels = new Map<ModulationOrder, Float32Array>();

/**
 * Maps `count` symbols of Qm bits each: even bits to the real, odd bits to the imaginary axis (TS 38.211 §5.1).
 *
 * bits: Uint8Array, one bit an element, from `bitFrom`. symbols: Float32Array [symbol][re, im], from symbol `at`.
 */
export function mapBits(
  bits: Uint8Array,
  qm: ModulationOrder,
  count: number,
  symbols: Float32Array,
  bitFrom = 0,
  at = 0,
): void {
  const table = axisLevels(qm);
  if (bits.length - bitFrom < count * qm || symbols.length < 2 * (at + count)) {
    throw new UsageError(`mapping ${count} symbols of ${qm} bits needs more bits or more room`);
  }
  const end = 2 * (at + count);
  let b = bitFrom;
  // The first bits of an axis weigh most. Without an inner loop, which takes longer than the rest.
  if (qm === 2) {
    for (let i = 2 * at; i < end; i++) symbols[i] = table[bits[b++]];
  } else if (qm === 4) {
    for (let i = 2 * at; i < end; i += 2, b += 4) {
      symbols[i] = table[2 * bits[b] + bits[b + 2]];
      symbols[i + 1] = table[2 * bits[b + 1] + bits[b + 3]];
    }
  } else if (qm === 6) {
    for (let i = 2 * at; i < end; i += 2, b += 6) {
      symbols[i] = table[4 * bits[b] + 2 * bits[b + 2] + bits[b + 4]];
      symbols[i + 1] = table[4 * bits[b + 1] + 2 * bits[b + 3] + bits[b + 5]];
    }
  } else {
    for (let i = 2 * at; i < end; i += 2, b += 8) {
      symbols[i] = table[8 * bits[b] + 4 * bits[b + 2] + 2 * bits[b + 4] + bits[b + 6]];
      symbols[i + 1] = table[8 * bits[b + 1] + 4 * bits[b + 3] + 2 * bits[b + 5] + bits[b + 7]];
    }
  }
}

/**
 * Maps symbols of mixed orders. qm: Uint8Array [symbol], 2, 4, 6 or 8 (0 = the symbol is left as it is).
 * Returns the number of bits used.
 */
export function mapBitsMixed(bits: Uint8Array, qm: Uint8Array, symbols: Float32Array, bitFrom = 0): number {
  let b = bitFrom;
  for (let j = 0; j < qm.length; ) {
    let end = j + 1;
    while (end < qm.length && qm[end] === qm[j]) end++;
    if (qm[j] !== 0) {
      mapBits(bits, requireModulationOrder(qm[j]), end - j, symbols, b, j);
      b += (end - j) * qm[j];
    }
    j = end;
  }
  return b - bitFrom;
}
