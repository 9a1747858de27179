import { MOST_POLYNOMIALS } from './lmmse-kernel.ts';

/** What assembly/lmmse.ts exports; all arguments but counts are addresses in `memory`. */
export interface LmmseExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  project(
    table: number,
    padded: number,
    size: number,
    subbands: number,
    ramp: number,
    offsets: number,
    polynomials: number,
    order: number,
    pilots: number,
    sums: number,
    z: number,
  ): number;
  gather(
    perSlot: number,
    slots: number,
    order: number,
    projected: number,
    stride: number,
    block: number,
    z: number,
  ): void;
  interpolate(starts: number, weights: number, size: number, grid: number, row: number, order: number, z: number): void;
  solve(factor: number, size: number, z: number, theta: number, penalty: number, order: number): number;
  expand(
    table: number,
    size: number,
    halfCarriers: number,
    ramp: number,
    theta: number,
    order: number,
    coefficients: number,
    nodes: number,
  ): void;
  weigh(
    pilots: number,
    subbands: number,
    offsets: number,
    weights: number,
    order: number,
    symbols: number,
    sums: number,
    values: number,
  ): void;
  residual(
    pilots: number,
    slots: number,
    subbands: number,
    offsets: number,
    sets: number,
    nodes: number,
    weights: number,
    order: number,
    out: number,
  ): void;
  turn(pilots: number, subbands: number, phasors: number, symbols: number): number;
}

export const MAX_SUBBANDS = 50;
export const SUBBAND = 12;
/** Most delay functions, and most unknowns of a system. */
export const MAX_BASIS = 127;
export const MAX_SYSTEM = MOST_POLYNOMIALS * MAX_BASIS;

/** Byte addresses; behind ARENA lies what is taken in, and room for projections and a grid. */
export const OFFSETS = 1024;
export const POLYNOMIALS = 1088;
export const PILOTS = 1536;
export const RAMP = 7168;
export const SUMS = 12288;
export const Z = 26624;
export const THETA = 36864;
export const COEFFICIENTS = 47104;
export const NODES = 48128;
export const ARENA = 72192;

export const PAGE = 65536;
