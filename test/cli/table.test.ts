import { expect, test } from 'vitest';
import { align, checkShapes, type Table, type Values } from '../../src/cli/table.js';

/** A table whose blocks have the given lengths and hold 0, 1, 2, ... */
function table(file: string, lengths: number[], shape?: number[]): Table {
  return {
    file,
    shape,
    async *blocks() {
      let next = 0;
      for (const length of lengths) yield [Float64Array.from({ length }, () => next++)];
    },
    place: (element) => `row ${element}`,
    progress: () => 1,
    close: async () => {},
  };
}

async function runs(tables: Table[], signal?: AbortSignal): Promise<[number, Values[]][]> {
  const found: [number, Values[]][] = [];
  for await (const { start, columns } of align(tables, signal)) found.push([start, columns]);
  return found;
}

test('blocks of different lengths are cut to common runs', async () => {
  const found = await runs([table('a', [3, 0, 3]), table('b', [1, 5])]);
  expect(found.map(([start, columns]) => [start, ...columns.map((column) => [...column])])).toEqual([
    [0, [0], [0]],
    [1, [1, 2], [1, 2]],
    [3, [3, 4, 5], [3, 4, 5]],
  ]);
  expect(await runs([table('a', []), table('b', [0])])).toEqual([]);
});

test('a table that ends first is named, with where the other goes on', async () => {
  await expect(runs([table('a.csv', [2]), table('b.csv', [1, 3])])).rejects.toThrow(
    'a.csv: ends after 2 elements, but b.csv goes on (from row 2)',
  );
  await expect(runs([table('a.csv', [2]), table('b.csv', [1])])).rejects.toThrow(
    'b.csv: ends after 1 element, but a.csv goes on (from row 1)',
  );
});

test('stops when told to', async () => {
  const controller = new AbortController();
  controller.abort();
  await expect(runs([table('a', [1])], controller.signal)).rejects.toThrow('This operation was aborted');
});

test('shapes that match, and that do not', () => {
  const check = (logits?: number[], targets?: number[]) => () =>
    checkShapes(table('l.npy', [], logits), table('t.npy', [], targets));
  for (const [logits, targets] of [
    [[4], [4]],
    [[4, 1], [4]],
    [[4], [4, 1, 1]],
    [
      [2, 3],
      [2, 3],
    ],
    [undefined, [4, 1]],
    [[4], undefined],
    [undefined, undefined],
    [[1], [1, 1]],
  ]) {
    expect(check(logits, targets)).not.toThrow();
  }
  expect(check([4], [5])).toThrow('t.npy: expected 4 elements, as in l.npy, got 5 elements');
  expect(check([1, 1], [5])).toThrow('t.npy: expected 1 element, as in l.npy, got 5 elements');
  expect(check([2, 3], [3, 2])).toThrow('t.npy: expected shape (2, 3), as in l.npy, got shape (3, 2)');
  expect(check([2, 3], [6])).toThrow('t.npy: expected shape (2, 3), as in l.npy, got shape (6,)');
  expect(check([2, 3], undefined)).toThrow('t.npy: expected shape (2, 3), as in l.npy, got a single column');
  expect(check(undefined, [2, 3])).toThrow('t.npy: expected a single column, as in l.npy, got shape (2, 3)');
});
