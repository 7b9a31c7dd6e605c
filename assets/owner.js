// Keeps the visitor's token in this browser, so that a reload or another day finds the same owner. It is never in a URL.
export default function ({ data, setStateValue }) {
  const KEY = "rnn-playground-owner";
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
