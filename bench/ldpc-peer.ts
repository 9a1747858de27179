/**
 * Speed of the LDPC decoder at every lifting size beside srsRAN_4G's AVX2 one, megabits of information a second in CPU time of
 * one core, 10 iterations, soft buffer (theirs: int8) to bits:
 *
 *   SRSRAN_4G=source-tree node --import tsx bench/ldpc-peer.ts [ROUNDS]
 *
 * Writes bench/results/ldpc-peer.json. Programs take turns; ratios are taken round by round, then the median.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { RandomStream } from '../src/common/random.ts';
import { hostFacts, programFacts } from '../src/experiment/host-facts.ts';
import { median } from '../src/experiment/stats.ts';
import { type BaseGraphId, LIFTING_SIZES, ldpcCode } from '../src/phy/fec/ldpc-code.ts';
import { LLR_CLIP } from '../src/phy/fec/llr-quantiser.ts';
import { WasmLdpcKernel } from '../src/phy/kernels/ldpc-wasm.ts';

const run = promisify(execFile);
const kernel = new WasmLdpcKernel();
const ITERATIONS = 10;
const PASSES = 8;
const PASS_MICROSECONDS = 20_000;

interface Setting {
  readonly baseGraph: BaseGraphId;
  readonly z: number;
  readonly codeRate: number;
  /** How many times srsRAN's speed is asked. */
  readonly asked: number;
}

const SETTINGS: readonly Setting[] = [
  { baseGraph: 1, z: 384, codeRate: 8 / 9, asked: 2 },
  ...([1, 2] as const).flatMap((baseGraph) =>
    LIFTING_SIZES.map((z): Setting => ({ baseGraph, z, codeRate: 1 / 2, asked: baseGraph === 1 && z === 384 ? 2 : 1 })),
  ),
];

const SOURCES = [
  ...['base_graph', 'ldpc_decoder', 'ldpc_dec_f', 'ldpc_dec_s', 'ldpc_dec_c', 'ldpc_dec_c_flood'],
  ...['', 'long', '_flood', 'long_flood'].map((kind) => `ldpc_dec_c_avx2${kind}`),
].map((name) => `fec/ldpc/${name}.c`);

async function compilePeer(tree: string, folder: string): Promise<string> {
  const program = join(folder, 'srsran-ldpc');
  const own = fileURLToPath(new URL('peers/srsran-ldpc.c', import.meta.url));
  const sources = [...SOURCES, 'fec/crc.c', 'utils/vector.c', 'utils/vector_simd.c', 'utils/bit.c'];
  const defines = ['-DHAVE_AVX2', '-DLV_HAVE_AVX2', '-DLV_HAVE_SSE'];
  const paths = sources.map((name) => join(tree, 'lib/src/phy', name));
  const flags = ['-O3', '-march=native', '-w', ...defines, `-I${join(tree, 'lib/include')}`];
  await run('cc', [...flags, own, ...paths, '-o', program, '-lm'], { timeout: 300_000 });
  return program;
}

/**
 * Decodes one received codeword over and over: the soft buffer in, iterations, bits out. Whether the checks hold is not asked, which
 * theirs does not ask either.
 */
function ours({ baseGraph, z, codeRate }: Setting): (words: number) => void {
  const code = ldpcCode(baseGraph, z);
  const random = new RandomStream(`peer/${baseGraph}/${z}`);
  const sent = Math.min(code.n, Math.round(code.k / codeRate));
  const soft = Float32Array.from({ length: code.n }, (_, i) => (i < sent ? 3 + 2.4 * random.normal() : 0));
  const bits = new Uint8Array(code.k);
  const heard = new Uint8Array(code.columns);
  const limits = new Uint8Array(code.columns).fill(LLR_CLIP);
  const rows = new Uint8Array(code.rows);
  return (words) => {
    for (let i = 0; i < words; i++) {
      kernel.load(code, soft, heard);
      let count = 0;
      for (let r = 0; r < code.rows; r++) if (r < 4 || heard[code.graph.infoColumns + r] !== 0) rows[count++] = r;
      kernel.start(code.k, rows, count, limits);
      for (let k = 0; k < ITERATIONS; k++) kernel.iterate();
      kernel.hardDecisions(bits, code.k);
    }
  };
}

function mbps(setting: Setting, work: (words: number) => void): number {
  const k = ldpcCode(setting.baseGraph, setting.z).k;
  let words = 4;
  let best = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    const before = process.cpuUsage();
    work(words);
    const { user, system } = process.cpuUsage(before);
    const used = Math.max(1, user + system);
    if (pass > 0) best = Math.max(best, (words * k) / used);
    if (pass < 2) words = Math.max(1, Math.ceil((words * PASS_MICROSECONDS) / used));
  }
  return best;
}

const name = ({ baseGraph, z, codeRate }: Setting) => `${baseGraph}:${z}:${codeRate.toFixed(4)}`;

async function main(tree: string, rounds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sct-ldpc-'));
  try {
    const program = await compilePeer(tree, folder);
    const work = SETTINGS.map(ours);
    const results: { ours: number[]; theirs: number[] }[] = SETTINGS.map(() => ({ ours: [], theirs: [] }));
    for (let round = 0; round < rounds; round++) {
      for (const [i, setting] of SETTINGS.entries()) {
        results[i].ours.push(mbps(setting, work[i]));
        const { stdout } = await run(program, [String(ITERATIONS), name(setting)], { timeout: 60_000 });
        results[i].theirs.push((JSON.parse(stdout) as Record<string, number>)[name(setting)]);
      }
    }
    const rows = SETTINGS.map((setting, i) => {
      const ratios = results[i].ours.map((v, r) => v / results[i].theirs[r]);
      const ratio = { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) };
      const met = ratio.median >= setting.asked;
      return { ...setting, oursMbps: median(results[i].ours), srsranMbps: median(results[i].theirs), ratio, met };
    });
    for (const { baseGraph, z, codeRate, oursMbps, srsranMbps, ratio, asked, met } of rows) {
      const spread = `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`;
      console.log(
        `BG${baseGraph} Z=${z} R=${codeRate.toFixed(3)}: ${oursMbps.toFixed(2)} Mb/s, srsRAN_4G AVX2 ${srsranMbps.toFixed(2)}, ratio ${spread}, asked ${asked}${met ? '' : ', MISSED'}`,
      );
    }
    const report = {
      schema: 'sct-ldpc-peer/1',
      command: 'SRSRAN_4G=source-tree node --import tsx bench/ldpc-peer.ts',
      machine: hostFacts(),
      program: await programFacts(),
      node: process.version,
      method: `CPU time of one core, ${ITERATIONS} iterations without stopping; best of ${PASSES - 1} passes a round, median of ${rounds} alternating rounds, ratios round by round`,
      rows,
    };
    const path = fileURLToPath(new URL('results/ldpc-peer.json', import.meta.url));
    await writeFile(path, `${JSON.stringify(report, null, 1)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const tree = process.env.SRSRAN_4G;
if (!tree) {
  console.error('SRSRAN_4G must name a source tree of srsRAN_4G');
  process.exitCode = 2;
} else await main(tree, Number(process.argv[2] ?? 5));
