// Keeps the visitor's token in this browser, so that a reload or another day finds the same owner. It is never in a URL.
const KEY = "rnn-playground-owner";
const TOKEN = /^[\w-]{43}$/;
let listening; // to what other tabs do with the token

export default function ({ data, setStateValue }) {
  if (data.forget) {
    forget();
    return;
  }
  stopListening();
  listening = ({ key, newValue }) => {
    if (key === KEY && TOKEN.test(newValue ?? "")) {
      setStateValue("token", newValue);
    }
  };
  window.addEventListener("storage", listening);
  let kept;
  try {
    kept = localStorage.getItem(KEY);
    if (!TOKEN.test(kept ?? "")) {
      kept = data.token;
      localStorage.setItem(KEY, kept);
    }
  } catch (error) {
    return stopListening; // no storage, as in some private windows: the token lasts as long as the session
  }
  if (kept !== data.token) {
    setStateValue("token", kept);
  }
  return stopListening;
}

function stopListening() {
  window.removeEventListener("storage", listening);
}

// Removes all that the app keeps in this browser, and opens the page anew: only so do its fields forget what they hold.
// The new token is made here: where none stood, another open tab would put its own, the old one, back.
function forget() {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith("rnn-playground")) {
        localStorage.removeItem(key);
      }
    }
    localStorage.setItem(KEY, fresh());
  } catch (error) {
    // no storage, so nothing is in it
  }
  location.replace(`${location.pathname}?deleted=1`);
}

// 256 random bits, written as Python's `token_urlsafe(32)` does.
function fresh() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
