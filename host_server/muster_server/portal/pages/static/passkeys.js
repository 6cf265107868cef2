// Has the browser make a passkey, or use one, when a form is sent that needs it.
"use strict";

function decoded(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0));
}

function coded(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

// Base64url in what the server gave; bytes in what the browser takes, and back.
function options(form) {
  const given = JSON.parse(form.dataset.options);
  given.challenge = decoded(given.challenge);
  if (given.user) given.user.id = decoded(given.user.id);
  for (const list of [given.excludeCredentials, given.allowCredentials]) {
    for (const known of list || []) known.id = decoded(known.id);
  }
  return { publicKey: given };
}

function told(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = coded(credential.response[name]);
  }
  return JSON.stringify({
    id: credential.id, rawId: coded(credential.rawId), type: credential.type, response,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  const said = form.querySelector("[role=alert]");
  form.querySelector("button:not([type=button])").hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    said.hidden = true;
    try {
      const ask = form.dataset.passkey === "create" ? "create" : "get";
      form.elements.passkey.value = told(await navigator.credentials[ask](options(form)));
    } catch {
      said.hidden = false;
      return;
    }
    form.submit();
  });
}
