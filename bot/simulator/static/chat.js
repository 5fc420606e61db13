// The web chat of the simulator. It talks to /sim only and builds every node with textContent, never with markup.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const store = { state: null, phones: [], open: [], logged: new Set(), waiting: [] };
const TIME_GAP_MS = 5 * 60 * 1000;
const TYPING_MS = 15 * 1000;
const MAX_LOG_ROWS = 80;
const PEOPLE = ["杨师傅", "田大姐", "小吴"];
const PLACE = { latitude: 27.7183, longitude: 109.1896, label: "铜仁市碧江区" };
const CHANNELS = {
  passive: "被动回复", customer: "客服消息", template: "模板消息", subscribe: "订阅通知", mass: "群发", notice: "故障提示",
};
const BODY_KINDS = {
  reply: "有回复", success: "只确认收到", empty: "空回复", violation: "回复不合规", http_error: "状态码不对",
  timeout: "超时", disconnected: "连不上",
};

// ---- small helpers

function make(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

function showTrouble(text) {
  const box = $("#trouble");
  box.textContent = text;
  box.hidden = !text;
}

async function call(method, path, body) {
  const options = { method, headers: {} };
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error || response.statusText);
  return answer;
}

const person = (openid) => store.state.followers.find((one) => one.openid === openid);
const act = (openid, action, fields = {}) =>
  call("POST", `/sim/followers/${openid}/actions`, { action, ...fields }).catch((error) => showTrouble(`没有成功：${error.message}`));

function setAvatar(node, follower) {
  node.className = node.className.replace(/ ?colour-\d/g, "") + ` colour-${follower.colour}`;
  node.textContent = [...follower.nickname][0] || "?";
}

const zone = { timeZone: "Asia/Shanghai" };
const dayOf = (date) => date.toLocaleDateString("zh-CN", zone);
const clockOf = (date) => date.toLocaleTimeString("zh-CN", { ...zone, hour: "2-digit", minute: "2-digit", hour12: false });

function timeText(iso) {
  const date = new Date(iso);
  const now = new Date(store.state.now);
  if (dayOf(date) === dayOf(now)) return clockOf(date);
  if (dayOf(date) === dayOf(new Date(now - 86400000))) return `昨天 ${clockOf(date)}`;
  return `${date.toLocaleDateString("zh-CN", { ...zone, month: "long", day: "numeric" })} ${clockOf(date)}`;
}

// ---- texts with links: only <a href> and bare addresses become links, everything else stays as written

const ANCHOR = /<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')[^>]*>([\s\S]*?)<\/a>/gi;
const BARE = /https?:\/\/[^\s<>"'，。；！？、（）【】]+/g;

function unescapeEntities(text) {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" })[name]);
}

function anchorNode(href, label, openid) {
  let url;
  try { url = new URL(unescapeEntities(href).trim()); } catch { return null; }
  if (url.protocol === "weixin:" && /^(\/\/)?bizmsgmenu/.test(url.href.slice("weixin:".length))) {
    const query = new URLSearchParams(url.search);
    return sendButton(label, query.get("msgmenucontent") || "", query.get("msgmenuid") || "", openid);
  }
  return ["http:", "https:", "tel:"].includes(url.protocol) ? outside(url.href, label) : null;
}

function sendButton(label, content, menuId, openid) {
  const button = make("button", "link", label);
  button.type = "button";
  button.addEventListener("click", () => act(openid, "text", { text: content, menu_id: menuId }));
  return button;
}

function outside(href, label) {
  const link = make("a", "link", label);
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}

function appendPlain(parent, text) {
  let last = 0;
  for (const found of text.matchAll(BARE)) {
    parent.append(text.slice(last, found.index), outside(found[0], found[0]));
    last = found.index + found[0].length;
  }
  parent.append(text.slice(last));
}

function appendRich(parent, text, openid) {
  let last = 0;
  for (const found of text.matchAll(ANCHOR)) {
    const node = anchorNode(found[1] ?? found[2] ?? "", found[3], openid);
    if (!node) continue;
    appendPlain(parent, text.slice(last, found.index));
    parent.append(node);
    last = found.index + found[0].length;
  }
  appendPlain(parent, text.slice(last));
  return parent;
}

// ---- bubbles

function picture(mediaId, phone) {
  const link = outside(`/sim/media/${mediaId}`, "");
  const image = make("img", "picture");
  image.alt = "图片";
  image.addEventListener("load", () => phone.stick());
  image.src = link.href;
  link.append(image);
  return link;
}

function card(className, title) {
  const box = make("div", `card ${className}`);
  if (title) box.append(make("div", "card-title", title));
  return box;
}

const BUBBLES = {
  text: (bubble, openid) => appendRich(make("div", "bubble"), bubble.text, openid),
  image: (bubble, _openid, phone) => picture(bubble.media_id, phone),
  voice: () => { const box = make("div", "bubble voice"); box.append(icon("voice"), "语音"); return box; },
  video: (bubble) => {
    const box = card("video", bubble.title || "视频");
    if (bubble.description) box.append(make("div", "card-text", bubble.description));
    return box;
  },
  music: (bubble) => {
    const box = card("music", bubble.title || "音乐");
    box.append(make("div", "card-text", bubble.description));
    if (bubble.url) box.append(outside(bubble.url, "播放"));
    return box;
  },
  news: newsCard,
  menu: menuBubble,
  template: templateCard,
  card: (bubble) => {
    const box = card("other", bubble.title);
    if (bubble.url) box.append(outside(bubble.url, "阅读全文"));
    return box;
  },
};

function newsCard(bubble, _openid, phone) {
  const box = make("div", "card news");
  for (const article of bubble.articles) {
    const link = outside(article.url, "");
    link.className = "article";
    const cover = make("span", "cover");
    if (article.picture_url.startsWith(location.origin) || article.picture_url.startsWith("/")) {
      const image = make("img");
      image.alt = "";
      image.addEventListener("load", () => phone.stick());
      image.src = article.picture_url;
      cover.append(image);
    }
    link.append(cover, make("span", "card-title", article.title));
    if (article.description) link.append(make("span", "card-text", article.description));
    box.append(link);
  }
  return box;
}

function menuBubble(bubble, openid) {
  const box = make("div", "bubble menu");
  if (bubble.head) box.append(appendRich(make("div", "menu-head"), bubble.head, openid));
  for (const item of bubble.items) {
    const line = make("div", "menu-item");
    line.append(sendButton(item.content, item.content, item.id, openid));
    box.append(line);
  }
  if (bubble.tail) box.append(appendRich(make("div", "menu-tail"), bubble.tail, openid));
  return box;
}

function templateCard(bubble) {
  const box = card("template", bubble.title);
  const list = make("dl");
  for (const field of bubble.fields) list.append(make("dt", "", field.name), make("dd", "", field.value));
  box.append(list);
  if (bubble.url) {
    const more = outside(bubble.url, "查看详情");
    more.className = "card-more";
    box.append(more);
  }
  return box;
}

const OWN = {
  image: (entry, phone) => picture(entry.media_id, phone),
  voice: (entry) => {
    const box = make("div", "bubble voice");
    box.append(entry.text === "[语音]" ? "语音" : entry.text, icon("voice"));
    return box;
  },
  location: (entry) => { const box = card("place", entry.text); box.append(make("div", "map")); return box; },
};

// ---- one phone

class Phone {
  constructor() {
    this.node = $("#phone-template").content.firstElementChild.cloneNode(true);
    this.openid = "";
    this.loading = this.again = false;
    this.lastSeq = 0;
    this.lastAt = 0;
    this.typingTimer = 0;
    this.menuShape = "";
    this.lines = $(".lines", this.node);
    this.text = $(".text", this.node);
    this.wire();
  }

  wire() {
    const { node } = this;
    $(".owner-select", node).addEventListener("change", (event) => swap(this, event.target.value));
    $(".input-row", node).addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.send(); }
    });
    this.text.addEventListener("input", () => this.grow());
    $(".back", node).addEventListener("click", () => this.stick());
    $(".to-keyboard", node).addEventListener("click", () => { this.showMenu(false); this.text.focus(); });
    $(".to-menu", node).addEventListener("click", () => { this.showMenu(true); $(".to-keyboard", node).focus(); });
    this.toggle($(".more", node), $(".more-list", node));
    this.toggle($(".to-plus", node), $(".plus", node), () => this.stick());
    $(".picture-file", node).addEventListener("change", (event) => this.upload(event.target));
    node.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) this.act(button.dataset.do);
    });
    node.addEventListener("keydown", (event) => { if (event.key === "Escape") this.closePopups(); });
  }

  toggle(button, list, after = () => {}) {
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      const opening = list.hidden;
      this.closePopups();
      list.hidden = !opening;
      button.setAttribute("aria-expanded", String(opening));
      after();
    });
  }

  closePopups() {
    for (const list of this.node.querySelectorAll(".more-list, .plus, .submenu")) list.hidden = true;
    for (const button of this.node.querySelectorAll("[aria-expanded]")) button.setAttribute("aria-expanded", "false");
  }

  async bind(openid) {
    if (this.openid === openid) return;
    this.openid = openid;
    this.node.dataset.openid = openid;
    this.lines.replaceChildren();
    this.lastSeq = this.lastAt = 0;
    this.setTyping(false);
    this.closePopups();
    this.refresh();
    await this.catchUp();
  }

  // What the stream brings while a fetch is under way would overtake older lines; it is fetched again instead.
  async catchUp() {
    this.again = true;
    if (this.loading) return;
    this.loading = true;
    try {
      while (this.again) {
        this.again = false;
        const openid = this.openid;
        const answer = await call("GET", `/sim/followers/${openid}/conversation?after=${this.lastSeq}`);
        if (openid === this.openid) for (const entry of answer.entries) this.add(entry);
        else this.again = true;
      }
    } finally {
      this.loading = false;
    }
    this.stick();
  }

  receive(entry) {
    if (this.loading) this.again = true;
    else this.add(entry);
  }

  refresh() {
    const one = person(this.openid);
    if (!one) return;
    this.node.setAttribute("aria-label", `${one.nickname}的手机`);
    setAvatar($(".owner .avatar", this.node), one);
    const select = $(".owner-select", this.node);
    select.replaceChildren(...store.state.followers.map((other) => new Option(other.nickname, other.openid)));
    select.value = one.openid;
    $(".allowance", this.node).textContent = one.subscribed ? `还能主动发 ${one.allowance.left} 条` : "未关注";
    $('[data-do="block"]', this.node).textContent = one.blocks_templates ? "接收模板消息" : "不再接收模板消息";
    $(".profile", this.node).hidden = one.subscribed;
    $(".dock", this.node).hidden = !one.subscribed;
    $(".more", this.node).hidden = !one.subscribed;
    this.drawMenu(store.state.menu);
  }

  drawMenu(menu) {
    const shape = JSON.stringify(menu);
    if (shape === this.menuShape) return;
    this.menuShape = shape;
    const row = $(".menu-buttons", this.node);
    row.replaceChildren(...menu.map((button) => this.menuButton(button)));
    $(".to-menu", this.node).hidden = !menu.length;
    this.showMenu(Boolean(menu.length));
  }

  menuButton(button) {
    const cell = make("div", "menu-cell");
    const face = make("button", "menu-face", button.name);
    face.type = "button";
    cell.append(face);
    if (!button.children.length) {
      face.addEventListener("click", () => this.tap(button));
      return cell;
    }
    face.prepend(icon("menu"));
    const list = make("ul", "submenu");
    list.hidden = true;
    for (const child of button.children) {
      const line = make("li");
      const item = make("button", "", child.name);
      item.type = "button";
      item.addEventListener("click", () => { this.closePopups(); this.tap(child); });
      line.append(item);
      list.append(line);
    }
    face.setAttribute("aria-expanded", "false");
    this.toggle(face, list);
    cell.append(list);
    return cell;
  }

  showMenu(on) {
    this.closePopups();
    $(".menu-row", this.node).hidden = !on;
    $(".input-row", this.node).hidden = on;
  }

  grow() {
    $(".send", this.node).hidden = !this.text.value.trim();
    $(".to-plus", this.node).hidden = Boolean(this.text.value.trim());
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, 104)}px`;
  }

  send() {
    const text = this.text.value.trim();
    if (!text) return;
    this.text.value = "";
    this.grow();
    act(this.openid, "text", { text });
  }

  async tap(button) {
    if (button.kind === "view") window.open(button.url, "_blank", "noopener,noreferrer");
    if (button.kind.startsWith("scancode")) {
      const answer = await ask("扫一扫", [{ name: "scan_result", label: "码里的内容", value: "" }]);
      if (answer) await act(this.openid, "menu", { button: button.name, ...answer });
      return;
    }
    if (button.kind === "location_select") return void this.sendPlace(button);
    await act(this.openid, "menu", { button: button.name });
    if (button.kind.startsWith("pic_")) $(".picture-file", this.node).click();
  }

  async sendPlace(button) {
    const answer = await ask("发送位置", [
      { name: "label", label: "地点", value: PLACE.label },
      { name: "latitude", label: "纬度", value: PLACE.latitude, type: "number" },
      { name: "longitude", label: "经度", value: PLACE.longitude, type: "number" },
    ]);
    if (!answer) return;
    if (button) await act(this.openid, "menu", { button: button.name, ...answer });
    await act(this.openid, "location", answer);
  }

  async act(what) {
    this.closePopups();
    if (what === "picture") $(".picture-file", this.node).click();
    else if (what === "location") await this.sendPlace();
    else if (what === "follow" || what === "unfollow") await act(this.openid, what);
    else if (what === "block") {
      const blocks = !person(this.openid).blocks_templates;
      await call("PATCH", `/sim/followers/${this.openid}`, { blocks_templates: blocks });
      await reload();
    } else if (what === "scan") await this.scan();
    else if (what === "voice") await this.speak();
  }

  async scan() {
    const scenes = store.state.scenes;
    const answer = await ask("扫带参数的二维码", [
      { name: "scene", label: "场景值", value: scenes[0] || "", options: scenes, hint: "就是生成二维码时写进去的值，如 ws2026_bijiang" },
    ]);
    if (answer) await act(this.openid, "scan", answer);
  }

  async speak() {
    const answer = await ask("发语音", [
      { name: "text", label: "说的话", value: "" },
      { name: "recognised", label: "平台给出识别结果（微信已基本停用）", type: "checkbox" },
    ]);
    if (answer) await act(this.openid, "voice", answer);
  }

  async upload(input) {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    const form = new FormData();
    form.append("picture", file);
    await call("POST", `/sim/followers/${this.openid}/pictures`, form).catch((error) => showTrouble(`照片没有发出：${error.message}`));
  }

  add(entry) {
    if (entry.seq <= this.lastSeq) return;
    const near = this.lines.scrollHeight - this.lines.scrollTop - this.lines.clientHeight < 120;
    this.lastSeq = entry.seq;
    const at = Date.parse(entry.at);
    if (at - this.lastAt > TIME_GAP_MS) this.lines.append(make("div", "time", timeText(entry.at)));
    this.lastAt = at;
    this.lines.append(this.line(entry));
    if (entry.side === "account") this.setTyping(false);
    if (near || entry.side === "follower") this.stick();
  }

  line(entry) {
    if (entry.side === "follower" && entry.kind === "event") return make("div", "event", `你${entry.text}`);
    if (entry.side === "account" && entry.bubble.kind === "fault") return make("div", "event fault", entry.bubble.text);
    const own = entry.side === "follower";
    const row = make("div", own ? "row own" : "row");
    row.dataset.seq = entry.seq;
    const avatar = make("span", own ? "avatar" : "avatar account", own ? "" : "工");
    avatar.setAttribute("aria-hidden", "true");
    if (own) setAvatar(avatar, person(this.openid));
    const body = make("div", "body");
    body.append(make("span", "speaker", own ? "我说：" : `${document.body.dataset.account}：`));
    body.append(own ? this.ownBubble(entry) : BUBBLES[entry.bubble.kind](entry.bubble, this.openid, this));
    if (entry.ai_label) body.append(make("div", "ai-label", "内容由第三方AI生成"));
    row.append(avatar, body);
    return row;
  }

  ownBubble(entry) {
    const build = OWN[entry.kind];
    return build ? build(entry, this) : make("div", "bubble", entry.text);
  }

  setTyping(on) {
    clearTimeout(this.typingTimer);
    $(".bar-title", this.node).textContent = on ? "对方正在输入…" : document.body.dataset.account;
    if (on) this.typingTimer = setTimeout(() => this.setTyping(false), TYPING_MS);
  }

  stick() { this.lines.scrollTop = this.lines.scrollHeight; }
}

// ---- which phones are on the table

function capacity() {
  const width = $("#phones").clientWidth;
  return Math.max(1, Math.min(3, Math.floor(width / 310)));
}

function layOut() {
  const table = $("#phones");
  const everyone = store.state.followers.map((one) => one.openid);
  store.open = [...store.open.filter((openid) => everyone.includes(openid)), ...everyone.filter((one) => !store.open.includes(one))];
  if (!everyone.length) {
    if (!$(".welcome", table)) table.replaceChildren(welcome());
    store.phones = [];
    return;
  }
  const shown = store.open.slice(0, capacity());
  if (!store.phones.length) table.replaceChildren();
  while (store.phones.length > shown.length) store.phones.pop().node.remove();
  while (store.phones.length < shown.length) {
    const phone = new Phone();
    store.phones.push(phone);
    table.append(phone.node);
  }
  store.phones.forEach((phone, index) => { phone.bind(shown[index]); phone.refresh(); });
}

function swap(phone, openid) {
  const here = store.open.indexOf(phone.openid);
  const there = store.open.indexOf(openid);
  [store.open[here], store.open[there]] = [store.open[there], store.open[here]];
  layOut();
}

function welcome() {
  const node = $("#welcome-template").content.firstElementChild.cloneNode(true);
  for (const name of PEOPLE) {
    const button = make("button", "primary", name);
    button.type = "button";
    button.addEventListener("click", () => addUser(name));
    $(".welcome-people", node).append(button);
  }
  return node;
}

async function addUser(nickname) {
  const added = await call("POST", "/sim/followers", { nickname, subscribed: false });
  store.open.unshift(added.openid);
  await reload();
}

// ---- the dialog that asks for values

function askField(field) {
  const label = make("label", field.type === "checkbox" ? "check" : "");
  const input = make("input");
  input.name = field.name;
  input.type = field.type || "text";
  if (field.type === "number") input.step = "any";
  if (field.type === "checkbox") {
    label.append(input, field.label);
    return label;
  }
  input.value = field.value ?? "";
  input.required = true;
  input.autocomplete = "off";
  label.append(field.label, input);
  if (field.options?.length) {
    const list = make("datalist");
    list.id = `options-${field.name}`;
    list.append(...field.options.map((value) => new Option(value, value)));
    input.setAttribute("list", list.id);
    label.append(list);
  }
  if (field.hint) label.append(make("small", "", field.hint));
  return label;
}

function ask(title, fields) {
  const dialog = $("#ask");
  $("#ask-title").textContent = title;
  $("#ask-fields").replaceChildren(...fields.map(askField));
  dialog.returnValue = "cancel";
  dialog.showModal();
  $("#ask-fields input").select();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      if (dialog.returnValue !== "ok") return resolve(null);
      resolve(Object.fromEntries([...dialog.querySelectorAll("input")].map((input) => [input.name, inputValue(input)])));
    }, { once: true });
  });
}

function inputValue(input) {
  if (input.type === "checkbox") return input.checked;
  return input.type === "number" ? Number(input.value) : input.value.trim();
}

// Enter in a field means “确定”, not the first button of the form.
$("#ask").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.tagName === "INPUT" && !event.isComposing) {
    event.preventDefault();
    $("#ask .primary").click();
  }
});

// ---- the log of exchanges

function logRow(who, at, said, facts, tone) {
  const row = make("li", tone);
  const head = make("div", "log-head");
  const avatar = make("span", "avatar tiny");
  avatar.setAttribute("aria-hidden", "true");
  if (who) setAvatar(avatar, who);
  head.append(avatar, make("b", "", who ? who.nickname : "用户"), make("time", "", new Date(at).toLocaleTimeString("zh-CN", { ...zone, hour12: false })));
  row.append(head, make("div", "log-said", said));
  const list = make("div", "log-facts");
  for (const fact of facts) list.append(make("span", "", fact));
  row.append(list);
  const rows = $("#log-rows");
  rows.prepend(row);
  while (rows.children.length > MAX_LOG_ROWS) rows.lastElementChild.remove();
}

function first(key) {
  if (store.logged.has(key)) return false;
  store.logged.add(key);
  return true;
}

function logExchange(exchange) {
  if (!first(`exchange ${exchange.serial} ${exchange.at}`)) return;
  const last = exchange.attempts.at(-1);
  const channel = exchange.shown.length ? CHANNELS[exchange.shown[0].channel] : BODY_KINDS[last.body_kind];
  const facts = [channel, `投递 ${exchange.attempts.length} 次`, `${exchange.latency_s.toFixed(2)} 秒`, `额度 ${exchange.allowance_left}`];
  if (exchange.violation) facts.push(exchange.violation);
  const bad = exchange.violation || !["reply", "success", "empty"].includes(last.body_kind);
  logRow(person(exchange.openid), exchange.at, exchange.said || exchange.event, facts, bad ? "bad" : "");
}

function logShown(entry) {
  if (entry.side !== "account" || ["passive", "notice"].includes(entry.channel)) return;
  if (!first(`sent ${entry.seq}`)) return;
  logRow(person(entry.openid), entry.at, entry.text, [CHANNELS[entry.channel], `额度 ${entry.allowance_left}`], "sent");
}

// ---- state and the stream

async function reload() {
  store.state = await call("GET", "/sim/state");
  layOut();
}

let reloading = 0;
function reloadSoon() {
  if (!reloading) reloading = setTimeout(() => { reloading = 0; reload().catch(() => {}); }, 60);
}

// After every (re)connection the state is fetched; what the stream brings meanwhile waits for it.
async function synchronise() {
  await reload();
  const past = [
    ...store.state.exchanges.map((exchange) => ({ at: exchange.at, log: () => logExchange(exchange) })),
    ...store.state.sent.map((entry) => ({ at: entry.at, log: () => logShown(entry) })),
  ];
  for (const one of past.sort((a, b) => Date.parse(a.at) - Date.parse(b.at))) one.log();
  for (const phone of store.phones) phone.catchUp();
  for (const handle of store.waiting.splice(0)) handle();
  showTrouble("");
}

function listen() {
  const source = new EventSource("/sim/stream");
  const on = (name, handle) => source.addEventListener(name, (event) => {
    const data = JSON.parse(event.data);
    if (store.state) handle(data);
    else store.waiting.push(() => handle(data));
  });
  source.addEventListener("open", () => synchronise().catch((error) => showTrouble(`没有取到数据：${error.message}`)));
  source.addEventListener("error", () => showTrouble("和模拟器断开了，正在重新连接……"));
  on("entry", (entry) => {
    store.state.now = entry.at;
    store.phones.find((phone) => phone.openid === entry.openid)?.receive(entry);
    logShown(entry);
  });
  on("exchange", (exchange) => { logExchange(exchange); reloadSoon(); });
  on("typing", ({ openid, on: typing }) => store.phones.find((phone) => phone.openid === openid)?.setTyping(typing));
  on("account", reloadSoon);
}

function showLog(on) {
  $("#log").hidden = !on;
  $("#toggle-log").setAttribute("aria-expanded", String(on));
  sessionStorage.setItem("log", on ? "1" : "0");
  if (store.state) layOut();
}

function begin() {
  $("#toggle-log").addEventListener("click", () => showLog($("#log").hidden));
  $("#add-user").addEventListener("click", async () => {
    if (!store.state) return;
    const spare = PEOPLE.find((name) => !store.state.followers.some((one) => one.nickname === name)) || "新用户";
    const answer = await ask("添加用户", [{ name: "nickname", label: "称呼", value: spare }]);
    if (answer) await addUser(answer.nickname);
  });
  document.addEventListener("click", (event) => {
    for (const phone of store.phones) if (!event.target.closest(".plus")) phone.closePopups();
  });
  let resizing = 0;
  window.addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(layOut, 100); });
  showLog((sessionStorage.getItem("log") ?? (window.innerWidth >= 1100 ? "1" : "0")) === "1");
  listen();
}

begin();
