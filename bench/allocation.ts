/**
 * What the rules of allocation cost, and how long they take (docs/adr/0012-allocation.md).
 *
 *   node --import tsx bench/allocation.ts rounding     SFVs without an RE, shares reached one by one or in the sum
 *   node --import tsx bench/allocation.ts bursts       shares of SFVs that travel whole in one of several bursts
 *   node --import tsx bench/allocation.ts embeddings   what the symbols of one embedding see of an EVA channel
 *   node --import tsx bench/allocation.ts speed        CPU time, 32 SFVs in 96 slots of 50 subbands
 */
import { RandomStream } from '../src/common/random.ts';
import { powerDelayProfile } from '../src/phy/channel/power-delay-profiles.ts';
import { allocate } from '../src/sct/allocation/allocate.ts';
import { reserveLeading } from '../src/sct/allocation/burst-shape.ts';
import { reportedChannels } from '../src/sct/allocation/effective-snr.ts';
import { placeSymbols } from '../src/sct/allocation/rb-map.ts';
import { splitOverBursts } from '../src/sct/allocation/split-bursts.ts';
import { encodeScore, scoreWeight } from '../src/sct/importance/scores.ts';

const SEED = 1;

/** Scores of SFVs whose importances are lognormal. */
function scoresOf(random: RandomStream, sfvs: number, sigma: number): Uint8Array {
  const importance = Array.from({ length: sfvs }, () => Math.exp(sigma * random.normal()));
  const sum = importance.reduce((a, b) => a + b, 0);
  return Uint8Array.from(importance, (v) => encodeScore(v / sum));
}

const weightSum = (codes: Iterable<number>) => [...codes].reduce((sum, c) => sum + scoreWeight(c), 0);
const quantile = (sorted: readonly number[], p: number) => sorted[Math.floor(p * (sorted.length - 1))].toFixed(2);

/** 255 SFVs on 3300 RE of equal capacity; one by one: each takes ceil(share), the last without any is dropped, again. */
function rounding(): void {
  const scores = scoresOf(new RandomStream(SEED), 255, 1.2).sort((a, b) => b - a);
  const shape = { nSubbands: 25, nSlots: 1, rePerRb: new Uint16Array(25).fill(132) };
  const { dropped } = allocate({ shape, csi: new Uint8Array(25).fill(80), scores, mapping: 'matched' });
  let placed = [...scores];
  for (let count = -1; count !== placed.length; ) {
    count = placed.length;
    const sum = weightSum(placed);
    let free = 3300;
    for (const code of placed) free -= Math.ceil((scoreWeight(code) * 3300) / sum);
    if (free + Math.ceil((scoreWeight(placed[count - 1]) * 3300) / sum) <= 0) placed = placed.slice(0, -1);
  }
  const share = (code: number) => ((scoreWeight(code) * 3300) / weightSum(scores)).toFixed(1);
  console.log(
    `one by one: ${255 - placed.length} of 255 SFVs get nothing, shares up to ${share(scores[placed.length])} RE`,
  );
  console.log(`in the sum: ${dropped.length}, up to ${share(Math.max(0, ...dropped.map((id) => scores[id])))} RE`);
}

function bursts(): void {
  const random = new RandomStream(SEED);
  for (const count of [2, 3, 4]) {
    for (const sfvs of [12, 25]) {
      const ratios: number[] = [];
      let divided = 0;
      for (let picture = 0; picture < 400; picture++) {
        const scores = scoresOf(random, sfvs, 1.2);
        for (const burst of splitOverBursts({ scores }, new Array(count).fill(1e6))) {
          const ratio = weightSum(scores) / count / burst.weights.reduce((a, b) => a + b, 0);
          ratios.push(...burst.ranking.map(() => ratio));
          if (burst.continues) divided++;
        }
      }
      ratios.sort((a, b) => a - b);
      const [least, low, high, most] = [0, 0.05, 0.95, 1].map((p) => quantile(ratios, p));
      console.log(
        `${count} bursts, ${sfvs} SFVs: ${low} to ${high} of the share (5 to 95 %; ${least} to ${most}), ${divided / 400} divided`,
      );
    }
  }
}

/** RMS distance of an embedding's mean capacity from the band's, EVA at 5 dB, 3000 realisations, 25 subbands. */
function embeddings(): void {
  const random = new RandomStream(SEED);
  const { delaysNs, powers } = powerDelayProfile('eva');
  const [n, carriers] = [25, 12];
  const squares = new Map<string, number>();
  for (let trial = 0; trial < 3000; trial++) {
    const taps = powers.map((p) => [Math.sqrt(p / 2) * random.normal(), Math.sqrt(p / 2) * random.normal()]);
    const capacity = Array.from({ length: n }, (_, s) => {
      let sum = 0;
      for (let c = 0; c < carriers; c++) {
        let [re, im] = [0, 0];
        taps.forEach(([a, b], i) => {
          const angle = -2 * Math.PI * 15e-6 * (s * carriers + c) * delaysNs[i];
          re += a * Math.cos(angle) - b * Math.sin(angle);
          im += a * Math.sin(angle) + b * Math.cos(angle);
        });
        sum += Math.log2(1 + (re * re + im * im) * 10 ** 0.5) / carriers;
      }
      return sum;
    });
    const mean = capacity.reduce((a, b) => a + b, 0) / n;
    const start = random.integer(n);
    for (const symbols of [1, 4, 8, 16, 48]) {
      for (const step of [1, 7]) {
        let sum = 0;
        for (let i = 0; i < symbols; i++) sum += capacity[(start + step * i) % n];
        const key = `${symbols} symbols, every ${step === 1 ? '' : '7th '}subband`;
        squares.set(key, (squares.get(key) ?? 0) + (sum / symbols - mean) ** 2);
      }
    }
  }
  for (const [key, square] of squares) console.log(`${key}: ${Math.sqrt(square / 3000).toFixed(3)} bit`);
}

function speed(): void {
  const shape = reserveLeading({ nSubbands: 50, nSlots: 96, rePerRb: new Uint16Array(4800).fill(154) }, 33);
  const csi = Uint8Array.from({ length: 50 }, (_, s) => 60 + ((37 * s) % 80));
  const scores = scoresOf(new RandomStream(SEED), 32, 1.2);
  const minRe = new Array<number>(32).fill(2000);
  const ms: Record<string, number[]> = { allocate: [], placeSymbols: [], reportedChannels: [] };
  function timed<T>(what: string, f: () => T): T {
    const before = process.cpuUsage();
    const result = f();
    const { user, system } = process.cpuUsage(before);
    ms[what].push((user + system) / 1000);
    return result;
  }
  for (let i = 0; i < 21; i++) {
    const { map } = timed('allocate', () => allocate({ shape, csi, scores, mapping: 'uniform', minRe }));
    const placement = timed('placeSymbols', () => placeSymbols(map, shape));
    timed('reportedChannels', () => reportedChannels(placement, csi, 50));
  }
  for (const [what, [first, ...rest]] of Object.entries(ms)) {
    const median = quantile(
      rest.sort((a, b) => a - b),
      0.5,
    );
    console.log(`${what}: ${median} ms of CPU (median of 20 after the first, ${first.toFixed(1)} ms)`);
  }
}

const PARTS: Record<string, () => void> = { rounding, bursts, embeddings, speed };
const part = PARTS[process.argv[2] ?? ''];
if (!part) {
  console.error(`bench/allocation.ts ${Object.keys(PARTS).join(' | ')}`);
  process.exitCode = 2;
} else part();
