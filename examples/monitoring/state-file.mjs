// The window on disk: written whole or not at all, and never taken for what it is not.
import { readFile, rename, rm, writeFile } from 'node:fs/promises';

/** Reads the window's state. One that cannot be used is put aside, with the reason, and the window starts empty. */
export async function restore(path, window, say) {
  let text;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return;
  }
  try {
    window.restore(JSON.parse(text));
    say(`the window goes on with ${window.total.loss.compute().count} labels of ${path}`);
  } catch (error) {
    const aside = `${path}.${Date.now()}.refused`;
    await rename(path, aside);
    say(`${path} cannot be used and is now ${aside}: ${error.message}`);
  }
}

/** Writes the window's state beside its place, and then puts it there. */
export async function save(path, window) {
  const part = `${path}.part`;
  try {
    await writeFile(part, JSON.stringify(window), { flush: true });
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    throw error;
  }
}
