// Shows a log of any length: only the rows in sight are in the page, and lines come from the server a chunk at a time.
// Everything that came from outside is set as text, never as markup.
const ROW = 20;
const AROUND = 30;
const MOST_KEPT = 60; // chunks
const TALLEST = 15_000_000; // browsers draw nothing beyond some height

const views = new WeakMap();

function button(text, title, act) {
  const made = element("button", "", text);
  made.type = "button";
  made.title = title;
  made.setAttribute("aria-label", title);
  made.addEventListener("click", act);
  return made;
}

/** Which lines there are to see: all but those that are folded away. */
class Fold {
  constructor(groups, open) {
    this.groups = groups; // [start, end, folded at first]
    this.open = open; // starts of groups, by hand: Map(start, isOpen)
    this.update();
  }

  isOpen(group) {
    return this.open.get(group[0]) ?? !group[2];
  }

  update() {
    this.hidden = []; // [from, to, hidden before and with it]
    let count = 0;
    for (const group of this.groups) {
      const last = this.hidden[this.hidden.length - 1];
      if (this.isOpen(group) || (last && group[0] <= last[1])) continue;
      count += group[1] - group[0];
      this.hidden.push([group[0] + 1, group[1], count]);
    }
    this.count = count;
  }

  /** The line in row `row`, both from 1 and 0. */
  lineAt(row) {
    let low = 0, high = this.hidden.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const before = middle ? this.hidden[middle - 1][2] : 0;
      if (this.hidden[middle][0] - 1 - before <= row) low = middle + 1; else high = middle;
    }
    return row + 1 + (low ? this.hidden[low - 1][2] : 0);
  }

  rowOf(line) {
    let hidden = 0;
    for (const [from, to, count] of this.hidden) {
      if (to < line) hidden = count;
      else { if (from <= line) return from - 2 - hidden; break; }
    }
    return line - 1 - hidden;
  }

  /** Open what hides a line. */
  reveal(line) {
    for (const group of this.groups) {
      if (group[0] >= line) break;
      if (group[1] >= line) this.open.set(group[0], true);
    }
    this.update();
  }
}

class View {
  constructor(parent, want) {
    this.want = want;
    this.chunks = new Map();
    this.asked = new Set();
    this.query = "";
    this.hits = null;
    this.hit = -1;
    this.selected = null;
    this.build(parent);
  }

  build(parent) {
    this.root = element("div", "viewer");
    this.root.tabIndex = -1;
    const tools = element("div", "tools");
    tools.setAttribute("role", "toolbar");
    this.steps = element("select");
    this.steps.setAttribute("aria-label", "Step");
    this.steps.addEventListener("change", () => this.go(Number(this.steps.value)));
    this.input = element("input");
    this.input.type = "search";
    this.input.placeholder = "Search";
    this.input.maxLength = 200;
    this.input.setAttribute("aria-label", "Search the log");
    this.input.addEventListener("input", () => this.searchSoon());
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { this.enter(event.shiftKey ? -1 : 1); event.preventDefault(); }
      if (event.key === "Escape") this.scroller.focus();
      event.stopPropagation();
    });
    this.found = element("span", "found");
    this.found.setAttribute("role", "status");
    const search = element("span", "search");
    search.append(
      this.input, this.found,
      button("↑", "Previous match (N)", () => this.nextHit(-1)), button("↓", "Next match (n)", () => this.nextHit(1)),
    );
    this.errorButton = button("Next error", "Next error (e)", () => this.nextError(1));
    this.errorButton.className = "error";
    this.timesButton = button("Times", "Show when each line was written (t)", () => this.toggleTimes());
    this.foldButton = button("Unfold all", "Open or close all groups", () => this.toggleFolds());
    this.copyButton = button("Copy", "Copy the chosen lines, or those in sight", () => this.copy());
    tools.append(this.steps, search, this.errorButton, this.timesButton, this.foldButton, this.copyButton);
    this.scroller = element("div", "scroller");
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute("role", "region");
    this.scroller.setAttribute("aria-label", "Log");
    this.space = element("div", "space");
    this.rows = element("div", "rows");
    this.space.append(this.rows);
    this.scroller.append(this.space);
    this.scroller.addEventListener("scroll", () => this.drawSoon(), { passive: true });
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.rows.addEventListener("click", (event) => this.click(event));
    this.root.append(tools, this.scroller);
    parent.append(this.root);
    new ResizeObserver(() => this.drawSoon()).observe(this.scroller);
    window.addEventListener("resize", () => this.fit());
  }

  /** Down to the lower edge of the window, so that only the log scrolls. */
  fit() {
    if (!this.root.isConnected) return;
    const room = window.innerHeight - this.root.getBoundingClientRect().top - 20;
    this.root.style.height = `${Math.max(360, room)}px`;
  }

  take(data) {
    const isNew = this.version !== data.version;
    if (isNew) {
      this.version = data.version;
      this.total = data.total;
      this.chunk = data.chunk;
      this.errors = data.errors;
      this.firstError = data.first_error;
      this.chunks.clear();
      this.asked.clear();
      this.selected = data.selected;
      this.fold = new Fold(data.groups, new Map());
      this.foldButton.hidden = data.groups.length === 0;
      this.nameFolds();
      this.errorButton.hidden = data.errors.length === 0 && !data.first_error;
      this.fillSteps(data.steps);
    }
    for (const [number, lines] of Object.entries(data.chunks)) {
      this.chunks.delete(Number(number));
      this.chunks.set(Number(number), lines);
      this.asked.delete(Number(number));
    }
    while (this.chunks.size > MOST_KEPT) this.chunks.delete(this.chunks.keys().next().value);
    if (data.query === this.query && data.hits && !this.hits) this.takeHits(data);
    if (isNew) {
      this.root.classList.toggle("has-times", Object.values(data.chunks).some((lines) => lines.some((line) => line[0])));
      this.timesButton.hidden = !this.root.classList.contains("has-times");
      this.fit();
      this.size();
      this.go(data.begin);
    }
    this.draw();
  }

  fillSteps(steps) {
    this.starts = steps.map((step) => step.line);
    this.steps.hidden = steps.length === 0;
    this.steps.replaceChildren(
      ...steps.map((step) => {
        const option = element("option", "", step.took ? `${step.name} · ${step.took}` : step.name);
        option.value = step.line;
        return option;
      }),
    );
  }

  takeHits(data) {
    this.hits = data.hits;
    this.hit = -1;
    if (this.hits?.lines.length) {
      const from = this.fold.lineAt(this.topRow());
      const next = this.hits.lines.findIndex((line) => line >= from);
      this.toHit(next < 0 ? 0 : next);
    }
    this.tellHits();
  }

  tellHits() {
    if (!this.query) this.found.textContent = "";
    else if (!this.hits) this.found.textContent = "…";
    else if (!this.hits.total) this.found.textContent = "none";
    else this.found.textContent = `${(this.hit + 1).toLocaleString("en")} / ${this.hits.total.toLocaleString("en")}`;
  }

  get count() { return this.total - this.fold.count; }

  get visible() { return Math.max(1, Math.floor(this.scroller.clientHeight / ROW)); }

  size() { this.space.style.height = `${Math.min(this.count * ROW, TALLEST)}px`; }

  /** Rows to pixels and back: one to one, unless the log is taller than a browser can draw. */
  get scale() {
    const room = Math.min(this.count * ROW, TALLEST) - this.scroller.clientHeight;
    return this.count * ROW <= TALLEST ? ROW : room / Math.max(1, this.count - this.visible);
  }

  topRow() { return Math.max(0, Math.min(this.count - 1, Math.floor(this.scroller.scrollTop / this.scale))); }

  go(line) {
    const wanted = Math.max(1, Math.min(this.total, line || 1));
    this.fold.reveal(wanted);
    this.size();
    const row = this.fold.rowOf(wanted);
    this.scroller.scrollTop = Math.max(0, (row - Math.min(6, this.visible >> 1)) * this.scale);
    this.current = wanted;
    this.draw();
  }

  drawSoon() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.draw(); });
  }

  draw() {
    if (!this.fold) return;
    const top = this.topRow();
    const first = Math.max(0, top - AROUND), last = Math.min(this.count, top + this.visible + AROUND);
    const made = [], missing = new Set();
    for (let row = first; row < last; row++) {
      const number = this.fold.lineAt(row);
      const chunk = Math.floor((number - 1) / this.chunk);
      const lines = this.chunks.get(chunk);
      if (!lines) missing.add(chunk);
      made.push(this.row(number, lines?.[(number - 1) % this.chunk]));
    }
    const shift = this.scale === ROW ? first * ROW : this.scroller.scrollTop - (top - first) * ROW;
    this.rows.style.transform = `translateY(${Math.max(0, shift)}px)`;
    this.rows.replaceChildren(...made);
    if (this.starts.length) {
      const at = this.fold.lineAt(top);
      const step = this.starts.filter((line) => line <= at + 6).pop() ?? this.starts[0];
      if (Number(this.steps.value) !== step) this.steps.value = step;
    }
    this.ask([...missing]);
  }

  ask(missing) {
    const wanted = missing.filter((chunk) => !this.asked.has(chunk)).slice(0, 5);
    if (!wanted.length) return;
    clearTimeout(this.asking);
    // While somebody drags the bar, only the place where he stops is asked for.
    this.asking = setTimeout(() => {
      this.asked = new Set(wanted);
      this.want({ chunks: wanted, query: this.query });
    }, 80);
  }

  row(number, line) {
    const made = element("div", "row");
    made.dataset.line = number;
    const link = element("a", "number", number);
    link.href = this.address(number);
    link.title = "Link to this line";
    made.append(link);
    if (!line) {
      made.append(element("span", "text loading", "…"));
      return made;
    }
    const [stamp, kind, more, pieces] = line;
    if (kind) made.classList.add(kind);
    if (this.selected && number >= this.selected[0] && number <= this.selected[1]) made.classList.add("selected");
    if (this.hits && this.hits.lines[this.hit] === number) made.classList.add("hit");
    made.append(element("time", "", clock(stamp)));
    made.querySelector("time").title = stamp;
    const group = kind === "group" && this.fold.groups.find((each) => each[0] === number);
    if (group) {
      const isOpen = this.fold.isOpen(group);
      const toggle = button(isOpen ? "▾" : "▸", isOpen ? "Close this group" : "Open this group", () => {});
      toggle.className = "toggle";
      toggle.setAttribute("aria-expanded", String(isOpen));
      made.append(toggle);
    }
    const text = element("span", "text");
    this.fill(text, pieces);
    if (more) text.append(element("span", "more", ` … ${more.toLocaleString("en")} more characters`));
    made.append(text);
    return made;
  }

  fill(target, pieces) {
    const whole = pieces.map((piece) => piece[0]).join("");
    const lower = whole.toLowerCase();
    const marks = [];
    if (this.query && this.hits && lower.length === whole.length) {
      const words = this.query.toLowerCase();
      for (let at = lower.indexOf(words); at >= 0 && marks.length < 200; at = lower.indexOf(words, at + words.length)) {
        marks.push([at, at + words.length]);
      }
    }
    let at = 0;
    for (const [text, colour, background, look] of pieces) {
      const span = element("span");
      paint(span, colour, background, look);
      let done = 0;
      for (const [from, to] of marks) {
        const begin = Math.max(0, from - at), end = Math.min(text.length, to - at);
        if (begin >= end) continue;
        span.append(text.slice(done, begin), element("mark", "", text.slice(begin, end)));
        done = end;
      }
      span.append(text.slice(done));
      target.append(span);
      at += text.length;
    }
  }

  address(from, to) {
    const address = new URL(window.location.href);
    address.searchParams.set("line", to && to !== from ? `${from}-${to}` : from);
    return address.href;
  }

  click(event) {
    const row = event.target.closest?.(".row");
    if (!row) return;
    const line = Number(row.dataset.line);
    if (event.target.closest("a")) {
      if (event.ctrlKey || event.metaKey || event.button !== 0) return;
      event.preventDefault();
      const from = event.shiftKey && this.selected ? this.selected[0] : line;
      this.selected = [Math.min(from, line), Math.max(from, line)];
      window.history.replaceState(window.history.state, "", this.address(...this.selected));
      this.draw();
    } else if (row.classList.contains("group") && !String(window.getSelection())) {
      const group = this.fold.groups.find((each) => each[0] === line);
      if (!group) return;
      this.fold.open.set(line, !this.fold.isOpen(group));
      this.fold.update();
      this.size();
      this.draw();
    }
  }

  toggleFolds() {
    const anyClosed = this.fold.groups.some((group) => !this.fold.isOpen(group));
    const at = this.fold.lineAt(this.topRow());
    for (const group of this.fold.groups) this.fold.open.set(group[0], anyClosed);
    this.fold.update();
    this.nameFolds();
    this.size();
    this.scroller.scrollTop = this.fold.rowOf(at) * this.scale;
    this.draw();
  }

  nameFolds() {
    const anyClosed = this.fold.groups.some((group) => !this.fold.isOpen(group));
    this.foldButton.textContent = anyClosed ? "Unfold all" : "Fold all";
  }

  toggleTimes() {
    const on = this.root.classList.toggle("times");
    this.timesButton.setAttribute("aria-pressed", String(on));
  }

  searchSoon() {
    clearTimeout(this.searching);
    this.searching = setTimeout(() => this.search(), 250);
  }

  search() {
    clearTimeout(this.searching);
    const words = this.input.value;
    if (words === this.query) return;
    this.query = words;
    this.hits = null;
    this.hit = -1;
    this.tellHits();
    this.draw();
    this.want({ chunks: [...this.asked], query: words });
  }

  enter(step) {
    if (this.input.value !== this.query) this.search();
    else this.nextHit(step);
  }

  nextHit(step) {
    const lines = this.hits?.lines ?? [];
    if (lines.length) this.toHit((this.hit + step + lines.length) % lines.length);
  }

  toHit(index) {
    this.hit = index;
    this.tellHits();
    this.go(this.hits.lines[index]);
  }

  nextError(step) {
    const all = [...new Set([this.firstError, ...this.errors].filter(Boolean))].sort((a, b) => a - b);
    if (!all.length) return;
    const at = this.current ?? 0;
    const next = step > 0 ? all.find((line) => line > at) ?? all[0] : all.filter((line) => line < at).pop() ?? all[all.length - 1];
    this.go(next);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === this.input || event.target === this.steps) return;
    const act = {
      "/": () => { this.input.focus(); this.input.select(); },
      n: () => this.nextHit(1), N: () => this.nextHit(-1),
      e: () => this.nextError(1), E: () => this.nextError(-1),
      t: () => this.toggleTimes(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  async copy() {
    const top = this.topRow();
    const [from, to] = this.selected ?? [this.fold.lineAt(top), this.fold.lineAt(Math.min(this.count - 1, top + this.visible))];
    const texts = [];
    for (let number = from; number <= to && texts.length < 20_000; number++) {
      const line = this.chunks.get(Math.floor((number - 1) / this.chunk))?.[(number - 1) % this.chunk];
      if (line) texts.push(line[3].map((piece) => piece[0]).join(""));
    }
    const done = await toClipboard(texts.join("\n"), this.root);
    this.copyButton.textContent = done ? `${texts.length} copied` : "Not copied";
    setTimeout(() => { this.copyButton.textContent = "Copy"; }, 1500);
  }
}

async function toClipboard(text, root) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without https a browser has no clipboard of this kind.
    const area = element("textarea", "away");
    area.value = text;
    root.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function paint(span, colour, background, look) {
  const [front, back] = look.includes("r") ? [background || "back", colour || "front"] : [colour, background];
  if (front) front.startsWith("#") ? (span.style.color = front) : span.classList.add(`f${front}`);
  if (back) back.startsWith("#") ? (span.style.backgroundColor = back) : span.classList.add(`b${back}`);
  for (const letter of look) span.classList.add(`l${letter}`);
}

function clock(stamp) {
  const at = new Date(stamp.replace(/(\.\d{3})\d*Z$/, "$1Z"));
  if (!stamp || Number.isNaN(at.getTime())) return "";
  return `${at.toLocaleTimeString("en-GB")}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

export default function ({ data, parentElement, setStateValue }) {
  let view = views.get(parentElement);
  if (!view) {
    view = new View(parentElement, () => {});
    views.set(parentElement, view);
  }
  view.want = (wanted) => setStateValue("wanted", wanted);
  view.take(data);
}
