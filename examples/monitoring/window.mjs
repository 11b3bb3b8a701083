// Loss and calibration over the last so many slots of time: what leaves the window is subtracted, exactly.
import { FocalLoss, LossMeter } from 'focal-loss-wasm';
import { CalibrationMeter } from 'focal-loss-wasm/metrics';

const VERSION = 1;

/** What labelled predictions have come to, of one slot, one worker or a window. */
export class Tally {
  constructor(options) {
    this.options = options;
    this.loss = new LossMeter(new FocalLoss(options), { nan: 'skip' });
    this.calibration = new CalibrationMeter({ bins: 10 });
  }

  merge(other) {
    this.loss.merge(other.loss);
    this.calibration.merge(other.calibration);
  }

  subtract(other) {
    this.loss.subtract(other.loss);
    this.calibration.subtract(other.calibration);
  }

  toJSON() {
    return { loss: this.loss.toJSON(), calibration: this.calibration.toJSON() };
  }

  static fromJSON(options, { loss, calibration }) {
    const tally = new Tally(options);
    tally.loss = LossMeter.fromJSON(new FocalLoss(options), loss);
    tally.calibration = CalibrationMeter.fromJSON(calibration);
    return tally;
  }
}

export class SlidingWindow {
  #slots = [];

  constructor(options, { slotSeconds, slots, now = Date.now }) {
    this.options = options;
    this.slotSeconds = slotSeconds;
    this.slots = slots;
    this.now = now;
    this.total = new Tally(options);
  }

  add(tally) {
    this.expire();
    const start = this.#startOfNow();
    let slot = this.#slots.at(-1);
    if (slot?.start !== start) {
      slot = { start, tally: new Tally(this.options) };
      this.#slots.push(slot);
    }
    slot.tally.merge(tally);
    this.total.merge(tally);
  }

  /** Takes what is too old out of the total. */
  expire() {
    const oldest = this.#startOfNow() - (this.slots - 1) * this.slotSeconds;
    while (this.#slots.length > 0 && this.#slots[0].start < oldest) this.total.subtract(this.#slots.shift().tally);
  }

  toJSON() {
    const slots = this.#slots.map(({ start, tally }) => ({ start, ...tally.toJSON() }));
    return { version: VERSION, slotSeconds: this.slotSeconds, slots };
  }

  /** Adds the slots of a state that an earlier process wrote; throws, and adds nothing, where one of them is not good. */
  restore({ version, slotSeconds, slots }) {
    if (version !== VERSION) throw new RangeError(`"version" expected ${VERSION}, got ${version}`);
    if (slotSeconds !== this.slotSeconds) {
      throw new RangeError(`"slotSeconds" expected ${this.slotSeconds}, got ${slotSeconds}`);
    }
    const read = slots.map(({ start, ...state }) => ({ start, tally: Tally.fromJSON(this.options, state) }));
    this.#slots = read;
    this.total = new Tally(this.options);
    for (const { tally } of read) this.total.merge(tally);
    this.expire();
  }

  #startOfNow() {
    const seconds = Math.floor(this.now() / 1000);
    return seconds - (seconds % this.slotSeconds);
  }
}
