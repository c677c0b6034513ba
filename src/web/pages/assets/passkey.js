// Passkeys: asks the browser for a signature, or for a new passkey, and hands it to the API. The buttons are hidden until
// this runs in a browser that knows how; everything can be done without it.
(() => {
  "use strict";
  const keys = window.PublicKeyCredential;
  if (!keys || !keys.parseRequestOptionsFromJSON || !keys.parseCreationOptionsFromJSON) return;

  class Refused extends Error {
    constructor(problem) { super(problem.type || "refused"); this.kind = (problem.type || "").split("/").pop(); }
  }

  const post = async (path, csrf, body) => {
    const headers = { "Content-Type": "application/json" };
    if (csrf) headers["X-CSRF-Token"] = csrf;
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(said);
    return said;
  };
  const csrfOf = (form) => form.querySelector('input[name="_csrf"]');
  const hears = (form, told, act, failed) => form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    told.textContent = told.dataset.wait;
    try { await act(); } catch (problem) { told.textContent = failed(problem); }
    button.disabled = false;
  });

  // Signing in, and showing once more that it is you. The session is new then, and so is what shows that a page is ours.
  for (const part of document.querySelectorAll("[data-passkey]")) {
    const form = part.closest("form"), told = part.querySelector("[role=status]"), at = part.dataset.passkey;
    part.hidden = false;
    hears(form, told, async () => {
      let csrf = csrfOf(form);
      const asked = await post(`${at}/begin`, csrf && csrf.value, {});
      const signed = await navigator.credentials.get({ publicKey: keys.parseRequestOptionsFromJSON(asked) });
      const inside = await post(at, csrf && csrf.value, { credential: signed.toJSON() });
      if (!csrf) {
        csrf = document.createElement("input");
        csrf.type = "hidden";
        csrf.name = "_csrf";
        form.append(csrf);
      }
      csrf.value = inside.csrf;
      form.submit();
    }, () => told.dataset.sorry);
  }

  // Making one.
  for (const form of document.querySelectorAll("form[data-make]")) {
    const { make, done, step } = form.dataset, told = form.querySelector("[role=status]");
    form.hidden = false;
    form.parentElement.querySelector(".passkey-none").hidden = true;
    hears(form, told, async () => {
      const name = form.querySelector('input[name="name"]').value.trim(), csrf = csrfOf(form).value;
      if (!name) throw new Refused({ type: "name" });
      const asked = await post(`${make}/begin`, csrf, {});
      const made = await navigator.credentials.create({ publicKey: keys.parseCreationOptionsFromJSON(asked) });
      await post(make, csrf, { name, credential: made.toJSON() });
      window.location.assign(done);
    }, (problem) => {
      if (problem.kind === "fresh-step") window.location.assign(step);
      if (problem.kind === "name") return told.dataset.name;
      return problem.name === "InvalidStateError" ? told.dataset.known : told.dataset.sorry;
    });
  }
})();
