/** Error numbers of Linux that a Pluto's IIO server answers with (asm-generic/errno-base.h, errno.h); sent negated. */
export const Errno = {
  ENOENT: 2,
  ENXIO: 6,
  EBADF: 9,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  ENODEV: 19,
  EINVAL: 22,
  EPIPE: 32,
  EOPNOTSUPP: 95,
  ETIMEDOUT: 110,
} as const;
export type ErrnoName = keyof typeof Errno;

/** A refusal of the board, as the kernel or the server would give it. */
export class IioError extends Error {
  readonly errno: number;
  constructor(name: ErrnoName) {
    super(name);
    this.name = 'IioError';
    this.errno = Errno[name];
  }
}
