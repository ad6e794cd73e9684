"use strict";
// One cell of each table is in the tab order; the arrow keys move it. What it says stands at the foot of the page.
for (const table of document.querySelectorAll("table")) {
  const rows = [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll("td")]);
  const detail = document.getElementById("detail");
  let current = rows[0]?.[0];
  if (current) current.tabIndex = 0;
  const visit = (cell) => {
    current.tabIndex = -1;
    current = cell;
    current.tabIndex = 0;
    current.focus();
  };
  table.addEventListener("keydown", (event) => {
    const y = rows.findIndex((row) => row.includes(event.target));
    if (y < 0 || event.altKey || event.metaKey || event.shiftKey) return;
    const x = rows[y].indexOf(event.target);
    const last = rows[y].length - 1;
    const end = event.ctrlKey ? rows.length - 1 : y;
    const start = event.ctrlKey ? 0 : y;
    const target = {
      ArrowLeft: [y, x - 1],
      ArrowRight: [y, x + 1],
      ArrowUp: [y - 1, x],
      ArrowDown: [y + 1, x],
      Home: [start, 0],
      End: [end, last],
    }[event.key];
    if (!target) return;
    event.preventDefault();
    const cell = rows[target[0]]?.[target[1]];
    if (cell) visit(cell);
  });
  table.addEventListener("focusin", (event) => {
    const cell = event.target.closest("td");
    if (!cell) return;
    if (cell !== current) visit(cell);
    const label = cell.parentElement.querySelector("th").textContent.trim();
    detail.textContent = `${label}: ${cell.title || cell.textContent.trim()}`;
    // The first column stands still: a cell must not hide behind it.
    const box = table.parentElement;
    const hidden = table.rows[0].cells[0].getBoundingClientRect().right - cell.getBoundingClientRect().left;
    if (hidden > 0) box.scrollLeft -= hidden;
  });
  table.addEventListener("focusout", () => {
    detail.textContent = "";
  });
}
document.documentElement.dataset.ready = "true";
