import { until, withPage } from './frame.mjs';

/** Each page by itself, as narrow as a phone: its faults, and what does not fit. */
async function phones(paths) {
  const look = (path) =>
    withPage(path, { width: 360 }, async (page, view) => {
      await view.document.fonts.ready;
      const root = view.document.documentElement;
      const overflow = root.scrollWidth - root.clientWidth;
      const wide = page
        .all('.VPContent *')
        .find((each) => each.getBoundingClientRect().right > 361 && !scrolls(each, view));
      const widest = overflow > 0 ? wide?.outerHTML.slice(0, 120) : '';
      return { path, faults: page.faults(), overflow, widest, words: page.text('.VPContent').length };
    });
  return Promise.all(paths.map(look));
}

/** Whether it lies in a part of the page that scrolls by itself, or is hidden there. */
function scrolls(element, view) {
  for (let each = element.parentElement; each !== view.document.body; each = each.parentElement)
    if (view.getComputedStyle(each).overflowX !== 'visible') return true;
  return false;
}

async function curves({ hash, position, moved }) {
  return withPage(`playground/curves.html${hash}`, {}, async (page, view) => {
    const rows = () =>
      page.all('.values tbody tr').map((row) => [...row.cells].slice(1).map((cell) => cell.textContent));
    await page.set(page.field('read at'), position);
    await until(() => page.field('read at').value === String(position), 'the position');
    const before = JSON.stringify(rows());
    const lines = page.all('.figure svg g[stroke^="var(--curve"] path').length;
    await page.set(page.field('gamma', page.find('.card')), moved);
    await until(() => JSON.stringify(rows()) !== before, 'other values');
    return {
      before: JSON.parse(before),
      after: rows(),
      lines,
      figures: page.all('.figure svg[role=img][aria-label]').length,
      link: view.location.hash,
      faults: page.faults(),
    };
  });
}

/** Of each link, the values as it opens, and after each of its moves: a card, an option, and where that goes. */
async function family(links) {
  return withPage('playground/curves.html', {}, async (page, view) => {
    const rows = () =>
      page.all('.values tbody tr').map((row) => [...row.cells].slice(1).map((cell) => Number(cell.textContent)));
    const found = [];
    for (const { hash, position, moves } of links) {
      const { loss, cards } = /curve=(?<loss>\w+)(?<cards>.*)/.exec(hash).groups;
      view.location.hash = hash;
      const count = cards.split('curve=').length;
      const shown = () => page.all('.card select[aria-label]').map(({ value }) => value);
      await until(() => shown().length === count && shown().every((value) => value === loss), `${count} of ${loss}`);
      await page.set(page.field('read at'), position);
      await page.ready();
      const after = [];
      for (const { card, option, to } of moves) {
        const within = page.all('.card')[card];
        const kind = typeof to === 'string' ? 'select' : 'input[type=range]';
        const field = await until(() => page.field(option, within, kind), `${option} of ${loss}`);
        const from = field.value;
        await page.set(field, to);
        await page.ready();
        after.push({ moved: rows()[card], link: view.location.hash });
        await page.set(field, from);
        await page.ready();
      }
      found.push({ start: rows(), after });
    }
    return { found, faults: page.faults() };
  });
}

async function file({ names, score, target, positive }) {
  return withPage('playground/file.html', {}, async (page) => {
    await page.drop(names);
    const settled = () => until(() => page.find('.tool[aria-busy="false"]'), 'the tool to be done');
    await until(() => page.find('data.mean') || page.find('.problem'), 'the report');
    await settled();
    const select = async (name, value) => {
      if (value === undefined) return;
      await page.set(await until(() => page.field(name, undefined, 'select'), `a choice of ${name}`), value);
      await settled();
    };
    await select('Scores', score);
    await select('Targets', target);
    await select('Positive is', positive);
    if (page.find('.problem')) return { problem: page.text('.problem') };
    await page.ready();
    const values = (selector) => page.all(selector).map(({ value }) => Number(value));
    const before = {
      mean: values('data.mean')[0],
      sum: values('data.sum')[0],
      count: values('data.count')[0],
      sums: values('.classes data'),
      eces: values('data.before, data.after'),
    };
    const hardest = page.all('.hardest tbody th').map(({ textContent }) => Number(textContent));
    await page.set(page.field('gamma', page.all('.card')[0]), 3);
    await until(() => values('data.mean')[0] !== before.mean, 'another mean');
    return {
      ...before,
      hardest,
      moved: values('data.mean')[0],
      figures: page.all('.figure svg[role=img]').length,
      faults: page.faults(),
    };
  });
}

async function sample() {
  return withPage('playground/file.html', {}, async (page) => {
    page.button('sample').click();
    await page.ready();
    return { mean: Number(page.find('data.mean').value), faults: page.faults() };
  });
}

async function posterior({ hash }) {
  return withPage(`playground/posterior.html${hash}`, {}, async (page) => {
    const values = () => ['score', 'probability'].map((name) => Number(page.field(name, undefined).value));
    const first = values();
    await page.set(page.field('probability', undefined), 0.9);
    await until(() => Math.abs(values()[0] - first[0]) > 1e-4, 'another score');
    return {
      first,
      second: [Number(page.all('.says b')[0].textContent), Number(page.all('.says b')[1].textContent)],
      faults: page.faults(),
    };
  });
}

async function machine() {
  return withPage('playground/machine.html', {}, async (page) => {
    const { hash } = page.find('[data-hash]').dataset;
    page.button('Measure').click();
    await until(() => page.all('tbody tr').length === 4, 'four measurements');
    return {
      hash,
      rates: page.all('tbody td').map(({ textContent }) => Number.parseFloat(textContent)),
      faults: page.faults(),
    };
  });
}

/** From one page of a folder to another of another folder, by a link, and then through the search. */
async function walk() {
  return withPage('docs/start.html', { width: 1300 }, async (page, view) => {
    // VitePress looks for the outline of the page in the first frame, and fails where another page is there by then
    for (let frames = 2; frames > 0; frames--) await new Promise((resolve) => view.requestAnimationFrame(resolve));
    const link = page.all('.VPSidebar a').find((a) => a.textContent.includes('Posterior'));
    link.click();
    await until(() => view.location.pathname.endsWith('/playground/posterior.html'), 'the page of the link');
    await page.ready();
    const menu = page.all('.VPNavBar a').find((a) => a.textContent.includes('API'));
    menu.click();
    await until(
      () => view.location.pathname.endsWith('/api/') || view.location.pathname.endsWith('/api/index.html'),
      'the API',
    );
    page.find('.VPNavBarSearch button').click();
    const input = await until(() => page.find('#localsearch-input'), 'the search');
    await page.set(input, 'hardest');
    const found = await until(() => page.find('.results .result'), 'a result');
    return { found: found.getAttribute('href'), faults: page.faults() };
  });
}

/** What axe finds, in light or dark. */
async function accessible({ paths, dark }) {
  localStorage.setItem('vitepress-theme-appearance', dark ? 'dark' : 'light');
  const found = [];
  for (const path of paths) {
    await withPage(path, {}, async (page, view) => {
      if (path.includes('file')) {
        page.button('sample').click();
        await page.ready();
      }
      await new Promise((resolve) => {
        const script = view.document.createElement('script');
        script.src = '/axe.js';
        script.onload = resolve;
        view.document.head.append(script);
      });
      const { violations } = await view.axe.run('.VPContent', {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'],
      });
      for (const { id, nodes } of violations)
        found.push(
          `${path}: ${id}: ${nodes
            .slice(0, 3)
            .map(({ html }) => html.slice(0, 150))
            .join(' | ')}`,
        );
    });
  }
  return found;
}

export const checks = { phones, curves, family, file, sample, posterior, machine, walk, accessible };
