// Which of a tile's four vectors a function works on, as a type: its size is the vector's offset. An offset that is part of
// an instruction must be a constant, which offsetof<Second>() is and an argument is not.

@unmanaged
export class First {}

@unmanaged
export class Second {
  private a: v128;
}

@unmanaged
export class Third {
  private a: v128;
  private b: v128;
}

@unmanaged
export class Fourth {
  private a: v128;
  private b: v128;
  private c: v128;
}
