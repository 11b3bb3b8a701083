/** The number of a duration among the types of https://github.com/apache/arrow/blob/main/format/Schema.fbs. */
const DURATION = 18;
const [SCHEMA_HEADER, SCHEMA_FIELDS, FIELD_NAME, FIELD_TYPE] = [2, 1, 0, 2];

/**
 * The names of the columns that are durations, from the schema that Arrow's writers (polars among them) add to a Parquet file:
 * there they are whole numbers like others.
 *
 * @param base64 the value of the key "ARROW:schema": a message of Arrow's format for streams.
 * @throws RangeError for anything else.
 */
export function durationsOf(base64: string): string[] {
  const bytes = Buffer.from(base64, 'base64');
  // a mark, the length of the message, and the message
  const message = bytes.subarray(bytes.readInt32LE(0) === -1 ? 8 : 4);
  const schema = tableAt(message, follow(message, 0)).table(SCHEMA_HEADER);
  return (
    schema
      ?.tables(SCHEMA_FIELDS)
      .flatMap((field) => (field.byte(FIELD_TYPE) === DURATION ? [field.text(FIELD_NAME)] : [])) ?? []
  );
}

const follow = (bytes: Buffer, at: number) => at + bytes.readUInt32LE(at);

/** A table of a flatbuffer, by the numbers of its fields. */
interface Table {
  byte(field: number): number;
  text(field: number): string;
  table(field: number): Table | undefined;
  tables(field: number): Table[];
}

function tableAt(bytes: Buffer, at: number): Table {
  const index = at - bytes.readInt32LE(at);
  const field = (number: number) => {
    const entry = 4 + 2 * number;
    const offset = entry < bytes.readUInt16LE(index) ? bytes.readUInt16LE(index + entry) : 0;
    return offset === 0 ? undefined : at + offset;
  };
  return {
    byte: (number: number): number => bytes.readUInt8(field(number) ?? bytes.length),
    text(number: number): string {
      const start = follow(bytes, field(number) ?? bytes.length);
      return bytes.toString('utf8', start + 4, start + 4 + bytes.readUInt32LE(start));
    },
    table(number: number): Table | undefined {
      const place = field(number);
      return place === undefined ? undefined : tableAt(bytes, follow(bytes, place));
    },
    tables(number: number): Table[] {
      const place = field(number);
      if (place === undefined) return [];
      const start = follow(bytes, place);
      const length = bytes.readUInt32LE(start);
      if (4 * length > bytes.length) throw new RangeError('the vector is longer than the message');
      return Array.from({ length }, (_, k) => tableAt(bytes, follow(bytes, start + 4 + 4 * k)));
    },
  };
}
