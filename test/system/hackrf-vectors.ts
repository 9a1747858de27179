import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Asked } from './recorder.ts';

/** What real clients asked of a HackRF, in order; runs of equal bulk IN transfers, whose number depends on time, are one. */
export interface ClientVector {
  readonly command: string;
  readonly asked: readonly Asked[];
}

interface VectorFile {
  readonly schema: 'sct.hackrf-clients/1';
  readonly from: string;
  readonly clients: readonly ClientVector[];
}

const PATH = fileURLToPath(new URL('../vectors/radio/hackrf-clients.json', import.meta.url));
/** libhackrf keeps this many transfers queued. */
const QUEUED = 4;

/** The part of a recording that does not depend on time: at most the four IN transfers that are queued at the start. */
export function timeless(asked: readonly Asked[]): Asked[] {
  let run = 0;
  return asked.filter((entry) => {
    run = entry.kind === 'in' ? run + 1 : 0;
    return run <= QUEUED;
  });
}

export function readClientVectors(): readonly ClientVector[] {
  return (JSON.parse(readFileSync(PATH, 'utf8')) as VectorFile).clients;
}

export function writeClientVectors(from: string, clients: readonly ClientVector[]): void {
  mkdirSync(fileURLToPath(new URL('../vectors/radio', import.meta.url)), { recursive: true });
  const lines = clients.map(
    ({ command, asked }) =>
      `    {\n      "command": ${JSON.stringify(command)},\n      "asked": [\n${asked.map((entry) => `        ${JSON.stringify(entry)}`).join(',\n')}\n      ]\n    }`,
  );
  const head = `{\n  "schema": "sct.hackrf-clients/1",\n  "from": ${JSON.stringify(from)},\n  "clients": [\n`;
  writeFileSync(PATH, `${head}${lines.join(',\n')}\n  ]\n}\n`);
}
