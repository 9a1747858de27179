import { DeviceError } from '../../common/errors.ts';

/**
 * errno: the server refused and said why; protocol: it said something that is no reply; timeout: it said nothing in time; gone: the
 * connection is closed.
 */
export type IiodErrorKind = 'errno' | 'protocol' | 'timeout' | 'gone';

/** Linux error numbers that an IIOD server answers with (asm-generic/errno-base.h, errno.h). */
const ERRNO_NAMES: Readonly<Record<number, string>> = {
  1: 'EPERM, not permitted',
  2: 'ENOENT, no such device, channel or attribute',
  5: 'EIO, input or output error',
  6: 'ENXIO, no such channel',
  9: 'EBADF, buffer is not open',
  11: 'EAGAIN, try again',
  12: 'ENOMEM, out of memory',
  13: 'EACCES, no permission',
  16: 'EBUSY, in use',
  19: 'ENODEV, no such device',
  22: 'EINVAL, value or command is not accepted',
  28: 'ENOSPC, no room',
  32: 'EPIPE, broken pipe',
  34: 'ERANGE, out of range',
  38: 'ENOSYS, not supported',
  110: 'ETIMEDOUT, the board did not deliver in time',
};

/** A failed exchange with an IIOD server. After any kind but errno the connection is of no use any more. */
export class IiodError extends DeviceError {
  readonly kind: IiodErrorKind;
  /** Positive error number of kind errno, else null. */
  readonly errno: number | null;

  constructor(kind: IiodErrorKind, message: string, errno: number | null = null, hint?: string) {
    super(message, hint);
    this.kind = kind;
    this.errno = errno;
  }

  /** The server's refusal of a command. */
  static refused(command: string, code: number): IiodError {
    const name = ERRNO_NAMES[code] ?? 'unknown error';
    return new IiodError('errno', `${command}: refused with error ${code} (${name})`, code);
  }
}

/** The longest wait that a timer of this module takes. */
export const MAX_TIMEOUT_MS = 600_000;

/**
 * Ends a wait with a timeout error of this module's own timer, whatever the awaited promise does.
 *
 * @param what for the message: "pluto:ip:host:30431 did not answer"
 * @param late called when time was up, to end what still runs
 */
export async function within<T>(promise: Promise<T>, timeoutMs: number, what: string, late?: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => {
        reject(new IiodError('timeout', `${what} within ${timeoutMs} ms`));
        late?.();
      },
      Math.min(timeoutMs, MAX_TIMEOUT_MS),
    );
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
    // Whoever came too late must not end the process with an unhandled rejection.
    promise.catch(() => undefined);
  }
}
