// Owns how a view is kept up to date: it is made of parts, each of which says what it is made from and is read anew when
// some of that changed. A part that can't be read says why in its place; the others stand.

import { Unreachable } from './api.js';
import { h } from './dom.js';

export class Page {
  #parts;
  #wanted = new Map();

  /** A part is {section, from: [names of tables], load(signal), remove?()}. */
  constructor(parts, { title, className = '' }) {
    this.#parts = parts;
    this.title = title;
    this.element = h('div', { class: `view ${className}` }, parts.map((part) => part.section));
  }

  /** Reads what is made from these tables; everything where none are named. Resolves when all of it is drawn. */
  async refresh(changed) {
    const touched = (part) => !changed || part.from.some((table) => changed.has(table));
    await Promise.all(this.#parts.filter(touched).map((part) => this.#load(part)));
  }

  /** Reads one part. */
  reload(part) {
    return this.#load(part);
  }

  async #load(part) {
    this.#wanted.get(part)?.abort();
    const wanted = new AbortController();
    this.#wanted.set(part, wanted);
    part.section.setAttribute('aria-busy', 'true');
    try {
      await part.load(wanted.signal);
      part.section.querySelector(':scope > .trouble')?.remove();
    } catch (error) {
      // A lost connection is told once for the whole page, and what was read last stays.
      if (error.name !== 'AbortError' && !(error instanceof Unreachable)) this.#tell(part, error);
    }
    if (this.#wanted.get(part) === wanted) part.section.removeAttribute('aria-busy');
  }

  #tell(part, error) {
    part.section.querySelector(':scope > .trouble')?.remove();
    part.section.append(h('p', { class: 'trouble', role: 'alert' }, `This could not be shown: ${error.message}`));
  }

  /** Dresses charts anew. */
  redress() {
    for (const part of this.#parts) part.redress?.();
  }

  remove() {
    for (const wanted of this.#wanted.values()) wanted.abort();
    for (const part of this.#parts) part.remove?.();
  }
}
