// Owns how elements are made. Text only ever becomes text nodes, so that nothing a journal holds can become markup; styles
// are set as properties, which the page's policy allows, never as attributes.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') {
      for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    } else if (name === 'style') {
      for (const [property, setting] of Object.entries(value)) element.style.setProperty(property, setting);
    } else if (name === 'value') {
      element.value = value;
    } else {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An HTML element: `h('p', {class: 'note'}, 'text', other)`. */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function s(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Puts other children in place of an element's, and leaves the focus where it was if what had it is still there. */
export function put(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const scrolled = element.scrollLeft;
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
  element.scrollLeft = scrolled;
  if (focused) {
    [...element.querySelectorAll('[data-key]')].find((other) => other.dataset.key === focused)?.focus();
  }
}

/** A card: a titled part of a page. Returns the section, with `body` to be filled and `tools` beside the title. */
export function card(title, { id, note, wide } = {}) {
  const body = h('div', { class: 'card-body' });
  const tools = h('div', { class: 'tools' });
  const heading = h('h2', { id: id && `${id}-title` }, title);
  const told = h('p', { class: 'note' }, note ?? '');
  const section = h('section', { class: wide ? 'card wide' : 'card', id, 'aria-labelledby': id && `${id}-title` },
    h('header', {}, heading, told, tools), body);
  return { section, body, tools, heading, note: told };
}

/** Buttons of which one is chosen. */
export function choice(label, options, chosen, choose) {
  const button = ([value, text]) => h('button', {
    type: 'button', 'data-key': `${label}:${value}`, 'aria-pressed': String(value === chosen), on: { click: () => choose(value) },
  }, text);
  return h('div', { class: 'choice', role: 'group', 'aria-label': label }, options.map(button));
}

/** A table. A column is {name, title, number?, cell(row)}; what a cell is may be text, an element, or nothing. */
export function table(columns, rows, { caption, empty, row: about } = {}) {
  if (rows.length === 0) return h('p', { class: 'empty' }, empty ?? 'Nothing yet.');
  const head = columns.map((column) => h('th', { scope: 'col', class: column.number ? 'number' : null, title: column.about }, column.title));
  const cell = (column, row) => h('td', { class: column.number ? 'number' : null }, column.cell(row));
  const line = (row) => h('tr', about?.(row) ?? {}, columns.map((column) => cell(column, row)));
  return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    h('table', {}, caption && h('caption', { class: 'hidden' }, caption), h('thead', {}, h('tr', {}, head)), h('tbody', {}, rows.map(line))));
}
