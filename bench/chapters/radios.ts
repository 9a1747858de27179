/** Chapter of docs/results.md on radios; all of them emulated. */

import { figure, type Provenance, provenance, table } from './parts.ts';

interface Part<T> extends Provenance {
  readonly measured: T;
}

interface Percentiles {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Picture {
  readonly psnrDb: number;
  readonly snrDb: number;
  readonly cfoHz: number;
  readonly lostSamples: number;
}

export interface RadiosResult {
  readonly command: string;
  readonly parts: {
    readonly record?: Part<
      readonly {
        readonly rateHz: number;
        readonly speed: number;
        readonly seconds: number;
        readonly cpuOfSecondS: number;
        readonly lost: number;
        readonly load: number;
      }[]
    >;
    readonly blocked?: Part<
      readonly {
        readonly rateHz: number;
        readonly speed: number;
        /** False: the same without standing still. */
        readonly still: boolean;
        readonly times: number;
        readonly samples: number;
        readonly lostMin: number;
        readonly lostMax: number;
        readonly wrong: number;
        readonly load: number;
      }[]
    >;
    readonly losses?: Part<{
      readonly hackrf: readonly {
        readonly name: string;
        readonly samples: number;
        readonly lostMin: number;
        readonly lostMax: number;
        readonly lostTruly?: number;
        readonly records?: number;
        readonly gaps: number;
        readonly cpuS: number;
      }[];
      readonly worker: string;
      readonly plutoSamples: number;
    }>;
    readonly turnaround?: Part<{
      readonly count: number;
      readonly rxToTx: Percentiles;
      readonly txToRx: Percentiles;
      readonly load: number;
    }>;
    readonly pictures?: Part<
      readonly {
        readonly seed: number;
        readonly speed: number;
        readonly boards: Picture;
        readonly loopback: Picture;
        readonly differenceDb: number;
      }[]
    >;
  };
}

/** `sct record` beside `hackrf_transfer` (bench/radios-clients.ts). */
export interface ClientsResult extends Provenance {
  readonly command: string;
  readonly measured: readonly {
    readonly rateHz: number;
    readonly speed: number;
    readonly seconds: number;
    readonly ratio: number;
    readonly medianCpuOfSecondS: ByClient<number>;
    readonly cpuOfSecondS: ByClient<readonly number[]>;
    /** Places in all recordings where a sample does not follow the one before. */
    readonly breaks: ByClient<number>;
    readonly load: readonly number[];
  }[];
}

interface ByClient<T> {
  readonly sct: T;
  readonly hackrf_transfer: T;
}

export function radiosChapter(result: RadiosResult, clients: ClientsResult | null): string {
  const { parts } = result;
  return [
    '## Radios (emulated)',
    'Boards are those of `sct emulate`, in a process of their own and reached over USB/IP; no figure here is from hardware. Boards, program and whatever else the machine did shared its cores, so that the boards lose samples where a real one would not. Load is the average number of programs that wanted one of the cores.',
    ...picturesPart(parts.pictures),
    ...lossesPart(parts.losses),
    ...hostPart(parts),
    `    ${result.command}`,
    ...clientsPart(clients),
  ].join('\n\n');
}

function clientsPart(result: ClientsResult | null): string[] {
  if (!result) return [];
  const cpu = (median: number, each: readonly number[]) => {
    return `${figure(median, 2)} (${figure(Math.min(...each), 2)} to ${figure(Math.max(...each), 2)})`;
  };
  const rows = result.measured.map(({ rateHz, speed, medianCpuOfSecondS, cpuOfSecondS, ratio, breaks, load }) => [
    `${rateHz / 1e6} Msps, ${speed} of real time`,
    cpu(medianCpuOfSecondS.sct, cpuOfSecondS.sct),
    cpu(medianCpuOfSecondS.hackrf_transfer, cpuOfSecondS.hackrf_transfer),
    figure(ratio, 2),
    `${breaks.sct}, ${breaks.hackrf_transfer}`,
    `${figure(Math.min(...load), 2)} to ${figure(Math.max(...load), 2)}`,
  ]);
  const { seconds, cpuOfSecondS } = result.measured[0];
  return [
    '### Recording beside hackrf_transfer',
    `CPU seconds, user and system of all threads, for a second of samples: median, smallest and largest of ${cpuOfSecondS.sct.length} recordings of ${seconds} s of samples, start not counted. Both programs in turn on the same emulated board, which counts, and on a real processor. \`hackrf_transfer\` and libhackrf are Debian’s, over a stand-in for libusb of our own (bench/peers/libusb-usbip) that speaks USB/IP on a local socket, as \`sct\` does by itself: both pay the same transport, neither the kernel’s USB. \`sct record\` also computes the SHA-512 that SigMF asks for and counts samples at the converter’s limits, which \`hackrf_transfer\` does not. Every sample of every recording was compared with the board’s count.`,
    table(['', 'sct record', 'hackrf_transfer', 'ratio', 'breaks in the count', 'load'], rows),
    `    ${result.command}`,
    `${provenance(result)}.`,
  ];
}

function picturesPart(part: RadiosResult['parts']['pictures']): string[] {
  if (!part) return [];
  const rows = part.measured;
  const largest = Math.max(...rows.map((r) => Math.abs(r.differenceDb)));
  return [
    '### Pictures over two boards against a loopback',
    `The demo photo from one emulated HackRF to another: clocks 35 ppm apart, IQ imbalance of 0.5 dB and 3°, DC of −20 dBFS and phase noise at both ends, 8-bit converters, 60 dB between them, AWGN; against \`sct loopback --profile hackrf\` with the CFO and clock offset that follow from 35 ppm, the same faults and the HackRF’s phase noise at its receiver (it has none at its transmitter), and as SNR the mean over RB that the boards’ receiver measured. Asked: within 1 dB. Largest difference: ${figure(largest, 2)} dB, **${largest <= 1 ? 'met' : 'missed'}** in ${rows.length} pairs.`,
    table(
      [
        'seed',
        'boards: PSNR, dB',
        'SNR, dB',
        'CFO, Hz',
        'samples lost',
        'loopback: PSNR, dB',
        'SNR, dB',
        'difference, dB',
      ],
      rows.map((r) => [
        String(r.seed),
        r.boards.psnrDb.toFixed(2),
        r.boards.snrDb.toFixed(2),
        r.boards.cfoHz.toFixed(1),
        String(r.boards.lostSamples),
        r.loopback.psnrDb.toFixed(2),
        r.loopback.snrDb.toFixed(2),
        r.differenceDb.toFixed(2),
      ]),
    ),
    `Time of the boards ran at ${rows[0].speed} of the wall clock. 35 ppm of 868.3 MHz are 30 390.5 Hz. ${provenance(part)}.`,
  ];
}

const KINDS: Record<string, string> = {
  stallingBus: 'HackRF at 20 Msps, a bus that stands still for up to 2 s, or stutters',
  slowBus: 'HackRF at 20 Msps, a bus of 38 MB/s, which loses some in every buffer',
  sleepingReader: 'HackRF at 20 Msps, a program that sleeps for up to 4 s',
};

function lossesPart(part: RadiosResult['parts']['losses']): string[] {
  if (!part) return [];
  const { hackrf, worker, plutoSamples } = part.measured;
  return [
    '### Losses over 1e9 samples',
    'Every block and every record of a loss is compared with what the emulated board really did (its samples count); one that is wrong ends the measurement with an error, and none was: samples stand where the stream says, true losses lie in the bounds and the span that are said, and what the host itself drops is exact.',
    table(
      ['what', 'samples', 'records of a loss', 'said: at least', 'at most', 'truly lost'],
      hackrf.map((r) => [
        KINDS[r.name] ?? r.name,
        String(r.samples),
        String(r.records ?? r.gaps),
        String(r.lostMin),
        String(r.lostMax),
        r.lostTruly === undefined ? 'the same' : String(r.lostTruly),
      ]),
    ),
    `Through a worker thread, a program that blocks now and then (1e9 samples of 2 bytes): ${worker}. Pluto: ${figure(plutoSamples)} samples of a computed board with random stalls and clock errors of −80 to 80 ppm, every loss inside what is said. ${provenance(part)}.`,
  ];
}

function hostPart({ record, blocked, turnaround }: RadiosResult['parts']): string[] {
  const lines: string[] = [];
  for (const r of record?.measured ?? []) {
    lines.push(
      `- \`sct record\` at ${r.rateHz / 1e6} Msps: ${figure(r.cpuOfSecondS, 3)} CPU seconds for a second of samples, all threads, start not counted (${r.seconds} s of samples at ${r.speed} of real time, load ${figure(r.load, 2)}, ${r.lost} samples lost).`,
    );
  }
  for (const b of blocked?.measured ?? []) {
    const lost = b.lostMin === b.lostMax ? `${b.lostMax}` : `${b.lostMin} to ${b.lostMax}`;
    const how = b.speed === 1 ? 'in real time' : `at ${b.speed} of real time`;
    const lostSome = b.lostMax > 0 || b.wrong > 0;
    const came = b.still ? ` Asked: none lost, **${lostSome ? 'missed' : 'met'}**.` : '';
    const what = b.still
      ? `The program stands still for 1 s of the board’s time, ${b.times} times,`
      : 'The same without standing still,';
    lines.push(
      `- ${what} while ${b.rateHz / 1e6} Msps come ${how} (load ${figure(b.load, 2)}): ${lost} of ${b.samples} samples lost, ${b.wrong} blocks in a wrong place.${came}`,
    );
  }
  if (turnaround) {
    const { count, rxToTx, txToRx, load } = turnaround.measured;
    const said = (p: Percentiles) => `${figure(p.p50Ms, 3)} ms (99 of 100 within ${figure(p.p99Ms, 3)} ms)`;
    lines.push(
      `- Turnaround of a HackRF, ${count} times, median: from receiving to the air ${said(rxToTx)}, back to the first sample ${said(txToRx)}, over USB/IP to an emulated board at 8 Msps (load ${figure(load, 2)}).`,
    );
  }
  const first = record ?? blocked ?? turnaround;
  return first ? ['### What the host needs', lines.join('\n'), `${provenance(first)}.`] : [];
}
