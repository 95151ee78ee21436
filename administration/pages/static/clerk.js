// What makes the clerk's pages more comfortable: a drop zone, progress while sending and working, codes to copy.
// Everything works without it.
"use strict";

const units = ["B", "kB", "MB", "GB", "TB"];
const language = document.documentElement.lang;

function size(bytes) {
  let unit = 0;
  while (bytes >= 999.95 && unit < units.length - 1) { bytes /= 1000; unit += 1; }
  return `${bytes.toLocaleString(language, { maximumFractionDigits: unit ? 1 : 0, minimumFractionDigits: unit ? 1 : 0 })} ${units[unit]}`;
}

function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function pace(words, begun, done, total) {
  const seconds = (performance.now() - begun.at) / 1000;
  const rate = (done - begun.done) / seconds;
  if (!words.rate || seconds < 1 || rate <= 0 || done >= total) return "";
  const left = Math.ceil((total - done) / rate);
  const shown = left < 100 ? fill(words.seconds, { count: left }) : fill(words.minutes, { count: Math.ceil(left / 60) });
  return " · " + fill(words.rate, { rate: size(rate), left: shown });
}

function dropZone(zone) {
  const input = zone.querySelector("input");
  const hint = zone.querySelector(".hint");
  const empty = hint.textContent;
  zone.classList.add("alive");
  const show = () => {
    const files = [...input.files];
    const all = size(files.reduce((sum, file) => sum + file.size, 0));
    zone.classList.toggle("full", files.length > 0);
    hint.textContent = files.length === 0 ? empty
      : files.length === 1 ? fill(hint.dataset.one, { name: files[0].name, size: all })
      : fill(hint.dataset.many, { count: files.length.toLocaleString(language), size: all });
  };
  input.addEventListener("change", show);
  for (const kind of ["dragenter", "dragover"]) zone.addEventListener(kind, () => zone.classList.add("over"));
  for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
  show();
}

function trouble(form, text) {
  const desk = form.parentElement;
  let told = desk.querySelector(".trouble");
  if (!told) {
    told = document.createElement("p");
    told.className = "trouble";
    told.setAttribute("role", "alert");
    form.before(told);
  }
  told.textContent = text;
  told.scrollIntoView({ block: "center" });
}

function sending(form) {
  const words = form.dataset;
  form.addEventListener("submit", event => {
    event.preventDefault();
    const data = new FormData(form);
    const total = [...data.values()].reduce((sum, value) => sum + (value instanceof File ? value.size : 0), 0);
    if (total > Number(words.max)) { trouble(form, words.tooLarge); return; }
    const button = form.querySelector("button.button");
    const bar = document.createElement("progress");
    const told = document.createElement("p");
    told.className = "number small sending";
    told.setAttribute("role", "status");
    form.append(told, bar);
    button.disabled = true;
    const begun = { at: performance.now(), done: 0 };
    const request = new XMLHttpRequest();
    const over = text => { bar.remove(); told.remove(); button.disabled = false; if (text) trouble(form, text); };
    request.upload.addEventListener("progress", ({ loaded, total: all }) => {
      bar.max = all;
      bar.value = loaded;
      told.textContent = loaded < all
        ? fill(words.sending, { done: size(loaded), total: size(all) }) + pace(words, begun, loaded, all)
        : words.sent;
    });
    request.addEventListener("error", () => over(words.notSent));
    request.addEventListener("load", () => {
      if (request.status < 400) { location.assign(request.responseURL); return; }
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const said = page.querySelector(".trouble") ?? page.querySelector(".card h1");
      if (request.status === 401) { location.reload(); return; }
      over(said ? said.textContent : words.notSent);
    });
    request.open("POST", form.action);
    request.send(data);
  });
}

function watching(work) {
  const bar = work.querySelector("progress");
  const told = work.querySelector(".told");
  let begun = null;
  const look = async () => {
    try {
      const answer = await fetch(work.dataset.progress, { cache: "no-store" });
      if (!answer.ok) { location.reload(); return; }
      const state = await answer.json();
      if (state.state === "done" || state.state === "failed") { location.reload(); return; }
      if (state.total) {
        begun ??= { at: performance.now(), done: state.done };
        bar.max = state.total;
        bar.value = state.done;
      }
      told.textContent = state.told + (begun ? pace(work.dataset, begun, state.done, state.total) : "");
    } catch { /* the server may be back in a moment */ }
    setTimeout(look, 500);
  };
  setTimeout(look, 200);
}

function copying(button) {
  const before = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(button.dataset.copy); } catch {
      const code = button.previousElementSibling;  // no clipboard here: what is chosen can be copied by hand
      getSelection().selectAllChildren(code);
      if (!document.execCommand("copy")) return;
    }
    button.textContent = button.dataset.copied;
    button.classList.add("done");
    setTimeout(() => { button.textContent = before; button.classList.remove("done"); }, 2000);
  });
}

document.querySelectorAll(".drop").forEach(dropZone);
document.querySelectorAll("form.clerk").forEach(sending);
document.querySelectorAll("[data-progress]").forEach(watching);
document.querySelectorAll("[data-copy]").forEach(copying);
