// What the pages of registrations do beyond plain HTML.
"use strict";

// The bar for many shows up when something is ticked; without scripts it is always there.
const bars = document.querySelectorAll("[data-bulk]");
const everything = document.querySelector("[data-bulk] input[name=all]");
function settle() {
  const ticked = document.querySelectorAll("tbody input[name=receipt]:checked").length;
  bars.forEach((bar) => {
    bar.hidden = ticked === 0 && !(everything && everything.checked);
    bar.querySelectorAll("[data-count]").forEach((place) => (place.textContent = ticked));
  });
}
document.addEventListener("change", () => setTimeout(settle));
settle();

// A button with data-print prints the page.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});
