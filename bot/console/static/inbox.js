// The inbox follows what happens: the server says which chats changed, the page fetches those parts anew.
"use strict";

const panes = document.querySelector(".panes");
const list = document.getElementById("chat-list");
const conversation = document.getElementById("conversation");

function toEnd() {
  const log = conversation && conversation.querySelector(".messages");
  if (log) log.scrollTop = log.scrollHeight;
}

// What is being typed stays: only the messages are taken from the fresh part.
async function refreshConversation() {
  const answer = await fetch(conversation.dataset.refresh, { headers: { "HX-Request": "true" } });
  if (!answer.ok || answer.headers.get("HX-Redirect")) {
    location.reload();
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const typing = conversation.querySelector(".reply textarea");
  const stays = typing && fresh.querySelector(".reply");
  for (const part of stays ? [".chat-head", ".messages"] : []) {
    conversation.querySelector(part).replaceWith(fresh.querySelector(part));
  }
  if (!stays) conversation.replaceChildren(...fresh.body.childNodes);
  htmx.process(conversation);
  toEnd();
}

function listen() {
  const source = new EventSource(panes.dataset.events);
  source.addEventListener("chats", (event) => {
    const ids = JSON.parse(event.data);
    htmx.ajax("GET", list.dataset.refresh, { target: "#chat-list", swap: "innerHTML" });
    if (ids.includes(Number(conversation.dataset.chat))) refreshConversation();
  });
}

document.addEventListener("keydown", (event) => {
  const form = event.target.closest(".reply");
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
});

document.addEventListener("htmx:afterSettle", toEnd);
toEnd();
if (panes && window.EventSource) listen();
