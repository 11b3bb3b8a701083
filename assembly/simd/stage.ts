import { SINGLY, TILE_BYTES } from './tile';

// One pass over a block: what all its elements need of one step of the formula. A stage has no state, so that a class is all
// that a loop is told; the loop is compiled for each. `o` is the byte offset of the elements in the slots and in the inputs
// x and y, which not every stage has.

/** A stage whose loop takes a tile at once: those of every call. */
@unmanaged
export abstract class TileStage {
  abstract tile(frame: usize, o: usize, x: usize, y: usize): void;
}

/** A stage whose loop takes two vectors at once, half the code. */
@unmanaged
export abstract class PairStage {
  abstract pair(frame: usize, o: usize, x: usize, y: usize): void;
}

/** A stage whose loop takes a vector at once, a quarter of the code: those of few calls. */
@unmanaged
export abstract class VectorStage {
  abstract vector(frame: usize, o: usize, x: usize, y: usize): void;
}

export function eachTile<S extends TileStage>(frame: usize, x: usize, y: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += (SINGLY ? 16 : TILE_BYTES)) changetype<S>(0).tile(frame, o, x, y);
}

export function eachPair<S extends PairStage>(frame: usize, x: usize, y: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += (SINGLY ? 16 : 32)) changetype<S>(0).pair(frame, o, x, y);
}

export function eachVector<S extends VectorStage>(frame: usize, x: usize, y: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += 16) changetype<S>(0).vector(frame, o, x, y);
}
