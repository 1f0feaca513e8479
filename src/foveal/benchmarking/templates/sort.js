const value = cell => "value" in cell.dataset ? Number(cell.dataset.value) : null;
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      // The good end first: high values, unless low is good or the column holds names.
      const first = column === 0 || head.dataset.better === "low" ? "ascending" : "descending";
      const other = first === "ascending" ? "descending" : "ascending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      heads.forEach(each => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [a.cells[column], b.cells[column]];
        if (value(x) === null && value(y) === null) return sign * x.textContent.localeCompare(y.textContent);
        if (value(x) === null || value(y) === null) return (value(x) === null) - (value(y) === null);
        return sign * (value(x) - value(y));
      });
      body.append(...rows);
    });
  });
}
