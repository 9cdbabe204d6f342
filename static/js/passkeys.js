/* Passkeys: hands what the server asks to the browser, and what the browser answers to the form.
   Without this file, or in a browser that knows no passkeys, the forms stay hidden: the app does the same work. */
"use strict";

(() => {
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const toBytes = (text) => {
    const base64 = text.replace(/-/g, "+").replace(/_/g, "/");
    return Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
  };

  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");

  const withBytes = (keys) => (keys || []).map((key) => ({ ...key, id: toBytes(key.id) }));

  const make = async (asked) => {
    const publicKey = {
      ...asked,
      challenge: toBytes(asked.challenge),
      user: { ...asked.user, id: toBytes(asked.user.id) },
      excludeCredentials: withBytes(asked.excludeCredentials),
    };
    const made = await navigator.credentials.create({ publicKey });
    return {
      ...common(made),
      response: {
        clientDataJSON: toText(made.response.clientDataJSON),
        attestationObject: toText(made.response.attestationObject),
        transports: made.response.getTransports ? made.response.getTransports() : [],
      },
    };
  };

  const prove = async (asked) => {
    const publicKey = {
      ...asked,
      challenge: toBytes(asked.challenge),
      allowCredentials: withBytes(asked.allowCredentials),
    };
    const proof = await navigator.credentials.get({ publicKey });
    const { response } = proof;
    return {
      ...common(proof),
      response: {
        clientDataJSON: toText(response.clientDataJSON),
        authenticatorData: toText(response.authenticatorData),
        signature: toText(response.signature),
        userHandle: response.userHandle ? toText(response.userHandle) : null,
      },
    };
  };

  const common = (credential) => ({
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
  });

  for (const note of document.querySelectorAll("[data-passkey-without]")) note.hidden = true;

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const fault = form.querySelector("[data-passkey-fault]");
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      fault.hidden = true;
      try {
        /* with what was typed: it waits there while a confirmation is asked */
        const sent = form.dataset.passkey === "create" ? { method: "POST", body: new FormData(form) } : {};
        const answer = await fetch(form.dataset.options, { ...sent, headers: { Accept: "application/json" } });
        if (answer.redirected) {
          location.assign(answer.url); /* a confirmation, or a sign-in, is asked first */
          return;
        }
        if (!answer.ok) throw new Error(String(answer.status));
        const asked = (await answer.json()).publicKey;
        const credential = await (form.dataset.passkey === "create" ? make(asked) : prove(asked));
        form.elements.credential.value = JSON.stringify(credential);
        form.submit();
      } catch {
        fault.hidden = false; /* refused, cancelled, timed out: the browser does not tell which */
      }
    });
  }
})();
