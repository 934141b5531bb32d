/* Keeps a job's page up to date while the job is open; without this script the button 刷新 does the same. */
(function () {
  "use strict";

  var holder = document.querySelector("[data-job]");
  if (!holder) { return; }
  var wait = 1000;

  function again() {
    if (!holder.querySelector("[data-open]")) { return; }
    setTimeout(ask, wait);
    /* Long work changes slowly: from one second to five. */
    wait = Math.min(wait + 250, 5000);
  }
  function ask() {
    if (document.hidden) { again(); return; }
    fetch(holder.dataset.job, { credentials: "same-origin", redirect: "error" })
      .then(function (response) { return response.ok ? response.text() : Promise.reject(response.status); })
      .then(function (html) {
        /* A button that a person is about to press must not vanish under the hand. */
        if (!holder.contains(document.activeElement)) { holder.innerHTML = html; }
      })
      .catch(function () { /* The site is away for a moment; the next round asks again. */ })
      .then(again);
  }
  again();
})();
