import { describe, expect, it } from 'vitest';
import { interleave } from '../../bench/interleave.mjs';

const ROUNDS = 9;

/** A case that claims to take a millisecond more each time it is read. */
function slowing() {
  const readings: number[] = [];
  const time = async (calls: number) => calls * (readings.push(readings.length) - 1);
  return { name: 'slowing', asynchronous: true, run: async () => {}, time, readings };
}

describe('interleave', () => {
  it.each([0, 0.5, 1])('takes quantile %d of the readings of all rounds', async (quantile) => {
    const slow = slowing();
    const times = await interleave([slow], { seconds: 0, rounds: ROUNDS, quantile });
    expect(times.slowing).toBeCloseTo(1e6 * slow.readings.slice(-ROUNDS)[quantile * (ROUNDS - 1)], 3);
  });

  it('runs the cases by turns, each round from another one on', async () => {
    const order: string[] = [];
    const cases = ['a', 'b', 'c'].map((name) => ({
      name,
      asynchronous: true,
      run: async () => {},
      time: async (calls: number) => {
        order.push(name);
        return 60 * calls; // warm after the fewest readings
      },
    }));
    await interleave(cases, { seconds: 0, rounds: 3 });
    expect(order.slice(-9).join('')).toBe('abcbcacab');
  });

  it('counts the parts of a whole call', async () => {
    const whole = {
      name: 'whole',
      asynchronous: true,
      run: async () => {},
      time: async (calls: number) => calls,
      parts: 4,
    };
    const times = await interleave([whole], { seconds: 0 });
    expect(times.whole).toBe(4e6);
  });
});
