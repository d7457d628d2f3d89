// The list by keyboard: j and k go from call to call, Enter opens (it is a link), / goes to the search.

const links = [...document.querySelectorAll(".call-link")];
const search = document.getElementById("q");

function move(step) {
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "/") {
    event.preventDefault();
    search.focus();
    search.select();
  }
});

// An address without the fields that nobody filled in is one that people can read.
document.getElementById("search").addEventListener("submit", ({ target }) => {
  for (const field of target.querySelectorAll("input, select")) if (field.value === "") field.disabled = true;
});
