// Shows /openapi.json. Everything is put in as text, never as markup.
"use strict";

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function table(heads, rows) {
  const made = element("table");
  const head = element("tr");
  heads.forEach((text) => head.append(element("th", text)));
  made.append(head);
  for (const cells of rows) {
    const row = element("tr");
    cells.forEach((text, at) => {
      const cell = element("td");
      cell.append(at === 0 ? element("code", text) : document.createTextNode(text));
      row.append(cell);
    });
    made.append(row);
  }
  return made;
}

function typeOf(schema) {
  if (!schema) return "";
  if (schema.enum) return schema.enum.join(" | ");
  return [].concat(schema.type || "").join(" | ");
}

function operation(method, path, described) {
  const made = element("details");
  const summary = element("summary");
  summary.append(element("span", method, "method"), element("code", path));
  summary.append(element("span", described["x-scope"] ? "scope: " + described["x-scope"] : "open", "scope"));
  summary.append(element("div", described.summary));
  made.append(summary);
  const parameters = described.parameters || [];
  if (parameters.length) {
    made.append(element("h4", "Parameters"));
    made.append(table(["name", "in", "type", "meaning"],
      parameters.map((one) => [one.name, one.in, typeOf(one.schema), one.description || ""])));
  }
  if (described.requestBody) {
    made.append(element("p", "Body: " + Object.keys(described.requestBody.content).join(", ")));
  }
  made.append(element("h4", "Answers"));
  made.append(table(["status", "meaning", "type"], Object.entries(described.responses)
    .map(([status, one]) => [status, one.description, Object.keys(one.content || {}).join(", ")])));
  return made;
}

async function show() {
  const spec = await (await fetch("/openapi.json")).json();
  document.getElementById("about").prepend(spec.info.description + " Version " + spec.info.version + ". ");
  const routes = document.getElementById("routes");
  for (const [path, methods] of Object.entries(spec.paths)) {
    for (const [method, described] of Object.entries(methods)) {
      routes.append(operation(method, path, described));
    }
  }
}

show().catch((error) => {
  document.getElementById("about").append(" It could not be shown: " + error.message);
});
