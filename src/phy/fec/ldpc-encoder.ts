import { inRange, UsageError } from '../../common/errors.ts';
import { ldpcEncodeKernel } from '../kernels/ldpc-encode/ldpc-encode.ts';
import type { LdpcEncodeKernel } from '../kernels/ldpc-encode/ldpc-encode-kernel.ts';
import type { LdpcCode } from './ldpc-code.ts';

/** Systematic encoder of one LDPC code (TS 38.212 §5.3.2); kernels/ldpc-encode-kernel.ts says how. */
export class LdpcEncoder {
  readonly code: LdpcCode;
  private readonly kernel: LdpcEncodeKernel;

  constructor(code: LdpcCode, kernel: LdpcEncodeKernel = ldpcEncodeKernel()) {
    this.code = code;
    this.kernel = kernel;
  }

  describe(): string {
    const { baseGraph, z, k, n } = this.code;
    return `LDPC encoder BG${baseGraph} Z=${z} (${k} -> ${n} bits)`;
  }

  /**
   * info: Uint8Array [>= k], one bit an element, fillers 0. codeword: Uint8Array [>= n], receives the N coded bits of
   * TS 38.212 (systematic bits from 2Z on, then parity). `rows` (4..all) bounds the base rows computed: the parity of
   * later rows is left untouched, for rates that never send it.
   */
  encode(info: Uint8Array, codeword: Uint8Array, rows = this.code.rows): void {
    const { code } = this;
    const { z, k } = code;
    if (info.length < k) throw new UsageError(`${info.length} information bits given, ${k} needed`);
    if (codeword.length < code.n)
      throw new UsageError(`codeword has room for ${codeword.length} bits, ${code.n} needed`);
    inRange('base rows', rows, 4, code.rows);
    codeword.set(info.subarray(2 * z, k));
    this.kernel.encode(code, info, rows, codeword, k - 2 * z);
  }
}

const encoders = new WeakMap<LdpcCode, LdpcEncoder>();

/** The encoder of a code, made once a thread (it holds scratch memory and is not re-entrant). */
export function ldpcEncoder(code: LdpcCode): LdpcEncoder {
  let encoder = encoders.get(code);
  if (!encoder) {
    encoder = new LdpcEncoder(code);
    encoders.set(code, encoder);
  }
  return encoder;
}
