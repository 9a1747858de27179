/** One direction's bytes until the other one speaks; one character a byte. */
export interface Turn {
  readonly from: 'client' | 'server';
  latin1: string;
}

/** What clients of libiio said to an IIOD server: test/vectors/radio/iiod-*.json. */
export interface IiodRecording {
  readonly package: string;
  readonly server: string;
  readonly runs: readonly { readonly command: string; readonly connections: readonly (readonly Turn[])[] }[];
}
