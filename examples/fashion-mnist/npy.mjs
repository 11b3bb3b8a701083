// NumPy's format, version 1.0, for one-dimensional arrays of the two types of the sample.
const TYPES = { '<f4': Float32Array, '|u1': Uint8Array };

/** The file of an array; typed arrays are little-endian on every machine that Node runs on. */
export function writeNpy(array) {
  const [type] = Object.entries(TYPES).find(([, ArrayType]) => array instanceof ArrayType);
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${array.length},), }`;
  const header = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${text.padEnd(117)}\n`, 'latin1');
  return Buffer.concat([header, Buffer.from(array.buffer, array.byteOffset, array.byteLength)]);
}

/** The array of a file that `writeNpy` made. */
export function readNpy(file) {
  const [, type] = /'descr': '([^']*)'/.exec(file.toString('latin1', 0, 128));
  return new TYPES[type](new Uint8Array(file.subarray(128)).buffer);
}
