import type { Readable } from 'node:stream';

/** Longest line that is passed on whole, characters; of a longer one only so much. */
const MOST_LINE = 4096;

/** Lines as they come on a stream. Listening does not keep the process alive. */
export class LinesOn {
  private readonly stream: Readable & { unref?(): unknown };

  constructor(stream: Readable & { unref?(): unknown }) {
    this.stream = stream;
  }

  /** Calls `line` for every whole line and `ended` when no more can come; returns what ends listening. */
  listen(line: (text: string) => void, ended: () => void): () => void {
    const { stream } = this;
    let rest = '';
    const data = (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!.slice(0, MOST_LINE);
      for (const whole of lines) line(whole.slice(0, MOST_LINE));
    };
    let over = false;
    const end = () => {
      if (!over) ended();
      over = true;
    };
    stream.setEncoding('utf8').on('data', data).on('end', end).on('error', end).on('close', end);
    stream.unref?.();
    return () => {
      over = true;
      stream.off('data', data).pause();
    };
  }
}
