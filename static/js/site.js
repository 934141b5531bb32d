/* Small helps over pages that work without any of them: submit guard, "/" to search, Esc, repeated rows, kept drafts. */
(function () {
  "use strict";

  var doc = document;

  /* The first thing to read after a refused form is the list of errors. */
  var focus = doc.querySelector("[data-focus]");
  if (focus) { focus.focus(); }

  /* One act, one request: the second press of a button does nothing until the page answers or is shown again. */
  doc.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented || form.method === "get") { return; }
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    var button = event.submitter;
    if (!button || button.dataset.quiet !== undefined) { return; }
    /* After this tick, so that the button's own name and value are still sent. */
    setTimeout(function () {
      button.dataset.label = button.textContent;
      button.textContent = button.dataset.busy || doc.documentElement.lang === "en" ? button.dataset.busy || "Sending…" : "正在提交…";
      button.setAttribute("aria-busy", "true");
    }, 0);
  });
  window.addEventListener("pageshow", function (event) {
    if (!event.persisted) { return; }
    doc.querySelectorAll("form[data-sent]").forEach(function (form) { delete form.dataset.sent; });
    doc.querySelectorAll("button[aria-busy=true][data-label]").forEach(function (button) {
      button.textContent = button.dataset.label;
      button.removeAttribute("aria-busy");
    });
  });

  doc.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
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

  /* Facets stand open on wide screens and fold behind 筛选 on narrow ones. */
  var narrow = window.matchMedia("(max-width: 899px)");
  doc.querySelectorAll("details.facetsheet").forEach(function (sheet) { if (narrow.matches) { sheet.open = false; } });

  /* Repeated rows: <div data-formset="prefix"> holds the rows, a <template data-row> and a button data-add; rows carry data-row-of and may hold a button data-remove. */
  doc.querySelectorAll("[data-formset]").forEach(function (set) {
    var prefix = set.dataset.formset;
    var total = doc.getElementById("id_" + prefix + "-TOTAL_FORMS");
    var template = set.querySelector("template[data-row]");
    var add = set.querySelector("[data-add]");
    if (!total || !template || !add) { return; }
    add.hidden = false;
    add.addEventListener("click", function () {
      var index = Number(total.value);
      var holder = doc.createElement("div");
      holder.innerHTML = template.innerHTML.replace(/__prefix__/g, String(index));
      var row = holder.firstElementChild;
      set.querySelector("[data-rows]").appendChild(row);
      total.value = String(index + 1);
      var first = row.querySelector("input:not([type=hidden]), select, textarea");
      if (first) { first.focus(); }
    });
    set.addEventListener("click", function (event) {
      var button = event.target.closest("[data-remove]");
      if (!button) { return; }
      var row = button.closest("[data-row-of]");
      var mark = row && row.querySelector("input[name$='-DELETE']");
      if (!mark) { return; }
      event.preventDefault();
      mark.checked = true;
      row.hidden = true;
      add.focus();
    });
  });

  /* Text that was typed survives an expired session: kept on this device per form, offered again, gone once it was sent.
     Only forms that ask for it (data-keep="name"); never passwords, numbers or files. */
  var LIFE = 3 * 24 * 3600 * 1000;
  var who = doc.body.dataset.signedIn || "-";
  var store = null;
  try { store = window.localStorage; store.getItem("keep"); } catch (error) { store = null; }
  function read(key) { try { return JSON.parse(store.getItem(key)); } catch (error) { return null; } }
  if (store) {
    var done = doc.querySelector("[data-kept-done]");
    if (done) { store.removeItem("keep:" + done.dataset.keptDone); }
    doc.querySelectorAll("form[data-keep]").forEach(function (form) {
      var key = "keep:" + form.dataset.keep;
      var old = read(key);
      var areas = Array.prototype.slice.call(form.querySelectorAll("textarea"));
      if (old && (old.who !== who && who !== "-" && old.who !== "-" || Date.now() - old.at > LIFE)) { store.removeItem(key); old = null; }
      var lost = old ? areas.filter(function (area) { return old.text[area.name] && !area.value.trim(); }) : [];
      var note = form.querySelector("[data-keep-offer]");
      if (lost.length && note) {
        note.hidden = false;
        note.querySelector("button").addEventListener("click", function () {
          lost.forEach(function (area) { if (!area.value.trim()) { area.value = old.text[area.name]; } });
          note.hidden = true;
        });
      }
      form.addEventListener("input", function (event) {
        if (event.target.tagName !== "TEXTAREA") { return; }
        var text = {};
        areas.forEach(function (area) { if (area.value.length > 20) { text[area.name] = area.value; } });
        try { store.setItem(key, JSON.stringify({ who: who, at: Date.now(), text: text })); } catch (error) { /* Full: nothing is kept, nothing breaks. */ }
      });
    });
  }
})();
