// Draws the grid of jobs by runs. Texts from outside are set as text, never as markup; links are checked in Python.
export default function ({ data, parentElement }) {
  const attempt = (className, text, href, title) => {
    const made = linked(element("a", className, text), href, () => go(href));
    made.title = title;
    made.setAttribute("aria-label", title);
    return made;
  };
  const head = element("tr");
  head.append(element("th", "job", "Job"));
  for (const run of data.runs) {
    const cell = element("th", "run");
    cell.append(attempt("", run.label, run.href, run.title));
    head.append(cell);
  }
  const rows = data.jobs.map((job) => {
    const row = element("tr");
    const name = element("th", "job", job.name);
    name.title = `${job.name}: ${job.note}`;
    row.append(name);
    job.cells.forEach((cell, place) => {
      const made = element("td");
      made.append(cell ? attempt(cell.status, cell.icon, data.runs[place].href, cell.title) : element("span"));
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
