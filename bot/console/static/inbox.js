// The inbox follows what happens: the server says which chats changed, the page fetches those parts anew.
"use strict";

const panes = document.querySelector(".panes");
const list = document.getElementById("chat-list");
const conversation = document.getElementById("conversation");
const headers = { "HX-Request": "true", "X-Quiet": "1" };
const TYPING_EVERY_MS = 10000;
const title = document.title;
// What changed between the writing of this page and the opening of the stream was told to nobody.
let missed = true;
let typedAt = 0;
let asked = 0;

function toEnd() {
  const log = conversation && conversation.querySelector(".messages");
  if (log) log.scrollTop = log.scrollHeight;
}

// A picture has no height before it is there; whoever was at the end stays there.
document.addEventListener("load", (event) => {
  const log = event.target.matches(".shot") && event.target.closest(".messages");
  if (log && log.scrollHeight - log.scrollTop - log.clientHeight < event.target.offsetHeight + 80) toEnd();
}, true);

async function fetched(address) {
  const answer = await fetch(address, { headers });
  if (answer.headers.get("HX-Redirect") || !answer.ok) {
    // The session is over, or the chat went where this person may not look.
    location.reload();
    return null;
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// Where the keyboard is within a part that is about to be replaced.
const placeIn = (part) => part.contains(document.activeElement) ? addressOf(document.activeElement) : undefined;

// How many of one's own chats have news stands in the title, for those who work in another window.
function countUnread() {
  const tabs = list.querySelector("[data-unread]");
  const unread = tabs ? Number(tabs.dataset.unread) : 0;
  document.title = unread ? `(${unread}) ${title}` : title;
}

async function refreshList() {
  const fresh = await fetched(list.dataset.refresh);
  if (!fresh) return;
  const place = placeIn(list);
  list.replaceChildren(...fresh.body.childNodes);
  list.querySelectorAll(`[data-chat-id="${conversation.dataset.chat}"]`).forEach((one) => one.setAttribute("aria-current", "true"));
  restoreFocus(place);
  countUnread();
}

// What is being written stays: only what is read is taken from the fresh part, unless nothing was begun.
async function refreshConversation() {
  const mine = ++asked;
  const fresh = await fetched(conversation.dataset.refresh);
  // Answers can overtake each other; the one that was asked for last knows most.
  if (!fresh || mine !== asked) return;
  const log = conversation.querySelector(".messages");
  const atEnd = log && log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const form = conversation.querySelector(".reply");
  const place = placeIn(conversation);
  if (isWriting() || conversation.querySelector(".reveal[open], .canned[open], .note-form[open]")) {
    for (const part of [".chat-head", ".messages", ".allowance"]) {
      const [old, now] = [conversation.querySelector(part), fresh.querySelector(part)];
      if (old && now) old.replaceWith(now);
    }
    // Somebody else took the chat, or it ended: the words stay, the button would not send them.
    const state = form && !fresh.querySelector(".reply") && !conversation.querySelector(".chat-state");
    if (state) form.insertAdjacentHTML("beforebegin", '<p class="allowance low chat-state" role="status">这个会话不在您手上了，写的内容还在，但发不出去。</p>');
  } else {
    conversation.replaceChildren(...fresh.body.childNodes);
  }
  restoreFocus(place);
  htmx.process(conversation);
  if (atEnd) toEnd();
}

function isWriting() {
  const begun = (field) => field.type === "file" ? field.files.length > 0 : field.value.trim() !== "";
  return [...conversation.querySelectorAll("textarea, .reply input[type=file], .reveal input[name=reason]")].some(begun);
}

function listen() {
  const source = new EventSource(panes.dataset.events);
  source.addEventListener("chats", (event) => {
    const ids = JSON.parse(event.data);
    refreshList();
    if (!ids.includes(Number(conversation.dataset.chat))) return;
    // What nobody looks at is not fetched: fetching a chat marks it as read.
    if (document.hidden) missed = true;
    else refreshConversation();
  });
  // After a while without the server the page may have missed something.
  source.addEventListener("error", () => (missed = true));
  source.addEventListener("open", catchUp);
}

function catchUp() {
  if (!missed || document.hidden) return;
  missed = false;
  refreshList();
  if (conversation.dataset.chat) refreshConversation();
}
document.addEventListener("visibilitychange", catchUp);

// The follower sees that somebody writes; the server asks the platform no oftener than it takes it.
document.addEventListener("input", (event) => {
  const form = event.target.closest(".reply");
  if (!form || !event.target.matches("textarea") || !event.target.value || Date.now() - typedAt < TYPING_EVERY_MS) return;
  typedAt = Date.now();
  const token = form.querySelector("[name=csrf]").value;
  fetch(form.dataset.typing, { method: "POST", headers: { "X-CSRF-Token": token } }).catch(() => {});
});

// A canned reply goes where the cursor is.
document.addEventListener("click", (event) => {
  const canned = event.target.closest("[data-fill]");
  const field = canned && conversation.querySelector(".reply textarea");
  if (!field) return;
  event.preventDefault();
  field.setRangeText(canned.dataset.fill, field.selectionStart, field.selectionEnd, "end");
  canned.closest("details").removeAttribute("open");
  field.focus();
});

// A picture on the clipboard can be pasted into the answer.
document.addEventListener("paste", (event) => {
  const form = event.target.closest(".reply");
  const files = form ? [...event.clipboardData.files].filter((file) => /^image\/(png|jpeg)$/.test(file.type)) : [];
  if (!files.length) return;
  event.preventDefault();
  const chosen = new DataTransfer();
  chosen.items.add(files[0]);
  form.querySelector("input[type=file]").files = chosen.files;
});

const chats = () => [...list.querySelectorAll("[data-chat-id]")];

function move(by) {
  const all = chats();
  const at = all.findIndex((one) => one === document.activeElement);
  const from = at >= 0 ? at : all.findIndex((one) => one.hasAttribute("aria-current"));
  const next = all[Math.min(all.length - 1, Math.max(0, from + by))];
  if (next) next.focus();
}

function open(selector) {
  const place = conversation.querySelector(selector);
  const fold = place && place.closest("details");
  if (fold) fold.open = true;
  if (place) place.focus();
}

document.addEventListener("keydown", (event) => {
  const form = event.target.closest(".reply");
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
    return;
  }
  if (event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  const link = /^[te]$/.test(event.key) && conversation.querySelector(`[data-key="${event.key}"]`);
  const step = { j: () => move(1), k: () => move(-1), r: () => open(".reply textarea"), n: () => open(".note-form textarea") }[event.key];
  if (link) link.click();
  else if (step) step();
  if (link || step) event.preventDefault();
});

// Leaving with an answer half written asks first.
addEventListener("beforeunload", (event) => {
  const field = conversation.querySelector(".reply textarea");
  const form = field && field.closest("form");
  if (field && field.value !== field.defaultValue && !form.dataset.sent) event.preventDefault();
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt !== conversation && !conversation.contains(event.detail.elt)) return;
  toEnd();
  // With an answer the sign that somebody writes is over; the next one begins anew.
  typedAt = 0;
  sessionStorage.removeItem(ANSWERED);
  const field = conversation.querySelector(".reply textarea");
  if (field) field.focus({ preventScroll: true });
});
// Whose first answer takes the chat over gets a new page, and goes on writing in it.
const ANSWERED = "inbox-answered";
document.addEventListener("submit", (event) => {
  if (event.target.matches(".reply")) sessionStorage.setItem(ANSWERED, "1");
});
if (sessionStorage.getItem(ANSWERED)) {
  sessionStorage.removeItem(ANSWERED);
  open(".reply textarea");
}
addEventListener("load", toEnd);
toEnd();
countUnread();
if (panes && window.EventSource) listen();
