// Which shared memory the threads have: each is sent once, and is known by a number from then on.

/** What a thread is sent. */
export interface Mail {
  readonly add: readonly (readonly [id: number, buffer: SharedArrayBuffer])[];
  readonly drop: readonly number[];
}

/** Buffers that are kept behind the call that used them. */
const KEPT = 32;
/** Bytes of them. */
const KEPT_BYTES = 256 * 1024 * 1024;

/** The numbers of buffers. The threads hold what they were sent, so what is no longer used is dropped. */
export class Buffers {
  readonly #ids = new WeakMap<SharedArrayBuffer, number>();
  /** Sizes by number, from the one whose last use is the longest ago on. */
  readonly #held = new Map<number, number>();
  readonly #gone: FinalizationRegistry<number>;
  #next = 0;
  #inUse = new Set<number>();
  #add: [number, SharedArrayBuffer][] = [];
  #drop: number[] = [];

  /** `onGone` is called when there is a buffer to drop that nobody but the threads can use. */
  constructor(onGone: () => void) {
    this.#gone = new FinalizationRegistry((id) => {
      if (!this.#held.delete(id)) return;
      this.#drop.push(id);
      onGone();
    });
  }

  /** The number of a buffer, for a job that is being described. */
  idOf(buffer: SharedArrayBuffer): number {
    let id = this.#ids.get(buffer);
    if (id === undefined || !this.#held.has(id)) {
      id = this.#next++;
      this.#ids.set(buffer, id);
      this.#gone.register(buffer, id);
      this.#add.push([id, buffer]);
    }
    // as the last
    this.#held.delete(id);
    this.#held.set(id, buffer.byteLength);
    this.#inUse.add(id);
    return id;
  }

  /** What the threads must be sent before they read the job; undefined for nothing. */
  mail(): Mail | undefined {
    if (this.#add.length > 0) this.#dropOldest();
    this.#inUse = new Set();
    if (this.#add.length + this.#drop.length === 0) return undefined;
    const mail = { add: this.#add, drop: this.#drop };
    this.#add = [];
    this.#drop = [];
    return mail;
  }

  #dropOldest(): void {
    const idle = [...this.#held].filter(([id]) => !this.#inUse.has(id));
    let bytes = idle.reduce((sum, [, size]) => sum + size, 0);
    for (const [k, [id, size]] of idle.entries()) {
      if (bytes <= KEPT_BYTES && idle.length - k <= KEPT) break;
      bytes -= size;
      this.#held.delete(id);
      this.#drop.push(id);
    }
  }
}
