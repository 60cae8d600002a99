// Microsoft's own parser of KQL, on queries and declared tables: JSON comes in and goes out.
//
// In:  {"folder": …, "tables": {name: {column: type}}, "queries": [text]}
// Out: for each query what the parser has against it, as [{"code", "severity", "message", "at"}]
"use strict";

const fs = require("fs");
const path = require("path");
const vm = require("vm");

const given = JSON.parse(fs.readFileSync(0, "utf8"));
const parser = path.join(given.folder, "node_modules/@kusto/language-service-next");
// Both are scripts for a page: each leaves its names in the global scope, in this order.
for (const name of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  vm.runInThisContext(fs.readFileSync(path.join(parser, name), "utf8"), { filename: name });
}

const kusto = globalThis.Kusto.Language;
const symbols = kusto.Symbols;
const types = {
  string: symbols.ScalarTypes.String,
  datetime: symbols.ScalarTypes.DateTime,
  real: symbols.ScalarTypes.Real,
  int: symbols.ScalarTypes.Int,
  long: symbols.ScalarTypes.Long,
  bool: symbols.ScalarTypes.Bool,
  dynamic: symbols.ScalarTypes.Dynamic,
};

function table([name, columns]) {
  const made = Object.entries(columns).map(
    ([column, type]) => new symbols.ColumnSymbol(column, types[type], null, null, null, null),
  );
  return new symbols.TableSymbol.$ctor4(name, made);
}

const tables = Object.entries(given.tables).map(table);
const globals = kusto.GlobalState.Default.WithDatabase(
  new symbols.DatabaseSymbol.ctor("database", tables),
);

function faults(query) {
  const found = [];
  const diagnostics = kusto.KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  for (let number = 0; number < diagnostics.Count; number++) {
    const one = diagnostics.getItem(number);
    found.push({
      code: one.Code,
      severity: one.Severity,
      message: one.Message,
      at: query.slice(one.Start, one.Start + one.Length),
    });
  }
  return found;
}

process.stdout.write(JSON.stringify(given.queries.map(faults)));
