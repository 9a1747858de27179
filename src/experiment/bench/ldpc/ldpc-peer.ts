import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceError } from '../../../common/errors.ts';
import { RandomStream } from '../../../common/random.ts';
import { type BaseGraphId, LIFTING_SIZES, ldpcCode } from '../../../phy/fec/ldpc-code.ts';
import { LLR_CLIP } from '../../../phy/fec/llr-quantiser.ts';
import { WasmLdpcKernel } from '../../../phy/kernels/ldpc/ldpc-wasm.ts';
import { median } from '../../metrics/stats.ts';
import { type PeerFacts, PeerProgram, peerFacts } from '../peer-program.ts';
import { loopTurn, type Spread, spread } from '../spread.ts';

const ITERATIONS = 10;
const PASSES = 8;
const PASS_MICROSECONDS = 20_000;

export interface LdpcSetting {
  readonly baseGraph: BaseGraphId;
  readonly z: number;
  readonly codeRate: number;
  /** How many times srsRAN's speed is asked. */
  readonly asked: number;
}

/** What is asked of base graph 1 with the largest blocks. */
export const LARGEST_SETTINGS: readonly LdpcSetting[] = [
  { baseGraph: 1, z: 384, codeRate: 1 / 2, asked: 2 },
  { baseGraph: 1, z: 384, codeRate: 8 / 9, asked: 2 },
];

/** Every lifting size of both base graphs. */
export const ALL_SETTINGS: readonly LdpcSetting[] = [
  LARGEST_SETTINGS[1],
  ...([1, 2] as const).flatMap((baseGraph) =>
    LIFTING_SIZES.map((z): LdpcSetting => {
      const asked = baseGraph === 1 && z === 384 ? 2 : 1;
      return { baseGraph, z, codeRate: 1 / 2, asked };
    }),
  ),
];

/** Megabits of information a second of CPU time of one core. */
export interface LdpcPeerRow extends LdpcSetting {
  readonly oursMbps: number;
  readonly srsranMbps: number | null;
  readonly ratio: Spread | null;
  readonly met: boolean | null;
}

export interface LdpcPeerReport {
  readonly method: string;
  readonly srsran: PeerFacts;
  readonly rows: readonly LdpcPeerRow[];
}

export interface LdpcPeerOptions {
  /** Source tree of srsRAN_4G; null: ours alone. */
  readonly tree: string | null;
  readonly settings: readonly LdpcSetting[];
  readonly rounds: number;
  readonly progress?: (what: string) => void;
}

const SOURCES = [
  ...['base_graph', 'ldpc_decoder', 'ldpc_dec_f', 'ldpc_dec_s', 'ldpc_dec_c', 'ldpc_dec_c_flood'],
  ...['', 'long', '_flood', 'long_flood'].map((kind) => `ldpc_dec_c_avx2${kind}`),
].map((name) => `fec/ldpc/${name}.c`);

/** Our decoder and srsRAN_4G's AVX2 one, one after the other in each round: soft buffer (theirs: int8) to bits. */
export async function ldpcPeerSpeeds({ tree, settings, rounds, progress }: LdpcPeerOptions): Promise<LdpcPeerReport> {
  progress?.('LDPC decoder');
  const peer = tree === null ? null : await openPeer(tree);
  try {
    const kernel = new WasmLdpcKernel();
    const work = settings.map((setting) => ours(kernel, setting));
    const results = settings.map((): { ours: number; theirs: number | null }[] => []);
    for (let round = 0; round < rounds; round++) {
      progress?.(`LDPC decoder, round ${round + 1} of ${rounds}`);
      await loopTurn();
      for (const [i, setting] of settings.entries()) {
        const own = mbps(setting, work[i]);
        const theirs =
          peer instanceof PeerProgram
            ? (await peer.measure<Record<string, number>>([ITERATIONS, nameOf(setting)]))[nameOf(setting)]
            : null;
        results[i].push({ ours: own, theirs });
      }
    }
    return {
      method: `CPU time of one core, ${ITERATIONS} iterations without stopping; best of ${PASSES - 1} passes a round, median of ${rounds} alternating rounds, ratios round by round`,
      srsran: peerFacts(peer, null),
      rows: settings.map((setting, i) => rowOf(setting, results[i])),
    };
  } finally {
    if (peer instanceof PeerProgram) await peer.close();
  }
}

function rowOf(setting: LdpcSetting, rounds: readonly { ours: number; theirs: number | null }[]): LdpcPeerRow {
  const compared = rounds.flatMap((r) => (r.theirs === null ? [] : [{ ours: r.ours, theirs: r.theirs }]));
  const ratio = compared.length > 0 ? spread(compared.map((r) => r.ours / r.theirs)) : null;
  return {
    ...setting,
    oursMbps: median(rounds.map((r) => r.ours)),
    srsranMbps: ratio ? median(compared.map((r) => r.theirs)) : null,
    ratio,
    met: ratio ? ratio.median >= setting.asked : null,
  };
}

/** A tree that was named must be there: DeviceError, before anything is measured. */
export function requireSourceTree(tree: string): void {
  if (isSourceTree(tree)) return;
  throw new DeviceError(
    `${tree} is no source tree of srsRAN_4G`,
    `--srsran, or SRSRAN_4G of the environment, names one that holds lib/src/phy/${SOURCES[0]}; without either ours is measured alone`,
  );
}

function isSourceTree(tree: string): boolean {
  return existsSync(join(tree, 'lib/src/phy', SOURCES[0]));
}

function openPeer(tree: string): Promise<PeerProgram | string> {
  const phy = join(tree, 'lib/src/phy');
  if (!isSourceTree(tree)) return Promise.resolve(`${tree} is no source tree of srsRAN_4G`);
  const sources = [...SOURCES, 'fec/crc.c', 'utils/vector.c', 'utils/vector_simd.c', 'utils/bit.c'];
  const defines = ['-DHAVE_AVX2', '-DLV_HAVE_AVX2', '-DLV_HAVE_SSE'];
  return PeerProgram.open({
    name: 'srsran-ldpc',
    library: 'srsRAN_4G',
    args: ['-w', ...defines, `-I${join(tree, 'lib/include')}`, ...sources.map((name) => join(phy, name))],
  });
}

/**
 * Decodes one received codeword over and over: the soft buffer in, iterations, bits out. Whether the checks hold is not asked, which
 * theirs does not ask either.
 */
function ours(kernel: WasmLdpcKernel, { baseGraph, z, codeRate }: LdpcSetting): (words: number) => void {
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

function mbps(setting: LdpcSetting, work: (words: number) => void): number {
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

function nameOf({ baseGraph, z, codeRate }: LdpcSetting): string {
  return `${baseGraph}:${z}:${codeRate.toFixed(4)}`;
}

export function ldpcPeerLine({ baseGraph, z, codeRate, oursMbps, srsranMbps, ratio, asked, met }: LdpcPeerRow): string {
  const own = `BG${baseGraph} Z=${z} R=${codeRate.toFixed(3)}: ${oursMbps.toFixed(1)} Mb/s`;
  if (!ratio || srsranMbps === null) return own;
  const range = `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`;
  return `${own}, srsRAN_4G AVX2 ${srsranMbps.toFixed(1)}, ratio ${range}, asked ${asked}${met ? '' : ', MISSED'}`;
}
