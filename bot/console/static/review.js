// The review list by keyboard: the queue moves on by itself after each decision.
"use strict";

const cards = () => [...document.querySelectorAll("article.review")];

function select(card) {
  if (!card) return;
  cards().forEach((one) => one.classList.toggle("current", one === card));
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "center" });
}

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = cards();
  const at = all.findIndex((card) => card.classList.contains("current"));
  if (event.key === "j" || event.key === "k") {
    select(all[Math.min(all.length - 1, Math.max(0, at + (event.key === "j" ? 1 : -1)))]);
    return;
  }
  if (at < 0) return;
  const button = /^[1-5]$/.test(event.key)
    ? all[at].querySelectorAll(".meanings button")[Number(event.key) - 1]
    : all[at].querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (button) {
    event.preventDefault();
    button.click();
  }
});

// What was decided moves on to the next one that is open; what was undone stays where it is.
document.addEventListener("htmx:afterSettle", (event) => {
  // The event names the card that was replaced; the new one has the same id.
  const replaced = event.detail.elt.closest("article.review");
  const card = replaced && document.getElementById(replaced.id);
  if (!card) return;
  const all = cards();
  const rest = all.slice(all.indexOf(card) + 1);
  select(card.dataset.status === "open" ? card : rest.find((one) => one.dataset.status === "open") || card);
});
