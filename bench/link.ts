/**
 * The classical link through the whole modem and the modelled channels, many seeds or pictures.
 *
 *   node --import tsx bench/link.ts seeds   [--first 1] [--count 100] [--numerology 25] [--out FILE]
 *   node --import tsx bench/link.ts kodak --data DIR [--out FILE]
 *
 * `seeds`: the demo photo (512x768) with the default, non-ideal loopback, one run a seed, on AWGN 5 and 15 dB, EPA and
 * EVA 15 dB. `kodak`: the PNGs in DIR on AWGN 1 to 13 dB at CBR 1/16 without repetitions. JSON on stdout or to FILE.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolveLinkConfig } from '../src/experiment/config/link-config.ts';
import { setupLink } from '../src/experiment/config/link-setup.ts';
import { LoopbackExchange } from '../src/experiment/loopback/exchange.ts';
import { mean, meanInterval, percentile, wilson } from '../src/experiment/metrics/stats.ts';
import { gitFacts, packageRoot } from '../src/experiment/run/host-facts.ts';
import { countedRe } from '../src/link/accounting.ts';
import { ClassicalCodec } from '../src/sct/codec/classical.ts';
import { loadDemoPhoto } from '../src/sct/image/demo.ts';
import { listImages } from '../src/sct/image/list.ts';
import { loadImage } from '../src/sct/image/load.ts';
import { flatImage, type RgbImage } from '../src/sct/image/rgb-image.ts';
import { msSsim, msSsimDb } from '../src/sct/quality/ms-ssim.ts';
import { psnrDb } from '../src/sct/quality/psnr.ts';

interface Trial {
  readonly whole: boolean;
  readonly psnrDb: number;
  readonly msSsim: number | null;
  readonly cbr: number;
  readonly repeatedBlocks: number;
  readonly firstBlocks: number;
  readonly firstFailures: number;
  readonly payloadBytes: number;
}

/** One picture through the link: what arrived and what it cost. */
async function trial(settings: object, image: RgbImage, codec: ClassicalCodec, withMsSsim: boolean): Promise<Trial> {
  const config = resolveLinkConfig({ ...settings, codec: 'classical' });
  const exchange = new LoopbackExchange(config, { ...setupLink(config), codec });
  await exchange.open();
  const plan = await exchange.sendPicture(image);
  await exchange.close();
  const picture = exchange.chain.receiver.received.at(-1);
  const decoded = picture ? await exchange.chain.receiver.picture(picture) : undefined;
  const shown = decoded?.decodable && decoded.image ? decoded.image : flatImage(image.width, image.height);
  return {
    whole: decoded?.complete === true,
    psnrDb: psnrDb(image, shown),
    msSsim: withMsSsim ? msSsim(image, shown) : null,
    cbr: countedRe(exchange.transmitter.budget) / (3 * image.width * image.height),
    repeatedBlocks: exchange.transmitter.retransmittedBlocks,
    firstBlocks: exchange.trace.firstBlocks,
    firstFailures: exchange.trace.firstFailures,
    payloadBytes: plan.payloadBytes,
  };
}

function summarise(trials: readonly Trial[]) {
  const whole = trials.filter((t) => t.whole).length;
  const psnr = trials.map((t) => t.psnrDb);
  const interval = meanInterval(psnr);
  const quality = trials.map((t) => t.msSsim).filter((v): v is number => v !== null);
  const blocks = trials.reduce((n, t) => n + t.firstBlocks, 0);
  const failures = trials.reduce((n, t) => n + t.firstFailures, 0);
  const share = wilson(whole, trials.length);
  return {
    trials: trials.length,
    whole,
    wholeShare: share.value,
    wholeInterval: [share.low, share.high],
    meanPsnrDb: interval.value,
    psnrInterval: [interval.low, interval.high],
    p10PsnrDb: percentile(psnr, 0.1),
    meanMsSsimDb: quality.length > 0 ? mean(quality.map(msSsimDb)) : null,
    meanCbr: mean(trials.map((t) => t.cbr)),
    largestCbr: Math.max(...trials.map((t) => t.cbr)),
    firstBler: blocks > 0 ? failures / blocks : null,
    picturesWithRepeats: trials.filter((t) => t.repeatedBlocks > 0).length,
    meanRepeatedBlocks: mean(trials.map((t) => t.repeatedBlocks)),
    meanPayloadBytes: mean(trials.map((t) => t.payloadBytes)),
  };
}

const ROWS = [
  { channel: 'awgn', snrDb: 5 },
  { channel: 'awgn', snrDb: 15 },
  { channel: 'epa', snrDb: 15 },
  { channel: 'eva', snrDb: 15 },
] as const;

async function seeds(first: number, count: number, numerology: number) {
  const image = await loadDemoPhoto();
  const codec = new ClassicalCodec();
  const rows: object[] = [];
  for (const row of ROWS) {
    const trials: Trial[] = [];
    for (let seed = first; seed < first + count; seed++)
      trials.push(await trial({ ...row, seed, numerology }, image, codec, false));
    rows.push({ ...row, numerology, ...summarise(trials) });
    note(`${row.channel} ${row.snrDb} dB`, rows.at(-1));
  }
  return rows;
}

async function kodak(folder: string) {
  const files = await listImages(folder);
  const rows: object[] = [];
  const images = await Promise.all(files.map(loadImage));
  const codec = new ClassicalCodec();
  for (const snrDb of [1, 4, 7, 10, 13]) {
    const trials: Trial[] = [];
    for (const [i, image] of images.entries())
      trials.push(await trial({ snrDb, harq: 0, seed: i + 1 }, image, codec, true));
    rows.push({ channel: 'awgn', snrDb, cbr: 1 / 16, ...summarise(trials) });
    note(`Kodak ${snrDb} dB`, rows.at(-1));
  }
  return rows;
}

function note(what: string, row: unknown): void {
  process.stderr.write(`${what}: ${JSON.stringify(row)}\n`);
}

/** The arguments that matter: where the pictures lie and where the result goes is the machine's own business. */
function shownArguments(): string {
  const words = process.argv.slice(2);
  const out = words.indexOf('--out');
  if (out >= 0) words.splice(out, 2);
  const at = words.indexOf('--data');
  if (at >= 0) words[at + 1] = 'DIR';
  return words.join(' ');
}

function flag(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

const what = process.argv[2];
const data = flag('data');
if (what !== 'seeds' && !(what === 'kodak' && data)) {
  process.stderr.write(
    'usage: bench/link.ts seeds [--first SEED] [--count N] [--numerology N] | kodak --data DIR  [--out FILE]\n',
  );
  process.exit(2);
}
const rows =
  what === 'seeds'
    ? await seeds(Number(flag('first') ?? 1), Number(flag('count') ?? 100), Number(flag('numerology') ?? 25))
    : await kodak(data!);
const result = {
  schema: 'sct.bench.link/1',
  command: `node --import tsx bench/link.ts ${shownArguments()}`,
  machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
  git: await gitFacts(await packageRoot()),
  rows,
};
const out = flag('out');
if (out) writeFileSync(out, `${JSON.stringify(result, null, 2)}\n`);
else process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
