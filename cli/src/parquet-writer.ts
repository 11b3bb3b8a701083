import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { OutputFile } from './output.js';
import type { Records, RecordWriter } from './records.js';
import { plain } from './topk.js';

// Long enough to compress, short enough to hold.
const GROUP_ROWS = 1 << 18;

type Column = {
  name: string;
  data: unknown[] | Float32Array | Float64Array;
  type: 'FLOAT' | 'DOUBLE' | 'INT64' | 'STRING';
};

/** Row groups of float32 columns, one written when it is full. */
export function parquetWriter(file: OutputFile): RecordWriter {
  const writer = new ByteWriter();
  let parquet: ParquetWriter | undefined;
  let pending: Column[] = [];
  let rows = 0;
  let kinds: Column['type'][] = [];

  /** Hands on what has been encoded. */
  async function drain(): Promise<void> {
    const bytes = writer.getBytes();
    if (bytes.length > 0) await file.write(Uint8Array.from(bytes));
    writer.index = 0;
  }

  function opened(): ParquetWriter {
    parquet ??= new ParquetWriter({
      writer,
      schema: [
        { name: 'root', num_children: pending.length },
        ...pending.map(({ name, type }) => schemaOf(name, type)),
      ] as never,
    });
    return parquet;
  }

  async function flush(): Promise<void> {
    if (rows === 0 || pending.length === 0) return;
    await opened().write({ columnData: pending as never, rowGroupSize: 2 * GROUP_ROWS });
    pending = pending.map(({ name, type }) => ({ name, type, data: [] }));
    rows = 0;
    await drain();
  }

  return {
    async write(records) {
      if (kinds.length === 0) kinds = records.columns.map(typeOf);
      if (pending.length === 0) pending = records.names.map((name, i) => ({ name, type: kinds[i], data: [] }));
      for (const [i, column] of records.columns.entries()) {
        const data = pending[i].data as unknown[];
        for (let row = 0; row < records.rows; row++) data.push(encodable(column[row] as never, kinds[i]));
      }
      rows += records.rows;
      if (rows >= GROUP_ROWS) await flush();
    },
    async end() {
      await flush();
      // a file without rows has columns as well
      await opened().finish();
      await drain();
    },
  };
}

function typeOf(column: Records['columns'][number]): Column['type'] {
  if (column instanceof Float32Array) return 'FLOAT';
  if (column instanceof Float64Array) return 'INT64';
  return 'STRING';
}

function schemaOf(name: string, type: Column['type']) {
  if (type === 'STRING') return { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' };
  return { name, type, repetition_type: 'REQUIRED' };
}

function encodable(value: number | string | bigint | null, type: Column['type']): unknown {
  if (type === 'INT64') return BigInt(value as number);
  if (type === 'STRING') return value === null ? undefined : String(plain(value));
  return value;
}
