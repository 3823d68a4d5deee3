// Every word of the page, in English and in Chinese, from the page's tables.

let table = {};
let language = "en";

export async function loadWords(first, files = ["/words.json"]) {
  const tables = await Promise.all(files.map(async (file) => (await fetch(file)).json()));
  table = { en: Object.assign({}, ...tables.map((one) => one.en)), zh: Object.assign({}, ...tables.map((one) => one.zh)) };
  setLanguage(sessionStorage.getItem("language") || first);
}

export function setLanguage(next) {
  language = table[next] ? next : "en";
  sessionStorage.setItem("language", language);
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

export const currentLanguage = () => language;

// `{name}` is filled in from values; a word that is missing shows its key, which a test would see.
export function say(key, values = {}) {
  const text = table[language]?.[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

export function pause(seconds) {
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) { return say("pause_minutes", { n: minutes }); }
  if (minutes < 24 * 60) { return say("pause_hours", { h: Math.floor(minutes / 60), m: minutes % 60 }); }
  return say("pause_days", { d: Math.floor(minutes / 1440), h: Math.round((minutes % 1440) / 60) });
}
