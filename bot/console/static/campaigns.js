// The form of a campaign: only the fields of the chosen kind are shown, bytes are counted, and the view follows what is typed.
const kind = document.getElementById("f-kind");
const preview = document.querySelector("[data-preview]");
const sources = { text: "f-text", menu: "f-head", template: "f-fields", subscribe: "f-fields" };
const chosen = new Map();

function words() {
  const value = (id) => (document.getElementById(id) || { value: "" }).value;
  if (kind.value === "menu") {
    const labels = value("f-choices").split("\n").map((line) => line.split("=")[0]);
    return [value("f-head"), ...labels, value("f-tail")].filter(Boolean).join("\n");
  }
  if (kind.value === "news") {
    const titles = document.querySelectorAll("[data-kind=news] [name$=_title]");
    return [...titles].map((title) => title.value).filter(Boolean).join("\n");
  }
  return sources[kind.value] ? value(sources[kind.value]) : "";
}

// A picture that was just chosen is read here; one that is stored already stands in the page.
function shot() {
  const field = { picture: "f-picture", news: "f-a1_picture" }[kind.value];
  if (!field) return null;
  const stored = document.querySelector(`[data-chosen="${field}"] img`);
  return chosen.get(field) || (stored && stored.src);
}

function refresh() {
  document.querySelectorAll("[data-kind]").forEach((part) => {
    part.hidden = !part.dataset.kind.split(" ").includes(kind.value);
  });
  const channel = document.getElementById("f-channel").value;
  document.querySelectorAll("[data-channel]").forEach((part) => {
    part.hidden = !part.dataset.channel.split(" ").includes(channel);
    // What cannot be chosen is not sent either; it is there again when the channel changes back.
    if (part.tagName === "FIELDSET") part.disabled = part.hidden;
  });
  const text = words(), source = shot();
  preview.textContent = text || (source ? "" : "（还没有内容）");
  if (source) {
    const image = document.createElement("img");
    image.className = "shot";
    image.src = source;
    image.alt = "选好的图片";
    preview.prepend(image);
  }
  document.querySelectorAll("[data-bytes]").forEach((place) => {
    const size = new TextEncoder().encode(document.getElementById(place.dataset.bytes).value).length;
    const left = Number(place.dataset.max) - size;
    place.textContent = left < 0 ? `超出 ${-left} 字节` : `还可以写 ${left} 字节`;
    place.classList.toggle("problem", left < 0);
  });
}

if (kind && preview) {
  document.addEventListener("input", refresh);
  document.addEventListener("change", (event) => {
    const [file] = event.target.type === "file" ? event.target.files : [];
    if (!file) return;
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      chosen.set(event.target.id, reader.result);
      refresh();
    });
    reader.readAsDataURL(file);
  });
  refresh();
}
