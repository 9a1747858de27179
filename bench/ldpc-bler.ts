/**
 * Block error rates and speed of the LDPC code alone.
 *
 *   node --import tsx bench/ldpc-bler.ts reference [ROW...]   Es/N0 at BLER 1e-2 of published settings
 *   node --import tsx bench/ldpc-bler.ts required             mutual information needed, for the committed table
 *   node --import tsx bench/ldpc-bler.ts side                 side information at -4 dB by code rate
 *   node --import tsx bench/ldpc-bler.ts speed                encoder and decoder, Mb/s of information, CPU time
 */
import { RandomStream } from '../src/common/random.ts';
import {
  type BlerPoint,
  BlerSimulation,
  WaterfallFit,
  wilsonInterval,
} from '../src/experiment/bench/ldpc-simulation.ts';
import { type BaseGraphId, ldpcCode } from '../src/phy/fec/ldpc-code.ts';
import { LdpcDecoder } from '../src/phy/fec/ldpc-decoder.ts';
import { ldpcEncoder } from '../src/phy/fec/ldpc-encoder.ts';
import { chooseBaseGraph, LARGEST_BLOCK_BITS } from '../src/phy/fec/segmentation.ts';
import { integrateMutualInformation } from '../src/phy/modulation/mutual-information-integral.ts';
import type { ModulationOrder } from '../src/phy/modulation/qam.ts';

/** K', base graph, rate, modulation, iterations, published Es/N0 at BLER 1e-2 in dB. */
const REFERENCE: [number, BaseGraphId, number, ModulationOrder, number, number][] = [
  [8448, 1, 1 / 2, 2, 20, 1.14],
  [8448, 1, 3 / 4, 6, 20, 15.42],
  [3840, 2, 1 / 3, 2, 20, -0.96],
  [8448, 1, 8 / 9, 2, 20, 6.29],
  [8448, 1, 1 / 3, 2, 20, -1.14],
  [8448, 1, 1 / 2, 4, 20, 6.56],
  [8448, 1, 1 / 2, 2, 10, 1.57],
];

/** Points downwards from BLER near 1/2 until it is below `last`, `steps` of the waterfall's own width apart. */
function waterfall(
  simulation: BlerSimulation,
  startDb: number,
  stepDb: number,
  errors: number,
  blocks: number,
  last: number,
) {
  let db = startDb;
  while (simulation.run(db, 12, 24).bler > 0.7) db += 2 * stepDb;
  while (simulation.run(db, 12, 24).bler < 0.3) db -= stepDb;
  const points: BlerPoint[] = [];
  for (;;) {
    const point = simulation.run(db, errors, blocks);
    points.push(point);
    if (point.bler < last) return points;
    db += stepDb;
  }
}

function reference(rows: number[]): void {
  for (const row of rows.length > 0 ? rows : REFERENCE.keys()) {
    const [infoBits, baseGraph, codeRate, qm, maxIterations, published] = REFERENCE[row];
    const simulation = new BlerSimulation({ infoBits, baseGraph, codeRate, qm, maxIterations }, 1);
    const points = waterfall(simulation, published - 0.25, 0.1, 60, 1500, 0.009).slice(-5);
    const { esN0Db, standardErrorDb } = new WaterfallFit(points).at(0.01);
    console.log(
      JSON.stringify({
        infoBits,
        baseGraph,
        codeRate: Number(codeRate.toFixed(4)),
        qm,
        maxIterations,
        esN0DbAtBler1e2: Number(esN0Db.toFixed(3)),
        halfInterval95Db: Number((1.96 * standardErrorDb).toFixed(3)),
        published,
        points: points.map((p) => [
          Number(p.esN0Db.toFixed(2)),
          `${p.errors}/${p.blocks}`,
          wilsonInterval(p.errors, p.blocks).map((x) => Number(x.toPrecision(2))),
          Number(p.meanIterations.toFixed(1)),
        ]),
      }),
    );
  }
}

/** Side information of a 512x768 picture (198 bytes and CRC, base graph 2, QPSK) at -4 dB, where it must still arrive. */
function side(): void {
  for (const codeRate of [1 / 5, 1 / 6]) {
    const setting = { infoBits: 8 * 198 + 24, baseGraph: 2, codeRate, qm: 2, maxIterations: 20 } as const;
    const { errors, blocks, bler } = new BlerSimulation(setting, 1).run(-4, 100, 6000);
    console.log(
      JSON.stringify({ ...setting, esN0Db: -4, errors, blocks, bler, interval95: wilsonInterval(errors, blocks) }),
    );
  }
}

/** Es/N0 at which one bit of QPSK carries this information. */
function qpskSnrDb(information: number): number {
  let low = -20;
  let high = 20;
  for (let i = 0; i < 40; i++) {
    const mid = (low + high) / 2;
    if (integrateMutualInformation(2, mid) / 2 < information) low = mid;
    else high = mid;
  }
  return low;
}

function required(): void {
  const rates = [1 / 5, 1 / 4, 1 / 3, 2 / 5, 1 / 2, 3 / 5, 2 / 3, 3 / 4, 5 / 6, 8 / 9];
  for (const size of [96, 500, 2000, 8000]) {
    for (const codeRate of rates) {
      const baseGraph = chooseBaseGraph(size, codeRate);
      const infoBits = Math.min(size, LARGEST_BLOCK_BITS[baseGraph]);
      const simulation = new BlerSimulation({ infoBits, baseGraph, codeRate, qm: 2, maxIterations: 20 }, 7);
      const step = infoBits > 3000 ? 0.12 : infoBits > 1000 ? 0.2 : infoBits > 200 ? 0.3 : 0.6;
      const most = infoBits > 3000 ? 800 : infoBits > 1000 ? 4000 : 15000;
      const points = waterfall(simulation, qpskSnrDb(Math.min(0.97, codeRate + 0.03)), step, 60, most, 0.003);
      const fit = new WaterfallFit(points);
      const information = [0.1, 0.01, 0.001].map((bler) => integrateMutualInformation(2, fit.at(bler).esN0Db) / 2);
      console.log(
        JSON.stringify({
          size,
          infoBits,
          baseGraph,
          codeRate: Number(codeRate.toFixed(4)),
          esN0Db: [0.1, 0.01, 0.001].map((bler) => Number(fit.at(bler).esN0Db.toFixed(2))),
          standardErrorDb: Number(fit.at(0.001).standardErrorDb.toFixed(3)),
          information: information.map((x) => Number(x.toFixed(4))),
          gap: information.map((x) => Number((x - codeRate).toFixed(4))),
        }),
      );
    }
  }
}

function cpuMicroseconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const used = process.cpuUsage(before);
  return used.user + used.system;
}

function speed(): void {
  for (const [id, z, codeRate] of [
    [1, 384, 1 / 2],
    [1, 384, 8 / 9],
    [2, 384, 1 / 3],
    [2, 64, 1 / 3],
  ] as [BaseGraphId, number, number][]) {
    const code = ldpcCode(id, z);
    const random = new RandomStream(3);
    const info = Uint8Array.from({ length: code.k }, () => random.uint32() >>> 31);
    const codeword = new Uint8Array(code.n);
    const encoder = ldpcEncoder(code);
    const encodes = Math.ceil(4e6 / code.k);
    const soft = new Float32Array(code.n);
    const bits = new Uint8Array(code.k);
    const decoder = new LdpcDecoder(code);
    const decodes = Math.ceil(2e5 / code.k);
    let encodeBest = Number.POSITIVE_INFINITY;
    let decodeBest = Number.POSITIVE_INFINITY;
    for (let repeat = 0; repeat < 7; repeat++) {
      const encode = cpuMicroseconds(() => {
        for (let i = 0; i < encodes; i++) encoder.encode(info, codeword);
      });
      encodeBest = Math.min(encodeBest, encode / encodes);
      // Noise of the waterfall, and a CRC that never agrees, so that all 10 iterations are run.
      for (let i = 0; i < Math.min(code.n, Math.round(code.k / codeRate)); i++) {
        soft[i] = 3 * (1 - 2 * codeword[i]) + 2.4 * random.normal();
      }
      const decode = cpuMicroseconds(() => {
        for (let i = 0; i < decodes; i++) {
          decoder.decode(soft, code.k, bits, { maxIterations: 10, accept: () => false });
        }
      });
      decodeBest = Math.min(decodeBest, decode / decodes);
    }
    console.log(
      JSON.stringify({
        baseGraph: id,
        z,
        codeRate: Number(codeRate.toFixed(3)),
        encoderMbps: Number((code.k / encodeBest).toFixed(1)),
        decoder10IterationsMbps: Number((code.k / decodeBest).toFixed(2)),
      }),
    );
  }
}

const [mode, ...words] = process.argv.slice(2);
if (mode === 'reference') reference(words.map(Number));
else if (mode === 'required') required();
else if (mode === 'side') side();
else if (mode === 'speed') speed();
else console.error('usage: ldpc-bler.ts reference [ROW...] | required | side | speed');
