// What several components draw with. Everything that came from outside is set as text, never as markup.
function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined && text !== null) made.textContent = text;
  return made;
}

function cell(name, ...children) {
  const made = element("td", name);
  made.append(...children.filter(Boolean));
  return made;
}

// A link that acts in place; with Ctrl it opens in a new tab, as any link does.
function linked(made, href, act) {
  made.href = href;
  made.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    act();
  });
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
