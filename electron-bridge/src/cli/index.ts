// electron-sidecar: the command for an app's own project.

import { generate } from "./generate.js";
import { CommandError } from "./errors.js";

const USAGE = `usage: electron-sidecar generate --extension MODULE --out FILE [--python FILE] [--python-path DIR] [--check]

Write the operation table and the types of an app's own Python.

  --extension MODULE   an extension module, such as my_app.backend; may be repeated
  --out FILE           the TypeScript file to write, such as src/sidecar.generated.ts; a name that ends with .json is
                       the operation table alone, for an app in plain JavaScript
  --python FILE        the Python that has electron-sidecar (default: .venv of this project)
  --python-path DIR    a directory in which the modules are looked for first; may be repeated
  --check              write nothing; end with 1 if the file is out of date

example:
  npx electron-sidecar generate --python-path backend --extension my_app.backend --out src/sidecar.generated.ts
`;

function main([command, ...args]: readonly string[]): number {
  if (command === "--help" || command === "-h" || args.includes("--help") || args.includes("-h")) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (command !== "generate") {
    process.stderr.write(USAGE);
    return 2;
  }
  try {
    return generate(args);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    process.stderr.write(`electron-sidecar generate: ${error.message}\n`);
    return error.exitCode;
  }
}

process.exitCode = main(process.argv.slice(2));
