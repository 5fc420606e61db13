// The form of a campaign: only the fields of the chosen kind are shown, bytes are counted, and the view follows what is typed.
const kind = document.getElementById("f-kind");
const preview = document.querySelector("[data-preview]");
const sources = { text: "f-text", menu: "f-head", news: "f-a1_title", template: "f-fields", subscribe: "f-fields", picture: "f-media_id" };

function refresh() {
  document.querySelectorAll("[data-kind]").forEach((part) => {
    part.hidden = !part.dataset.kind.split(" ").includes(kind.value);
  });
  const source = document.getElementById(sources[kind.value]);
  let text = source ? source.value : "";
  if (kind.value === "menu") {
    const labels = document.getElementById("f-choices").value.split("\n").map((line) => line.split("=")[0]);
    text = [text, ...labels, document.getElementById("f-tail").value].join("\n");
  }
  preview.textContent = text || "（还没有内容）";
  document.querySelectorAll("[data-bytes]").forEach((place) => {
    const size = new TextEncoder().encode(document.getElementById(place.dataset.bytes).value).length;
    const left = Number(place.dataset.max) - size;
    place.textContent = left < 0 ? `超出 ${-left} 字节` : `还可以写 ${left} 字节`;
    place.classList.toggle("problem", left < 0);
  });
}

if (kind && preview) {
  document.addEventListener("input", refresh);
  refresh();
}
