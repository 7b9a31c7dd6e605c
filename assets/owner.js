// Keeps the visitor's token in this browser, so that a reload or another day finds the same owner. It is never in a URL.
const KEY = "rnn-playground-owner";

export default function ({ data, setStateValue }) {
  if (data.forget) {
    forget();
    return;
  }
  let kept;
  try {
    kept = localStorage.getItem(KEY);
    if (!/^[\w-]{43}$/.test(kept ?? "")) {
      kept = data.token;
      localStorage.setItem(KEY, kept);
    }
  } catch (error) {
    return; // no storage, as in some private windows: the token lasts as long as the session
  }
  if (kept !== data.token) {
    setStateValue("token", kept);
  }
}

// Removes all that the app keeps in this browser, and opens the page anew: only so do its fields forget what they hold.
function forget() {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith("rnn-playground")) {
        localStorage.removeItem(key);
      }
    }
  } catch (error) {
    // no storage, so nothing is in it
  }
  location.replace(`${location.pathname}?deleted=1`);
}
