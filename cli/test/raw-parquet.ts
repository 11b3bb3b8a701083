// Parquet files that no writer would write: each page is what a test says it is.

type Field = readonly [id: number, value: Value];
type Value = bigint | number | string | Uint8Array | Struct | readonly number[] | readonly string[] | readonly Struct[];
interface Struct {
  readonly fields: readonly Field[];
}

const struct = (...fields: Field[]): Struct => ({ fields });

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left >>= 7n) {
    if (left < 128n) return [...bytes, Number(left)];
    bytes.push(Number(left & 127n) | 128);
  }
}

const zigzag = (value: number | bigint) => varint(BigInt(value) * 2n);

// Thrift's compact protocol: numbers are i32, bigints i64.
function typeOf(value: Value): number {
  if (typeof value === 'number') return 5;
  if (typeof value === 'bigint') return 6;
  if (typeof value === 'string' || value instanceof Uint8Array) return 8;
  return Array.isArray(value) ? 9 : 12;
}

function encode(value: Value): number[] {
  if (typeof value === 'number' || typeof value === 'bigint') return zigzag(value);
  if (typeof value === 'string') return encode(Buffer.from(value));
  if (value instanceof Uint8Array) return [...varint(BigInt(value.length)), ...value];
  if (Array.isArray(value)) return [(value.length << 4) | typeOf(value[0]), ...value.flatMap(encode)];
  let last = 0;
  const bytes = (value as Struct).fields.flatMap(([id, field]) => {
    const head = ((id - last) << 4) | typeOf(field);
    last = id;
    return [head, ...encode(field)];
  });
  return [...bytes, 0];
}

const FLOAT = 4;
const INT32 = 1;
const PLAIN = 0;
const RLE = 3;
const RLE_DICTIONARY = 8;

export interface RawParquet {
  /** Rows that each column's page has, one number over and over; the footer says so too. */
  readonly rows: number;
  /** Values that the dictionaries' headers claim; they have 1. */
  readonly dictionaryClaims?: number;
  /** Values that the footer claims. */
  readonly footerClaims?: number;
  /** Statistics of the logits: the largest and the smallest, as bytes. */
  readonly statistics?: Uint8Array;
}

/** A file of a few hundred bytes, whose columns `logit` and `label` have one number each. */
export function rawParquet({ rows, dictionaryClaims = 1, footerClaims = rows, statistics }: RawParquet): Uint8Array {
  const bytes = [...Buffer.from('PAR1')];
  const column = (name: string, type: number, value: Uint8Array) => {
    const dictionaryAt = bytes.length;
    bytes.push(...encode(struct([1, 2], [2, 4], [3, 4], [7, struct([1, dictionaryClaims], [2, PLAIN])])), ...value);
    // one run of indices of one bit, all of them 0
    const page = [1, ...varint(BigInt(rows) * 2n), 0];
    const dataAt = bytes.length;
    const header = struct([1, rows], [2, RLE_DICTIONARY], [3, RLE], [4, RLE]);
    bytes.push(...encode(struct([1, 0], [2, page.length], [3, page.length], [5, header])), ...page);
    const size = BigInt(bytes.length - dictionaryAt);
    const statistic: Field[] =
      statistics === undefined || type !== FLOAT ? [] : [[12, struct([5, statistics], [6, statistics])]];
    const meta = struct(
      [1, type],
      [2, [PLAIN, RLE_DICTIONARY]],
      [3, [name]],
      [4, 0],
      [5, BigInt(footerClaims)],
      [6, size],
      [7, size],
      [9, BigInt(dataAt)],
      [11, BigInt(dictionaryAt)],
      ...statistic,
    );
    return struct([2, BigInt(dictionaryAt)], [3, meta]);
  };
  const columns = [
    column('logit', FLOAT, new Uint8Array(Float32Array.of(1.5).buffer)),
    column('label', INT32, new Uint8Array(Int32Array.of(1).buffer)),
  ];
  const leaf = (name: string, type: number) => struct([1, type], [3, 0], [4, name]);
  const schema = [struct([4, 'schema'], [5, 2]), leaf('logit', FLOAT), leaf('label', INT32)];
  const group = struct([1, columns], [2, BigInt(bytes.length)], [3, BigInt(footerClaims)]);
  const footer = encode(struct([1, 1], [2, schema], [3, BigInt(footerClaims)], [4, [group]]));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Uint8Array.from([...bytes, ...footer, ...length, ...Buffer.from('PAR1')]);
}
