// What one call is to the threads: which of its arrays they see, and which go through slots.

import type { Evaluator, Request, Results as RunResults } from '../engine/evaluator.js';
import type { Kind, Operand, View } from '../engine/operand.js';
import { eachStretch } from '../engine/shapes.js';
import { viewLength } from '../kinds.js';
import { Role, type SharedArray, SLOT } from './board.js';
import { isShared, type Staging, stage } from './staging.js';

/** What is wanted of a call. */
export type Results = Omit<RunResults, 'metered' | 'perSegment'>;

/** A call whose arguments are checked, and what is wanted of it. */
export interface Call extends Results {
  readonly request: Request;
}

/** An array that threads see: the caller's, a copy of it, or slots. */
interface Given {
  readonly array: SharedArray;
  readonly kind: Kind;
}

/** That of every typed array, whatever a subclass has. */
const { set } = Float32Array.prototype;

export class Job {
  readonly segments: number;
  /** Slots of staged arrays; 0 where there are none. */
  readonly slots: number;
  /** By role. */
  readonly given: readonly (Given | undefined)[];
  /** A bit for each role whose array lies in slots. */
  readonly staged: number;
  readonly #isByRow: boolean;
  readonly #step: number;

  constructor(
    readonly call: Call,
    private readonly evaluator: Evaluator,
    staging: Staging,
    /** Three numbers for each segment. */
    readonly sums: SharedArray | undefined,
  ) {
    const { request, out, grad, hess } = call;
    const { x, y, weight, layout } = request;
    this.segments = evaluator.segments(request);
    this.#isByRow = evaluator.definition.placement === 'rows';
    this.#step = evaluator.step;
    const floats: Kind = evaluator.binary.float64 ? 'Float64Array' : 'Float32Array';
    const views = [x.view, y.view, weight?.view, out, grad, hess];
    const isCopied = views.map((view) => !isShared(view));
    // a segment's parts of planes are no array, so where anything is copied they are
    if (this.#isByRow && layout.pixels > 1 && isCopied.includes(true)) {
      for (const [role, view] of views.entries()) isCopied[role] ||= view !== undefined && this.#isWide(role);
    }
    let staged = 0;
    const kinds = [stagedKind(x, floats), y.kind, weight && stagedKind(weight, floats), floats, floats, floats];
    const own = [x.kind, y.kind, weight?.kind, floats, floats, floats];
    this.given = [
      ...views.map((view, role) => {
        if (view === undefined) return undefined;
        if (!isCopied[role]) return { array: view as SharedArray, kind: own[role] as Kind };
        const kind = kinds[role] as Kind;
        if (this.#isWhole(role)) {
          const length = viewLength(view);
          const array = staging.region(role, kind, length);
          stage(view as View, own[role] as Kind, 0, length, array, 0);
          return { array, kind };
        }
        staged |= 1 << role;
        return { array: staging.region(role, kind, staging.slots * SLOT * this.#cell(role)), kind };
      }),
      sums && { array: sums, kind: 'Float64Array' as const },
    ];
    this.staged = staged;
    this.slots = staged === 0 ? 0 : staging.slots;
  }

  isStaged(role: Role): boolean {
    return (this.staged & (1 << role)) !== 0;
  }

  /** Copies the segments of a slot, of which the first is `first`. */
  fill(slot: number, first: number): void {
    const { x, y, weight } = this.call.request;
    for (const [role, operand] of [x, y, weight].entries()) {
      if (operand === undefined || !this.isStaged(role)) continue;
      const { view, kind } = operand;
      const region = (this.given[role] as Given).array;
      this.#eachStretch(role, slot, first, (start, at, length) => stage(view, kind, start, length, region, at));
    }
  }

  /** Copies the results in a slot to where they belong. */
  empty(slot: number, first: number): void {
    const { out, grad, hess } = this.call;
    for (const [k, target] of [out, grad, hess].entries()) {
      const role = Role.out + k;
      if (target === undefined || !this.isStaged(role)) continue;
      const region = (this.given[role] as Given).array;
      this.#eachStretch(role, slot, first, (start, at, length) => {
        set.call(target, region.subarray(at, at + length), start);
      });
    }
  }

  /** Labels of rows of sigmoids, and weights of their rows: few beside the logits, and each of them is for many. */
  #isWhole(role: Role): boolean {
    const { x, weight } = this.call.request;
    if (this.#isByRow) return false;
    if (role === Role.targets) return this.evaluator.definition.placement === 'labels';
    return role === Role.weight && weight?.length !== x.length;
  }

  /** Whether an array has a number for each logit, and not for each row. */
  #isWide(role: Role): boolean {
    if (role === Role.targets) return this.call.request.shares;
    return role === Role.logits || role === Role.grad || role === Role.hess;
  }

  /** Numbers of a segment at most. */
  #cell(role: Role): number {
    return this.#step * (this.#isByRow && this.#isWide(role) ? this.call.request.layout.classes : 1);
  }

  /** Calls `each` with where the numbers of a slot's segments start in their array, their place in the region, and how many. */
  #eachStretch(
    role: Role,
    slot: number,
    first: number,
    each: (start: number, at: number, length: number) => void,
  ): void {
    const { request } = this.call;
    const { layout } = request;
    const cell = this.#cell(role);
    const width = cell / this.#step;
    for (let k = 0; k < SLOT && first + k < this.segments; k++) {
      const start = this.evaluator.startOf(first + k, request);
      const count = this.evaluator.countOf(start, request);
      const at = (slot * SLOT + k) * cell;
      if (width === 1 || layout.pixels === 1) each(start * width, at, count * width);
      else eachStretch(layout, start, count, (logit, place, length) => each(logit, at + place, length));
    }
  }
}

/** Numbers become what the kernel reads as they are copied, as in one thread, but for half floats. */
function stagedKind({ kind }: Operand, floats: Kind): Kind {
  return kind === 'float16' || kind === 'bfloat16' ? kind : floats;
}
