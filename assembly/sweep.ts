/** Runs a stage over the first `bytes` of a block, a tile of four vectors at a time: for the stages of every call. */
export function sweep<Stage>(frame: usize, x: usize, y: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += 64) changetype<Stage>(0).tile(frame, o, x, y);
}

/** The same a vector at a time: a quarter of the code, for the stages of few calls. */
export function sweepVectors<Stage>(frame: usize, x: usize, y: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += 16) changetype<Stage>(0).step(frame, o, x, y);
}
