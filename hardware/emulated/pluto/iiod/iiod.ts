import type { PlutoBoard } from '../pluto-board.ts';
import type { BytePipe } from './byte-pipe.ts';
import { RxService } from './rx-service.ts';
import { IiodSession, type IiodShared } from './session.ts';
import { TxService } from './tx-service.ts';

/** Kernel buffers where the host does not say, and the time-out of a local context (libiio 0.24). */
const DEFAULT_BLOCKS = 4;
const DEFAULT_TIMEOUT_MS = 1000;

/** The board's IIO server, for any number of connections over TCP and USB. */
export class Iiod {
  readonly board: PlutoBoard;
  private readonly shared: IiodShared;
  private readonly pipes = new Set<BytePipe>();

  constructor(board: PlutoBoard) {
    this.board = board;
    const blocks = new Map<string, number>();
    const blocksOf = (id: string) => () => blocks.get(id) ?? DEFAULT_BLOCKS;
    const timeoutS = () => this.shared.timeoutMs / 1000;
    this.shared = {
      board,
      rx: new RxService(board, blocksOf('iio:device3'), timeoutS),
      tx: new TxService(board, blocksOf('iio:device2'), timeoutS),
      timeoutMs: DEFAULT_TIMEOUT_MS,
      blocks,
    };
  }

  /** Serves one connection until it ends; none while the board is without power. */
  serve(pipe: BytePipe): Promise<void> {
    return this.whilePowered(pipe, () => new IiodSession(this.shared, pipe).run());
  }

  /** Runs a program of the board on a pipe, which ends with the board's power at the latest. */
  async whilePowered(pipe: BytePipe, run: () => Promise<void>): Promise<void> {
    if (!this.board.powered) return pipe.close();
    this.pipes.add(pipe);
    await run();
    this.pipes.delete(pipe);
  }

  /** Board and server stop; all connections end. */
  powerOff(): void {
    this.board.powerOff();
    for (const pipe of this.pipes) pipe.close();
  }

  powerOn(): void {
    this.shared.blocks.clear();
    this.shared.timeoutMs = DEFAULT_TIMEOUT_MS;
    this.board.powerOn();
  }
}
