"use strict";

/**
 * Shows one page of the host: for the record and view in the parameter "data" (dialogs), or for the record of the form around it.
 */
(function () {
  function wanted() {
    var given = new URLSearchParams(window.location.search);
    var data = {};
    try {
      data = JSON.parse(given.get("data") || given.get("Data") || "{}");
    } catch (error) {
      data = { view: given.get("data") };
    }
    return {
      object: data.object || given.get("typename"),
      id: data.id || given.get("id"),
      view: data.view || "session"
    };
  }

  function say(text) {
    var place = document.getElementById("message");
    place.textContent = text;
    place.hidden = !text;
  }

  function show() {
    var shown = wanted();
    if (!shown.object || !shown.id) {
      say("Save the record first.");
      return;
    }
    JumpseatCalls.launch(window.parent.Xrm.WebApi.online, shown.object, shown.id).then(
      function (address) {
        var frame = document.getElementById("page");
        frame.src = address + "#" + encodeURIComponent(shown.view);
        frame.hidden = false;
        say("");
      },
      function (error) {
        say(error.message);
      }
    );
  }

  document.addEventListener("DOMContentLoaded", show);
})();
