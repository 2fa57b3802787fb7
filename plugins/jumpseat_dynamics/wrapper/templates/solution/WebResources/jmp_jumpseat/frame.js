"use strict";

/**
 * Shows one page of the host: for the record and view in the parameter "data" (dialogs), or for the record of the form around it.
 */
(function () {
  var COMPONENTS = {
    session: "session",
    new: "session",
    join: "session",
    close: "session",
    share: "share",
    history: "history",
    connections: "connections",
    "connections-mobile": "connections&form=mobile",
    notification: "notification"
  };
  var TALLEST = 4000;

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
        frame.src = address + "&show=" + (COMPONENTS[shown.view] || "session");
        frame.hidden = false;
        say("");
      },
      function (error) {
        say(error.message);
      }
    );
  }

  /** The page says how high it is. Only the host is listened to, only this frame, and only a number is taken. */
  function hear(event) {
    var frame = document.getElementById("page");
    var said = event.data || {};
    if (event.origin !== JumpseatCalls.ORIGIN || !frame || event.source !== frame.contentWindow) {
      return;
    }
    if (said.jumpseat === 1 && said.kind === "height" && said.height > 0) {
      frame.style.minHeight = Math.min(Math.ceil(said.height), TALLEST) + "px";
    }
  }

  window.addEventListener("message", hear);
  document.addEventListener("DOMContentLoaded", show);
})();
