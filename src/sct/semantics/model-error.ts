import { ExitCode, SctError } from '../../common/errors.ts';

/** What stands in a model folder and what should stand there. */
export interface ModelFault {
  /** File (relative to models.json), or the manifest itself. */
  readonly file: string;
  /** sha256 by the manifest, hex; absent where the fault is not one of bytes. */
  readonly expectedSha256?: string;
  /** sha256 of the bytes found, hex. */
  readonly actualSha256?: string;
}

/**
 * A model file that is missing, changed, of the wrong kind, or a network that gives no usable numbers. The message names
 * file and hashes. Exit code 3 (a file that the program stands on is not as it should be); `sct models verify` turns it
 * into 8, a check that failed.
 */
export class ModelError extends SctError {
  readonly fault: ModelFault;
  constructor(fault: ModelFault, message: string, hint?: string) {
    const { expectedSha256, actualSha256 } = fault;
    const hashes =
      expectedSha256 && actualSha256 && expectedSha256 !== actualSha256
        ? ` (sha256 expected ${expectedSha256}, found ${actualSha256})`
        : expectedSha256
          ? ` (sha256 ${expectedSha256})`
          : '';
    super(`model file ${fault.file}: ${message}${hashes}`, ExitCode.device, hint);
    this.fault = fault;
  }
}

/** A NaN or infinite number, or a wrong shape, in a tensor that goes into or comes out of a network. */
export class TensorError extends ModelError {
  readonly tensor: string;
  constructor(fault: ModelFault, tensor: string, message: string) {
    super(fault, `tensor ${tensor}: ${message}`);
    this.tensor = tensor;
  }
}
