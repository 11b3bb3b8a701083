// Fashion-MNIST as the Debian package dataset-fashion-mnist ships it: gzipped IDX files of 28 x 28 greyscale images.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

export const FOLDER = '/usr/share/datasets/fashion-mnist';
export const CLASSES = [
  ...['T-shirt/top', 'trouser', 'pullover', 'dress', 'coat'],
  ...['sandal', 'shirt', 'sneaker', 'bag', 'ankle boot'],
];

/** Pixels of an image as `load` returns it: 14 x 14, each the mean of 2 x 2, standardised. */
export const PIXELS = 196;

/** What black and white pixels become, for a mean of 0 and a variance of 1 or so over the training images. */
export const GREY = { black: -0.84, white: 2.1 };

/**
 * @returns {{ train: Split, test: Split }}
 * @typedef {{ images: Float32Array, labels: Uint8Array }} Split row-major images of `PIXELS`, one label each
 */
export function load(folder = FOLDER) {
  return { train: split(folder, 'train'), test: split(folder, 't10k') };
}

function split(folder, name) {
  const images = idx(folder, `${name}-images-idx3-ubyte`, 3);
  const labels = idx(folder, `${name}-labels-idx1-ubyte`, 1);
  return { images: halved(images.bytes, images.sizes), labels: labels.bytes };
}

/** IDX: two zero bytes, 8 for unsigned bytes, the number of dimensions, their sizes as big-endian int32, the bytes. */
function idx(folder, name, dimensions) {
  const path = [join(folder, `${name}.gz`), join(folder, name)].find(existsSync);
  if (path === undefined) {
    console.error(
      `${join(folder, name)}[.gz] not found: install the data with "apt-get install dataset-fashion-mnist", ` +
        'or name the folder of the IDX files with --data FOLDER',
    );
    process.exit(1);
  }
  const file = readFileSync(path);
  const bytes = path.endsWith('.gz') ? gunzipSync(file) : file;
  if (bytes.readUInt32BE(0) !== 0x0800 + dimensions)
    throw new Error(`${path}: not an IDX file of ${dimensions} dimensions`);
  const sizes = Array.from({ length: dimensions }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  return { sizes, bytes: new Uint8Array(bytes.subarray(4 + 4 * dimensions)) };
}

function halved(bytes, [count, height, width]) {
  const images = new Float32Array((count * height * width) / 4);
  let at = 0;
  for (let row = 0; row < count * height; row += 2) {
    for (let i = row * width; i < (row + 1) * width; i += 2) {
      const grey = (bytes[i] + bytes[i + 1] + bytes[i + width] + bytes[i + width + 1]) / (4 * 255);
      images[at++] = GREY.black + grey * (GREY.white - GREY.black);
    }
  }
  return images;
}
