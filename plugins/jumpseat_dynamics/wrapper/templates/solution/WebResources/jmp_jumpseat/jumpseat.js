"use strict";

/**
 * Calls of the two custom APIs of this solution. The API key stays on the server: a page gets an address that opens once, or booleans.
 */
var JumpseatCalls = (function () {
  var HOST = "{{ public_url }}/";
  var ORIGIN = "{{ origin }}";

  function request(name, object, recordId) {
    var text = { typeName: "Edm.String", structuralProperty: 1 };
    return {
      RecordObject: object,
      RecordId: recordId,
      getMetadata: function () {
        return {
          boundParameter: null,
          parameterTypes: { RecordObject: text, RecordId: text },
          operationType: 0,
          operationName: name
        };
      }
    };
  }

  function execute(webApi, name, object, recordId) {
    var id = String(recordId || "").replace(/[{}]/g, "").toLowerCase();
    return webApi.execute(request(name, object, id)).then(function (response) {
      if (!response.ok) {
        throw new Error("The remote-support host does not answer.");
      }
      return response.json();
    });
  }

  function launch(webApi, object, recordId) {
    return execute(webApi, "jmp_JumpseatLaunch", object, recordId).then(function (answer) {
      if (typeof answer.Url !== "string" || answer.Url.indexOf(HOST) !== 0) {
        throw new Error("The remote-support host answered with a foreign address. Tell your administrator.");
      }
      return answer.Url;
    });
  }

  function actions(webApi, object, recordId) {
    return execute(webApi, "jmp_JumpseatActions", object, recordId).then(function (answer) {
      return JSON.parse(answer.Actions);
    });
  }

  return { launch: launch, actions: actions, ORIGIN: ORIGIN };
})();

/**
 * Commands of the record's form. A rule that has no answer within ten seconds counts as false, so answers are shared for a moment.
 */
var Jumpseat = (function () {
  var KEPT_MILLISECONDS = 5000;
  var TITLES = { new: "New session", join: "Join", share: "Share", close: "Close session" };
  var asked = {};

  function record(control) {
    var entity = control.data.entity;
    return { object: entity.getEntityName(), id: entity.getId() };
  }

  function states(shown) {
    var key = shown.object + ":" + shown.id;
    var known = asked[key];
    if (!known || Date.now() - known.at > KEPT_MILLISECONDS) {
      known = { at: Date.now(), answer: JumpseatCalls.actions(Xrm.WebApi.online, shown.object, shown.id) };
      asked[key] = known;
    }
    return known.answer;
  }

  function can(control, action) {
    var shown = record(control);
    if (!shown.id) {
      return Promise.resolve(false);
    }
    return states(shown).then(
      function (answer) {
        return answer[action + "Allowed"] === true;
      },
      function () {
        return false;
      }
    );
  }

  function open(control, action) {
    var shown = record(control);
    var page = {
      pageType: "webresource",
      webresourceName: "jmp_jumpseat/frame.html",
      data: JSON.stringify({ object: shown.object, id: shown.id, view: action })
    };
    var dialog = { target: 2, width: { value: 60, unit: "%" }, height: { value: 70, unit: "%" }, title: TITLES[action] };
    return Xrm.Navigation.navigateTo(page, dialog).then(function () {
      asked = {};
      control.ui.refreshRibbon();
    });
  }

  return { can: can, open: open };
})();
