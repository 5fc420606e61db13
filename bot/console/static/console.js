// What a page does beyond plain HTML. Everything works without it, only less smoothly.
"use strict";

// How an element is found again after what it stands in was replaced: by its id, its address, or its name and value.
function addressOf(one) {
  const being = (name) => `[${name}="${CSS.escape(one.getAttribute(name))}"]`;
  if (one.id) return `#${CSS.escape(one.id)}`;
  if (one.matches("a[href]")) return `a${being("href")}`;
  if (one.hasAttribute("name")) return one.localName + being("name") + (one.matches("[type=checkbox], [type=radio]") ? being("value") : "");
  return one.matches("[aria-label]") ? one.localName + being("aria-label") : null;
}

// Whoever works by keyboard stays where they were: on the same thing in what is new, or at the beginning of the page.
function restoreFocus(address) {
  if (address === undefined || (document.activeElement && document.activeElement !== document.body)) return;
  const again = (address && document.querySelector(address)) || document.getElementById("main");
  again.focus({ preventScroll: true });
}

let focused;
document.addEventListener("htmx:beforeSwap", (event) => {
  const active = document.activeElement;
  focused = active !== document.body && event.detail.target.contains(active) ? addressOf(active) : undefined;
});
document.addEventListener("htmx:afterSettle", () => restoreFocus(focused));

// A link with data-dialog leads to a page that asks before it does something; its "panel" is opened here as a dialog.
let opener;
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  htmx.ajax("GET", link.href, { target: "#dialog-content", swap: "innerHTML" }).then(() => {
    const dialog = document.getElementById("dialog");
    if (dialog.open || !dialog.querySelector("#dialog-content > *")) return;
    opener = addressOf(link);
    link.focus();
    dialog.showModal();
    const heading = dialog.querySelector("h1, h2");
    if (!heading) return;
    heading.id ||= "dialog-title";
    dialog.setAttribute("aria-labelledby", heading.id);
    // Where there is nothing to fill in, what changes something is not one careless Enter away.
    if (dialog.querySelector("input:not([type=hidden]), select, textarea")) return;
    heading.tabIndex = -1;
    heading.focus();
  });
});

// The browser goes back to the link that opened the dialog, unless the link was replaced meanwhile.
document.getElementById("dialog")?.addEventListener("close", () => restoreFocus(opener));

// A button or link with data-close shuts the dialog instead of going on.
document.addEventListener("click", (event) => {
  const closer = event.target.closest("[data-close]");
  const dialog = document.getElementById("dialog");
  if (closer && dialog && dialog.open) {
    event.preventDefault();
    dialog.close();
  }
});

// A click outside the dialog's panel closes it.
document.addEventListener("click", (event) => {
  if (event.target.id === "dialog") event.target.close();
});

// A form that was sent is not sent again by an impatient second click; the key in it guards the server as well.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.dataset.sent) {
    if (form.dataset.sent) event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 4000);
});

// Filters apply as soon as one is chosen.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-auto]");
  if (form) form.requestSubmit();
});

// Tables with data-rows: j and k move, Enter opens, x ticks, b goes to what can be done with those ticked, / searches.
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
    return;
  }
  const table = document.querySelector("table[data-rows]");
  if (!table) return;
  const rows = [...table.querySelectorAll("tbody tr")];
  const at = rows.findIndex((row) => row.classList.contains("current"));
  const move = { j: 1, k: -1 }[event.key];
  if (move && rows.length) {
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + move))];
    rows.forEach((row) => row.classList.toggle("current", row === next));
    next.scrollIntoView({ block: "nearest" });
    const link = next.querySelector("a");
    if (link) link.focus();
  } else if (at >= 0 && event.key === "x") {
    const tick = rows[at].querySelector("input[type=checkbox]");
    if (tick) tick.click();
  } else if (event.key === "b") {
    const step = document.querySelector("[data-bulk]:not([hidden]) select");
    if (step) {
      event.preventDefault();
      step.focus();
    }
  } else if (at >= 0 && event.key === "Enter" && !event.target.closest("a, button")) {
    const link = rows[at].querySelector("a");
    if (link) link.click();
  }
});

// A tick in the head of a table ticks every row; a bar with data-bulk shows how many are ticked.
document.addEventListener("change", (event) => {
  const table = event.target.closest("table");
  if (!table || event.target.type !== "checkbox") return;
  const ticks = [...table.querySelectorAll("tbody input[type=checkbox]")];
  if (event.target.matches("thead input")) ticks.forEach((tick) => (tick.checked = event.target.checked));
  const count = ticks.filter((tick) => tick.checked).length;
  document.querySelectorAll("[data-bulk]").forEach((bar) => {
    bar.hidden = count === 0;
    bar.querySelectorAll("[data-count]").forEach((place) => (place.textContent = count));
  });
});

// On a phone the menu starts folded.
if (matchMedia("(max-width: 760px)").matches) {
  document.querySelectorAll(".side-fold").forEach((fold) => fold.removeAttribute("open"));
}

// The menu of who may do much is longer than the screen: where one is stands in sight.
const here = document.querySelector(".side a[aria-current]");
const side = here && here.closest(".side");
if (side && side.scrollHeight > side.clientHeight) side.scrollTop = here.offsetTop - side.clientHeight / 2;
