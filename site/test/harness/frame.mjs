const BASE = '/some/folder/';
const PATIENCE = 45_000;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What `look` gives, as soon as it gives something that is not false. */
export async function until(look, what) {
  for (const end = performance.now() + PATIENCE; performance.now() < end; await sleep(25)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`waited for ${typeof what === 'function' ? what() : what} in vain`);
}

/** Calls `use` with a page in a frame of that width. */
export async function withPage(path, { width = 1200, height = 900 }, use) {
  const frame = document.createElement('iframe');
  frame.style.cssText = `width:${width}px;height:${height}px;border:0`;
  frame.src = BASE + path;
  document.body.append(frame);
  try {
    await new Promise((resolve, reject) => {
      frame.onload = resolve;
      frame.onerror = () => reject(new Error(`${path} does not load`));
    });
    const view = frame.contentWindow;
    const page = pageOf(view);
    await until(() => page.find('h1, .VPHero'), `a heading in ${path}`);
    // until then links are plain links, and nobody listens
    await until(() => page.find('#app').__vue_app__ !== undefined, `${path} to be alive`);
    if (path.startsWith('playground/file')) await until(() => page.find('.drop'), 'the place to drop files');
    else if (path.startsWith('playground/')) await page.ready();
    return await use(page, view);
  } finally {
    frame.remove();
  }
}

function pageOf(view) {
  const find = (selector) => view.document.querySelector(selector);
  const page = {
    find,
    all: (selector) => [...view.document.querySelectorAll(selector)],
    faults: () => [...view.faults, ...foreign(view)],
    ready: () =>
      until(
        () => find('.tool[data-ready="true"]:not([aria-busy="true"])') && page.all('.figure').every(isDrawn),
        () => `the tool: ${find('.problem')?.textContent ?? 'no problem told'}`,
      ),
    button: (text) => page.all('button').find((button) => button.textContent.includes(text)),
    /** The field of a control that is labelled so, within a part of the page. */
    field: (name, within = view.document.body, kind = 'input[type=range]') => {
      const label = [...within.querySelectorAll('label')].find((label) => label.textContent.trim().startsWith(name));
      if (label === undefined) return undefined;
      return label.control?.matches(kind)
        ? label.control
        : (label.querySelector(kind) ?? label.parentElement.querySelector(kind));
    },
    /** Resolves when the page has taken it in; what follows from it may be still under way. */
    set: async (field, value) => {
      field.value = value;
      field.dispatchEvent(new view.Event(field.localName === 'select' ? 'change' : 'input', { bubbles: true }));
      await sleep(0);
    },
    drop: async (names) => {
      const transfer = new view.DataTransfer();
      for (const name of names) {
        const bytes = await (await fetch(`/data/${name}`)).arrayBuffer();
        transfer.items.add(new view.File([bytes], name));
      }
      find('.drop').dispatchEvent(
        new view.DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: transfer }),
      );
    },
    text: (selector) => find(selector)?.textContent.replace(/\s+/g, ' ').trim(),
  };
  return page;
}

const isDrawn = (figure) => figure.firstElementChild !== null;

/** Requests that went to another host. */
function foreign(view) {
  const names = view.performance.getEntriesByType('resource').map(({ name }) => name);
  return names.filter((name) => !name.startsWith(location.origin) && !/^(data|blob):/.test(name));
}
