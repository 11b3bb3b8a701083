export interface Case {
  readonly name: string;
  readonly run: () => unknown;
  readonly asynchronous?: boolean;
  readonly time?: (calls: number) => Promise<number>;
  readonly parts?: number;
}

export interface Options {
  readonly seconds: number;
  readonly slice?: number;
  readonly quantile?: number;
  readonly rounds?: number;
}

export function interleave(cases: readonly Case[], options: Options): Promise<Record<string, number>>;
