// Elements < vector < tile < block < segment. A tile is four vectors, what a loop over a block takes at once.
//
// A stage writes its four vectors out by hand: the same behind one helper that is called four times cost 9 %.

/** Elements that one pass of the stages works on: their slots fit the first-level cache. */
export const BLOCK: i32 = sizeof<Float>() == 4 ? 320 : 160;
export const TILE_BYTES: usize = 64;

/** Whether every loop over a block takes one vector at a time, whatever its stage has written out: the build that is to be small. */
export const SINGLY: bool = isDefined(LITE);

/** Elements of the tiles that `count` elements take. */
// @ts-ignore: decorator
@inline export function wholeTiles(count: i32): i32 {
  const tile = <i32>(TILE_BYTES / sizeof<Float>());
  return (count + (tile - 1)) & ~(tile - 1);
}

/** Whether so many elements fill their last tile. */
// @ts-ignore: decorator
@inline export function fillsTiles(count: i32): bool {
  return wholeTiles(count) == count;
}

// Which of a tile's vectors a function works on, as a type whose size is the vector's offset: an offset that is part of an
// instruction must be a constant, which offsetof<V1>() is and an argument is not.

@unmanaged
export class V0 {}

@unmanaged
export class V1 extends V0 {
  private a: v128;
}

@unmanaged
export class V2 extends V1 {
  private b: v128;
}

@unmanaged
export class V3 extends V2 {
  private c: v128;
}
