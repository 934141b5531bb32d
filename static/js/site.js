/* Small helps over pages that work without any of them: submit guard, "/" to search, Esc, repeated rows, kept drafts. */
(function () {
  "use strict";

  var doc = document;
  var store = null;
  try {
    store = window.localStorage;
    store.getItem("keys");
  } catch (error) {
    store = null; /* Forbidden or absent: nothing is kept, nothing breaks. */
  }

  /* The first thing to read after a refused form is the list of errors. */
  var focus = doc.querySelector("[data-focus]");
  if (focus) { focus.focus(); }

  /* One act, one request: the second press does nothing until the page answers, is shown again, or half a minute is over. */
  var busy = new Map();
  function release() {
    busy.forEach(function (content, button) {
      button.replaceChildren.apply(button, content);
      button.removeAttribute("aria-busy");
    });
    busy.clear();
    doc.querySelectorAll("form[data-sent]").forEach(function (form) { delete form.dataset.sent; });
  }
  doc.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented || form.getAttribute("method") !== "post") { return; }
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    window.setTimeout(release, 30000);
    var button = event.submitter;
    if (!button || button.dataset.quiet !== undefined || form.dataset.quiet !== undefined) { return; }
    /* After this tick, so that the button's own name and value are still sent. */
    window.setTimeout(function () {
      busy.set(button, Array.prototype.slice.call(button.childNodes));
      button.textContent = doc.body.dataset.busy;
      button.setAttribute("aria-busy", "true");
    }, 0);
  });
  window.addEventListener("pageshow", function (event) { if (event.persisted) { release(); } });

  /* Keys of one character can be switched off (WCAG 2.1.4); the switch stands in the foot. */
  function keysOn() { return !store || store.getItem("keys") !== "off"; }
  var keySwitch = doc.querySelector("[data-keys]");
  if (keySwitch && store) {
    var show = function () { keySwitch.textContent = keysOn() ? keySwitch.dataset.off : keySwitch.dataset.on; };
    keySwitch.hidden = false;
    show();
    keySwitch.addEventListener("click", function () {
      store.setItem("keys", keysOn() ? "off" : "on");
      show();
    });
  }
  doc.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
    if (event.key === "/" && !typing && keysOn() && !event.ctrlKey && !event.metaKey && !event.altKey) {
      var box = doc.querySelector("[data-search]");
      if (box) { event.preventDefault(); box.focus(); box.select(); }
    }
    if (event.key === "Escape") {
      doc.querySelectorAll("details.menu[open], details.pick[open]").forEach(function (open) {
        open.open = false;
        open.querySelector("summary").focus();
      });
    }
  });
  /* A choice list closes when one looks elsewhere. */
  doc.addEventListener("click", function (event) {
    doc.querySelectorAll("details.pick[open]").forEach(function (open) {
      if (!open.contains(event.target)) { open.open = false; }
    });
  });

  /* Filters that a page folds behind 筛选 start closed on phones. */
  if (window.matchMedia("(max-width: 899px)").matches) {
    doc.querySelectorAll("details.facetsheet").forEach(function (sheet) { sheet.open = false; });
  }

  /* Repeated rows. <div data-formset="prefix"> holds the management form, <div data-rows>, <template data-row> with the
     empty form and <button data-add hidden>; a row carries data-row-of and may hold <button data-remove>. */
  doc.querySelectorAll("[data-formset]").forEach(function (set) {
    var total = set.querySelector("[name='" + set.dataset.formset + "-TOTAL_FORMS']");
    var template = set.querySelector("template[data-row]");
    var rows = set.querySelector("[data-rows]");
    var add = set.querySelector("[data-add]");
    if (!total || !template || !rows || !add) { return; }
    add.hidden = false;
    add.addEventListener("click", function (event) {
      event.preventDefault();
      var index = Number(total.value);
      var holder = doc.createElement("div");
      holder.innerHTML = template.innerHTML.replace(/__prefix__/g, String(index));
      var row = rows.appendChild(holder.firstElementChild);
      total.value = String(index + 1);
      var first = row.querySelector("input:not([type=hidden]), select, textarea");
      if (first) { first.focus(); }
    });
    set.addEventListener("click", function (event) {
      var button = event.target.closest("[data-remove]");
      var row = button && button.closest("[data-row-of]");
      var mark = row && row.querySelector("input[name$='-DELETE']");
      if (!mark) { return; }
      event.preventDefault();
      mark.checked = true;
      row.hidden = true;
      add.focus();
    });
  });

  /* Text that was typed survives an expired session: kept on this device per form and person for three days, offered
     again, gone once it was sent. Only text areas of forms that ask for it (data-keep="name"). */
  if (!store) { return; }
  var LIFE = 3 * 24 * 3600 * 1000;
  var who = doc.body.dataset.signedIn || "-";
  function read(key) {
    try { return JSON.parse(store.getItem(key)); } catch (error) { return null; }
  }
  doc.querySelectorAll("[data-kept-done]").forEach(function (done) { store.removeItem("keep:" + done.dataset.keptDone); });
  doc.querySelectorAll("form[data-keep]").forEach(function (form) {
    var key = "keep:" + form.dataset.keep;
    var areas = Array.prototype.slice.call(form.querySelectorAll("textarea[name]"));
    var old = read(key);
    /* Another person's text is never offered; a visitor's is, to the one who signs in next. */
    if (old && ((old.who !== "-" && who !== "-" && old.who !== who) || Date.now() - old.at > LIFE)) {
      store.removeItem(key);
      old = null;
    }
    var lost = old ? areas.filter(function (area) { return old.text[area.name] && !area.value.trim(); }) : [];
    var note = form.querySelector("[data-keep-offer]");
    if (lost.length && note) {
      note.hidden = false;
      note.querySelector("button").addEventListener("click", function () {
        lost.forEach(function (area) { if (!area.value.trim()) { area.value = old.text[area.name]; } });
        note.hidden = true;
        lost[0].focus();
      });
    }
    form.addEventListener("input", function (event) {
      if (event.target.tagName !== "TEXTAREA") { return; }
      var text = {};
      areas.forEach(function (area) { if (area.value.length > 20) { text[area.name] = area.value; } });
      try {
        store.setItem(key, JSON.stringify({ who: who, at: Date.now(), text: text }));
      } catch (error) { /* Full: the page works on without it. */ }
    });
  });
})();
