"use strict";
// Tables sort by their headings, commands can be copied, and what is folded prints too.

function numberIn(text) {
  const number = Number.parseFloat(text.replace("\u2212", "-").replace(/,/g, ""));
  return Number.isNaN(number) ? null : number;
}

function compared(a, b) {
  const x = numberIn(a), y = numberIn(b);
  if (x !== null && y !== null) return x - y;
  if (a === "\u2013" || b === "\u2013") return (a === "\u2013") - (b === "\u2013");
  return a.localeCompare(b, "en", { numeric: true });
}

function sortBy(heading, column) {
  const falls = heading.getAttribute("aria-sort") === "ascending";
  for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", falls ? "descending" : "ascending");
  const body = heading.closest("table").tBodies[0];
  const rows = [...body.rows];
  const text = (row) => row.cells[column].textContent.trim();
  rows.sort((a, b) => (falls ? -1 : 1) * compared(text(a), text(b)));
  body.append(...rows);
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(heading, column));
    heading.append(button);
  });
}

async function copied(block, button) {
  const text = block.querySelector("code").textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(block.querySelector("code"));
    button.textContent = "Selected";
  }
  setTimeout(() => (button.textContent = "Copy"), 2000);
}

for (const block of document.querySelectorAll("pre.copied")) {
  const button = document.createElement("button");
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", () => copied(block, button));
  block.append(button);
}

let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const each of folded) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of folded) each.open = false;
});
