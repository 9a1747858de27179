/**
 * Block error rates and speed of the LDPC code alone.
 *
 *   node --import tsx bench/ldpc-bler.ts reference [ROW...]   Es/N0 at BLER 1e-2 of published settings, resumable
 *   node --import tsx bench/ldpc-bler.ts required             mutual information needed, for the committed table
 *   node --import tsx bench/ldpc-bler.ts side                 side information at -4 dB by code rate
 *   node --import tsx bench/ldpc-bler.ts speed                encoder and decoder, Mb/s of information, CPU time
 */
import {
  type BlerPoint,
  BlerSimulation,
  WaterfallFit,
  wilsonInterval,
} from '../src/experiment/bench/ldpc/ldpc-simulation.ts';
import { chooseBaseGraph, LARGEST_BLOCK_BITS } from '../src/phy/fec/segmentation.ts';
import { integrateMutualInformation } from '../src/phy/modulation/mutual-information-integral.ts';
import { reference } from './ldpc/reference.ts';
import { speed } from './ldpc/speed.ts';

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

/** Where results are kept, from the folder of the project. */
const RESULTS = 'bench/results';

const [mode, ...words] = process.argv.slice(2);
if (mode === 'reference') await reference(`${RESULTS}/ldpc-bler.json`, words.map(Number));
else if (mode === 'required') required();
else if (mode === 'side') side();
else if (mode === 'speed') await speed(`${RESULTS}/ldpc-speed.json`);
else console.error('usage: ldpc-bler.ts reference [ROW...] | required | side | speed');
