// Draws a table of numbers. Everything that came from outside is set as text, never as markup; links are checked in Python.
function heading(column, sort, trigger) {
  const made = element("th", column.kind);
  if (!column.sortable) {
    made.append(element("span", column.help ? "help" : "", column.label));
  } else {
    const button = element("button", "", column.label);
    const active = sort && sort.column === column.id;
    if (active) {
      made.classList.add("sorted");
      made.setAttribute("aria-sort", sort.descending ? "descending" : "ascending");
      button.textContent = `${column.label} ${sort.descending ? "↓" : "↑"}`;
    }
    button.addEventListener("click", () => trigger("sorted", `${column.id}:${active && sort.descending ? "asc" : "desc"}`));
    made.append(button);
  }
  if (column.help) made.title = column.help;
  return made;
}

function bars(cell) {
  const made = element("div", "bars");
  for (const bar of cell.bars) {
    const link = linked(element("a", bar.status), bar.href, () => go(bar.href));
    link.style.height = `${bar.height}%`;
    link.title = bar.title;
    link.setAttribute("aria-label", bar.title);
    link.tabIndex = -1;
    made.append(link);
  }
  return made;
}

function value(cell) {
  const words = element("span", "", cell.text);
  const content = cell.icon ? element("span", "state") : words;
  if (cell.icon) {
    const icon = element("span", `icon ${cell.status}`, cell.icon);
    icon.setAttribute("aria-hidden", "true");
    content.append(icon, words);
  }
  const made = element("div", "value");
  if (cell.href) {
    const link = linked(element("a"), cell.href, () => go(cell.href));
    link.append(content);
    made.append(link);
  } else {
    made.append(content);
  }
  if (cell.title) made.title = cell.title;
  return made;
}

function filled(column, cell, first) {
  const made = element("td", [column.kind, first ? "first" : "", column.strong ? "strong" : ""].filter(Boolean).join(" "));
  made.dataset.label = column.label;
  if (!cell) return made;
  if (cell.bars) {
    made.append(bars(cell));
    return made;
  }
  made.append(value(cell));
  if (cell.share !== undefined && cell.share !== null) {
    const share = element("div", "share");
    share.style.width = `${Math.max(2, cell.share * 100)}%`;
    made.append(share);
  }
  if (cell.sub) {
    const sub = element("div", `sub ${cell.tone || ""}`, cell.sub);
    sub.title = cell.sub_title || cell.sub;
    made.append(sub);
  }
  return made;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const table = element("table");
  const head = element("thead");
  const titles = element("tr");
  titles.append(...data.columns.map((column) => heading(column, data.sort, setTriggerValue)));
  head.append(titles);
  const body = element("tbody");
  body.append(...data.rows.map((row) => {
    const made = element("tr");
    made.append(...data.columns.map((column, place) => filled(column, row[column.id], place === 0)));
    return made;
  }));
  table.append(head, body);
  const scroll = element("div", "scroll");
  scroll.append(table);
  const before = parentElement.querySelector(".scroll");
  if (before) before.replaceWith(scroll);
  else parentElement.append(scroll);
}
