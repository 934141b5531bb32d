/* Starts Wagtail's widgets whose arguments our templates print as data (content policy: no inline script).
   <script type="application/json" data-admin-start="NAME" data-for="ID">"JSON of the options"</script>
   Only names of this list are called; nodes that are added later (inline panels, choosers in dialogs) start, too. */
(function () {
  "use strict";

  var CALLED = ["initDateChooser", "initTimeChooser", "initDateTimeChooser", "createTaskChooser"];
  var MADE = ["Chooser", "PageChooser", "SnippetChooser", "DocumentChooser", "ImageChooser"];
  var PANELS = ["InlinePanel", "MultipleChooserPanel"];

  function start(node) {
    if (node.dataset.adminStarted) { return; }
    var name = node.dataset.adminStart;
    var what = window[name];
    if (typeof what !== "function") { return; }
    node.dataset.adminStarted = "1";
    var options = JSON.parse(JSON.parse(node.textContent));
    if (PANELS.indexOf(name) >= 0) { new what(options); }
    else if (MADE.indexOf(name) >= 0) { new what(node.dataset.for, options); }
    else if (CALLED.indexOf(name) >= 0) { what(node.dataset.for, options); }
  }

  function startAll(root) {
    if (root.nodeType !== 1) { return; }
    if (root.matches("script[data-admin-start]")) { start(root); }
    root.querySelectorAll("script[data-admin-start]").forEach(start);
  }

  function begin() {
    startAll(document.documentElement);
    new MutationObserver(function (changes) {
      changes.forEach(function (change) { change.addedNodes.forEach(startAll); });
    }).observe(document.documentElement, { childList: true, subtree: true });
  }

  if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", begin); } else { begin(); }
})();
