import { Running, sct, sleep } from './program.ts';

/** What of the received capture is kept. */
export interface Kept {
  /** Bursts before the picture that are kept, at most: soundings. */
  readonly soundings: number;
  /** Words that the recording's description begins with. */
  readonly title: string;
  /** What else is on the air, marked over the whole recording. */
  readonly other?: { readonly comment: string; readonly fromHz: number; readonly toHz: number };
}

/** What decides whether a recording shows what it is for: a part of metrics.json. */
export interface Shown {
  readonly ok: boolean;
  readonly psnrDb: number | null;
  readonly lostSamples: number;
  readonly cfoHz: number | null;
  readonly rbSnrDb: readonly (number | null)[] | null;
  readonly sfvs: readonly { readonly state: string }[];
}

/** One sample recording. */
export interface Recipe {
  /** Its folder: the board whose recording it is, and what is in it. */
  readonly name: string;
  /** Board that heard it, as `core:hw` says. */
  readonly board: string;
  /** Words of `sct emulate`, without where it listens. */
  readonly emulate: string;
  /** Words of what sends and receives, as the README shows them. */
  readonly commands: readonly string[];
  readonly keep: Kept;
  /** Runs the commands beside the emulated boards; the run directory `run` is what it leaves. */
  make(cwd: string, attempt: number): Promise<void>;
  /** Whether the recording shows what it is for; boards keep time by the wall clock, so no two are alike. */
  shows(metrics: Shown): boolean;
}

export const SOCKET = 'boards';
const one = `hackrf:1?usbip=unix:./${SOCKET}`;
const two = `hackrf:2?usbip=unix:./${SOCKET}`;
const three = `hackrf:3?usbip=unix:./${SOCKET}`;
const HACKRF = 'HackRF One';
const CARRIER = '868.3M';
/** How far the picture's burst may lie behind the soundings decides how much there is to keep. */
const SOUNDINGS = '--soundings 3 --sounding-every 5';
const NEIGHBOUR_HZ = 869.1e6;
/** 6 subbands and the DC subcarrier of 15 kHz. */
const NEIGHBOUR_WIDTH_HZ = (6 * 12 + 1) * 15e3;

const linkWords = (more: string) =>
  `link photo.png --tx ${one} --rx ${two} -f ${CARRIER} --cabled 60 ${SOUNDINGS} ${more} -o run`;

/** A recipe of one `sct link`. */
function linked(words: string): Pick<Recipe, 'commands' | 'make'> {
  return {
    commands: [words],
    make: async (cwd) => void (await sct(words, cwd)),
  };
}

const worst = (m: Shown) => Math.min(...(m.rbSnrDb ?? []).map((v) => v ?? Number.NaN));
const count = (m: Shown, ...states: string[]) => m.sfvs.filter(({ state }) => states.includes(state)).length;

const neighbour = `send --demo --to ${three} -f ${NEIGHBOUR_HZ / 1e6}M --numerology 6 --cabled 60 --tx-gain 47 --cbr 1/2 -o neighbour`;
const besideNeighbour = linkWords('--tx-gain 38');
const lossyReceive = `receive --from ${two} -f ${CARRIER} --numerology 6 -s 4M --rx-gain 60 -n 1 --reference photo.png -o run`;
const lossySend = `send photo.png --to ${one} -f ${CARRIER} --cabled 60 --numerology 6 -s 4M --tx-gain 45 --assume-snr 8 --cbr 1/4 -o sent`;
/** 8 transfers of 8.2 ms wait for the host, who is held up for a little more, ms of the wall clock at --speed 0.05. */
const HELD_UP_MS = 1400;

export const RECIPES: readonly Recipe[] = [
  {
    name: 'emulated-clean',
    board: HACKRF,
    emulate: 'hackrf --count 2 --path-loss 54 --speed 0.05',
    ...linked(linkWords('--tx-gain 47')),
    keep: { soundings: 2, title: 'A picture over a cable without any fault' },
    shows: (m) => m.ok && m.lostSamples === 0 && worst(m) > 18 && count(m, 'received') === m.sfvs.length,
  },
  {
    name: 'emulated-fading',
    board: HACKRF,
    emulate: 'hackrf --count 2 --path-loss 67 --channel etu --doppler 30 --seed 3 --speed 0.05',
    ...linked(linkWords('--tx-gain 47 --codec modular --max-csi-age 100')),
    keep: { soundings: 2, title: 'Selective fading: ETU, 30 Hz Doppler; packets of some SFVs are lost' },
    shows: (m) => m.lostSamples === 0 && count(m, 'synthesised') >= 2 && count(m, 'received') >= 5,
  },
  {
    name: 'emulated-interference',
    board: HACKRF,
    emulate: 'hackrf --count 3 --path-loss 60 --speed 0.03',
    commands: [neighbour, besideNeighbour],
    keep: {
      soundings: 2,
      title: 'Interference: another sender on a quarter of the band, some 15 dB above the signal there',
      other: {
        comment: 'an emulated HackRF sends a picture of its own on 6 subbands',
        fromHz: NEIGHBOUR_HZ - NEIGHBOUR_WIDTH_HZ / 2,
        toHz: NEIGHBOUR_HZ + NEIGHBOUR_WIDTH_HZ / 2,
      },
    },
    make: async (cwd) => {
      const other = new Running(neighbour, cwd);
      try {
        await other.says(/data burst/);
        await sct(besideNeighbour, cwd);
      } finally {
        other.interrupt();
        await other.ended;
      }
    },
    shows: (m) => m.lostSamples === 0 && worst(m) < -8 && count(m, 'repaired', 'synthesised') >= 1,
  },
  {
    name: 'emulated-cfo',
    board: HACKRF,
    emulate: 'hackrf --count 2 --path-loss 60 --ppm 45,-35 --speed 0.05',
    ...linked(linkWords('--tx-gain 47')),
    keep: { soundings: 2, title: 'Clocks 80 ppm apart: carrier 69 kHz off, sample clock too' },
    shows: (m) => m.ok && m.lostSamples === 0 && Math.abs(m.cfoHz ?? 0) > 68e3,
  },
  {
    name: 'emulated-lost-samples',
    board: HACKRF,
    emulate: 'hackrf --count 2 --path-loss 60 --speed 0.05',
    commands: [lossyReceive, lossySend],
    keep: { soundings: 0, title: 'Lost samples: the host was held up while the picture came, the board overran' },
    make: async (cwd, attempt) => {
      const receiver = new Running(lossyReceive, cwd);
      try {
        await receiver.says(/receive +0\.1 s/);
        const sender = new Running(lossySend, cwd);
        await sender.says(/sounding burst/);
        await sleep(100 * (attempt % 5));
        await receiver.pause(HELD_UP_MS);
        await sender.ended;
        // It ends by itself once it has the picture; where it lost it, never.
        await Promise.race([receiver.ended, sleep(15_000)]);
      } finally {
        receiver.interrupt();
        await receiver.ended;
      }
    },
    shows: (m) => m.lostSamples > 0 && m.lostSamples < 60e3 && count(m, 'repaired') >= 2 && count(m, 'received') >= 3,
  },
  {
    name: 'emulated-sounding',
    board: HACKRF,
    emulate: 'hackrf --count 2 --path-loss 60 --channel eva --doppler 70 --speed 0.05',
    ...linked(
      `sound --tx ${one} --rx ${two} -f ${CARRIER} --cabled 60 --tx-gain 45 --rx-gain 52 --numerology 6 -s 4M -n 10 --period 10 -o run`,
    ),
    keep: { soundings: 10, title: 'Soundings each 10 ms of a channel that moves: EVA, 70 Hz Doppler; no picture' },
    shows: (m) => m.lostSamples === 0 && m.ok,
  },
  {
    name: 'emulated-pluto',
    board: 'ADALM-PLUTO',
    emulate: 'pluto --iiod no --own-loss 60 --speed 0.1',
    ...linked(
      `link photo.png --tx pluto:usb?usbip=unix:./${SOCKET} -f 2.45G --cabled 60 --numerology 6 ${SOUNDINGS} -o run`,
    ),
    keep: { soundings: 0, title: 'A picture from a Pluto to itself, 6 subbands, 16-bit samples' },
    shows: (m) => m.ok && m.lostSamples === 0 && worst(m) > 15,
  },
];
