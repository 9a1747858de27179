import { UsageError } from '../../common/errors.ts';

/** A picture is larger than what it was granted, however poor it may look. Whether a better channel would have granted enough is for the link to say. */
export class DoesNotFit extends UsageError {
  /** Bytes that would do, of a picture that is one stream of bits; null where that is not known. */
  readonly leastBytes: number | null;
  constructor(message: string, hint?: string, leastBytes: number | null = null) {
    super(message, hint);
    this.leastBytes = leastBytes;
  }
}
