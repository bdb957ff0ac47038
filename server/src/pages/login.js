"use strict";
// A terminal asked; this page shows what for, and has the browser register or show a passkey. The code comes from the
// address's fragment, which no browser sends, or from the person. No login ever gets here.

const WHAT = {
  login: ["Log in at a terminal?", "Show my passkey"],
  proof: ["Prove that it is you?", "Show my passkey"],
  register: ["Register a passkey?", "Register a passkey"],
};

const at = (id) => document.getElementById(id);
let code = "";
// The first page that shows a code has it; another one is told so.
const page = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
let begun = null;

function say(text) {
  at("said").textContent = text;
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    credentials: "omit",
    cache: "no-store",
  });
  const problem = answer.ok ? null : await answer.json().catch(() => ({}));
  if (problem) throw new Error(problem.detail || `The service answers ${answer.status}: try again.`);
  return answer.status === 204 ? null : answer.json();
}

// Asks what the terminal wants; again before each try, because a ceremony is good once.
async function begin() {
  begun = null;
  const answer = await post("/login/begin", { user_code: code, page });
  const [what, show] = WHAT[answer.purpose];
  at("what").textContent = what;
  at("operator").textContent = answer.operator;
  at("address").textContent = answer.address;
  at("device").textContent = answer.device || "(nothing)";
  at("show").textContent = show;
  begun = answer;
}

async function ceremony() {
  const { purpose, options } = begun;
  begun = null;
  if (purpose === "register") {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey);
    return navigator.credentials.create({ publicKey });
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey);
  return navigator.credentials.get({ publicKey });
}

// What the person can do about an error of the browser's own.
function meaning(error) {
  if (error.name === "NotAllowedError") return "No passkey was shown, or it took too long. You can try again.";
  if (error.name === "InvalidStateError") return "This passkey is registered already. Use another one.";
  if (error.name === "SecurityError") return "The browser does not show passkeys here: see operators.origin in docs/operators.md.";
  return error.message;
}

at("enter").addEventListener("submit", async (event) => {
  event.preventDefault();
  code = at("code").value;
  say("");
  try {
    await begin();
    at("enter").hidden = true;
    at("asked").hidden = false;
    at("what").focus();
  } catch (error) {
    say(error.message);
    at("code").focus();
  }
});

at("show").addEventListener("click", async () => {
  at("show").disabled = true;
  say("Waiting for your passkey…");
  try {
    if (!begun) await begin();
    const credential = await ceremony();
    const made = await post("/login/finish", { user_code: code, page, credential: credential.toJSON() });
    at("asked").hidden = true;
    say(made ? `Go back to your terminal: if it shows ${made.check}, too, say yes there. Until then nothing is registered.`
      : "Done. Go back to your terminal; you can close this page.");
  } catch (error) {
    say(meaning(error));
    at("show").disabled = false;
    at("show").focus();
  }
});

// Another code in the address is another beginning.
addEventListener("hashchange", () => location.reload());

if (!window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) {
  at("enter").hidden = true;
  say("This browser is too old for this page, or was not asked over HTTPS. Use a current one.");
} else if (location.hash.length > 1) {
  at("code").value = location.hash.slice(1);
  // The code is not kept in the history.
  history.replaceState(null, "", location.pathname);
}
