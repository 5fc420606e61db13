// What the pages of registrations do beyond plain HTML.
"use strict";

// The bar for many shows up when something is ticked; without scripts it is always there.
function settle() {
  const everything = document.querySelector("[data-bulk] input[name=all]");
  const ticked = document.querySelectorAll("tbody input[name=receipt]:checked").length;
  document.querySelectorAll("[data-bulk]").forEach((bar) => {
    bar.hidden = ticked === 0 && !(everything && everything.checked);
    bar.querySelectorAll("[data-count]").forEach((place) => (place.textContent = ticked));
  });
}
document.addEventListener("change", () => setTimeout(settle));
document.addEventListener("htmx:afterSwap", settle);
settle();

// The export stands outside of what a filter replaces, and is about what is shown.
document.addEventListener("htmx:pushedIntoHistory", () => {
  const link = document.querySelector("a[data-export]");
  if (link) link.search = location.search;
});

// A button with data-print prints the page.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});
