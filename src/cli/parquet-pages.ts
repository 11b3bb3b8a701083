import type { ColumnMetaData, PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';

// hyparquet trusts what the headers of pages say: a damaged one can keep it busy without end. So they are looked at before.

const WINDOW = 1 << 20;
/** More than the header of a page of numbers takes. */
const HEADER = 1 << 16;
const MOST = 2 ** 31 - 1;

/**
 * Refuses a column chunk of one value a row, one of whose page headers cannot be right.
 *
 * @param read gives the bytes from a start to an end.
 */
export async function checkPages(
  read: (start: number, end: number) => Promise<ArrayBuffer>,
  chunk: ColumnMetaData,
  rows: number,
): Promise<void> {
  let at = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
  const end = at + whole('total_compressed_size', Number(chunk.total_compressed_size), Number.MAX_SAFE_INTEGER);
  let window = { start: at, view: new DataView(new ArrayBuffer(0)) };
  for (let values = 0; values < rows; ) {
    if (at >= end) throw new Error(`its pages have ${values} of ${rows} values`);
    if (Math.min(at + HEADER, end) > window.start + window.view.byteLength) {
      window = { start: at, view: new DataView(await read(at, Math.min(at + WINDOW, end))) };
    }
    const reader = { view: window.view, offset: at - window.start };
    const header = parquetHeader(reader);
    at = window.start + reader.offset;
    whole('compressed_page_size', header.compressed_page_size, end - at);
    whole('uncompressed_page_size', header.uncompressed_page_size, MOST);
    values += valuesOf(header, rows);
    at += header.compressed_page_size;
  }
}

/** How many values a page has, after the rest of its header is checked. */
function valuesOf(header: PageHeader, rows: number): number {
  const { type, compressed_page_size, data_page_header, data_page_header_v2, dictionary_page_header } = header;
  if (type === 'DICTIONARY_PAGE') {
    whole('num_values', dictionary_page_header?.num_values, MOST);
    return 0;
  }
  if (data_page_header_v2 === undefined) return whole('num_values', data_page_header?.num_values, rows);
  const { num_rows, num_nulls, definition_levels_byte_length, repetition_levels_byte_length } = data_page_header_v2;
  whole('num_rows', num_rows, rows);
  whole('num_nulls', num_nulls, rows);
  const definitions = whole('definition_levels_byte_length', definition_levels_byte_length, compressed_page_size);
  whole('repetition_levels_byte_length', repetition_levels_byte_length, compressed_page_size - definitions);
  return whole('num_values', data_page_header_v2.num_values, rows);
}

function whole(name: string, value: number | undefined, most: number): number {
  if (value !== undefined && Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new Error(`a page header has the ${name} ${value}`);
}
