import { readFileSync } from 'node:fs';

/** References of SciPy (test/vectors/bounds/README.md). */
export const reference = JSON.parse(
  readFileSync(new URL('../../vectors/bounds/bounds.json', import.meta.url), 'utf8'),
) as {
  scalar: { rho: number; varS: number; varX: number; ds: number | null; dx: number | null; rateBits: number }[];
  vector: { sx: number[][]; h: number[][]; mmse: number; ds: number; dx: number; rateBits: number }[];
  sideInformation: {
    covariance: number[][];
    s: number;
    x: number;
    v: number;
    ds: number;
    dx: number;
    without: number;
    conditional: number;
  }[];
  finite: {
    px: number[];
    sGivenX: number[][];
    dsTable: number[][];
    dxTable: number[][];
    ds: number;
    dx: number;
    rateBits: number;
  }[];
  capacity: {
    rayleigh: [number, number][];
    mimo: [number, number][];
    parallel: { snr: number[]; bits: number }[];
    fixed: { h: number[]; db: number; bits: number; equal: number }[];
  };
  finiteBlocks: [number, number, number, number][];
  exponent: Record<'awgn' | 'bsc' | 'bec' | 'rayleigh', [number, number, number][]>;
  gammaTail: [number, number, number][];
  scaledE1: [number, number][];
};

/** Cases at the edges of what is taken, likewise. */
export const edges = JSON.parse(readFileSync(new URL('../../vectors/bounds/edges.json', import.meta.url), 'utf8')) as {
  vector: { sx: number[][]; h: number[][]; mmse: number; ds: number | null; dx: number | null; rateBits: number }[];
  unusedLetter: {
    px: number[];
    sGivenX: number[][];
    dsTable: number[][];
    dxTable: number[][];
    rates: { ds: number | null; dx: number; rateBits: number }[];
  };
  exponent: [number, number, number][];
  /** rho, SNR in dB, k, Ds, Dx, probability. */
  jointEvent: [number, number, number, number, number, number][];
  wynerZiv: {
    px: number[];
    sGivenX: number[][];
    vGivenX: number[][];
    dsTable: number[][];
    dxTable: number[][];
    ds: number | null;
    dx: number | null;
    rateBits: number;
  }[];
  missingBlocks: { rbSnrDb: (number | null)[]; snrDb: number; bits: number; equal: number }[];
};

export const orInfinity = (v: number | null) => v ?? Number.POSITIVE_INFINITY;
