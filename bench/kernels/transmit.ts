/** Kernels of the transmitter. */

import { RandomStream } from '../../src/common/random.ts';
import { ldpcCode } from '../../src/phy/fec/ldpc-code.ts';
import { PlainLdpcEncodeKernel } from '../../src/phy/kernels/ldpc-encode/ldpc-encode-plain.ts';
import { WasmLdpcEncodeKernel } from '../../src/phy/kernels/ldpc-encode/ldpc-encode-wasm.ts';
import { PlainModulateKernel } from '../../src/phy/kernels/modulate/modulate-plain.ts';
import { WasmModulateKernel } from '../../src/phy/kernels/modulate/modulate-wasm.ts';
import { type Numerology, RB_DATA_RE } from '../../src/phy/numerology.ts';
import { resourceGrid } from '../../src/phy/resource-grid.ts';
import { copies, noise, type Subject } from './subject.ts';

/** Payload to samples of a slot, pilots included. */
export function modulator(n: Numerology): Subject {
  const { transmitPattern } = resourceGrid(n);
  const payload = noise('payload', n.nSubbands * RB_DATA_RE);
  const out = new Float32Array(2 * n.slotLength);
  const [wasm, plain] = [WasmModulateKernel, PlainModulateKernel].map((Kernel) => {
    const kernel = new Kernel(n, transmitPattern);
    return () => kernel.modulateSlot(payload, 0, 14, 1, out, 0);
  });
  const copy = copies(payload.length, out.length);
  return { name: `OFDM modulation, ${n.fftSize} points`, unit: 'sample', units: n.slotLength, wasm, plain, copy };
}

/** Parity of the largest codeword at rate 1/2. */
export function encoder(): Subject {
  const code = ldpcCode(1, 384);
  const random = new RandomStream('encoder');
  const info = Uint8Array.from({ length: code.k }, () => random.uint32() >>> 31);
  const rows = 24;
  const parity = new Uint8Array(rows * code.z);
  const [wasm, plain] = [new WasmLdpcEncodeKernel(), new PlainLdpcEncodeKernel()].map((kernel) => () => {
    kernel.encode(code, info, rows, parity, 0);
  });
  // Bytes; the others are floats.
  const copy = copies(info.length / 4, parity.length / 4);
  return { name: 'LDPC encoder, Z = 384, rate 1/2', unit: 'bit', units: code.k, wasm, plain, copy };
}
