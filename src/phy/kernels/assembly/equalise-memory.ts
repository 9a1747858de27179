// AssemblyScript, not TypeScript: where everything lies in the equaliser's part (equalise.ts) of the OFDM kernel's memory, which leaves it from
// BASE on up to the rows that it holds (HELD of ofdm.ts).

/** Where the equaliser's part of the memory begins. */
export const BASE: usize = 524288;
/** Carrier of the pilot within each subband. u32 [14] */
export const PILOTS: usize = BASE + 1024;
/** Of each pilot carrier: ones where there is none. u32 [12][12] */
export const MASKS: usize = BASE + 1088;
/** Of each pilot carrier: bytes of a vector of four carriers without the pilot. u8 [12][3][16] */
export const ORDERS: usize = BASE + 1664;
/** Of each pilot carrier: places of the first carrier of each vector among the data RE, bytes of a float. u32 [12][4] */
export const PLACES: usize = BASE + 2240;
/** First byte of each slot's functions behind NODES. u32 [50] */
export const SETS: usize = BASE + 2432;
/** f32 [slot x subband][noise that weighs the equaliser, 1 over it, bias of |h|^2, 1 over the noise], at most 50 */
export const NOISE: usize = BASE + 2640;
/** Product of 1 + SNR over the data RE as mantissa and exponent of two. f64 [slot x subband][2] */
export const PRODUCTS: usize = BASE + 3440;
/** Turns that do not stand in this memory: at the row's first carrier, and from carrier to carrier. f64 [slot x 14][2][re, im] */
export const ROW_TURNS: usize = BASE + 4240;
/** Of control symbols, at most 700, in the same place: the common phase, f64, and the carrier of the pilot within each subband, u32. */
export const CONTROL_PHASES: usize = ROW_TURNS;
export const CONTROL_PILOTS: usize = ROW_TURNS + 11200;
/** f32 [slot x 14][order], at most 14 functions */
export const WEIGHTS: usize = BASE + 26640;
/** exp(i c step) of a subband's carriers c; the same of a subband with DC in its middle. f32 [14][3][re x 4, im x 4], twice */
export const RAMPS: usize = BASE + 65856;
export const SPLIT: usize = RAMPS + 1344;
/** Of a slot's symbols: the turn at the subband's first carrier, and from one subband to the next, f64 [14][5][re, im] */
export const TURNS_NOW: usize = BASE + 68544;
/** Rows that do not lie in this memory: f32 [slot x 14][carrier][re, im], at most 50 subbands in all slots together */
export const ROWS: usize = BASE + 69664;
/** f32 [set][order][carrier][re, im] */
export const NODES: usize = BASE + 137248;
/** f32 [slot x subband][154][re, im], f32 [slot x subband][154], and what the last pilot writes behind them */
export const PAYLOAD: usize = BASE + 204832;
export const SNR: usize = BASE + 266784;
/** Bytes of [cos, sin, -cos, -sin] that take a data RE's quarter turns back. u8 [64][data RE of the symbol][4] */
export const TURNS: usize = BASE + 298016;
/** The channel in the middle of each slot. f32 [slot][carrier][re, im] */
export const MIDDLES: usize = BASE + 438816;

export const RAMP_BYTES: usize = 96;
export const TURN_BYTES: usize = 80;
