// Draws the grid of jobs by runs. Texts from outside are set as text, never as markup; links are checked in Python.
function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined && text !== null) made.textContent = text;
  return made;
}

// Goes to another page of ours in place, as the browser's own back button does: Streamlit follows the address. (From Python,
// a page can't be opened with parameters to which a widget of this page is bound.)
function go(href) {
  const target = new URL(href, location.href);
  if (target.pathname === location.pathname) {
    location.assign(target); // other parameters of the same page: only loading it anew reads them
    return;
  }
  history.pushState(null, "", target);
  dispatchEvent(new PopStateEvent("popstate"));
}

export default function ({ data, parentElement }) {
  const linked = (className, text, href, title) => {
    const made = element("a", className, text);
    made.href = href;
    made.title = title;
    made.setAttribute("aria-label", title);
    made.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      go(href);
    });
    return made;
  };
  const head = element("tr");
  head.append(element("th", "job", "Job"));
  for (const run of data.runs) {
    const cell = element("th", "run");
    cell.append(linked("", run.label, run.href, run.title));
    head.append(cell);
  }
  const rows = data.jobs.map((job) => {
    const row = element("tr");
    const name = element("th", "job", job.name);
    name.title = `${job.name}: ${job.note}`;
    row.append(name);
    job.cells.forEach((cell, place) => {
      const made = element("td");
      made.append(cell ? linked(cell.status, cell.icon, data.runs[place].href, cell.title) : element("span"));
      row.append(made);
    });
    return row;
  });
  const table = element("table");
  const top = element("thead");
  top.append(head);
  const body = element("tbody");
  body.append(...rows);
  table.append(top, body);
  const scroll = element("div", "scroll");
  scroll.append(table);
  const before = parentElement.querySelector(".scroll");
  if (before) before.replaceWith(scroll);
  else parentElement.append(scroll);
}
