// In the browser: runs one check in frames of the site, and logs what it found as one line of JSON.
import { checks } from './checks.mjs';

const { check, given } = Object.fromEntries(new URLSearchParams(location.search));
let said;
try {
  said = { value: await checks[check](JSON.parse(given ?? 'null')) };
} catch (error) {
  said = { error: `${error.message} ${error.stack ?? ''}`.slice(0, 800) };
}
const text = JSON.stringify(said);
// WebKit's driver has no console
document.documentElement.dataset.logged = text;
console.log(text);
